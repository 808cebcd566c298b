import Glibc
import Model
import Ports
import SQLite
import Testing

@testable import Ledger

@Suite("The ledger")
struct LedgerTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func open(_ second: Int64 = 0) throws -> Ledger {
        try Ledger.open(stateDirectory: directory.path, reading: reading(second))
    }

    func sql(_ statement: String) throws -> String? {
        try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
            .prepare(statement).first { $0.text(0) ?? "NULL" }
    }

    @Test("begins with an origin entry in files for its owner alone")
    func beginning() throws {
        let state = directory.file("var/lib/holdfast")
        let ledger = try Ledger.open(stateDirectory: state, reading: reading(0))
        #expect(ledger.begun == Beginning(replaces: nil, reason: nil))
        #expect(try ledger.load().state == NodeState())
        #expect(directory.mode("var/lib/holdfast") == 0o700)
        #expect(directory.mode("var/lib/holdfast/ledger.db") == 0o600)
        try ledger.remember { $0 = ObserverMemory() }
        #expect(directory.mode("var/lib/holdfast/ledger.db-wal") == 0o600)
        _ = try ledger.extendCoverage(reading: reading(0), seal: false)
        #expect(directory.mode("var/lib/holdfast/coverage.json") == 0o600)
        let report = try ledger.verify()
        #expect(report.entries == 1)
        #expect(report.isIntact)
    }

    @Test("is in WAL mode, flushes each commit to the disk, and checks foreign keys")
    func durability() throws {
        let database = try open().store.database
        func pragma(_ name: String) throws -> String? {
            try database.prepare("PRAGMA \(name)").first { $0.text(0) ?? "" }
        }
        #expect(try pragma("journal_mode") == "wal")
        #expect(try pragma("synchronous") == "2")
        #expect(try pragma("foreign_keys") == "1")
        #expect(try pragma("application_id") == "1214663783")
    }

    @Test("gives another origin to each ledger")
    func origins() throws {
        let one = try open().verify().origin
        let other = try TemporaryDirectory()
        let two = try Ledger.open(stateDirectory: other.path, reading: reading(0)).verify().origin
        #expect(one.utf8.count == 32)
        #expect(one != two)
    }

    @Test("gives back after reopening what was appended: state, memory, entries", arguments: 0..<8)
    func roundTrip(seed: UInt64) throws {
        var samples = Samples(seed: seed)
        var state = NodeState()
        var memory = ObserverMemory()
        memory.snapChanges[samples.text()] = samples.text()
        for second in 1...20 as ClosedRange<Int64> {
            let ledger = try open()
            #expect(ledger.begun == nil || second == 1)
            #expect(try ledger.load().state == state)
            let events = samples.events(Int(second % 4) + 1)
            state = state.after(events, at: reading(second).now)
            try ledger.append(events, reading: reading(second), state: state)
            try ledger.remember { $0 = memory }
        }
        let ledger = try open()
        #expect(try ledger.load() == (state, memory))
        #expect(try ledger.verify().findings == [])
    }

    @Test(
        "keeps a state that is the fold of its entries, and rebuilds every projection to the same bytes",
        arguments: 0..<8)
    func fold(seed: UInt64) throws {
        var samples = Samples(seed: seed &+ 100)
        let ledger = try open()
        var state = try ledger.load().state
        for second in 1...30 as ClosedRange<Int64> {
            let events = samples.events(2)
            state = state.after(events, at: reading(second).now)
            try ledger.append(events, reading: reading(second), state: state)
        }
        let before = try dump()
        try ledger.rebuild()
        #expect(try dump() == before)
        #expect(before.count > 3)
        #expect(try ledger.load().state == state)
    }

    @Test("keeps what another process appended, though this one goes on from a state without it")
    func staleState() throws {
        var samples = Samples(seed: 7)
        let ticking = try open()
        var stale = try ticking.load().state
        let other = try open()
        let approval = samples.approval()
        let approved = Event.approved(approval)
        let loaded = try other.load().state
        try other.append(
            [approved], reading: reading(1), state: loaded.after([approved], at: reading(1).now))
        // Two rounds of one tick that was loaded before.
        for second in 2...3 as ClosedRange<Int64> {
            let event = Event.problemBegan(Problem(code: "p\(second)", text: "a"))
            stale = stale.after([event], at: reading(second).now)
            try ticking.append([event], reading: reading(second), state: stale)
        }
        let state = try open().load().state
        #expect(state.approvals == [approval])
        #expect(state.problems.map(\.code) == ["p2", "p3"])
        #expect(try open().verify().findings == [])
    }

    func dump() throws -> [String] {
        var rows: [String] = []
        let database = try Connection(path: directory.file("ledger.db"), mode: .readOnly, busyTimeout: 1000)
        for table in ["decision", "catalog", "snapshot"] {
            try database.prepare("SELECT * FROM \(table) ORDER BY seq").forEach { row in
                rows.append(table + (0..<row.columnCount).map { "|" + (row.text($0) ?? "NULL") }.joined())
            }
        }
        return rows
    }

    @Test("makes the state from the entries where another process appended in between")
    func concurrentAppend() throws {
        let one = try open()
        let two = try open()
        let here = try one.load().state
        let problems = ["a", "b"].map { Event.problemBegan(Problem(code: $0, text: $0)) }
        try two.append(
            [problems[1]], reading: reading(1), state: here.after([problems[1]], at: reading(1).now))
        try one.append(
            [problems[0]], reading: reading(2), state: here.after([problems[0]], at: reading(2).now))
        #expect(try one.load().state.problems.map(\.code) == ["b", "a"])
        #expect(try two.verify().findings == [])
    }

    @Test(
        "makes the state from the entries where the snapshot is lost or cannot be read",
        arguments: ["DELETE FROM snapshot", "UPDATE snapshot SET state = '{'"])
    func lostSnapshot(damage: String) throws {
        let events = [Event.problemBegan(Problem(code: "a", text: "b"))]
        let state = NodeState().after(events, at: reading(1).now)
        try open().append(events, reading: reading(1), state: state)
        _ = try sql(damage)
        #expect(try open().load().state == state)
        try open().rebuild()
        #expect(try open().verify().findings == [])
    }

    @Test("starts with an empty memory where the kept one cannot be read")
    func lostMemory() throws {
        try open().remember { $0 = ObserverMemory() }
        _ = try sql("UPDATE memory SET content = '[]'")
        #expect(try open().load().memory == ObserverMemory())
    }

    @Test(
        "refuses to change or delete what is chained (invariant 8)",
        arguments: [
            "UPDATE entry SET at = 0 WHERE seq = 2", "DELETE FROM entry WHERE seq = 2",
            "UPDATE body SET content = ''",
            "DELETE FROM body", "INSERT OR REPLACE INTO body VALUES (2, '')",
            "INSERT OR REPLACE INTO entry SELECT 1, prev, kind, 0, NULL, boot, body_hash, hash FROM entry WHERE seq = 1",
            "INSERT INTO entry SELECT 9, hash, kind, at, NULL, boot, body_hash, hash FROM entry WHERE seq = 2",
            "INSERT INTO entry SELECT 3, prev, kind, at, NULL, boot, body_hash, hash FROM entry WHERE seq = 2",
        ])
    func appendOnly(statement: String) throws {
        try open().append(
            [.problemBegan(Problem(code: "a", text: "b"))], reading: reading(1), state: NodeState())
        let error = #expect(throws: SQLiteError.self) { try sql(statement) }
        #expect(error?.message.hasPrefix("the ledger only grows") == true)
    }

    @Test("appends all events of a call or none")
    func allOrNothing() throws {
        let ledger = try open()
        _ = try ledger.load()
        // A projection that is in the way fails the second event after the first was written.
        _ = try sql("INSERT INTO decision(seq, instant) VALUES (3, 0)")
        var samples = Samples(seed: 1)
        let events: [Event] = [.problemBegan(Problem(code: "a", text: "b")), .decided(samples.decision())]
        #expect(throws: LedgerFailure.self) {
            try ledger.append(events, reading: reading(1), state: NodeState())
        }
        #expect(try sql("SELECT count(*) FROM entry") == "1")
        #expect(try ledger.load().state == NodeState())
    }

    @Test("finds imported checksums by digest, once where files say the same, all where they disagree")
    func catalog() throws {
        var samples = Samples(seed: 5)
        let digest = samples.digest()
        func entry(_ version: String, file: String) throws -> CatalogEntry {
            CatalogEntry(
                distribution: .k3s, version: try #require(Version(version)), architecture: .amd64,
                sha256: digest,
                file: file, importedAt: Instant(seconds: 9))
        }
        let ledger = try open()
        let imports = [
            [try entry("v1.31.4+k3s1", file: "one")], [try entry("v1.31.4+k3s1", file: "two")],
            [try entry("v1.31.5+k3s1", file: "three")],
        ]
        for entries in imports {
            let event = Event.catalogImported(CatalogImport(file: "f", sha256: digest, entries: entries))
            try ledger.append([event], reading: reading(1), state: NodeState())
        }
        #expect(try ledger.catalogEntries(for: digest).map(\.file) == ["one", "three"])
        #expect(try ledger.catalogEntries(for: samples.digest()) == [])
        var all: [String] = []
        try ledger.catalog { all.append($0.file) }
        #expect(all == ["one", "two", "three"])
    }

    @Test("finds the newest record of a decision by its id, byte for byte as it was (invariant 5)")
    func decision() throws {
        var samples = Samples(seed: 6)
        var record = samples.decision()
        record.id = "x"
        var newer = record
        newer.now = Instant(seconds: 77)
        let ledger = try open()
        try ledger.append([.decided(record), .decided(newer)], reading: reading(1), state: NodeState())
        let found = try #require(try ledger.decision(id: "x"))
        #expect(try CanonicalJSON.text(of: found) == CanonicalJSON.text(of: newer))
        #expect(try ledger.decision(id: "y") == nil)
    }

    @Test("writes no entry where there is nothing to append")
    func nothing() throws {
        let ledger = try open()
        try ledger.append([], reading: reading(1), state: NodeState())
        #expect(try ledger.verify().entries == 1)
    }
}
