import Agent
import FoundationEssentials
import Model
import Ports

/// A random source that a seed repeats exactly (SplitMix64).
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int(next() % 100) < percent }

    mutating func pick<T>(_ choices: [T]) -> T { choices[Int(next() % UInt64(choices.count))] }
}

/// A simulated node: what is installed and running on it, its policy file, its clocks and its ledger.
///
/// The Agent under test is the real one; only the ports are simulated. The ledger loses what was not committed
/// when the node crashes, like the real one.
final class World {
    var clock: ClockReading
    var installations: [Installation]
    var problems: [Problem] = []
    /// What snapd says; nil where there is none.
    var snapd: SnapdFacts?
    var policy: PolicyReading
    var catalog: [CatalogEntry] = []
    /// How units stand of which more is asked.
    var standings: [String: UnitStanding] = [:]
    /// Artifacts with which no unit ever becomes well.
    var broken: Set<Digest> = []
    /// Revisions with which MicroK8s never becomes well, though snapd is content.
    var brokenRevisions: Set<String> = []
    /// What a look at the node does not answer; nil for what the node is.
    var health: HealthAnswer?
    /// What the next wait brings with it.
    var duringWait: ((World) -> Void)?

    // What survives a crash.
    private(set) var committed: [(event: Event, at: Instant)] = []
    private(set) var state = NodeState()
    private(set) var memory = ObserverMemory()
    private var coverage: Coverage?
    private var recordedImports: [CatalogEntry] = []
    private var ledgerNumber = 1

    /// How long bodies were to be kept, each time that old ones were looked for.
    private(set) var retentions: [TimeSpan] = []

    /// How many starts of units there were.
    var starts = 0

    /// Something moves on disk while the tick looks, once.
    var moveDuringLook: ((World) -> Void)?
    /// The next append fails before it commits, or the process dies right after.
    var failNextAppend: LedgerFailure?
    var journal: [JournalEntry] = []

    /// What the node is called, and the cluster that it belongs to.
    var name = "sim-1"
    var clusterName = "default"
    /// What bytes that were fetched say of themselves.
    var known: [Digest: Version] = [:]
    /// How many steps of rollouts were begun; what each approval was used for.
    private(set) var begunInRollouts = 0
    private(set) var stepsByApproval: [String: Int] = [:]
    /// What a step asks of the node.
    private(set) lazy var care = SimulatedCare(world: self)
    /// How the node reaches its fleet; nil for one that is part of none.
    var fleet: SimulatedFleetPort?
    /// Where checkpoints are signed; nil for a node that signs none.
    var checkpoints: SimulatedCheckpoints?

    static let site = GuardSite(gate: "/usr/local/bin/holdfast-gate", state: "/var/lib/holdfast")

    init(clock: ClockReading, installations: [Installation], policy: PolicyReading) {
        self.clock = clock
        self.installations = installations
        self.policy = policy
    }

    /// Where guards are placed.
    private(set) lazy var guards = SimulatedGuards(world: self)

    /// The cluster that the node belongs to.
    private(set) lazy var cluster = SimulatedCluster(guards: guards)
    /// How the node reaches it; nil for a node that does not.
    var access: ClusterAccess?

    @discardableResult
    func tick(
        dryRun: Bool = false, request: GuardRequest? = nil, asksFleet: Bool = false
    ) -> Tick.Outcome {
        oneTick.run(dryRun: dryRun, request: request, asksFleet: asksFleet)
    }

    /// The tick over this node.
    var oneTick: Tick {
        Tick(
            clock: self, observer: self, policy: self, zones: self, ledger: self, journal: self,
            label: fingerprint, guards: (guards, Self.site), cluster: cluster, servers: care,
            fleet: fleet.map { ($0, FleetIdentity(id: "id-\(name)")) },
            source: care.source.map { source in { $0.releases.isEmpty ? nil : source } },
            checkpoints: checkpoints.map { ($0, true) })
    }
}

/// A short label of a text; not a digest, but as repeatable as one.
func fingerprint(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
}

extension World: Clock, Observer, PolicySource, ZoneSource, LedgerStore, Journal {
    func read() -> ClockReading { clock }

    func observe(reading: ClockReading, memory: inout ObserverMemory) -> Observation {
        let seen = Observation(
            node: NodeFacts(name: name, cluster: clusterName, labels: [:], architecture: .amd64),
            clock: reading,
            installations: installations.sorted { $0.id < $1.id }, problems: problems,
            settings: guards.lookedAt, access: access, snapd: snapd)
        moveDuringLook?(self)
        moveDuringLook = nil
        return seen
    }

    func hasMoved(since observation: Observation) -> Bool {
        observation.installations.map(\.installed?.identity)
            != installations.sorted { $0.id < $1.id }.map(\.installed?.identity)
    }

    func load(now: Instant, known: inout KnownPolicy?) -> PolicyReading { policy }

    func zone(named name: String) -> (zone: Zone, dataVersion: String)? {
        name == "UTC" ? (.utc, "simulated") : nil
    }

    func load() throws(LedgerFailure) -> (state: NodeState, memory: ObserverMemory) { (state, memory) }

    var originName: String { String(repeating: "0", count: 31) + "\(ledgerNumber % 10)" }

    /// A simulated ledger is never old enough.
    func dropBodies(keep: TimeSpan, reading: ClockReading) -> Event? {
        retentions.append(keep)
        return nil
    }

    func head() -> (sequence: Int64, hash: Digest) {
        (Int64(committed.count), hash(ofEntry: Int64(committed.count)) ?? .none)
    }

    /// Of an entry's number and kind, and of which ledger it is.
    func hash(ofEntry sequence: Int64) -> Digest? {
        guard sequence > 0, sequence <= Int64(committed.count) else { return nil }
        let name = fingerprint("\(ledgerNumber) \(sequence) \(committed[Int(sequence) - 1].event.kind)")
        return Digest(String(repeating: "0", count: 64 - name.count) + name)
    }

    func seed(from text: String) -> Seed? { try? JSONDecoder().decode(Seed.self, from: Data(text.utf8)) }

    /// What a person said is recorded by another process.
    func record(_ event: Event) {
        state.apply(event, at: clock.now)
        committed.append((event, clock.now))
    }

    /// The ledger is lost, or set back to an older copy of it.
    func loseLedger(keeping entries: Int = 0) {
        committed = Array(committed.prefix(entries))
        if entries == 0 { ledgerNumber += 1 }
        state = NodeState()
        for entry in committed { state.apply(entry.event, at: entry.at) }
        memory = ObserverMemory()
        coverage = nil
    }

    func lastPolicy() -> LoadedPolicy? {
        for entry in committed.reversed() {
            if case .policyLoaded(let policy) = entry.event { return policy }
        }
        return nil
    }

    func append(_ events: [Event], reading: ClockReading, state: NodeState) throws(LedgerFailure) {
        if let failure = failNextAppend {
            failNextAppend = nil
            throw failure
        }
        guard guards.burn() else { throw LedgerFailure(code: .other, description: "the process has died") }
        for event in events {
            if case .stepBegan(let step) = event, step.rollout != nil { begunInRollouts += 1 }
            if case .stepEnded(let end) = event, end.outcome.isTried {
                for approval in end.step.approvals { stepsByApproval[approval, default: 0] += 1 }
            }
        }
        committed += events.map { ($0, reading.now) }
        for case .catalogImported(let file) in events { recordedImports += file.entries }
        self.state = state
    }

    func remember(_ memory: ObserverMemory) { self.memory = memory }

    func catalogEntries(for digest: Digest) -> [CatalogEntry] {
        imported.filter { $0.sha256 == digest }
    }

    /// What a test says is known, and what was recorded.
    private var imported: [CatalogEntry] { catalog + recordedImports }

    func catalogEntries(of version: Version, for distribution: Distribution) -> [CatalogEntry] {
        imported.filter { $0.version == version && $0.distribution == distribution }
    }

    func extendCoverage(reading: ClockReading, seal: Bool) -> Coverage? {
        var stretch =
            coverage
            ?? Coverage(
                bootID: reading.bootID, first: reading.now, last: reading.now,
                firstMonotonic: reading.monotonic,
                lastMonotonic: reading.monotonic, ticks: 0, longestGap: 0)
        stretch.last = reading.now
        stretch.lastMonotonic = reading.monotonic
        stretch.ticks += 1
        let isDue = reading.monotonic - stretch.firstMonotonic > 3_600_000_000_000
        coverage = seal || isDue ? nil : stretch
        return seal || isDue ? stretch : nil
    }

    func write(_ entry: JournalEntry) { journal.append(entry) }
}

extension StepEnd.Outcome {
    /// Whether the bytes were tried, so that the approval is used up.
    fileprivate var isTried: Bool { if case .abandoned = self { false } else { true } }
}
