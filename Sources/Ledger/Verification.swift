import Model
public import Ports
import SQLite

extension Ledger {
    /// Walks the chain from its first entry to its last, and makes every projection anew beside what is stored.
    ///
    /// Memory stays constant however long the chain is; a writer is not kept waiting. It finds an edited entry or
    /// body, a removal, an insertion, a reordering, a cut inside the chain, and projections that say something
    /// else than the entries, and with checkpoints a cut tail and a chain rewritten as a whole; it cannot find what
    /// `VerifyReport.blindSpot` says.
    ///
    /// - Parameters:
    ///   - checkpoints: what to compare the chain with.
    ///   - keys: the keys that count; nil for those that the ledger itself names.
    ///   - progress: told now and then how many entries were walked along, and of how many.
    public func verify(
        against checkpoints: CheckpointNotes = CheckpointNotes(), by keys: [NoteVerifier]? = nil,
        progress: (Int64, Int64) -> Void = { _, _ in }
    ) throws(LedgerFailure) -> VerifyReport {
        try guarded {
            try store.database.snapshot {
                var walk = try Walk(store: store, origin: origin, file: file)
                walk.checkpoints = CheckpointCheck(checkpoints, origin: originName)
                do {
                    try walk.checkDatabase()
                    try walk.checkChain(progress)
                    try walk.checkProjections()
                } catch let error as SQLiteError where error.code == .corrupt || error.code == .notADatabase {
                    walk.find(0, .damage, "SQLite cannot follow its pages: \(error.message)")
                }
                try walk.checkCheckpoints(by: keys)
                return walk.finished()
            }
        }
    }
}

/// One walk along the chain.
private struct Walk {
    private let store: Store
    private let origin: [UInt8]
    private var report: VerifyReport
    private var previous: Head?
    private var fold = Fold()
    // Between a body that retention dropped and the entry that says so, the state is not known.
    private var isBehind = false
    private let dropped: DroppedBodies?
    var checkpoints = CheckpointCheck(CheckpointNotes(), origin: "")
    // Where a body could not be read, what follows from it cannot be compared.
    private var isWhole = true
    private var decisions: Int64 = 0
    private var checksums: Int64 = 0
    private let decision: Statement
    private let checksum: Statement

    init(store: Store, origin: [UInt8], file: String) throws {
        self.store = store
        self.origin = origin
        report = VerifyReport(
            file: file, origin: hexadecimal(origin), replaces: try? store.origin().replaces?.file, entries: 0,
            headSeq: 0, headHash: "", findings: [], hasMore: false)
        // What cannot be read is found on the way.
        dropped = try? store.newestRetention()
        report.retention = dropped?.seq
        decision = try store.database.prepare("SELECT \(DecisionRow.columns) FROM decision WHERE seq = ?")
        checksum = try store.database.prepare(
            "SELECT sha256, content FROM catalog WHERE seq = ? AND position = ?")
    }

    mutating func find(_ seq: Int64, _ kind: VerifyReport.Finding.Kind, _ text: String) {
        guard report.findings.count < VerifyReport.limit else {
            report.hasMore = true
            return
        }
        report.findings.append(VerifyReport.Finding(seq: seq, kind: kind, text: text))
    }

    func finished() -> VerifyReport { report }

    // MARK: The file

    mutating func checkDatabase() throws {
        let found = try store.database.prepare("PRAGMA integrity_check(1)").first { $0.text(0) ?? "" }
        if found != "ok" { find(0, .damage, found ?? "the integrity check said nothing") }
        let fresh = try Connection(path: ":memory:", mode: .create, busyTimeout: 0)
        try Schema.migrate(fresh, from: 0)
        let expected = try Self.objects(of: fresh)
        let stored = try Self.objects(of: store.database)
        for name in Set(expected.keys).union(stored.keys).sorted() where expected[name] != stored[name] {
            let what = stored[name] == nil ? "is gone" : expected[name] == nil ? "was added" : "was changed"
            find(0, .schema, "\(name) \(what)")
        }
    }

    private static func objects(of database: Connection) throws -> [String: [UInt8]] {
        var objects: [String: [UInt8]] = [:]
        // What SQLite itself makes (ANALYZE) changes nothing.
        try database.prepare(
            "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        .forEach { objects["\($0.text(0) ?? "") \($0.text(1) ?? "")"] = Array($0.rawText(2)) }
        return objects
    }

    // MARK: The chain

    mutating func checkChain(_ progress: (Int64, Int64) -> Void) throws {
        let entries = try store.database.prepare(
            """
            SELECT seq, prev, kind, at, synchronised, boot, body_hash, hash, content
            FROM entry LEFT JOIN body USING(seq) ORDER BY seq
            """)
        try entries.bind([])
        let total = try store.database.prepare("SELECT max(seq) FROM entry").first { $0.integer(0) } ?? 0
        var walked: Int64 = 0
        while try entries.step() {
            try check(entries)
            walked += 1
            if walked % 1024 == 0 { progress(walked, total) }
        }
        progress(total, total)
        report.headSeq = previous?.seq ?? 0
        report.headHash = previous.map { hexadecimal($0.hash) } ?? ""
        let stray = try store.database.prepare(
            "SELECT seq FROM body WHERE seq NOT IN (SELECT seq FROM entry) ORDER BY seq LIMIT 1")
        if let seq = try stray.first([], { $0.integer(0) }) {
            find(seq, .strayBody, "there is a body but no entry")
        }
    }

    private mutating func check(_ row: Statement) throws {
        let entry = ChainEntry(
            seq: row.integer(0), prev: row.blob(1), kind: Array(row.rawText(2)), at: row.integer(3),
            clock: row.isNull(4) ? nil : row.integer(4) != 0, boot: Array(row.rawText(5)),
            bodyHash: row.blob(6))
        let hash = row.blob(7)
        let expected = (previous?.seq ?? 0) + 1
        if entry.seq > expected {
            let gone =
                entry.seq - 1 == expected
                ? "entry \(expected) is" : "entries \(expected) to \(entry.seq - 1) are"
            find(expected, .missingEntries, "\(gone) missing")
        } else if entry.seq < expected {
            find(entry.seq, .brokenLink, "a chain begins with entry 1")
        }
        if entry.prev != previous?.hash ?? ChainEntry.beginning {
            find(entry.seq, .brokenLink, "it does not follow the entry before it")
        }
        if entry.hash(origin: origin) != hash {
            find(entry.seq, .editedEntry, "its fields do not give its hash")
        }
        report.entries += 1
        let at = Instant(seconds: entry.at)
        if report.first == nil { report.first = at }
        report.last = at
        previous = Head(seq: entry.seq, hash: hash)
        checkpoints.see(entry.seq, hash: hash)
        guard !row.isNull(8) else {
            if dropped?.covers(entry.seq, kind: row.text(2) ?? "") == true {
                report.droppedBodies += 1
                isBehind = true
                return
            }
            isWhole = false
            return find(entry.seq, .missingBody, "its body is missing")
        }
        if hashOfBody(row.rawText(8)) != entry.bodyHash {
            find(entry.seq, .editedBody, "its body does not give the hash that it holds")
        }
        do {
            let event = try EntryBody.event(kind: row.text(2) ?? "", text: row.text(8) ?? "")
            if let event {
                if case .bodiesDropped(let retention) = event { check(retention, seq: entry.seq) }
                if case .checkpointKey(let key) = event { report.checkpointKeys.append(key.verifier) }
                fold.apply(event, at: at)
                try checkRows(of: event, seq: entry.seq, at: at)
            }
        } catch let error as UnreadableBody {
            isWhole = false
            find(entry.seq, .unreadableBody, "its body cannot be read: \(error.reason)")
        }
    }

    private mutating func check(_ retention: Retention, seq: Int64) {
        let isTrue = fold.state == retention.state && fold.coverage == retention.coverage
        if isWhole, !isBehind, !isTrue {
            find(seq, .falseRetention, "what it says the entries before it add up to is not so")
        }
        // From here on it is known again, whatever was before.
        isBehind = false
    }

    // MARK: Projections

    private mutating func checkRows(of event: Event, seq: Int64, at: Instant) throws {
        switch event {
        case .decided(let record):
            decisions += 1
            let row = DecisionRow(record, at: at)
            if try decision.first([.integer(seq)], row.isEqual) != true {
                find(seq, .projection, "the decision table says something else")
            }
        case .catalogImported(let imported):
            checksums += Int64(imported.entries.count)
            for (position, entry) in imported.entries.enumerated() {
                let digest = Array(entry.sha256.hex.utf8)
                let content = Array(try CanonicalJSON.text(of: entry).utf8)
                let isEqual = try checksum.first([.integer(seq), .integer(Int64(position))]) { row in
                    row.rawText(0).elementsEqual(digest) && row.rawText(1).elementsEqual(content)
                }
                if isEqual != true {
                    find(seq, .projection, "the catalog table says something else")
                    break
                }
            }
        case .policyLoaded, .policyRejected, .installationFound, .installationGone, .installationObserved,
            .changeEnded, .problemBegan, .problemEnded, .coverage, .approved, .denied, .revoked,
            .adopted, .released, .paused, .resumed, .intended, .effected, .guardBroken,
            .gateActed, .seeded, .seatTaken, .rolloutSaid, .stepBegan, .stepMoved, .stepEnded, .approvalSpent,
            .quarantined, .checkpointKey, .bodiesDropped:
            break
        }
    }

    mutating func checkProjections() throws {
        try count("decision", expected: decisions)
        try count("catalog", expected: checksums)
        let said = try store.database.prepare("SELECT seq, through FROM retention").first {
            [$0.integer(0), $0.integer(1)]
        }
        if said != dropped.map({ [$0.seq, $0.retention.through] }) {
            find(0, .projection, "the retention table says something else than the entries")
        }
        guard isWhole, !isBehind else { return }
        let state = try CanonicalJSON.text(of: fold.state)
        let coverage = try fold.coverage.map { try CanonicalJSON.text(of: $0) }
        let stored = try store.database.prepare("SELECT seq, state, coverage FROM snapshot").first { row in
            (row.integer(0), Array(row.rawText(1)), row.isNull(2) ? nil : Array(row.rawText(2)))
        }
        if stored?.0 != report.headSeq {
            find(
                0, .projection, "the snapshot is of entry \(stored?.0 ?? 0), the newest is \(report.headSeq)")
        } else if stored?.1 != Array(state.utf8) || stored?.2 != coverage.map({ Array($0.utf8) }) {
            find(0, .projection, "the snapshot is not what the entries add up to")
        }
    }

    private mutating func count(_ table: String, expected: Int64) throws {
        let stored = try store.database.prepare("SELECT count(*) FROM \(table)").first { $0.integer(0) } ?? 0
        if stored != expected {
            find(0, .projection, "the \(table) table has \(stored) rows, the entries give \(expected)")
        }
    }

    // MARK: Checkpoints

    mutating func checkCheckpoints(by keys: [NoteVerifier]?) throws {
        // One that was edited is not in the ledger any longer, and an entry says so.
        let isGiven = keys != nil
        let keys = keys ?? report.checkpointKeys.compactMap { text in try? NoteVerifier(text) }
        let result = try checkpoints.judged(by: keys, report: report)
        for finding in result.findings { find(finding.seq, finding.kind, finding.text) }
        report.checkpoints = result.part
        report.checkpoints.keyWasGiven = isGiven
    }
}
