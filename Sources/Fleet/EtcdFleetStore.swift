public import Ports
import Web

/// A fleet in etcd, by its v3 JSON gateway (etcd 3.4 or later), below `/holdfast/`.
///
/// Reads are linearizable; a change is a transaction that compares the key's revision.
public final class EtcdFleetStore: FleetStore {
    public let seesOthers = true

    private let connection: EtcdConnection
    private let timeout: Int

    /// Keys of a page of a list; fewer where they turn out to hold much.
    static let pageSize = 500

    /// Makes a store; nothing is asked yet.
    ///
    /// - Parameters:
    ///   - endpoints: `https://HOST:PORT` of its members, asked in turn.
    ///   - caFile: whom its certificates have to be vouched for by; nil for this machine's authorities.
    ///   - userFile: a file for root's eyes alone that holds `NAME:PASSWORD`; nil where etcd asks for nobody.
    ///   - timeoutMilliseconds: for one call, all endpoints and all pages of a list together.
    /// - Throws: `.forbidden` where that would send a password in clear text.
    public init(
        endpoints: [String], caFile: String? = nil, userFile: String? = nil,
        timeoutMilliseconds: Int = FleetLimits.timeoutMilliseconds
    ) throws(FleetFailure) {
        connection = try EtcdConnection(endpoints: endpoints, caFile: caFile, userFile: userFile)
        timeout = timeoutMilliseconds
    }

    public func get(_ key: FleetKey) throws(FleetFailure) -> FleetValue? {
        try FleetLimits.check(key)
        let range = EtcdMessages.Range(key: EtcdMessages.bytes(of: key))
        guard let answer = try connection.read(range, within: deadline) else {
            throw FleetFailure(.malformed, "\(key): etcd holds a value there that is too large")
        }
        guard let pair = answer.kvs?.first else { return nil }
        let entry = try pair.entry()
        guard entry.key == key, answer.kvs?.count == 1 else {
            throw FleetFailure(.malformed, "\(key): etcd answered with \(entry.key)")
        }
        return entry.value
    }

    public func list(_ kind: FleetKey.Kind) throws(FleetFailure) -> [FleetEntry] {
        let deadline = deadline
        let prefix = "\(EtcdMessages.prefix)\(kind.rawValue)"
        // "0" is what comes after "/".
        var range = EtcdMessages.Range(
            key: EtcdMessages.base64(prefix + "/"), end: EtcdMessages.base64(prefix + "0"))
        var size = Self.pageSize
        var entries: [FleetEntry] = []
        var budget = FleetLimits.ListBudget(kind)
        while true {
            range.limit = size
            guard let page = try connection.read(range, within: deadline) else {
                // Larger than is taken: fewer of them fit.
                guard size > 1 else {
                    throw FleetFailure(.malformed, "\(kind.rawValue): etcd holds a value that is too large")
                }
                size = max(1, size / 8)
                continue
            }
            // All pages show one state of the store.
            range.revision = range.revision ?? page.header.revision
            let before = entries.count
            for pair in page.kvs ?? [] {
                let entry = try pair.entry()
                let isInOrder = entries.last.map {
                    $0.key.name.utf8.lexicographicallyPrecedes(entry.key.name.utf8)
                }
                guard entry.key.kind == kind, isInOrder ?? true else {
                    throw FleetFailure(
                        .malformed, "\(kind.rawValue): etcd's list holds \(entry.key) out of place")
                }
                try budget.take(entry)
                entries.append(entry)
            }
            guard page.more == true, entries.count > before, let last = entries.last?.key else {
                return entries
            }
            // The next key after it that there can be.
            range.key = EtcdMessages.base64("\(EtcdMessages.prefix)\(last)\0")
        }
    }

    public func create(_ key: FleetKey, _ text: String) throws(FleetFailure) -> FleetRevision {
        try FleetLimits.check(key)
        let bytes = EtcdMessages.bytes(of: key)
        return try change(key, .isAbsent(key: bytes), try put(key, text), "is there already")
    }

    public func put(
        _ key: FleetKey, _ text: String, ifRevision revision: FleetRevision
    ) throws(FleetFailure) -> FleetRevision {
        try change(key, try comparison(key, revision), try put(key, text), "is no longer as it was read")
    }

    public func delete(_ key: FleetKey, ifRevision revision: FleetRevision) throws(FleetFailure) {
        _ = try change(
            key, try comparison(key, revision), .delete(key: EtcdMessages.bytes(of: key)),
            "is no longer as it was read")
    }

    // MARK: Transactions

    private var deadline: Deadline { Deadline(afterMilliseconds: timeout) }

    private func put(_ key: FleetKey, _ text: String) throws(FleetFailure) -> EtcdMessages.Operation {
        try FleetLimits.check(text, for: key)
        return .put(key: EtcdMessages.bytes(of: key), value: EtcdMessages.base64(text))
    }

    private func comparison(
        _ key: FleetKey, _ revision: FleetRevision
    ) throws(FleetFailure) -> EtcdMessages.Comparison {
        try FleetLimits.check(key)
        // A comparison with 0 would hold for a key that is not there.
        guard let number = Int64(revision.text), number > 0 else {
            throw FleetFailure(.conflict, "\(key): was not read from this store")
        }
        return .isAt(revision: String(number), key: EtcdMessages.bytes(of: key))
    }

    private func change(
        _ key: FleetKey, _ comparison: EtcdMessages.Comparison, _ operation: EtcdMessages.Operation,
        _ otherwise: String
    ) throws(FleetFailure) -> FleetRevision {
        let answer = try connection.write(
            EtcdMessages.Transaction(compare: [comparison], success: [operation]), within: deadline)
        guard answer.succeeded == true else { throw FleetFailure(.conflict, "\(key): \(otherwise)") }
        guard Int64(answer.header.revision) ?? 0 > 0 else {
            throw FleetFailure(
                .unanswered, "\(key): etcd says that it was written, and not at which revision")
        }
        return FleetRevision(answer.header.revision)
    }
}
