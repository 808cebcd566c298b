import Host
import Kubernetes
public import Model
public import Ports
import Web

/// A running node, as far as a step asks how it is.
public struct NodeHealth: StepPort {
    private let site: Site

    /// Makes the port of the node that an observer looks at.
    public init(site: Site) { self.site = site }

    /// What the bytes at a path are, by their build information or the one version string of the right shape.
    public func identify(
        _ path: String, distribution: Distribution
    ) throws(EffectFailure) -> Artifact {
        do throws(HostError) {
            let place = try site.root.resolve(path)
            let before = try identity(ofFile: place)
            let digest = try hashFile(place)
            let facts = readArtifact(at: place, distribution: distribution)
            guard try identity(ofFile: place) == before else {
                throw HostError(description: "\(path): it changed while it was read")
            }
            return Artifact(version: facts.version, sha256: digest)
        } catch {
            throw EffectFailure(error.description)
        }
    }

    /// Asks a check; what a look at the node answers is not asked here.
    public func ask(
        _ check: HealthPolicy.Check, of installation: Installation, patience: TimeSpan
    ) -> HealthAnswer {
        let milliseconds = Int(clamping: patience.seconds.multipliedReportingOverflow(by: 1000).partialValue)
        return switch check {
        case .unit, .running: .unknown("it is told by a look at the node")
        case .readyz: readyz(installation, milliseconds)
        case .nodeReady: condition("Ready", installation, milliseconds)
        case .etcdVoter: etcdVoter(installation, milliseconds)
        case .dqliteVoters: dqliteVoters(installation)
        case .http(let url): http(url, milliseconds)
        case .command(let words): command(words, milliseconds)
        }
    }

    /// Waits, and does nothing else.
    public func wait(_ span: TimeSpan) { pause(seconds: max(0, span.seconds)) }

    // MARK: The API server

    private func readyz(_ installation: Installation, _ milliseconds: Int) -> HealthAnswer {
        asking(installation, "whether the API server is ready (readyz)") {
            client, _ throws(KubernetesError) in
            try client.isReady(timeoutMilliseconds: milliseconds)
                ? .well : .notYet("the API server is not ready (readyz)")
        }
    }

    private func condition(
        _ type: String, _ installation: Installation, _ milliseconds: Int
    ) -> HealthAnswer {
        asking(installation, "the Node's condition \(type)") { client, node throws(KubernetesError) in
            let object = try client.node(node, within: Deadline(afterMilliseconds: milliseconds))
            switch object.conditions[type] {
            case .some(true): return .well
            case .some(false): return .notYet("the Node \(node) is not \(type)")
            case .some(nil): return .notYet("nobody knows whether the Node \(node) is \(type)")
            case nil: return .unknown("the Node \(node) has no condition \(type)")
            }
        }
    }

    private func etcdVoter(_ installation: Installation, _ milliseconds: Int) -> HealthAnswer {
        guard installation.dataStore == .etcd else { return .well }
        // K3s says it of its members; of k0s's its etcd does.
        guard installation.id.distribution == .k0s else {
            return condition("EtcdIsVoter", installation, milliseconds)
        }
        let finding = StepCluster(root: site.root).etcdMembers(
            of: installation, within: Deadline(afterMilliseconds: milliseconds))
        switch finding {
        case .unknown(let reason): return .notYet(reason)
        case .members(let members, let own):
            guard let member = members.first(where: { $0.id == own }) else {
                return .notYet("this node is no member of etcd")
            }
            return member.isLearner ? .notYet("this node does not vote in etcd yet") : .well
        }
    }

    private func dqliteVoters(_ installation: Installation) -> HealthAnswer {
        guard installation.dataStore == .dqlite else { return .well }
        guard let members = DqliteMembers.read(site.root) else {
            return .unknown("the files of dqlite do not tell who its members are")
        }
        return members.complaint.map { .notYet($0) } ?? .well
    }

    private func asking(
        _ installation: Installation, _ what: String,
        _ question: (KubernetesClient, String) throws(KubernetesError) -> HealthAnswer
    ) -> HealthAnswer {
        let reading = ClockReading(now: Instant(seconds: 0), monotonic: 0, bootID: "", synchronised: nil)
        var site = site
        // Only a snapshot tells which units could not be read.
        site.units = site.units.snapshot(known: nil, question: nil, now: reading.now)
        var look = BinaryLook(distribution: installation.id.distribution, site: site, reading: reading)
        let access = look.access(to: installation.id)
        guard let access, let kubeconfig = access.kubeconfig else {
            // Of a unit that was not found because a file could not be read that file is the reason.
            let unread = access == nil ? look.problems.first { $0.code == Problem.unitsUnreadable } : nil
            let reason = unread?.text ?? "there is no kubeconfig of this node to ask with"
            return .unknown("\(what) cannot be asked: \(reason)")
        }
        do throws(KubernetesError) {
            return try question(KubernetesClient(kubeconfig), access.node)
        } catch {
            // A server that is not there yet, or does not know its own clients yet.
            return .notYet("\(what) cannot be asked: \(error.description)")
        }
    }

    // MARK: A policy's own

    // Neither the URL nor the arguments are told: both can carry tokens (invariant 13).
    private func http(_ url: String, _ milliseconds: Int) -> HealthAnswer {
        guard let scheme = url.firstRange(of: "://") else { return .unknown("the check http has no URL") }
        let slash = url[scheme.upperBound...].firstIndex { $0 == "/" || $0 == "?" } ?? url.endIndex
        let target = url[slash...].hasPrefix("/") ? String(url[slash...]) : "/\(url[slash...])"
        let client = HTTPClient(
            .origin(String(url[..<slash])), timeoutMilliseconds: milliseconds,
            connectTimeoutMilliseconds: milliseconds, maximumBodyBytes: 1 << 20)
        do throws(HTTPError) {
            let status = try client.send(HTTPRequest(.get, target)).status
            return (200...299).contains(status) ? .well : .notYet("the check http answers \(status)")
        } catch {
            return .notYet("the check http has no answer: \(error.code)")
        }
    }

    private func command(_ words: [String], _ milliseconds: Int) -> HealthAnswer {
        guard let program = words.first else { return .unknown("the check command names no program") }
        do throws(HostError) {
            let outcome = try runProcess(
                words, environment: ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                timeout: milliseconds, outputLimit: 4096)
            switch outcome.end {
            case .exited(0): return .well
            case .exited(let code): return .notYet("the check command \(program) exits with \(code)")
            case .signalled(let signal):
                return .notYet("the check command \(program) ends by signal \(signal)")
            case .timedOut: return .notYet("the check command \(program) takes longer than health.timeout")
            }
        } catch {
            return .unknown("the check command cannot be started: \(error.description)")
        }
    }
}
