public import Model
public import Ports
import SQLite

extension Ledger {
    /// The outlets that are known, by their ids.
    public func outlets() throws(LedgerFailure) -> [Outlet] {
        try guarded {
            var outlets: [Outlet] = []
            // What cannot be read is begun anew, like any cache.
            try store.database.prepare("SELECT content FROM outlet ORDER BY id").forEach { row in
                if let outlet = try? EntryBody.decoded(row.text(0) ?? "") as Outlet { outlets.append(outlet) }
            }
            return outlets
        }
    }

    /// Keeps how far an outlet was told; it is no part of the chain.
    public func keep(_ outlet: Outlet) throws(LedgerFailure) {
        try guarded {
            try store.database.execute(
                "INSERT OR REPLACE INTO outlet(id, content) VALUES (?, ?)",
                [.text(outlet.id), .text(try CanonicalJSON.text(of: outlet))])
        }
    }

    /// Forgets an outlet that is told no longer.
    public func forget(_ outlet: Outlet) throws(LedgerFailure) {
        try guarded { try store.database.execute("DELETE FROM outlet WHERE id = ?", [.text(outlet.id)]) }
    }

    /// The entry after which somebody is told who is new: that of the policy that names them, or one of before `since`
    /// where that came later.
    public func beginning(since: Instant) throws(LedgerFailure) -> Int64 {
        try guarded {
            let policy = try store.database.prepare("SELECT max(seq) FROM entry WHERE kind = ?")
                .first([.text(Event.policyLoadedKind)]) { $0.integer(0) }
            let earlier = try store.database.prepare("SELECT max(seq) FROM entry WHERE at < ?")
                .first([.integer(since.seconds)]) { $0.integer(0) }
            return max(policy ?? 0, earlier ?? 0)
        }
    }

    /// Entries of some kinds from a number on, the oldest first: so many at most, and what was looked at to find them.
    ///
    /// - Returns: them, and the number of the last entry that was looked at; `first - 1` where there was none.
    public func queued(
        of kinds: Set<String>, from first: Int64, limit: Int, looked: Int
    ) throws(LedgerFailure) -> (entries: [LedgerEntry], last: Int64) {
        try guarded {
            var last = first - 1
            var wanted: [Int64] = []
            let names = try store.database.prepare(
                "SELECT seq, kind FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?")
            try names.forEach([.integer(first), .integer(Int64(looked))]) { row in
                guard wanted.count < limit else { return }
                last = row.integer(0)
                if kinds.contains(row.text(1) ?? "") { wanted.append(last) }
            }
            guard let least = wanted.first, let greatest = wanted.last else { return ([], last) }
            var entries: [LedgerEntry] = []
            struct Enough: Error {}
            do {
                try self.entries(of: kinds, from: least) { entry in
                    guard entry.sequence <= greatest else { throw Enough() }
                    entries.append(entry)
                    if entry.sequence == greatest { throw Enough() }
                }
            } catch is Enough {}
            return (entries, last)
        }
    }

    /// Whether the same decision was recorded before an entry, and not before an instant.
    public func wasDecided(_ id: String, before sequence: Int64, since: Instant) throws(LedgerFailure) -> Bool
    {
        try guarded {
            try store.database.prepare(
                "SELECT 1 FROM decision WHERE decision = ? AND seq < ? AND instant >= ? LIMIT 1"
            ).first([.text(id), .integer(sequence), .integer(since.seconds)]) { _ in true } ?? false
        }
    }

    /// The releases of a distribution that imported checksums tell of, in no order, each once.
    public func cataloguedVersions(of distribution: Distribution) throws(LedgerFailure) -> [Version] {
        try guarded {
            var versions: Set<Version> = []
            let rows = try store.database.prepare(
                """
                SELECT DISTINCT json_extract(content, '$.version') FROM catalog
                WHERE json_valid(content) AND json_extract(content, '$.distribution') = ?
                """)
            try rows.forEach([.text(distribution.rawValue)]) { row in
                if let version = Version(row.text(0) ?? "") { versions.insert(version) }
            }
            return Array(versions)
        }
    }
}
