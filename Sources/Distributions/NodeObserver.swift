import Host
public import Model
public import Ports

/// Looks at a node: every distribution on it, and the node's own facts.
public struct NodeObserver: Observer {
    private let site: Site
    private let name: String?
    private let cluster: String
    private let labels: [String: String]
    private let adapters: [any DistributionAdapter]

    /// Makes an observer.
    ///
    /// - Parameters:
    ///   - name: from node.yaml; nil for the host name.
    ///   - cluster: from node.yaml.
    ///   - labels: from node.yaml.
    public init(
        site: Site, name: String?, cluster: String = "default", labels: [String: String] = [:],
        adapters: [any DistributionAdapter] = allDistributions
    ) {
        self.site = site
        self.name = name
        self.cluster = cluster
        self.labels = labels
        self.adapters = adapters
    }

    /// Looks once; whatever cannot be seen is a problem, and the rest goes on.
    public func observe(reading: ClockReading, memory: inout ObserverMemory) -> Observation {
        var site = site
        site.units = site.units.snapshot(known: memory.units, question: question, now: reading.now)
        var installations: [Installation] = []
        var problems: [Problem] = []
        var settings: [Setting: SettingReading] = [:]
        var snapd: SnapdFacts?
        var access: ClusterAccess?
        for adapter in adapters {
            let findings = adapter.look(at: site, reading: reading, memory: &memory)
            installations += findings.installations
            settings.merge(findings.settings) { first, _ in first }
            snapd = snapd ?? findings.snapd
            access = access ?? findings.access.flatMap(way)
            // Two adapters that meet the same trouble say it once.
            problems += findings.problems.filter { !problems.contains($0) }
        }
        memory.units = site.units.known
        installations.sort { $0.id < $1.id }
        problems += unrecognised(installations).filter { !problems.contains($0) }
        return Observation(
            node: NodeFacts(
                name: name ?? Machine.hostName(root: site.root) ?? "localhost", cluster: cluster,
                labels: labels,
                architecture: site.root.isLive
                    ? Machine.architecture : installations.lazy.compactMap(\.installed?.architecture).first),
            clock: reading, installations: installations, problems: problems, settings: settings,
            access: access, snapd: snapd)
    }

    /// The way to a cluster: by the kubeconfig of node.yaml, else by the distribution's own.
    ///
    /// Below another root that one leads to this machine's API server, which is none of that node's.
    private func way(_ found: ClusterAccess) -> ClusterAccess? {
        var access = found
        if let given = site.kubeconfig {
            access.kubeconfig = given
        } else if !site.root.isLive || found.kubeconfig.isEmpty {
            return nil
        }
        return access
    }

    /// Whether a binary is no longer the file that was observed, or no longer there.
    public func hasMoved(since observation: Observation) -> Bool {
        observation.installations.contains { installation in
            guard let installed = installation.installed, let place = try? site.root.resolve(installed.path)
            else {
                return false
            }
            let present = try? identity(ofFile: place)
            // A snap's identity is its revision, which its adapter reads anew at each look.
            if installed.identity == nil, installation.id.distribution == .microk8s { return false }
            return present != installed.identity
        }
    }

    /// What decides which services are wanted; nil where this program does not know what it is itself.
    private var question: String? {
        ownIdentity.map { program in
            let adapters = adapters.map(\.distribution.rawValue)
            return (["\(program.device):\(program.inode):\(program.changed)"] + adapters + site.extraUnits)
                .joined(separator: " ")
        }
    }

    private func unrecognised(_ installations: [Installation]) -> [Problem] {
        let known = Set(installations.flatMap(\.units).map(\.name))
        return site.extraUnits.filter { !known.contains($0) }.map { unit in
            Problem(
                code: "unit-unrecognised",
                text:
                    "\(unit.printable): named in node.yaml, but no unit of K3s or k0s; correct the name, or take it out",
                about: unit)
        }
    }
}
