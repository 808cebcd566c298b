import Agent
import Artifacts
import CommandLine
import Crypto
import Distributions
import Host
import Ledger
import Model
import PolicyFile
import Ports
import Reports

/// Where a verb works: which root, which policy, which ledger; and the world behind the ports there.
struct Place {
    let root: Root
    /// The policy file, on this machine.
    let policyPath: String
    /// Where the ledger is, on this machine.
    let stateDirectory: String
    /// Whether the policy must be root's alone: asked of the installed one, not of one that was given by hand.
    let asksOwnership: Bool
    /// Whether it is the installed one rather than one that was given by hand.
    let isInstalledPolicy: Bool
    let node: NodeFile
    let clock = SystemClock()
    let zones: ZoneFiles
    /// One for all: a look of the tick settles by what a step's cordon is set.
    private let cluster: NodeCluster

    /// Reads the options that say where to work, and node.yaml there.
    ///
    /// - Parameter policyPath: a policy given as an argument rather than by `--policy`.
    init(_ invocation: Invocation, policyPath given: String? = nil) throws(Failure) {
        let root = Root(invocation.value("root") ?? "/")
        self.root = root
        do throws(HostError) {
            _ = try identity(ofFile: root.prefix + "/.")
        } catch {
            let reason = error.isAbsence ? "there is no such directory" : error.description
            throw Failure(code: .usage, message: "--root \(root.prefix): \(reason)".printable)
        }
        zones = ZoneFiles(root: Root("/"))
        cluster = NodeCluster(root: root)
        let byHand = given ?? invocation.value("policy")
        policyPath = byHand ?? root.place(of: installedPolicy)
        isInstalledPolicy = byHand == nil
        asksOwnership = byHand == nil || (given == nil && root.isLive)
        let nodePath = root.place(of: "/etc/holdfast/node.yaml")
        switch readNodeFile(
            at: nodePath, read: readSmallFile, ownership: ownershipCheck(root.isLive, below: root))
        {
        case .valid(let file, _): node = file
        case .invalid(let faults):
            throw Failure(code: .badConfiguration, lines: faults.map(\.description))
        }
        stateDirectory = invocation.value("state") ?? root.place(of: node.stateDirectory)
    }

    // MARK: Policy

    /// The bytes of the policy file.
    func policyBytes() throws(Failure) -> [UInt8] {
        do throws(HostError) {
            return try readFile(policyPath, limit: smallFileLimit)
        } catch {
            let isNone = isInstalledPolicy && error.isAbsence
            throw Failure(
                code: .badConfiguration,
                message: isNone
                    ? "\(policyPath): there is no policy yet; write one there, or name a file"
                    : error.description)
        }
    }

    /// The bytes of a small file.
    func bytes(of path: String) throws(Failure) -> [UInt8] {
        do throws(HostError) {
            return try readFile(path, limit: smallFileLimit)
        } catch {
            throw Failure(code: .badConfiguration, message: error.description)
        }
    }

    /// Reads a policy from its bytes.
    func parse(_ bytes: [UInt8]) -> PolicyParse {
        parsePolicy(bytes, file: policyPath, isZone: isZone, hash: digest)
    }

    /// What is wrong with who could have written the policy file; nil where nothing is.
    func ownershipProblem() -> String? { Host.ownershipProblem(of: policyPath, below: root) }

    private func isZone(_ name: String) -> Bool { zones.zone(named: name) != nil }

    private var policySource: PolicyFileSource {
        PolicyFileSource(
            path: policyPath, read: readSmallFile, ownership: ownershipCheck(asksOwnership, below: root),
            isZone: isZone, identity: { try? identity(ofFile: $0) }, program: ownIdentity, hash: digest)
    }

    // MARK: The tick

    /// The tick over this place and a ledger.
    func tick(over ledger: any LedgerStore) -> Tick {
        Tick(
            clock: clock, observer: observer, policy: policySource, zones: zones, ledger: ledger,
            journal: journal, label: label, guards: guards, cluster: cluster,
            servers: StepCluster(root: root, patience: 10_000, each: 3000), fleet: fleetOfTick,
            source: root.isLive ? { releaseSource($0, questionMilliseconds: 5000) } : nil,
            checkpoints: (CheckpointFiles(stateDirectory: stateDirectory), isNodesLedger),
            untold: { now in (ledger as? Ledger).map { untold(in: $0, at: now) } ?? [] })
    }

    /// Where guards are kept; nil where the state directory is none of the node's own, so that a gate would not find it.
    var guards: (port: any GuardPort, site: GuardSite)? {
        guard stateDirectory.hasPrefix(root.prefix + "/") else { return nil }
        let state = String(stateDirectory.dropFirst(root.prefix.utf8.count))
        let clock = clock
        var settings = SnapSettings(root: root) { clock.read().now }.byKind
        settings[.seal] = SealPort(root: root)
        settings[.planLabel] = cluster
        settings[.cordon] = cluster
        let port = NodeGuards(root: root, state: state, settings: settings)
        return (
            port, GuardSite(gate: gateProgram, state: state, mayChangeFlags: FileFlags.mayChange)
        )
    }

    /// The gate, beside this program; below another root where an installation by hand puts it.
    var gateProgram: String {
        let beside = root.isLive ? Machine.programDirectory.map { $0 + "/holdfast-gate" } : nil
        return beside ?? "/usr/local/bin/holdfast-gate"
    }

    /// What a tick would find and decide now; nothing is recorded.
    ///
    /// A damaged ledger is one that the next tick begins anew, from the guard file; so it is looked at here too.
    func preview(
        _ request: GuardRequest? = nil
    ) -> (outcome: Tick.Outcome, lastCheck: Instant?, ledger: Ledger?) {
        do throws(LedgerFailure) {
            let ledger = try readLedger()
            let lastCheck = try ledger.lastTick()
            let outcome = tick(over: ledger).run(dryRun: true, request: request)
            if !outcome.knowsPast, let failure = outcome.failure { throw failure }
            return (outcome, lastCheck, ledger)
        } catch {
            var outcome = tick(over: AbsentLedger(failure: error)).run(dryRun: true, request: request)
            if error.code != .missing {
                outcome.failure = error
                outcome.knowsPast = outcome.isSeeded
            }
            return (outcome, nil, nil)
        }
    }

    /// Whether an artifact is no longer what it was when it was looked at.
    func hasMoved(since observation: Observation) -> Bool { observer.hasMoved(since: observation) }

    /// One look at the node that remembers nothing.
    func look() -> Observation {
        var memory = ObserverMemory()
        return observer.observe(reading: clock.read(), memory: &memory)
    }

    /// The ledger for writing; one is begun where there is none.
    func openLedger() throws(LedgerFailure) -> Ledger {
        try Ledger.open(stateDirectory: stateDirectory, reading: clock.read())
    }

    /// The ledger for reading.
    func readLedger() throws(LedgerFailure) -> Ledger {
        try Ledger.openForReading(stateDirectory: stateDirectory)
    }

    /// Records what a person did, in one short transaction that does not wait for a tick, and tells it.
    func record(_ event: Event, reading: ClockReading) throws(Failure) {
        try record([event], reading: reading)
    }

    /// The same of several things that belong together: all of them or none.
    func record(_ events: [Event], reading: ClockReading) throws(Failure) {
        do throws(LedgerFailure) {
            let ledger = try openLedger()
            var state = try ledger.load().state
            for event in events { state.apply(event, at: reading.now) }
            try ledger.append(events, reading: reading, state: state)
        } catch {
            throw Failure(ledger: error)
        }
        events.flatMap(journalEntries).forEach(ledgerJournal.write)
    }

    /// Where people on this machine are told; another root has no journal of ours.
    var journal: any Journal { root.isLive ? JournalWriter() : SilentJournal() }

    /// Where people are told of what happens to the ledger rather than to the node: of another ledger, one that
    /// `--state` names for a try, this machine's journal says nothing.
    ///
    /// What a tick finds goes to `journal` all the same: it is true of the node, whichever ledger records it.
    var ledgerJournal: any Journal { isNodesLedger ? journal : SilentJournal() }

    /// Whether the ledger is that of the node, though `--state` may name it in other words.
    var isNodesLedger: Bool {
        let own = root.prefix + node.stateDirectory
        if stateDirectory == own { return true }
        guard let own = try? identity(ofFile: own), let given = try? identity(ofFile: stateDirectory) else {
            return false
        }
        return own.device == given.device && own.inode == given.inode
    }

    /// What `check` and `status` say of an outcome.
    ///
    /// - Parameter ledger: where imported checksums tell of releases; nil where it could not be opened.
    func report(_ outcome: Tick.Outcome, ledger: Ledger?) -> NodeReport {
        let judgement = outcome.judgement
        var report = NodeReport(
            observation: judgement.observation, state: outcome.knowsPast ? judgement.state : NodeState(),
            decisions: judgement.decisions, policy: judgement.policy, policyPath: policyPath,
            policyIsValid: judgement.policyIsCurrent)
        if outcome.failure == nil, let site = guards?.site,
            case .waits(let waits) = stepStanding(of: judgement, site: site, label: label)
        {
            report.waits = waits.map { WaitingStep(change: $0.change, reason: $0.reason) }
        }
        if let failure = outcome.failure {
            report.problems.append(
                Problem(code: "ledger-\(failure.code.rawValue)", text: failure.description))
        }
        let (table, problem) = supportTable()
        if let problem { report.problems.append(problem) }
        var catalogued: [Distribution: [Version]] = [:]
        for distribution in Set(report.installations.map(\.installation.id.distribution)) {
            catalogued[distribution] = try? ledger?.cataloguedVersions(of: distribution)
        }
        let debts = holdDebts(
            of: judgement.state, policy: judgement.policy, node: judgement.observation.node, table: table,
            releases: knownReleases(judgement, catalogued: catalogued), now: judgement.observation.clock.now)
        for index in report.installations.indices {
            report.installations[index].debt = debts.first {
                $0.installation == report.installations[index].installation.id
            }
        }
        return report
    }

    private var site: Site {
        Site(
            root: root, units: root.isLive ? SystemdUnits() : UnitFiles(root: root), extraUnits: node.units,
            kubeconfig: node.kubeconfig)
    }

    private var observer: NodeObserver {
        NodeObserver(site: site, name: node.name, cluster: node.cluster, labels: node.labels)
    }

    /// The node's backups; nil where the state directory is none of the node's own.
    var backups: (any BackupPort)? { guards.map { NodeBackups(root: root, state: $0.site.state) } }

    /// The cluster, as a step asks it.
    var stepCluster: any StepClusterPort { StepCluster(root: root) }

    /// Who tells a step how the node is.
    var health: NodeHealth { NodeHealth(site: site) }
}

private struct SilentJournal: Journal {
    func write(_ entry: JournalEntry) {}
}

/// Stands where a ledger could not be opened: one that is not there yet is empty, as is the one that the next tick
/// begins in the place of a damaged one; any other failure stays one.
private struct AbsentLedger: LedgerStore {
    let failure: LedgerFailure

    func load() throws(LedgerFailure) -> (state: NodeState, memory: ObserverMemory) {
        guard failure.code == .missing || failure.code == .corrupt else { throw failure }
        return (NodeState(), ObserverMemory())
    }

    // Asked only of a state that knows of one.
    func lastPolicy() throws(LedgerFailure) -> LoadedPolicy? { throw failure }
    func append(_ events: [Event], reading: ClockReading, state: NodeState) throws(LedgerFailure) {
        throw failure
    }
    func appendIfCurrent(
        _ events: [Event], reading: ClockReading, state: NodeState
    ) throws(LedgerFailure) -> Bool { throw failure }
    var originName: String { "" }
    func dropBodies(keep: TimeSpan, reading: ClockReading) throws(LedgerFailure) -> Event? { throw failure }
    func head() -> (sequence: Int64, hash: Digest) { (0, .none) }
    func hash(ofEntry sequence: Int64) -> Digest? { nil }
    func seed(from text: String) -> Seed? { Ledger.seed(from: text) }
    func remember(_ change: (inout ObserverMemory) -> Void) throws(LedgerFailure) { throw failure }
    func catalogEntries(for digest: Digest) -> [CatalogEntry] { [] }
    func catalogEntries(of version: Version, for distribution: Distribution) -> [CatalogEntry] { [] }
    func extendCoverage(reading: ClockReading, seal: Bool) throws(LedgerFailure) -> Coverage? {
        throw failure
    }
}

extension Failure {
    /// What a verb says and answers when the ledger fails.
    init(ledger failure: LedgerFailure) {
        self.init(code: failure.code == .busy ? .busy : .failed, message: failure.description)
    }
}

/// The largest policy or node file that is read; the parser refuses whatever is longer than it likes.
private let smallFileLimit = 2 << 20

private func readSmallFile(_ path: String) throws(HostError) -> [UInt8]? {
    try readFileIfPresent(path, limit: smallFileLimit)
}

private func ownershipCheck(_ isAsked: Bool, below root: Root) -> ((String) -> String?)? {
    guard isAsked else { return nil }
    return { ownershipProblem(of: $0, below: root) }
}

/// Where the policy of a node is, on that node.
private let installedPolicy = "/etc/holdfast/policy.yaml"

extension Root {
    /// Where a path of the node is on this machine; as it is written where a link on the way leads nowhere.
    fileprivate func place(of nodePath: String) -> String {
        (try? resolve(nodePath)) ?? prefix + nodePath
    }
}

/// SHA-256.
func digest(_ bytes: [UInt8]) -> Digest { Digest(bytes: sha256(bytes)) ?? .none }

/// The short label by which people name a change or a decision.
func label(_ text: String) -> String { String(digest(Array(text.utf8)).hex.prefix(labelLength)) }
