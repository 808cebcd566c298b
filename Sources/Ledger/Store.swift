import FoundationEssentials
import Model
import SQLite

/// The statements of the ledger: reading and writing rows, each in whatever transaction is open.
struct Store {
    let database: Connection

    // MARK: Chain

    /// The newest entry; nil in a ledger that has not begun.
    func head() throws -> Head? {
        try database.prepare("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1")
            .first { Head(seq: $0.integer(0), hash: $0.blob(1)) }
    }

    /// The first entry's body.
    ///
    /// - Throws: `UnreadableBody` where it is not there or not what this program writes.
    func origin() throws -> OriginBody {
        let row = try database.prepare(
            "SELECT kind, content FROM entry LEFT JOIN body USING(seq) WHERE seq = 1"
        ).first { ($0.text(0), $0.text(1)) }
        guard let (kind, content) = row, kind == EntryBody.origin, let content else {
            throw UnreadableBody(reason: "there is no origin entry")
        }
        return try EntryBody.decoded(content)
    }

    /// Adds an entry and its body after `head`.
    func add(
        kind: String, body: String, reading: ClockReading, after head: Head?, origin: [UInt8]
    ) throws -> Head {
        let entry = ChainEntry(
            seq: (head?.seq ?? 0) + 1, prev: head?.hash ?? ChainEntry.beginning, kind: Array(kind.utf8),
            at: reading.now.seconds, clock: reading.synchronised, boot: Array(reading.bootID.utf8),
            bodyHash: hashOfBody(body.utf8))
        let hash = entry.hash(origin: origin)
        try database.execute(
            "INSERT INTO entry(seq, prev, kind, at, synchronised, boot, body_hash, hash) VALUES (?,?,?,?,?,?,?,?)",
            [
                .integer(entry.seq), .blob(entry.prev), .text(kind), .integer(entry.at),
                Value(entry.clock.map { $0 ? 1 : 0 }), .text(reading.bootID), .blob(entry.bodyHash),
                .blob(hash),
            ])
        try database.execute(
            "INSERT INTO body(seq, content) VALUES (?, ?)", [.integer(entry.seq), .text(body)])
        return Head(seq: entry.seq, hash: hash)
    }

    /// Hands every event over, oldest first; bodies that retention dropped are left out.
    ///
    /// - Throws: `UnreadableEntry` for the first one that is no event, and whatever the closure throws.
    func events(
        from first: Int64 = 1, _ handle: (_ seq: Int64, _ at: Instant, _ event: Event) throws -> Void
    ) throws {
        let dropped = try retention()
        let entries = try database.prepare(
            "SELECT seq, at, kind, content FROM entry LEFT JOIN body USING(seq) WHERE seq >= ? ORDER BY seq")
        try entries.forEach([.integer(first)]) { row in
            let seq = row.integer(0)
            guard let content = row.text(3) else {
                if dropped?.covers(seq, kind: row.text(2) ?? "") == true { return }
                throw UnreadableEntry(seq: seq, reason: "its body is missing")
            }
            let event: Event?
            do {
                event = try EntryBody.event(kind: row.text(2) ?? "", text: content)
            } catch let error as UnreadableBody {
                throw UnreadableEntry(seq: seq, reason: error.reason)
            }
            if let event { try handle(seq, Instant(seconds: row.integer(1)), event) }
        }
    }

    // MARK: Projections

    /// Writes the rows that an event has in tables of its own.
    func project(_ event: Event, seq: Int64, at: Instant) throws {
        switch event {
        case .decided(let record):
            try database.execute(DecisionRow.insert, DecisionRow(record, at: at).values(seq: seq))
        case .catalogImported(let imported):
            let insert = try database.prepare(
                "INSERT INTO catalog(seq, position, sha256, content) VALUES (?, ?, ?, ?)")
            for (position, entry) in imported.entries.enumerated() {
                try insert.run([
                    .integer(seq), .integer(Int64(position)), .text(entry.sha256.hex),
                    .text(try CanonicalJSON.text(of: entry)),
                ])
            }
        case .bodiesDropped(let retention):
            try database.execute(
                "INSERT OR REPLACE INTO retention(id, seq, through) VALUES (1, ?, ?)",
                [.integer(seq), .integer(retention.through)])
        case .policyLoaded, .policyRejected, .installationFound, .installationGone, .installationObserved,
            .changeEnded, .problemBegan, .problemEnded, .coverage, .approved, .denied, .revoked,
            .adopted, .released, .paused, .resumed, .intended, .effected, .guardBroken,
            .gateActed, .seeded, .seatTaken, .rolloutSaid, .stepBegan, .stepMoved, .stepEnded, .approvalSpent,
            .quarantined, .checkpointKey:
            break
        }
    }

    /// What the entries up to the newest one add up to: the snapshot, or where that is of another entry or cannot
    /// be read, the entries themselves.
    func fold() throws -> Fold {
        let head = try head()
        if let kept = try? snapshot(), kept.seq == head?.seq { return kept.fold }
        var fold = Fold()
        // What was before it stands in it, and can no longer be made from bodies that are gone.
        try events(from: try retention()?.seq ?? 1) { _, at, event in fold.apply(event, at: at) }
        return fold
    }

    /// The newest entry that says which bodies were dropped; nil where none ever were.
    ///
    /// Read from the chain: the table of its own is for the guard alone.
    func retention() throws -> DroppedBodies? {
        let seq = try database.prepare("SELECT seq FROM retention").first { $0.integer(0) }
        guard let seq else { return nil }
        let text = try database.prepare("SELECT kind, content FROM entry JOIN body USING(seq) WHERE seq = ?")
            .first([.integer(seq)]) { $0.text(0) == Event.bodiesDroppedKind ? $0.text(1) : nil }
        guard let text = text ?? nil else {
            throw UnreadableEntry(seq: seq, reason: "it should say which bodies were dropped")
        }
        return DroppedBodies(seq: seq, retention: try EntryBody.decoded(text))
    }

    /// The newest snapshot; nil where there is none.
    func snapshot() throws -> (seq: Int64, fold: Fold)? {
        let row = try database.prepare("SELECT seq, state, coverage FROM snapshot")
            .first { ($0.integer(0), $0.text(1) ?? "", $0.text(2)) }
        guard let (seq, state, coverage) = row else { return nil }
        return (
            seq,
            Fold(
                state: try EntryBody.decoded(state),
                coverage: try coverage.map { (text: String) -> Coverage in try EntryBody.decoded(text) })
        )
    }

    /// Replaces the snapshot.
    func keep(_ fold: Fold, seq: Int64) throws {
        try database.execute(
            "INSERT OR REPLACE INTO snapshot(id, seq, state, coverage) VALUES (1, ?, ?, ?)",
            [
                .integer(seq), .text(try CanonicalJSON.text(of: fold.state)),
                Value(try fold.coverage.map { try CanonicalJSON.text(of: $0) }),
            ])
    }
}

/// An entry that this program cannot take in.
struct UnreadableEntry: Error {
    var seq: Int64
    var reason: String
}
