import Model
import Ports
import SQLite
import Testing

@testable import Ledger

@Suite("Verification (invariant 8)")
struct VerificationTests {
    let directory: TemporaryDirectory

    /// A chain of an origin entry and fifty events, with decisions at 11, 21, 31, 41, 51 and checksums at 16.
    init() throws {
        directory = try TemporaryDirectory()
        var samples = Samples(seed: 8)
        let ledger = try Ledger.open(stateDirectory: directory.path, reading: reading(0))
        var state = try ledger.load().state
        for second in 1...50 as ClosedRange<Int64> {
            var event = Event.problemBegan(Problem(code: "p\(second % 7)", text: "text \(second)"))
            if second % 10 == 0 { event = .decided(samples.decision()) }
            if second == 15 {
                let entries = try (0..<3).map { _ in
                    CatalogEntry(
                        distribution: .k3s, version: try #require(Version("v1.31.4+k3s1")),
                        architecture: .amd64,
                        sha256: samples.digest(), file: "f", importedAt: Instant(seconds: 1))
                }
                event = .catalogImported(CatalogImport(file: "f", sha256: samples.digest(), entries: entries))
            }
            state.apply(event, at: reading(second).now)
            try ledger.append([event], reading: reading(second), state: state)
        }
    }

    /// Does what somebody with the sqlite3 shell can do, and leaves the guards as they were.
    func tamper(_ script: String) throws {
        let database = try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
        var guards: [(name: String, sql: String)] = []
        try database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            .forEach { guards.append(($0.text(0) ?? "", $0.text(1) ?? "")) }
        for guardian in guards { try database.execute("DROP TRIGGER \(guardian.name)") }
        try database.execute(script: script)
        for guardian in guards { try database.execute(guardian.sql) }
    }

    func verify() throws -> VerifyReport {
        try Ledger.openForReading(stateDirectory: directory.path).verify()
    }

    @Test("finds nothing in a chain that is as it was written, and says what it cannot see")
    func intact() throws {
        let report = try verify()
        #expect(report.findings == [])
        #expect(report.entries == 51)
        #expect(report.headSeq == 51)
        #expect(report.first == reading(0).now)
        #expect(report.last == reading(50).now)
        #expect(report.blindSpot.contains("checkpoint"))
        try tamper("SELECT 1")
        #expect(try verify().findings == [])
    }

    struct Tampering: Sendable, CustomTestStringConvertible {
        var what: String
        var script: String
        var seq: Int64
        var kind: VerifyReport.Finding.Kind

        var testDescription: String { what }
    }

    static let tamperings: [Tampering] = [
        // Each field of an entry, in the middle, at the beginning and at the end.
        .init(
            what: "prev", script: "UPDATE entry SET prev = zeroblob(32) WHERE seq = 25", seq: 25,
            kind: .brokenLink),
        .init(
            what: "kind", script: "UPDATE entry SET kind = 'problem-ended' WHERE seq = 25", seq: 25,
            kind: .editedEntry),
        .init(what: "at", script: "UPDATE entry SET at = at + 1 WHERE seq = 25", seq: 25, kind: .editedEntry),
        .init(
            what: "clock", script: "UPDATE entry SET synchronised = 0 WHERE seq = 25", seq: 25,
            kind: .editedEntry),
        .init(
            what: "clock to unknown", script: "UPDATE entry SET synchronised = NULL WHERE seq = 25", seq: 25,
            kind: .editedEntry),
        .init(
            what: "boot", script: "UPDATE entry SET boot = 'boot-2' WHERE seq = 25", seq: 25,
            kind: .editedEntry),
        .init(
            what: "body_hash", script: "UPDATE entry SET body_hash = zeroblob(32) WHERE seq = 25", seq: 25,
            kind: .editedEntry),
        .init(
            what: "hash", script: "UPDATE entry SET hash = zeroblob(32) WHERE seq = 25", seq: 25,
            kind: .editedEntry),
        .init(
            what: "the first entry", script: "UPDATE entry SET at = at - 1 WHERE seq = 1", seq: 1,
            kind: .editedEntry),
        .init(
            what: "the last entry", script: "UPDATE entry SET at = at - 1 WHERE seq = 51", seq: 51,
            kind: .editedEntry),
        // Bodies.
        .init(
            what: "a body", script: "UPDATE body SET content = replace(content, '24', '25') WHERE seq = 25",
            seq: 25, kind: .editedBody),
        .init(
            what: "a decision's body", script: "UPDATE body SET content = content || ' ' WHERE seq = 21",
            seq: 21, kind: .editedBody),
        .init(what: "a body gone", script: "DELETE FROM body WHERE seq = 25", seq: 25, kind: .missingBody),
        .init(
            what: "a body swapped",
            script: "UPDATE body SET content = (SELECT content FROM body WHERE seq = 26) WHERE seq = 25",
            seq: 25, kind: .editedBody),
        .init(
            what: "a stray body", script: "PRAGMA foreign_keys = OFF; INSERT INTO body VALUES (99, '{}')",
            seq: 99, kind: .strayBody),
        // Rows.
        .init(
            what: "an entry removed",
            script: "DELETE FROM body WHERE seq = 25; DELETE FROM entry WHERE seq = 25", seq: 25,
            kind: .missingEntries),
        .init(
            what: "a cut inside",
            script:
                "DELETE FROM body WHERE seq BETWEEN 20 AND 30; DELETE FROM entry WHERE seq BETWEEN 20 AND 30",
            seq: 20, kind: .missingEntries),
        .init(
            what: "a cut with the rest moved up",
            script:
                "DELETE FROM body WHERE seq = 25; DELETE FROM entry WHERE seq = 25; UPDATE entry SET seq = seq - 1 WHERE seq > 25; UPDATE body SET seq = seq - 1 WHERE seq > 25",
            seq: 25, kind: .brokenLink),
        .init(
            what: "the origin removed",
            script: "DELETE FROM body WHERE seq = 1; DELETE FROM entry WHERE seq = 1", seq: 1,
            kind: .missingEntries),
        .init(
            what: "two entries swapped",
            script:
                "UPDATE entry SET seq = -1 WHERE seq = 25; UPDATE entry SET seq = 25 WHERE seq = 26; UPDATE entry SET seq = 26 WHERE seq = -1; UPDATE body SET seq = -1 WHERE seq = 25; UPDATE body SET seq = 25 WHERE seq = 26; UPDATE body SET seq = 26 WHERE seq = -1",
            seq: 25, kind: .brokenLink),
        .init(
            what: "the last entry doubled",
            script:
                "INSERT INTO entry SELECT 52, hash, kind, at, synchronised, boot, body_hash, hash FROM entry WHERE seq = 51; INSERT INTO body SELECT 52, content FROM body WHERE seq = 51",
            seq: 52, kind: .editedEntry),
        .init(
            what: "an entry put in before the first",
            script:
                "INSERT INTO entry SELECT 0, prev, kind, at, synchronised, boot, body_hash, hash FROM entry WHERE seq = 1",
            seq: 0, kind: .brokenLink),
        // What follows from the chain.
        .init(
            what: "a decision's verdict", script: "UPDATE decision SET verdict = 'none' WHERE seq = 21",
            seq: 21, kind: .projection),
        .init(
            what: "a decision's time", script: "UPDATE decision SET instant = 0 WHERE seq = 21", seq: 21,
            kind: .projection),
        .init(
            what: "a decision's NULL",
            script: "UPDATE decision SET unmet = coalesce(unmet, '') || ' ' WHERE seq = 21", seq: 21,
            kind: .projection),
        .init(
            what: "a decision gone", script: "DELETE FROM decision WHERE seq = 21", seq: 21, kind: .projection
        ),
        .init(
            what: "a decision added", script: "INSERT INTO decision(seq, instant) VALUES (22, 0)", seq: 0,
            kind: .projection),
        .init(
            what: "a checksum", script: "UPDATE catalog SET sha256 = 'x' WHERE position = 1", seq: 16,
            kind: .projection),
        .init(
            what: "a checksum added", script: "INSERT INTO catalog VALUES (16, 3, 'x', '{}')", seq: 0,
            kind: .projection),
        .init(
            what: "the state", script: "UPDATE snapshot SET state = replace(state, 'text', 'next')", seq: 0,
            kind: .projection),
        .init(what: "the state's entry", script: "UPDATE snapshot SET seq = 50", seq: 0, kind: .projection),
        .init(
            what: "a sealed stretch", script: "UPDATE snapshot SET coverage = '{}'", seq: 0, kind: .projection
        ),
        .init(what: "a table added", script: "CREATE TABLE more(a)", seq: 0, kind: .schema),
        .init(what: "an index gone", script: "DROP INDEX decision_by_id", seq: 0, kind: .schema),
    ]

    @Test("finds what was tampered with, and names the first bad entry", arguments: tamperings)
    func finds(tampering: Tampering) throws {
        try tamper(tampering.script)
        let first = try #require(try verify().findings.first)
        #expect(first.seq == tampering.seq, "\(first)")
        #expect(first.kind == tampering.kind, "\(first)")
    }

    @Test("finds a guard that was taken away")
    func guards() throws {
        let database = try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
        try database.execute("DROP TRIGGER entry_stays")
        #expect(try verify().findings.map(\.text) == ["trigger entry_stays is gone"])
    }

    @Test("finds a change that was hidden behind new hashes by the entry that follows it")
    func rehashed() throws {
        let ledger = try Ledger.openForReading(stateDirectory: directory.path)
        let body = "{\"code\":\"p3\",\"text\":\"nothing to see\"}"
        let prev = try ledger.store.database.prepare("SELECT hash FROM entry WHERE seq = 24").first {
            $0.blob(0)
        }
        let entry = ChainEntry(
            seq: 25, prev: try #require(prev), kind: Array("problem-began".utf8), at: reading(24).now.seconds,
            clock: true, boot: Array("boot-1".utf8), bodyHash: hashOfBody(body.utf8))
        try tamper(
            """
            UPDATE body SET content = '\(body)' WHERE seq = 25;
            UPDATE entry SET body_hash = x'\(hexadecimal(entry.bodyHash))',
                hash = x'\(hexadecimal(entry.hash(origin: ledger.origin)))' WHERE seq = 25;
            """)
        let first = try #require(try verify().findings.first)
        #expect(first.seq == 26)
        #expect(first.kind == .brokenLink)
    }

    @Test("lists a bounded number of findings")
    func bounded() throws {
        try tamper("UPDATE entry SET at = 0")
        let report = try verify()
        #expect(report.findings.count == 20)
        #expect(report.hasMore)
        #expect(report.findings.first?.seq == 1)
    }

    @Test("cannot see a tail that was cut with all that follows from it, as it says")
    func cutTail() throws {
        try tamper(
            """
            DELETE FROM decision WHERE seq > 40; DELETE FROM body WHERE seq > 40; UPDATE snapshot SET seq = 1;
            DELETE FROM entry WHERE seq > 40
            """)
        try Ledger.open(stateDirectory: directory.path, reading: reading(60)).rebuild()
        let report = try verify()
        #expect(report.isIntact)
        #expect(report.headSeq == 40)
    }

    @Test("misses no byte of the file that changes what it holds", arguments: 0..<2)
    func flippedBytes(seed: UInt64) throws {
        let original = directory.bytes("ledger.db")
        let before = try content()
        var dice = Dice(seed: seed)
        var seen = 0
        for _ in 0..<100 {
            var bytes = original
            let offset = Int(dice.next() % UInt64(bytes.count))
            bytes[offset] ^= UInt8(1) << UInt8(dice.next() % 8)
            directory.write(bytes, to: "ledger.db")
            guard let report = try? verify() else {
                seen += 1
                continue
            }
            if report.isIntact {
                #expect(try content() == before, "byte \(offset)")
            } else {
                seen += 1
            }
        }
        // Most of the file is content.
        #expect(seen > 30)
    }

    func content() throws -> [String] {
        let database = try Connection(path: directory.file("ledger.db"), mode: .readOnly, busyTimeout: 1000)
        var rows: [String] = []
        for table in ["entry", "body", "decision", "catalog", "snapshot", "retention"] {
            try database.prepare("SELECT * FROM \(table)").forEach { row in
                rows.append(table + (0..<row.columnCount).map { "|" + hexadecimal(row.blob($0)) }.joined())
            }
        }
        return rows
    }
}
