import Ports
import Synchronization

/// The one store of a simulated fleet: compare-and-swap on single keys, in memory.
///
/// It passes the suite that the real ones do (Tests/FleetSuite), and like those it may be asked by several threads.
final class SimulatedStore: Sendable {
    private let kept = Mutex(Content())

    /// All that it holds, as a backup of it.
    struct Content: Sendable {
        /// In the order of the bytes of their names.
        fileprivate var entries: [FleetKey.Kind: [FleetEntry]] = [:]
        fileprivate var revision = 0
    }

    var content: Content { kept.withLock { $0 } }

    /// It is restored from a backup, and so has gone back in time.
    ///
    /// Revisions go on, as those of a new cluster do.
    func restore(_ backup: Content) {
        kept.withLock { kept in
            var next = backup
            next.revision = kept.revision
            for kind in FleetKey.Kind.allCases {
                for index in (next.entries[kind] ?? []).indices {
                    let revision = next.nextRevision()
                    next.entries[kind]?[index].value.revision = revision
                }
            }
            kept = next
        }
    }

    fileprivate func change<Value: Sendable>(_ body: (inout Content) throws(FleetFailure) -> Value)
        throws(FleetFailure) -> Value
    {
        let result: Result<Value, FleetFailure> = kept.withLock { kept in
            do throws(FleetFailure) { return .success(try body(&kept)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

extension SimulatedStore.Content {
    fileprivate mutating func nextRevision() -> FleetRevision {
        revision += 1
        return FleetRevision("\(revision)")
    }

    /// Where a key stands, or would.
    private func place(of key: FleetKey) -> (index: Int, isThere: Bool) {
        let entries = entries[key.kind] ?? []
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key.name.utf8.lexicographicallyPrecedes(key.name.utf8) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return (low, low < entries.count && entries[low].key.name == key.name)
    }

    fileprivate func get(_ key: FleetKey) throws(FleetFailure) -> FleetValue? {
        try Self.check(key)
        let place = place(of: key)
        return place.isThere ? entries[key.kind]?[place.index].value : nil
    }

    fileprivate func list(_ kind: FleetKey.Kind) -> [FleetEntry] { entries[kind] ?? [] }

    fileprivate mutating func create(_ key: FleetKey, _ text: String) throws(FleetFailure) -> FleetRevision {
        try Self.check(key)
        try Self.check(text, key)
        let place = place(of: key)
        if place.isThere { throw FleetFailure(.conflict, "\(key) is there already") }
        let value = FleetValue(text: text, revision: nextRevision())
        entries[key.kind, default: []].insert(FleetEntry(key: key, value: value), at: place.index)
        return value.revision
    }

    fileprivate mutating func put(
        _ key: FleetKey, _ text: String, ifRevision revision: FleetRevision
    ) throws(FleetFailure) -> FleetRevision {
        try Self.check(text, key)
        let index = try index(of: key, at: revision)
        let next = nextRevision()
        entries[key.kind]?[index].value = FleetValue(text: text, revision: next)
        return next
    }

    fileprivate mutating func delete(
        _ key: FleetKey, ifRevision revision: FleetRevision
    ) throws(FleetFailure) {
        let index = try index(of: key, at: revision)
        entries[key.kind]?.remove(at: index)
    }

    private func index(of key: FleetKey, at revision: FleetRevision) throws(FleetFailure) -> Int {
        try Self.check(key)
        let place = place(of: key)
        guard place.isThere, entries[key.kind]?[place.index].value.revision == revision else {
            throw FleetFailure(.conflict, "\(key): somebody else was first")
        }
        return place.index
    }

    private static func check(_ key: FleetKey) throws(FleetFailure) {
        let isWellFormed = key.name.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122: true
            default: "._:+-/".utf8.contains(byte)
            }
        }
        guard isWellFormed, (1...200).contains(key.name.utf8.count) else {
            throw FleetFailure(.malformed, "\(key): not a key of a fleet")
        }
    }

    private static func check(_ text: String, _ key: FleetKey) throws(FleetFailure) {
        guard text.utf8.count <= 512 << 10 else {
            throw FleetFailure(.malformed, "\(key): its value is too long")
        }
    }
}

/// One node's way to the store, and how it misbehaves.
final class StoreClient: FleetStore {
    /// A planted bug.
    enum Bug {
        /// What is not reached is what it was when it last was.
        case remembers
    }

    let store: SimulatedStore
    let seesOthers = true
    /// Whether the network lets it through.
    var isCutOff = false
    /// What comes of the next write that nobody hears of: done or not.
    var loseReply: (() -> Bool)?
    /// Whether the process that asks is alive.
    var isAlive: () -> Bool = { true }
    /// What happens between the call and the store: others may be first.
    var beforeOperation: () -> Void = {}
    /// Told of each key that was written.
    var onWrite: (FleetKey) -> Void = { _ in }
    var bug: Bug?
    private var remembered = SimulatedStore.Content()

    init(_ store: SimulatedStore) { self.store = store }

    private func ask() throws(FleetFailure) {
        beforeOperation()
        if bug == .remembers {
            if isCutOff { return }
            remembered = store.content
        }
        guard isAlive() else { throw FleetFailure(.unavailable, "the process has died") }
        guard !isCutOff else { throw FleetFailure(.unavailable, "the store is not reached") }
    }

    private func read<Value: Sendable>(
        _ body: (SimulatedStore.Content) throws(FleetFailure) -> Value
    ) throws(FleetFailure) -> Value {
        try ask()
        return try body(isCutOff ? remembered : store.content)
    }

    /// Writes; the reply can be lost, whether it was written or not.
    private func write<Value: Sendable>(
        _ key: FleetKey, _ body: (inout SimulatedStore.Content) throws(FleetFailure) -> Value
    ) throws(FleetFailure) -> Value {
        try ask()
        if isCutOff { return try body(&remembered) }
        guard let loseReply else { return try done(key, body) }
        self.loseReply = nil
        if loseReply() { _ = try done(key, body) }
        throw FleetFailure(.unanswered, "no answer in time")
    }

    private func done<Value: Sendable>(
        _ key: FleetKey, _ body: (inout SimulatedStore.Content) throws(FleetFailure) -> Value
    ) throws(FleetFailure) -> Value {
        let value = try store.change(body)
        onWrite(key)
        return value
    }

    func get(_ key: FleetKey) throws(FleetFailure) -> FleetValue? {
        try read { content throws(FleetFailure) in try content.get(key) }
    }

    func list(_ kind: FleetKey.Kind) throws(FleetFailure) -> [FleetEntry] {
        try read { $0.list(kind) }
    }

    func create(_ key: FleetKey, _ text: String) throws(FleetFailure) -> FleetRevision {
        try write(key) { content throws(FleetFailure) in try content.create(key, text) }
    }

    func put(
        _ key: FleetKey, _ text: String, ifRevision revision: FleetRevision
    ) throws(FleetFailure) -> FleetRevision {
        try write(key) { content throws(FleetFailure) in
            try content.put(key, text, ifRevision: revision)
        }
    }

    func delete(_ key: FleetKey, ifRevision revision: FleetRevision) throws(FleetFailure) {
        try write(key) { content throws(FleetFailure) in try content.delete(key, ifRevision: revision) }
    }
}
