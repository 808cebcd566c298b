public import Model
import SQLite

extension Ledger {
    /// Hands every decision over that a filter lets through, oldest first, in constant memory.
    ///
    /// - Parameter handle: is handed a row that holds until it returns.
    /// - Throws: `LedgerFailure` for what the ledger refuses, and whatever the closure throws.
    public func history(_ filter: HistoryFilter, _ handle: (HistoryRow) throws -> Void) throws {
        let query = HistoryQuery(filter)
        let statement = try guarded { try store.database.prepare(query.sql) }
        try guarded { try statement.bind(query.values) }
        defer { statement.reset() }
        let count = HistoryColumn.allCases.count - 1
        try withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: count) { texts in
            texts.initialize(repeating: UnsafeRawBufferPointer(start: nil, count: 0))
            while try guarded({ try statement.step() }) {
                for index in 0..<count { texts[index] = statement.rawText(index + 1) }
                try handle(HistoryRow(seq: statement.integer(0), texts: UnsafeBufferPointer(texts)))
            }
        }
    }
}

/// The statement of a filter.
struct HistoryQuery {
    var sql: String
    var values: [Value] = []

    /// - Parameter extra: more columns, before which there is a comma.
    init(_ filter: HistoryFilter, extra: String = "") {
        var conditions: [String] = []
        func add(_ condition: String, _ value: Value?) {
            guard let value else { return }
            conditions.append(condition)
            values.append(value)
        }
        sql = ""
        add("instant >= ?", filter.since.map { .integer($0.seconds) })
        add("instant < ?", filter.until.map { .integer($0.seconds) })
        add("distribution = ?", filter.distribution.map { .text($0.rawValue) })
        add("verdict = ?", filter.verdict.map { .text($0.rawValue) })
        add("node = ?", filter.node.map { .text($0) })
        add("rollout = ?", filter.rollout.map { .text($0) })
        let condition = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        sql =
            "SELECT \(DecisionRow.names.joined(separator: ", "))\(extra) FROM decision\(condition) ORDER BY seq"
    }
}
