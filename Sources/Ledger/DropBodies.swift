public import Model
public import Ports
import SQLite

/// Which bodies are gone, by the newest entry that says so.
///
/// The rule of what goes, in one place: bodies of `kinds`, in entries up to `through`, but for the decisions that still
/// stand (`Retention.kept`), which `explain` goes by. So there stay the beginning, every policy, what people said
/// (approvals, denials, adoptions, pauses, words about rollouts), what failed, checksums, seedings and keys. What the
/// entries added up to stands in the retention entry itself, so it takes the place of the bodies of earlier ones.
/// Nothing is dropped while a step or an intent is open. The rows of decisions in `decision` go with their bodies,
/// since they are made from them.
struct DroppedBodies {
    /// The entry's number.
    var seq: Int64
    var retention: Retention

    /// Kinds whose bodies may go.
    ///
    /// They are in the schema's guard too: one more needs a migration.
    static let kinds = [
        "policy-rejected", "installation-found", "installation-gone", "installation-observed", "decided",
        "change-ended", "problem-began", "problem-ended", "coverage", "intended", "effected", "guard-broken",
        "step-began", "step-moved", "step-ended", "gate-acted", "seat-taken",
    ]

    static let kindsInSQL = kinds.map { "'\($0)'" }.joined(separator: ", ")

    /// Whether it says of the body of an entry that it is gone.
    func covers(_ entry: Int64, kind: String) -> Bool {
        if kind == Event.bodiesDroppedKind { return entry < seq }
        return entry <= retention.through && Self.kinds.contains(kind) && !retention.kept.contains(entry)
    }
}

extension Ledger {
    /// How many entries are gone through at a time.
    static let retentionBatch: Int64 = 4096

    /// Drops what may be dropped of bodies that are older than `keep`, in one transaction with the entry that says so.
    ///
    /// - Returns: the event of that entry; nil where there was nothing to drop, or something is under way.
    /// - Throws: `LedgerFailure`; nothing was dropped then.
    public func dropBodies(keep: TimeSpan, reading: ClockReading) throws(LedgerFailure) -> Event? {
        let before = reading.now + TimeSpan(seconds: -keep.seconds)
        return try guarded {
            // Nearly always nothing is old enough, which needs no lock to see.
            guard try store.reach(before: before, most: Self.retentionBatch) != nil else { return nil }
            return try store.database.transaction { () -> Event? in
                guard let head = try store.head(),
                    let reach = try store.reach(before: before, most: Self.retentionBatch)
                else { return nil }
                var fold = try store.fold()
                guard fold.state.step == nil, fold.state.guards?.intents.isEmpty != false else { return nil }
                let kept = try store.standingDecisions(fold.state, through: reach.through)
                let counts = try store.droppable(through: reach.through, kept: kept)
                guard counts.bodies > 0 else { return nil }
                let earlier = try store.retention()
                let event = Event.bodiesDropped(
                    Retention(
                        from: reach.from, through: reach.through, keep: keep, before: before, kept: kept,
                        bodies: (earlier?.retention.bodies ?? 0) + counts.bodies,
                        decisions: (earlier?.retention.decisions ?? 0) + counts.decisions, state: fold.state,
                        coverage: fold.coverage))
                // Said first; only what the entry covers can be deleted.
                let next = try store.add(
                    kind: event.kind, body: try EntryBody.text(of: event), reading: reading, after: head,
                    origin: origin)
                try store.project(event, seq: next.seq, at: reading.now)
                try store.drop(through: reach.through, kept: kept, earlier: earlier?.seq)
                fold.apply(event, at: reading.now)
                try store.keep(fold, seq: next.seq)
                known = (next.seq, fold)
                return event
            }
        }
    }
}

extension Store {
    /// The entries that are to be gone through now; nil where the next one is not old enough.
    ///
    /// What was written by a clock that nobody vouches for is as old as a later entry whose clock was right: a node that
    /// boots in 1970 writes nothing that is old. In order of the chain, so nothing is passed over.
    fileprivate func reach(before: Instant, most: Int64) throws -> (from: Int64, through: Int64)? {
        let done = try database.prepare("SELECT through FROM retention").first { $0.integer(0) } ?? 0
        let young = try database.prepare(
            "SELECT seq FROM entry WHERE seq > ? AND synchronised = 1 AND at >= ? ORDER BY seq LIMIT 1"
        ).first([.integer(done), .integer(before.seconds)]) { $0.integer(0) }
        let old = try database.prepare(
            "SELECT seq FROM entry WHERE seq > ? AND seq < ? AND synchronised = 1 ORDER BY seq DESC LIMIT 1"
        ).first([.integer(done), .integer(young ?? .max)]) { $0.integer(0) }
        guard let old else { return nil }
        // The newest entry stays whole.
        let last = try database.prepare("SELECT max(seq) FROM entry").first { $0.integer(0) } ?? 0
        let through = min(old, done + most, last - 1)
        return through > done ? (done + 1, through) : nil
    }

    /// Entries of the decisions that still stand.
    fileprivate func standingDecisions(_ state: NodeState, through: Int64) throws -> [Int64] {
        let ids = Set(state.installations.values.flatMap { $0.changes.map(\.decisionID) })
        let rows = try database.prepare("SELECT max(seq) FROM decision WHERE decision = ? AND seq <= ?")
        return try ids.compactMap { id in
            try rows.first([.text(id), .integer(through)]) { $0.isNull(0) ? nil : $0.integer(0) } ?? nil
        }.sorted()
    }

    fileprivate func droppable(
        through: Int64, kept: [Int64]
    ) throws -> (bodies: Int64, decisions: Int64) {
        try database.prepare(
            """
            SELECT count(*), sum(kind = 'decided') FROM body CROSS JOIN entry USING(seq)
            WHERE seq <= ? AND kind IN (\(DroppedBodies.kindsInSQL)) AND seq NOT IN (\(Self.list(kept)))
            """
        ).first([.integer(through)]) { ($0.integer(0), $0.integer(1)) } ?? (0, 0)
    }

    /// - Parameter earlier: the entry that said so before: the new one takes its place.
    fileprivate func drop(through: Int64, kept: [Int64], earlier: Int64?) throws {
        try database.execute(
            """
            DELETE FROM body WHERE seq <= ? AND seq NOT IN (\(Self.list(kept)))
                AND (SELECT kind FROM entry WHERE entry.seq = body.seq) IN (\(DroppedBodies.kindsInSQL))
            """, [.integer(through)])
        try database.execute(
            "DELETE FROM decision WHERE seq <= ? AND seq NOT IN (\(Self.list(kept)))", [.integer(through)])
        if let earlier { try database.execute("DELETE FROM body WHERE seq = ?", [.integer(earlier)]) }
    }

    /// Numbers of ours alone, of which there are few.
    private static func list(_ numbers: [Int64]) -> String {
        numbers.map { "\($0)" }.joined(separator: ", ")
    }

    /// The newest retention entry by the chain alone, for making its table anew; nil where there is none.
    func newestRetention() throws -> DroppedBodies? {
        let row = try database.prepare(
            "SELECT seq, content FROM entry JOIN body USING(seq) WHERE kind = ? ORDER BY seq DESC LIMIT 1"
        ).first([.text(Event.bodiesDroppedKind)]) { ($0.integer(0), $0.text(1) ?? "") }
        guard let row else { return nil }
        return DroppedBodies(seq: row.0, retention: try EntryBody.decoded(row.1))
    }
}
