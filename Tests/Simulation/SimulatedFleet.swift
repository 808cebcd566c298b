import Agent
import Model
import Ports

/// The one store of a simulated fleet: what it holds, and how it misbehaves.
final class SimulatedFleet {
    private(set) var rollouts: [Distribution: Stored<RolloutDocument>] = [:]
    private(set) var records: [String: Stored<NodeRecord>] = [:]
    private(set) var quarantined: [FleetQuarantine] = []
    private(set) var archived: [String: RolloutDocument] = [:]
    private(set) var shared: [Approval] = []
    private(set) var spent: Set<String> = []
    private(set) var checkpoints: [String: Stored<FleetCheckpoint>] = [:]
    private var revisions = 0
    /// How many operations there were.
    private(set) var operations = 0
    /// Told of every rollout that was written, in the order in which it was.
    var onWrite: ((RolloutDocument?, RolloutDocument) -> Void)?

    fileprivate func revision() -> FleetRevision {
        revisions += 1
        return FleetRevision("\(revisions)")
    }

    fileprivate func count() { operations += 1 }

    fileprivate func set(_ document: RolloutDocument) -> Stored<RolloutDocument> {
        let before = rollouts[document.distribution]?.value
        let stored = Stored(value: document, revision: revision(), text: "")
        rollouts[document.distribution] = stored
        onWrite?(before, document)
        return stored
    }

    fileprivate func set(_ record: NodeRecord) -> Stored<NodeRecord> {
        let stored = Stored(value: record, revision: revision(), text: "")
        records[record.id] = stored
        return stored
    }

    fileprivate func set(_ checkpoint: FleetCheckpoint) {
        checkpoints[checkpoint.node] = Stored(value: checkpoint, revision: revision(), text: "")
    }

    fileprivate func keep(_ document: RolloutDocument) {
        if archived[document.id] == nil { archived[document.id] = document }
    }

    fileprivate func keep(_ entry: FleetQuarantine) {
        if !quarantined.contains(where: { $0.bytes == entry.bytes }) { quarantined.append(entry) }
    }

    fileprivate func remove(_ id: String) { records[id] = nil }

    fileprivate func clear(_ bytes: String) -> Bool {
        let before = quarantined.count
        quarantined.removeAll { $0.bytes == bytes }
        return quarantined.count < before
    }

    fileprivate func share(_ approval: Approval) {
        if !shared.contains(where: { $0.id == approval.id }) { shared.append(approval) }
    }

    fileprivate func spend(_ key: String) { spent.insert(key) }

    /// All that it holds, as a backup of it.
    func snapshot() -> Snapshot {
        Snapshot(rollouts: rollouts, records: records, quarantined: quarantined, spent: spent)
    }

    /// The store is restored from a backup, and so has gone back in time.
    ///
    /// Revisions go on, as those of a new cluster do.
    func restore(_ snapshot: Snapshot) {
        rollouts = snapshot.rollouts.mapValues { Stored(value: $0.value, revision: revision(), text: "") }
        records = snapshot.records.mapValues { Stored(value: $0.value, revision: revision(), text: "") }
        quarantined = snapshot.quarantined
        spent = snapshot.spent
    }

    struct Snapshot {
        var rollouts: [Distribution: Stored<RolloutDocument>]
        var records: [String: Stored<NodeRecord>]
        var quarantined: [FleetQuarantine]
        var spent: Set<String>
    }
}

/// One node's way to the store.
final class SimulatedFleetPort: FleetPort {
    let fleet: SimulatedFleet
    let seesOthers = true
    /// Whether the network lets it through.
    var isCutOff = false
    /// What comes of the next write that nobody hears of: done or not.
    var loseReply: (() -> Bool)?
    /// A planted bug: what is not reached is what it was when it last was.
    var remembers = false
    private var remembered: [Distribution: Stored<RolloutDocument>] = [:]
    /// Whether the process that asks is alive.
    var isAlive: () -> Bool = { true }

    init(_ fleet: SimulatedFleet) { self.fleet = fleet }

    private func ask() throws(FleetFailure) {
        fleet.count()
        if remembers, isCutOff { return }
        guard isAlive() else { throw FleetFailure(.unavailable, "the process has died") }
        guard !isCutOff else { throw FleetFailure(.unavailable, "the store is not reached") }
    }

    /// Writes; the reply can be lost, whether it was written or not.
    private func write<Value>(_ change: () throws(FleetFailure) -> Value) throws(FleetFailure) -> Value {
        try ask()
        guard let loseReply else { return try change() }
        self.loseReply = nil
        if loseReply() { _ = try change() }
        throw FleetFailure(.unanswered, "no answer in time")
    }

    func rollout(of distribution: Distribution) throws(FleetFailure) -> Stored<RolloutDocument>? {
        if remembers, isCutOff { return remembered[distribution] }
        try ask()
        remembered[distribution] = fleet.rollouts[distribution]
        return fleet.rollouts[distribution]
    }

    func put(
        _ document: RolloutDocument, over read: Stored<RolloutDocument>?
    ) throws(FleetFailure) -> Stored<RolloutDocument> {
        try write { () throws(FleetFailure) in
            guard fleet.rollouts[document.distribution]?.revision == read?.revision else {
                throw FleetFailure(.conflict, "somebody else was first")
            }
            return fleet.set(document)
        }
    }

    func archive(_ document: RolloutDocument) throws(FleetFailure) {
        try write { fleet.keep(document) }
    }

    func nodes() throws(FleetFailure) -> (records: [NodeRecord], problems: [Problem]) {
        try ask()
        return (fleet.records.values.map(\.value).sorted { $0.id < $1.id }, [])
    }

    func node(_ id: String) throws(FleetFailure) -> Stored<NodeRecord>? {
        try ask()
        return fleet.records[id]
    }

    func put(
        _ record: NodeRecord, over read: Stored<NodeRecord>?
    ) throws(FleetFailure) -> Stored<NodeRecord> {
        try write { () throws(FleetFailure) in
            guard fleet.records[record.id]?.revision == read?.revision else {
                throw FleetFailure(.conflict, "somebody else was first")
            }
            return fleet.set(record)
        }
    }

    func checkpoint(of node: String) throws(FleetFailure) -> Stored<FleetCheckpoint>? {
        try ask()
        return fleet.checkpoints[node]
    }

    func put(
        _ checkpoint: FleetCheckpoint, over read: Stored<FleetCheckpoint>?
    ) throws(FleetFailure) {
        try write { () throws(FleetFailure) in
            guard fleet.checkpoints[checkpoint.node]?.revision == read?.revision else {
                throw FleetFailure(.conflict, "somebody else was first")
            }
            fleet.set(checkpoint)
        }
    }

    func remove(_ record: Stored<NodeRecord>) throws(FleetFailure) {
        try write { fleet.remove(record.value.id) }
    }

    func quarantine() throws(FleetFailure) -> [FleetQuarantine] {
        try ask()
        return fleet.quarantined
    }

    func quarantine(_ entry: FleetQuarantine) throws(FleetFailure) { try write { fleet.keep(entry) } }

    func clearQuarantine(bytes: String) throws(FleetFailure) -> Bool { try write { fleet.clear(bytes) } }

    func approvals() throws(FleetFailure) -> [Approval] {
        try ask()
        return fleet.shared
    }

    func share(_ approval: Approval) throws(FleetFailure) { try write { fleet.share(approval) } }

    func spend(_ approval: String, on node: String) throws(FleetFailure) {
        try write { fleet.spend("\(approval) \(node)") }
    }
}
