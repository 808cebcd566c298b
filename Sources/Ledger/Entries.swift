public import Model
import SQLite

extension Ledger {
    /// Hands every entry over, oldest first, in constant memory.
    ///
    /// What is read is one state of the ledger, however long the closure takes; a writer is not kept waiting.
    ///
    /// - Parameters:
    ///   - kinds: the kinds that are wanted, by `Event.kind`; nil for all, the beginning among them.
    ///   - others: kinds that are not wanted though they are among those.
    ///   - first: the number of the first entry that is wanted.
    ///   - older: copies of this ledger that may still have bodies which retention dropped in it.
    /// - Throws: `LedgerFailure` for what the ledger refuses, and whatever the closure throws.
    public func entries(
        of kinds: Set<String>? = nil, leavingOut others: Set<String> = [], from first: Int64 = 1,
        older: [Ledger] = [], _ handle: (LedgerEntry) throws -> Void
    ) throws {
        let statement = try guarded {
            let statement = try store.database.prepare(
                """
                SELECT seq, at, synchronised, boot, hash, kind, content
                FROM entry LEFT JOIN body USING(seq) WHERE seq >= ? ORDER BY seq
                """)
            try statement.bind([.integer(first)])
            return statement
        }
        let kept = try older.map { copy in
            try copy.guarded { try copy.store.database.prepare("SELECT content FROM body WHERE seq = ?") }
        }
        defer { statement.reset() }
        while try guarded({ try statement.step() }) {
            let kind = statement.text(5) ?? ""
            guard kinds?.contains(kind) != false, !others.contains(kind) else { continue }
            var body = statement.text(6)
            for copy in kept where body == nil {
                body = try guarded { try copy.first([.integer(statement.integer(0))]) { $0.text(0) } ?? nil }
            }
            try handle(
                LedgerEntry(
                    sequence: statement.integer(0), kind: kind,
                    at: Instant(seconds: statement.integer(1)),
                    clockSynchronised: statement.isNull(2) ? nil : statement.integer(2) != 0,
                    bootID: statement.text(3) ?? "", hash: Digest(bytes: statement.blob(4)) ?? .none,
                    content: Self.content(of: kind, body: body)))
        }
    }

    private static func content(of kind: String, body: String?) -> LedgerEntry.Content {
        guard let body else { return .dropped }
        do {
            return try EntryBody.event(kind: kind, text: body).map { .event($0) } ?? .beginning
        } catch {
            return .unreadable((error as? UnreadableBody)?.reason ?? "\(error)")
        }
    }
}
