import Host
public import Model
public import Ports

/// MicroK8s, which is a snap: snapd says what is installed, what is held and what would come.
///
/// Where snapd cannot be asked, what it has left on disk is read; it is then still snapd's word (`Evidence.snapd`).
/// A second instance under another name (`microk8s_b`, parallel installs) is not looked for.
public struct MicroK8sAdapter: DistributionAdapter {
    static let snap = "microk8s"
    static let id = InstallationID(distribution: .microk8s, name: snap)

    /// Makes the adapter.
    public init() {}

    /// MicroK8s.
    public var distribution: Distribution { .microk8s }

    /// Finds the snap of that name, by snapd or by what it has left on disk.
    public func look(at site: Site, reading: ClockReading, memory: inout ObserverMemory) -> Findings {
        guard let socket = try? site.root.resolve("/run/snapd.socket") else { return Findings() }
        let hasSocket = (try? identity(ofFile: socket)) != nil
        // What snapd has on disk can be megabytes: it is read only where snapd does not tell.
        let find = { SnapFiles(snap: Self.snap, root: site.root) }
        var files = hasSocket ? nil : find()
        guard hasSocket || files != nil else { return Findings() }
        var look = SnapLook(
            site: site, client: SnapdClient(socket: socket, patience: site.patience), now: reading.now)
        let snap: InstalledSnap?
        do throws(SnapdError) {
            // Nobody starts a snapd under another root.
            guard hasSocket || site.root.isLive else { throw SnapdError(noSocket: socket) }
            snap = try look.client.snap(Self.snap)
        } catch {
            files = files ?? find()
            // A socket that nobody listens on is no sign of MicroK8s, and none that it has gone either.
            let wasThere = memory.snaps[Self.id.description] != nil
            guard files != nil || error.code != .absent || wasThere else { return Findings() }
            return withAccess(look.withoutSnapd(error, files: files, memory: memory))
        }
        guard let snap else {
            Self.forget(&memory)
            return Findings()
        }
        return withAccess(look.findings(for: snap, memory: &memory))
    }

    /// What was found, with the way to the cluster; a worker has no credentials of its own that would do.
    private func withAccess(_ findings: Findings) -> Findings {
        var findings = findings
        if let installation = findings.installations.first {
            let isWorker = installation.role == .worker
            findings.access = ClusterAccess(
                distribution: .microk8s,
                kubeconfig: isWorker ? "" : "\(MicroK8sData.directory)/credentials/client.config")
        }
        return findings
    }

    private static func forget(_ memory: inout ObserverMemory) {
        let key = id.description
        memory.snaps[key] = nil
        memory.snapChanges[key] = nil
        memory.causes[key] = nil
        memory.offers[key] = nil
    }
}
