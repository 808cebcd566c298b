import Agent
import Artifacts
import CommandLine
import Distributions
import Host
import Ledger
import Model
import Ports
import Reports
import Rollout
import Rules

/// Finds the way to a release, and the artifacts of its first step.
struct UpgradePlanning {
    private let place: Place
    private let fleet: FleetPlace
    private let distribution: Distribution
    private let judgement: Judgement
    private let invocation: Invocation
    private let installation: Installation
    private let policy: LoadedPolicy
    private let resolved: ResolvedPolicy

    init(
        _ place: Place, _ fleet: FleetPlace, _ distribution: Distribution, _ judgement: Judgement,
        _ invocation: Invocation
    ) throws(Failure) {
        self.place = place
        self.fleet = fleet
        self.distribution = distribution
        self.judgement = judgement
        self.invocation = invocation
        guard let policy = judgement.policy, judgement.policyIsCurrent else {
            throw Failure(
                code: .badConfiguration,
                message:
                    "there is no valid policy here, and a rollout goes by one; see 'holdfast policy lint'")
        }
        guard
            let installation = judgement.observation.installations.first(where: {
                $0.id.distribution == distribution
            })
        else {
            throw Failure(
                code: .failed,
                message: "no \(distribution.displayName) is on this node; give the command where one is")
        }
        guard judgement.state.installations[installation.id.description]?.adoption != nil else {
            throw Failure(
                code: .failed,
                message:
                    "\(installation.id.name) is not guarded here, so nothing is changed; 'holdfast adopt' first"
            )
        }
        self.policy = policy
        self.installation = installation
        resolved = resolve(
            policy, isCurrent: true, node: judgement.observation.node, distribution: distribution,
            role: installation.role)
    }

    /// Plans; nothing is written.
    func plan() throws(Failure) -> UpgradeOutline {
        let target = try self.target()
        let through = try releasesToPassThrough()
        let records = try nodes()
        guard let oldest = records.flatMap(versions).min() else {
            throw Failure(
                code: .failed,
                message: "nobody knows what runs on the nodes; 'holdfast check --fleet' on each tells")
        }
        // What snapd brings is in a channel now, or cannot be had.
        let known = target.snap == nil ? target.known + through + waiting : target.known
        let steps: Ladder
        do throws(LadderFailure) {
            steps = try ladder(
                from: oldest, to: target.version, known: known,
                waypoints: waypoints(for: installation, resolved.policy))
        } catch {
            throw Failure(code: .failed, message: error.text)
        }
        var plan = UpgradeOutline(
            distribution: distribution, target: target.version, oldest: oldest, ladder: steps,
            nodes: records.count, notes: notes(records))
        guard let first = steps.steps.first else { return plan }
        let architectures = Set(records.map(\.architecture)).sorted()
        plan.artifacts = try artifacts(of: first.version, for: architectures, target)
        let release = target.snap?.release(of: first.version)
        plan.release = release
        var bytes: [String: String] = [:]
        for artifact in plan.artifacts {
            bytes[artifact.wanted.architecture.rawValue] = artifact.sha256.hex
        }
        if let own = judgement.observation.node.architecture, bytes[own.rawValue] == nil {
            bytes[own.rawValue] = release.map { "revision:\($0.revision)" } ?? onThisNode(first.version)
        }
        let reading = place.clock.read()
        do throws(PlanFailure) {
            var document = try RolloutDocument.plan(
                id: label(
                    "rollout \(distribution.rawValue) \(first.version) \(reading.now.seconds) \(reading.monotonic)"
                ),
                distribution: distribution,
                artifact: RolloutArtifact(version: first.version, bytes: bytes, channel: release?.channel),
                policy: policy.sha256, stages: policy.document.stages,
                nodes: records.flatMap { $0.planned(for: distribution) })
            let rest = steps.steps.dropFirst().map(\.version)
            document.then = rest.isEmpty ? nil : Array(rest)
            plan.document = document
        } catch {
            throw Failure(code: .failed, message: error.text)
        }
        return plan
    }

    // MARK: Nodes

    /// What runs on a node; where this one's does not tell, what its unit would start.
    private func versions(_ record: NodeRecord) -> [Version] {
        record.parts.filter { $0.distribution == distribution }.compactMap { part in
            part.running
                ?? (record.id == fleet.identity.id ? installation.installed?.artifact.version : nil)
        }
    }

    private func nodes() throws(Failure) -> [NodeRecord] {
        let all: [NodeRecord]
        do throws(FleetFailure) { all = try fleet.port.nodes().records } catch {
            throw Failure(fleet: error)
        }
        let records = all.filter { record in record.parts.contains { $0.distribution == distribution } }
        guard records.contains(where: { $0.id == fleet.identity.id }) else {
            throw Failure(
                code: .failed,
                message:
                    "this node has not told the fleet of itself yet; 'holdfast check --fleet' as root does, then try again"
            )
        }
        return records
    }

    /// What a person should know before: outages, and who takes no part.
    private func notes(_ records: [NodeRecord]) -> [String] {
        var notes: [String] = []
        for (cluster, members) in Dictionary(grouping: records, by: \.cluster).sorted(by: { $0.key < $1.key })
        {
            let servers = members.filter { record in
                record.parts.contains { $0.distribution == distribution && $0.role?.isControlPlane == true }
            }
            switch servers.count {
            case 0:
                notes.append(
                    "cluster \(cluster): no node of the control plane is known, so its workers wait for one")
            case 1:
                notes.append(
                    "cluster \(cluster): one control-plane node, so the API is away while it is restarted")
            case 2:
                notes.append(
                    "cluster \(cluster): two control-plane nodes keep no quorum while one is away; that takes an "
                        + "approval that waives quorum, or an override")
            default: break
            }
        }
        let others = records.filter { $0.policy != policy.sha256 }
        if !others.isEmpty {
            notes.append(
                "another policy is in force on \(others.map(\.name).sorted().joined(separator: ", ")): they take no "
                    + "part until it is the same")
        }
        for record in records where record.stage == nil {
            notes.append("\(record.name) is in no stage, and keeps its version")
        }
        let silent = records.filter { versions($0).isEmpty }.map(\.name).sorted()
        if !silent.isEmpty {
            notes.append(
                "what runs on \(silent.joined(separator: ", ")) is not known, so the steps do not count from it"
            )
        }
        return notes
    }

    // MARK: Artifacts

    /// Where a person wants to go, and what that names.
    private struct Target {
        var version: Version
        /// Releases that can be had.
        var known: [Version] = []
        var source: (any ReleaseSource)?
        /// What the snap store has.
        var snap: SnapFinding?
    }

    private func target() throws(Failure) -> Target {
        let word = invocation.value("target") ?? ""
        if distribution == .microk8s { return try snapTarget(word) }
        var settings = resolved.policy.source
        if let from = invocation.value("from") {
            if !from.contains("://"), let file = try fileTarget(from) {
                if let wanted = Version(word), wanted != file.version {
                    throw Failure(
                        code: .failed,
                        message: "\(from.printable): it is \(file.version), not \(word.printable)")
                }
                return file
            }
            settings.releases = from
        }
        guard let version = Version(word) else {
            // A channel: its answer is the target.
            guard !word.isEmpty else {
                throw Failure(
                    code: .usage, message: "name a release to go to: v1.32.1+k3s1, or a channel: stable")
            }
            settings.channel = word
            let versions = try ask(settings) { source throws(SourceFailure) in
                try source.releases(of: distribution)
            }
            guard let newest = versions.first else {
                throw Failure(code: .failed, message: "the channel \(word.printable) tells of no release")
            }
            return Target(version: newest, known: versions, source: releaseSource(settings))
        }
        try check(version)
        // A directory lists all that it has; on the web there is the channel's newest to know of, and the makers' own
        // releases where nothing else is named.
        if settings.releases.hasPrefix("/") { settings.channel = "" }
        var known: [Version] = []
        if let source = releaseSource(settings) {
            // What lists nothing is no error; the ladder says where a release is missing.
            known = (try? source.releases(of: distribution)) ?? []
        }
        return Target(version: version, known: known, source: releaseSource(settings))
    }

    /// What `--through` names.
    private func releasesToPassThrough() throws(Failure) -> [Version] {
        var releases: [Version] = []
        for word in (invocation.value("through") ?? "").split(separator: ",") {
            guard let version = Version(String(word)) else {
                throw Failure(
                    code: .usage,
                    message: "--through: \(String(word).printable) is no version; write one as v1.31.9+k3s1")
            }
            try check(version)
            releases.append(version)
        }
        return releases
    }

    /// Refuses a version that this distribution cannot have.
    private func check(_ version: Version) throws(Failure) {
        guard version.distribution == distribution else {
            throw Failure(
                code: .usage,
                message: "\(version) is no version of \(distribution.displayName); name one such as "
                    + (distribution == .k3s ? "v1.31.4+k3s1" : "v1.31.4+k0s.0"))
        }
    }

    private func ask<Value>(
        _ settings: ArtifactSource, _ question: (any ReleaseSource) throws(SourceFailure) -> Value
    ) throws(Failure) -> Value {
        guard let source = releaseSource(settings) else { throw noSource }
        do throws(SourceFailure) { return try question(source) } catch {
            throw Failure(code: .failed, message: error.description)
        }
    }

    private var noSource: Failure {
        Failure(
            code: .badConfiguration,
            message:
                "no source of releases is known; set source.channel (v1.31) or source.releases in the policy, or name "
                + "one: --from")
    }

    private func fileTarget(_ path: String) throws(Failure) -> Target? {
        guard (try? identity(ofFile: path)) != nil else {
            throw Failure(code: .failed, message: "\(path.printable): nothing is there")
        }
        guard !isDirectory(path) else {
            guard path.hasPrefix("/") else {
                throw Failure(
                    code: .usage,
                    message: "--from \(path.printable): name a directory by its whole path, from / on")
            }
            return nil
        }
        do throws(SourceFailure) {
            let source = FileRelease(path)
            let wanted = try source.identify()
            guard wanted.distribution == distribution else {
                throw SourceFailure(
                    .version,
                    "\(path): it is a \(wanted.distribution.displayName), not a \(distribution.displayName)")
            }
            return Target(version: wanted.version, known: [wanted.version], source: source)
        } catch {
            throw Failure(code: .failed, message: error.description)
        }
    }

    private func snapTarget(_ word: String) throws(Failure) -> Target {
        for option in ["from", "through"] where invocation.value(option) != nil {
            throw Failure(
                code: .usage,
                message:
                    "--\(option) is of no use here: \(distribution.displayName) comes from the snap store")
        }
        do throws(SnapStoreFailure) {
            let found = try SnapStore(root: place.root).find(
                word, of: installation.id.name, followed: installation.installed?.artifact.channel)
            return Target(
                version: found.release.version, known: found.others.map(\.version), snap: found)
        } catch {
            throw Failure(code: .failed, message: error.description)
        }
    }

    /// Releases that are offered to this node, as what was put aside.
    private var waiting: [Version] { installation.offers.compactMap(\.artifact.version) }

    /// The digest of a release whose bytes are on this node already; nil where they are not.
    private func onThisNode(_ version: Version) -> String? {
        let artifacts =
            installation.offers.filter { $0.path != nil }.map(\.artifact)
            + [installation.installed?.artifact].compactMap(\.self)
        return artifacts.first { $0.version == version }?.bytes
    }

    private func artifacts(
        of version: Version, for architectures: [String], _ target: Target
    ) throws(Failure) -> [FoundArtifact] {
        guard distribution != .microk8s else { return [] }
        guard let source = target.source else {
            guard architectures == [judgement.observation.node.architecture?.rawValue],
                onThisNode(version) != nil
            else { throw noSource }
            return []
        }
        var found: [FoundArtifact] = []
        for name in architectures {
            guard let architecture = Architecture(rawValue: name) else { continue }
            let pinned = resolved.policy.pin.digest[name]
            do throws(SourceFailure) {
                found.append(
                    try source.find(
                        WantedArtifact(
                            distribution, version, architecture, pinned: pinned,
                            imported: imported(version, architecture))))
            } catch {
                // What waits on this node already needs no source.
                if onThisNode(version) != nil, architecture == judgement.observation.node.architecture {
                    continue
                }
                throw Failure(code: .failed, message: error.description)
            }
        }
        return found
    }

    private func imported(_ version: Version, _ architecture: Architecture) -> Digest? {
        let entries = (try? place.readLedger().catalogEntries(of: version, for: distribution)) ?? []
        return entries.first { $0.architecture == architecture }?.sha256
    }
}
