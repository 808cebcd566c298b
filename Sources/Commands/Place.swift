import Agent
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
    private let asksOwnership: Bool
    let node: NodeFile
    let clock = SystemClock()
    let zones: ZoneFiles

    /// Reads the options that say where to work, and node.yaml there.
    ///
    /// - Parameter policyPath: a policy given as an argument rather than by `--policy`.
    init(_ invocation: Invocation, policyPath given: String? = nil) throws(Failure) {
        let root = Root(invocation.value("root") ?? "/")
        self.root = root
        zones = ZoneFiles(root: Root("/"))
        let byHand = given ?? invocation.value("policy")
        policyPath = byHand ?? root.prefix + "/etc/holdfast/policy.yaml"
        asksOwnership = byHand == nil || (given == nil && root.isLive)
        let nodePath = root.prefix + "/etc/holdfast/node.yaml"
        switch readNodeFile(
            at: nodePath, read: readSmallFile, ownership: ownershipCheck(root.isLive))
        {
        case .valid(let file, _): node = file
        case .invalid(let faults):
            throw Failure(code: .badConfiguration, message: faults.map(\.description).joined(separator: "\n"))
        }
        stateDirectory = invocation.value("state") ?? root.prefix + node.stateDirectory
    }

    // MARK: Policy

    /// The bytes of the policy file.
    func policyBytes() throws(Failure) -> [UInt8] { try bytes(of: policyPath) }

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

    /// What is wrong with who could have written a file; nil where nothing is.
    func ownershipProblem(of path: String) -> String? { askOwnership(path) }

    private func isZone(_ name: String) -> Bool { zones.zone(named: name) != nil }

    private var policySource: PolicyFileSource {
        PolicyFileSource(
            path: policyPath, read: readSmallFile, ownership: ownershipCheck(asksOwnership), isZone: isZone,
            hash: digest)
    }

    // MARK: The tick

    /// The tick over this place and a ledger.
    func tick(over ledger: any LedgerStore) -> Tick {
        Tick(
            clock: clock, observer: observer, policy: policySource, zones: zones, ledger: ledger,
            journal: journal,
            label: label)
    }

    /// What a tick would find and decide now; nothing is recorded.
    func preview() -> (outcome: Tick.Outcome, lastCheck: Instant?) {
        do throws(LedgerFailure) {
            let ledger = try readLedger()
            let lastCheck = try ledger.lastTick()
            return (tick(over: ledger).run(dryRun: true), lastCheck)
        } catch {
            return (tick(over: AbsentLedger(failure: error)).run(dryRun: true), nil)
        }
    }

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
        do throws(LedgerFailure) {
            let ledger = try openLedger()
            var state = try ledger.load().state
            state.apply(event, at: reading.now)
            try ledger.append([event], reading: reading, state: state)
        } catch {
            throw Failure(ledger: error)
        }
        journalEntries(for: event).forEach(journal.write)
    }

    /// Where people on this machine are told; another root has no journal of ours.
    var journal: any Journal { root.isLive ? JournalWriter() : SilentJournal() }

    /// What `check` and `status` say of an outcome.
    func report(_ outcome: Tick.Outcome) -> NodeReport {
        NodeReport(
            observation: outcome.judgement.observation, state: outcome.judgement.state,
            decisions: outcome.judgement.decisions, policy: outcome.judgement.policy, policyPath: policyPath,
            policyIsValid: outcome.judgement.policyIsCurrent)
    }

    private var observer: NodeObserver {
        NodeObserver(
            site: Site(
                root: root, units: root.isLive ? SystemdUnits() : UnitFiles(root: root),
                extraUnits: node.units,
                kubeconfig: node.kubeconfig),
            name: node.name, cluster: node.cluster, labels: node.labels)
    }
}

private struct SilentJournal: Journal {
    func write(_ entry: JournalEntry) {}
}

/// Stands where a ledger could not be opened: one that is not there yet is empty, any other failure stays one.
private struct AbsentLedger: LedgerStore {
    let failure: LedgerFailure

    func load() throws(LedgerFailure) -> (state: NodeState, memory: ObserverMemory) {
        guard failure.code == .missing else { throw failure }
        return (NodeState(), ObserverMemory())
    }

    // Asked only of a state that knows of one.
    func lastPolicy() throws(LedgerFailure) -> LoadedPolicy? { throw failure }
    func append(_ events: [Event], reading: ClockReading, state: NodeState) throws(LedgerFailure) {
        throw failure
    }
    func remember(_ memory: ObserverMemory) throws(LedgerFailure) { throw failure }
    func catalogEntries(for digest: Digest) -> [CatalogEntry] { [] }
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

private func askOwnership(_ path: String) -> String? { Host.ownershipProblem(of: path) }

private func ownershipCheck(_ isAsked: Bool) -> ((String) -> String?)? {
    guard isAsked else { return nil }
    return askOwnership
}

/// SHA-256.
func digest(_ bytes: [UInt8]) -> Digest { Digest(bytes: sha256(bytes)) ?? .none }

/// The short label by which people name a change or a decision.
func label(_ text: String) -> String { String(digest(Array(text.utf8)).hex.prefix(labelLength)) }
