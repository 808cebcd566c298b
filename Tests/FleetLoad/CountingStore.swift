import Ports

/// A store that counts what goes through it.
final class CountingStore: FleetStore {
    private let store: any FleetStore
    private(set) var count = Count()

    /// Operations, and bytes of values either way; keys and what a protocol adds are not among them.
    struct Count {
        var operations = 0
        var read = 0
        var written = 0
    }

    init(_ store: any FleetStore) { self.store = store }

    var seesOthers: Bool { store.seesOthers }

    /// What was counted since the last time.
    func take() -> Count {
        defer { count = Count() }
        return count
    }

    func get(_ key: FleetKey) throws(FleetFailure) -> FleetValue? {
        count.operations += 1
        let value = try store.get(key)
        count.read += value?.text.utf8.count ?? 0
        return value
    }

    func list(_ kind: FleetKey.Kind) throws(FleetFailure) -> [FleetEntry] {
        count.operations += 1
        let entries = try store.list(kind)
        count.read += entries.reduce(0) { $0 + $1.value.text.utf8.count }
        return entries
    }

    func create(_ key: FleetKey, _ text: String) throws(FleetFailure) -> FleetRevision {
        count.operations += 1
        count.written += text.utf8.count
        return try store.create(key, text)
    }

    func put(
        _ key: FleetKey, _ text: String, ifRevision revision: FleetRevision
    ) throws(FleetFailure) -> FleetRevision {
        count.operations += 1
        count.written += text.utf8.count
        return try store.put(key, text, ifRevision: revision)
    }

    func delete(_ key: FleetKey, ifRevision revision: FleetRevision) throws(FleetFailure) {
        count.operations += 1
        try store.delete(key, ifRevision: revision)
    }
}
