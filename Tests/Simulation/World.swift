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
    let disk = SimulatedLedger()
    private(set) lazy var ledger: LedgerProcess = {
        let ledger = LedgerProcess(disk)
        ledger.isAlive = { [unowned self] in guards.burn() }
        return ledger
    }()

    /// How many starts of units there were.
    var starts = 0
    /// Whether the start gate stands before them.
    var hasGate = false
    /// The version of what the gate recognised before the newest start.
    var recognised: Version?
    /// Told of every artifact that is put in a binary's place, with what was there.
    var onPut: ((Artifact?, Artifact) -> Void)?
    /// Told of every start of a unit, with what it was started from.
    var onStart: ((Artifact?) -> Void)?
    /// How many ticks there were; one that goes round because something moved is one.
    private(set) var ticks = 0
    private var goesRound = false

    /// Something moves on disk while the tick looks, once.
    var moveDuringLook: ((World) -> Void)?
    var journal: [JournalEntry] = []

    /// What the node is called, and the cluster that it belongs to.
    var name = "sim-1"
    var clusterName = "default"
    /// What bytes that were fetched say of themselves.
    var known: [Digest: Version] = [:]
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
            clock: self, observer: self, policy: self, zones: self, ledger: ledger, journal: self,
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

extension World: Clock, Observer, PolicySource, ZoneSource, Journal {
    func read() -> ClockReading { clock }

    func observe(reading: ClockReading, memory: inout ObserverMemory) -> Observation {
        if !goesRound { ticks += 1 }
        goesRound = false
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
        goesRound =
            observation.installations.map(\.installed?.identity)
            != installations.sorted { $0.id < $1.id }.map(\.installed?.identity)
        return goesRound
    }

    func load(now: Instant, known: inout KnownPolicy?) -> PolicyReading { policy }

    func zone(named name: String) -> (zone: Zone, dataVersion: String)? {
        name == "UTC" ? (.utc, "simulated") : nil
    }

    func write(_ entry: JournalEntry) { journal.append(entry) }
}

extension World {
    var committed: [SimulatedLedger.Entry] { disk.committed }
    var state: NodeState { disk.state }
    var memory: ObserverMemory { disk.memory }

    /// What a person said is recorded by another process.
    func record(_ event: Event) {
        let other = LedgerProcess(disk)
        let state = other.load().state.after(event, at: clock.now)
        try? other.append([event], reading: clock, state: state)
    }
}

extension NodeState {
    /// The state with one more event.
    func after(_ event: Event, at: Instant) -> NodeState {
        var copy = self
        copy.apply(event, at: at)
        return copy
    }
}
