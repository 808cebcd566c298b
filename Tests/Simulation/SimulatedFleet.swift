import Fleet
import Model
import Ports

/// The one store of a simulated fleet, read as values by the real `FleetBook`.
final class SimulatedFleet {
    let store = SimulatedStore()
    /// What was read already: a text is read once, however many nodes ask for it.
    fileprivate let read = ReadTexts()
    /// How many operations there were.
    fileprivate(set) var operations = 0
    /// Told of every rollout that was written, in the order in which it was.
    var onWrite: ((RolloutDocument) -> Void)?
    /// The way of whoever looks at it from outside, which is no operation of a node.
    private lazy var person: SimulatedFleetPort = {
        let port = SimulatedFleetPort(self)
        port.client.beforeOperation = {}
        return port
    }()

    var rollouts: [Distribution: Stored<RolloutDocument>] {
        var found: [Distribution: Stored<RolloutDocument>] = [:]
        for distribution in Distribution.allCases {
            if let stored = try? person.rollout(of: distribution) { found[distribution] = stored }
        }
        return found
    }

    var records: [String: Stored<NodeRecord>] {
        var found: [String: Stored<NodeRecord>] = [:]
        for record in (try? person.nodes().records) ?? [] {
            if let stored = try? person.node(record.id) { found[record.id] = stored }
        }
        return found
    }

    var quarantined: [FleetQuarantine] { ((try? person.quarantine()) ?? []).filter { $0.cleared == nil } }

    var checkpoints: [String: Stored<FleetCheckpoint>] {
        var found: [String: Stored<FleetCheckpoint>] = [:]
        for entry in (try? person.client.list(.checkpoint)) ?? [] {
            if let stored = try? person.checkpoint(of: entry.key.name) { found[entry.key.name] = stored }
        }
        return found
    }

    var archived: [String: RolloutDocument] {
        var found: [String: RolloutDocument] = [:]
        for entry in (try? person.client.list(.archive)) ?? [] {
            let document = FleetEntry(
                key: FleetKey(.rollout, Distribution.k3s.rawValue), value: entry.value)
            found[entry.key.name] = try? read.rollout(of: .k3s, document).value
        }
        return found
    }

    /// All that it holds, as a backup of it.
    func snapshot() -> SimulatedStore.Content { store.content }

    /// The store is restored from a backup, and so has gone back in time.
    func restore(_ snapshot: SimulatedStore.Content) { store.restore(snapshot) }

    fileprivate func count() { operations += 1 }

    fileprivate func wrote(_ key: FleetKey) {
        guard key.kind == .rollout, let onWrite, let distribution = Distribution(rawValue: key.name),
            let document = try? person.rollout(of: distribution)?.value
        else { return }
        onWrite(document)
    }
}

/// One node's way to the store: what a node writes and reads goes through the real `FleetBook`.
///
/// Two hundred nodes that read one text a hundred thousand times would be a measurement of JSON, so a text is read once
/// and what was made of it is given to whoever gets the same revision.
final class SimulatedFleetPort: FleetPort {
    let client: StoreClient
    private let read: ReadTexts
    private let book: FleetBook
    /// A planted bug: what it makes of an approval.
    var misreadsApprovals: ((Approval) -> Approval)?

    var seesOthers: Bool { book.seesOthers }
    var isCutOff: Bool {
        get { client.isCutOff }
        set { client.isCutOff = newValue }
    }
    var loseReply: (() -> Bool)? {
        get { client.loseReply }
        set { client.loseReply = newValue }
    }
    var isAlive: () -> Bool {
        get { client.isAlive }
        set { client.isAlive = newValue }
    }
    /// What happens between a call and the store: others may be first.
    var beforeOperation: () -> Void = {}

    init(_ fleet: SimulatedFleet) {
        client = StoreClient(fleet.store)
        read = fleet.read
        book = FleetBook(client)
        client.onWrite = { [unowned fleet] key in fleet.wrote(key) }
        client.beforeOperation = { [unowned fleet, unowned self] in
            fleet.count()
            beforeOperation()
        }
    }

    func rollout(of distribution: Distribution) throws(FleetFailure) -> Stored<RolloutDocument>? {
        let key = FleetKey(.rollout, distribution.rawValue)
        guard let found = try client.get(key) else { return nil }
        return try read.rollout(of: distribution, FleetEntry(key: key, value: found))
    }

    func put(
        _ document: RolloutDocument, over read: Stored<RolloutDocument>?
    ) throws(FleetFailure) -> Stored<RolloutDocument> { try book.put(document, over: read) }

    func archive(_ document: RolloutDocument) throws(FleetFailure) { try book.archive(document) }

    func nodes() throws(FleetFailure) -> (records: [NodeRecord], problems: [Problem]) {
        var records: [NodeRecord] = []
        for entry in try client.list(.node) { records.append(try read.record(entry).value) }
        return (records, [])
    }

    func node(_ id: String) throws(FleetFailure) -> Stored<NodeRecord>? {
        let key = FleetKey(.node, id)
        guard let found = try client.get(key) else { return nil }
        return try read.record(FleetEntry(key: key, value: found))
    }

    func put(
        _ record: NodeRecord, over read: Stored<NodeRecord>?
    ) throws(FleetFailure) -> Stored<NodeRecord> { try book.put(record, over: read) }

    func checkpoint(of node: String) throws(FleetFailure) -> Stored<FleetCheckpoint>? {
        try book.checkpoint(of: node)
    }

    func put(
        _ checkpoint: FleetCheckpoint, over read: Stored<FleetCheckpoint>?
    ) throws(FleetFailure) { try book.put(checkpoint, over: read) }

    func remove(_ record: Stored<NodeRecord>) throws(FleetFailure) { try book.remove(record) }

    func quarantine() throws(FleetFailure) -> [FleetQuarantine] {
        try read.quarantine(try client.list(.quarantine))
    }

    func quarantine(_ entry: FleetQuarantine, isNew: Bool) throws(FleetFailure) {
        try book.quarantine(entry, isNew: isNew)
    }

    func clear(
        _ entry: FleetQuarantine, _ word: FleetQuarantine.Clearing
    ) throws(FleetFailure) -> Bool { try book.clear(entry, word) }

    func approvals() throws(FleetFailure) -> [Approval] {
        let spent = try client.list(.spent)
        let found = try read.approvals(spent + (try client.list(.approval)))
        return misreadsApprovals.map { found.map($0) } ?? found
    }

    func share(_ approval: Approval) throws(FleetFailure) { try book.share(approval) }

    func spend(_ approval: String, on node: String) throws(FleetFailure) {
        try book.spend(approval, on: node)
    }
}

/// What `FleetBook` has made of texts of the store, by their revisions.
private final class ReadTexts {
    private var rollouts: [Distribution: Stored<RolloutDocument>] = [:]
    private var records: [FleetKey: Stored<NodeRecord>] = [:]
    private var quarantine: (of: [FleetEntry], read: [FleetQuarantine]) = ([], [])
    private var approvals: (of: [FleetEntry], read: [Approval]) = ([], [])

    func rollout(
        of distribution: Distribution, _ entry: FleetEntry
    ) throws(FleetFailure) -> Stored<RolloutDocument> {
        if let known = rollouts[distribution], known.revision == entry.value.revision { return known }
        guard let read = try FleetBook(Answer([entry])).rollout(of: distribution) else {
            throw missing(entry.key)
        }
        rollouts[distribution] = read
        return read
    }

    func record(_ entry: FleetEntry) throws(FleetFailure) -> Stored<NodeRecord> {
        if let known = records[entry.key], known.revision == entry.value.revision { return known }
        guard let read = try FleetBook(Answer([entry])).node(entry.key.name) else { throw missing(entry.key) }
        records[entry.key] = read
        return read
    }

    func quarantine(_ entries: [FleetEntry]) throws(FleetFailure) -> [FleetQuarantine] {
        if quarantine.of != entries {
            quarantine = (entries, try FleetBook(Answer(entries)).quarantine())
        }
        return quarantine.read
    }

    func approvals(_ entries: [FleetEntry]) throws(FleetFailure) -> [Approval] {
        if approvals.of != entries { approvals = (entries, try FleetBook(Answer(entries)).approvals()) }
        return approvals.read
    }

    private func missing(_ key: FleetKey) -> FleetFailure {
        FleetFailure(.malformed, "\(key): what is read of it is looked for elsewhere")
    }
}

/// A store that answers what was read of another just now, and takes nothing.
private final class Answer: FleetStore {
    private let entries: [FleetEntry]
    let seesOthers = true

    init(_ entries: [FleetEntry]) { self.entries = entries }

    func get(_ key: FleetKey) -> FleetValue? { entries.first { $0.key == key }?.value }

    func list(_ kind: FleetKey.Kind) -> [FleetEntry] { entries.filter { $0.key.kind == kind } }

    func create(_ key: FleetKey, _ text: String) throws(FleetFailure) -> FleetRevision { throw takesNothing }

    func put(
        _ key: FleetKey, _ text: String, ifRevision revision: FleetRevision
    ) throws(FleetFailure) -> FleetRevision { throw takesNothing }

    func delete(_ key: FleetKey, ifRevision revision: FleetRevision) throws(FleetFailure) {
        throw takesNothing
    }

    private var takesNothing: FleetFailure { FleetFailure(.forbidden, "it takes nothing") }
}
