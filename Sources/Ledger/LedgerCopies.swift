public import Model
public import Ports
import SQLite

// What several copies of one ledger are together. A body is taken from an older copy as it lies there: both were checked,
// and the longer one has the older one's newest entry with the same hash, so that every body up to it has the same hash.
extension Ledger {
    /// Has everything that is read from here on be of one state of the ledger, in as little memory as hundreds of open
    /// ledgers need.
    ///
    /// - Throws: `LedgerFailure`.
    public func holdState() throws(LedgerFailure) {
        try guarded {
            try store.database.execute(script: "PRAGMA cache_size = -128")
            try store.database.holdSnapshot()
        }
    }

    /// What became of the decisions of a time that retention dropped in this ledger.
    ///
    /// - Parameter older: copies of it that may still have some.
    /// - Throws: `LedgerFailure`.
    public func dropped(
        since: Instant?, until: Instant?, older: [Ledger]
    ) throws(LedgerFailure) -> DroppedInCopies {
        try guarded {
            let has = try older.map {
                try $0.store.database.prepare("SELECT 1 FROM decision WHERE seq = ?")
            }
            let gone = try store.database.prepare(
                """
                SELECT seq, at FROM entry WHERE kind = 'decided' AND at >= ? AND at < ?
                    AND NOT EXISTS (SELECT 1 FROM decision WHERE decision.seq = entry.seq) ORDER BY seq
                """)
            var dropped = DroppedInCopies()
            try gone.forEach([.integer(since?.seconds ?? .min), .integer(until?.seconds ?? .max)]) { row in
                let (sequence, at) = (row.integer(0), Instant(seconds: row.integer(1)))
                for copy in has where try copy.first([.integer(sequence)], { _ in true }) == true {
                    dropped.found += 1
                    return
                }
                dropped.missing += 1
                dropped.first = min(dropped.first ?? at, at)
                dropped.last = max(dropped.last ?? at, at)
            }
            return dropped
        }
    }
}

/// Decisions that retention dropped in the longest copy of a ledger.
public struct DroppedInCopies: Hashable, Sendable {
    /// How many an older copy still has.
    public var found: Int64 = 0
    /// How many none has.
    public var missing: Int64 = 0
    /// When the first of these was recorded; nil where there are none.
    public var first: Instant?
    /// When the last of these was.
    public var last: Instant?

    /// In one sentence for a person; nil where nothing was dropped.
    public var note: String? {
        var parts: [String] = []
        if found > 0 {
            parts.append(
                "\(found) decision\(found == 1 ? "" : "s") that retention dropped in it \(found == 1 ? "is" : "are") from "
                    + "older copies")
        }
        if missing > 0, let first, let last {
            parts.append(
                "\(missing) decision\(missing == 1 ? "" : "s") from \(first) to \(last) \(missing == 1 ? "is" : "are") not "
                    + "listed: retention dropped what they held (ledger.keep), and no copy here still has it")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
