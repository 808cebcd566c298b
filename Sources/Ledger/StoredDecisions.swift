public import Model
public import Ports
import SQLite

/// A decision as the ledger keeps it, for those who make it again.
public struct StoredDecision {
    /// What is left of it.
    public enum Content {
        /// The record, and the bytes that it was read from.
        case record(DecisionRecord, text: [UInt8])
        /// Retention dropped the body: that there was a decision, and when, is still proven.
        case dropped
        /// A body that this program cannot read, and why.
        case unreadable(String)
    }

    /// The entry's number.
    public var sequence: Int64
    /// When it was recorded.
    public var at: Instant
    /// What is left of it.
    public var content: Content
}

/// Which stored decisions are asked for; nil means any.
public struct DecisionFilter: Hashable, Sendable {
    /// The start of a decision's id.
    public var id: String?
    /// Inclusive.
    public var since: Instant?
    /// Exclusive.
    public var until: Instant?
    /// The number of the last entry that counts.
    public var through: Int64?

    /// Makes a filter that lets every decision through.
    public init() {}
}

extension Ledger {
    /// Hands every decision over that a filter lets through, oldest first, in constant memory.
    ///
    /// - Throws: `LedgerFailure` for what the ledger refuses, and whatever the closure throws.
    public func decisions(_ filter: DecisionFilter, _ handle: (StoredDecision) throws -> Void) throws {
        var conditions = ["kind = 'decided'"]
        var values: [Value] = []
        func add(_ condition: String, _ value: Value?) {
            guard let value else { return }
            conditions.append(condition)
            values.append(value)
        }
        add("at >= ?", filter.since.map { .integer($0.seconds) })
        add("at < ?", filter.until.map { .integer($0.seconds) })
        add("seq <= ?", filter.through.map { .integer($0) })
        add("seq IN (SELECT seq FROM decision WHERE instr(decision, ?) = 1)", filter.id.map { .text($0) })
        let statement = try guarded {
            let statement = try store.database.prepare(
                """
                SELECT seq, at, content FROM entry LEFT JOIN body USING(seq)
                WHERE \(conditions.joined(separator: " AND ")) ORDER BY seq
                """)
            try statement.bind(values)
            return statement
        }
        defer { statement.reset() }
        while try guarded({ try statement.step() }) { try handle(Self.decision(in: statement)) }
    }

    /// The newest decision that a word names: by the start of its id or of its change's, or by its target's version,
    /// with its build or without.
    ///
    /// - Returns: nil where there is none with that name.
    public func newestDecision(named word: String) throws(LedgerFailure) -> StoredDecision? {
        try guarded {
            try store.database.prepare(
                """
                SELECT decision.seq, instant, content FROM decision LEFT JOIN body USING(seq)
                WHERE instr(decision, ?1) = 1 OR instr(change, ?1) = 1 OR "to" = ?1
                    OR instr("to", ?1 || '+') = 1
                ORDER BY decision.seq DESC LIMIT 1
                """
            ).first([.text(word)]) { Self.decision(in: $0) }
        }
    }

    /// The newest decision; nil where none is recorded, or no body of one is left.
    ///
    /// - Throws: `LedgerFailure`.
    public func newestDecision() throws(LedgerFailure) -> StoredDecision? {
        try guarded {
            try store.database.prepare(
                """
                SELECT decision.seq, instant, content FROM decision JOIN body USING(seq)
                ORDER BY decision.seq DESC LIMIT 1
                """
            ).first { Self.decision(in: $0) }
        }
    }

    private static func decision(in row: Statement) -> StoredDecision {
        let content: StoredDecision.Content
        if row.isNull(2) {
            content = .dropped
        } else {
            do {
                content = .record(
                    try EntryBody.decoded(row.text(2) ?? ""), text: Array(row.rawText(2)))
            } catch {
                content = .unreadable((error as? UnreadableBody)?.reason ?? "\(error)")
            }
        }
        return StoredDecision(
            sequence: row.integer(0), at: Instant(seconds: row.integer(1)), content: content)
    }
}
