import Glibc
import Model
import Ports
import SQLite
import Testing

@testable import Ledger

@Suite("Opening the ledger")
struct OpeningTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func open(_ second: Int64 = 0, patience: Int32 = 50) throws(LedgerFailure) -> Ledger {
        try Ledger.open(stateDirectory: directory.path, reading: reading(second), patience: patience)
    }

    func record(_ code: String, second: Int64 = 1) throws {
        let ledger = try open(second)
        let events = [Event.problemBegan(Problem(code: code, text: "text"))]
        let state = try ledger.load().state.after(events, at: reading(second).now)
        try ledger.append(events, reading: reading(second), state: state)
    }

    @Test("makes nothing where it is only read")
    func missing() throws {
        let failure = #expect(throws: LedgerFailure.self) {
            try Ledger.openForReading(stateDirectory: directory.path)
        }
        #expect(failure?.code == .missing)
        #expect(failure?.description.contains("holdfast check") == true)
        #expect(directory.names == [])
    }

    @Test("makes nothing either where SQLite cannot open what is there, as long as it is only read")
    func unopenable() throws {
        try record("a")
        // What readers share may not be a link. A log that is missing SQLite makes itself.
        try #require(symlink("nowhere", directory.file("ledger.db-shm")) == 0)
        directory.write([], to: "ledger.db-wal")
        let names = directory.names
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        try #require(utimensat(AT_FDCWD, directory.path, &times, 0) == 0)
        let failure = #expect(throws: LedgerFailure.self) {
            try Ledger.openForReading(stateDirectory: directory.path)
        }
        #expect(
            failure?.description.contains("'holdfast check' opens it") == true,
            "\(String(describing: failure))")
        // Whatever is made and taken away again moves it.
        var status = stat()
        #expect(stat(directory.path, &status) == 0 && status.st_mtim.tv_sec == 1)
        #expect(directory.names == names)
    }

    @Test(
        "begins anew in a file that is empty, or that a killed tick left without an entry",
        arguments: [false, true])
    func empty(isDatabase: Bool) throws {
        directory.write([], to: "ledger.db")
        if isDatabase {
            try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 0)
                .execute("PRAGMA journal_mode = WAL")
            #expect(directory.bytes("ledger.db").count > 0)
        }
        let failure = #expect(throws: LedgerFailure.self) {
            try Ledger.openForReading(stateDirectory: directory.path)
        }
        #expect(failure?.code == .missing)
        #expect(try open().begun != nil)
        #expect(try open().begun == nil)
    }

    // MARK: Damage

    struct Damage: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: @Sendable ([UInt8]) -> [UInt8]
    }

    static let damages: [Damage] = [
        Damage(testDescription: "another kind of file") { _ in Array("no database at all, but text".utf8) },
        Damage(testDescription: "its header overwritten") {
            Array(repeating: 0x55, count: 100) + $0.dropFirst(100)
        },
        Damage(testDescription: "its schema page overwritten") {
            $0.prefix(100) + Array(repeating: 0x55, count: 3996) + $0.dropFirst(4096)
        },
        Damage(testDescription: "cut short") { Array($0.prefix(4096)) },
    ]

    @Test("sets a damaged ledger aside under its name and begins a new one that names it", arguments: damages)
    func corrupt(damage: Damage) throws {
        try record("a")
        let old = try open().verify().origin
        let damaged = damage.bytes(directory.bytes("ledger.db"))
        directory.write(damaged, to: "ledger.db")
        // What reads alone changes nothing.
        let failure = #expect(throws: LedgerFailure.self) {
            _ = try Ledger.openForReading(stateDirectory: directory.path).load()
        }
        #expect(failure?.code == .corrupt)
        #expect(directory.bytes("ledger.db") == damaged)

        let ledger = try open(5)
        let name = "ledger.db.corrupt-20251124T160005Z"
        #expect(ledger.begun?.replaces == name)
        // What will happen next has happened.
        #expect(ledger.begun?.reason?.contains("the next 'holdfast check'") == false)
        #expect(directory.bytes(name) == damaged)
        let report = try ledger.verify()
        #expect(report.origin != old)
        #expect(report.replaces == name)
        #expect(report.findings == [])
        #expect(try ledger.load().state == NodeState())
        try record("b", second: 6)
        #expect(try open().begun == nil)
    }

    @Test("keeps two damaged ledgers of one second apart")
    func corruptTwice() throws {
        for _ in 0..<2 {
            directory.write(Array("no database".utf8), to: "ledger.db")
            _ = try open()
        }
        #expect(
            directory.names.filter { $0.contains("corrupt") } == [
                "ledger.db.corrupt-20251124T160000Z", "ledger.db.corrupt-20251124T160000Z-2",
            ])
    }

    @Test("checks the pages of a ledger that was found damaged while it was open")
    func corruptLater() throws {
        for second in 1...60 as ClosedRange<Int64> { try record("\(second)", second: second) }
        // The newest page of bodies: nothing that opening reads.
        var bytes = directory.bytes("ledger.db")
        let size = bytes.count
        bytes.replaceSubrange(size - 4096..<size, with: Array(repeating: 0x55, count: 4096))
        let root = try pageOfDecisions()
        bytes.replaceSubrange((root - 1) * 4096..<root * 4096, with: Array(repeating: 0x55, count: 4096))
        directory.write(bytes, to: "ledger.db")
        var ledger: Ledger? = try open(61)
        #expect(ledger?.begun == nil)
        var samples = Samples(seed: 1)
        let failure = #expect(throws: LedgerFailure.self) {
            try ledger?.append([.decided(samples.decision())], reading: reading(61), state: NodeState())
        }
        #expect(failure?.code == .corrupt)
        ledger = nil
        #expect(try open(62).begun?.replaces == "ledger.db.corrupt-20251124T160102Z")
    }

    @Test(
        "checks the pages of a ledger that nobody closed, and sets it aside, though its second opening finds no log"
    )
    func corruptWithLog() throws {
        try record("a")
        var ledger: Ledger? = try open(2)
        let events = [Event.problemBegan(Problem(code: "b", text: "text"))]
        let state = try #require(try ledger?.load().state).after(events, at: reading(2).now)
        try ledger?.append(events, reading: reading(2), state: state)
        // As a power cut leaves them.
        let log = directory.bytes("ledger.db-wal")
        var bytes = directory.bytes("ledger.db")
        ledger = nil
        try #require(log.count > 4096)
        // Nothing that opening reads, and nothing that the log has.
        let root = try pageOfDecisions()
        bytes.replaceSubrange((root - 1) * 4096..<root * 4096, with: Array(repeating: 0x55, count: 4096))
        directory.write(bytes, to: "ledger.db")
        directory.write(log, to: "ledger.db-wal")
        #expect(try open(3).begun?.replaces == "ledger.db.corrupt-20251124T160003Z")
    }

    func pageOfDecisions() throws -> Int {
        let database = try Connection(path: directory.file("ledger.db"), mode: .readOnly, busyTimeout: 0)
        let page = try database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'decision'")
            .first { Int($0.integer(0)) }
        return try #require(page)
    }

    @Test(
        "leaves a ledger of a newer version and a database of another program as they are",
        arguments: [
            ("PRAGMA user_version = 1000", LedgerFailure.Code.newer), ("PRAGMA application_id = 7", .other),
        ])
    func notOurs(change: String, code: LedgerFailure.Code) throws {
        try record("a")
        try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 0).execute(
            script: change)
        let before = directory.bytes("ledger.db")
        for reads in [true, false] {
            let failure = #expect(throws: LedgerFailure.self) {
                _ = try reads ? Ledger.openForReading(stateDirectory: directory.path) : open()
            }
            #expect(failure?.code == code)
        }
        #expect(directory.bytes("ledger.db") == before)
        #expect(directory.names == ["ledger.db"])
    }

    // MARK: Others who have it open

    @Test("gives up on a lock after a bounded wait, with nothing recorded")
    func busy() throws {
        try record("a")
        let ledger = try open()
        let (state, _) = try ledger.load()
        let other = try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 0)
        try other.transaction {
            let failure = #expect(throws: LedgerFailure.self) {
                try ledger.append(
                    [.problemBegan(Problem(code: "b", text: "b"))], reading: reading(2), state: state)
            }
            #expect(failure?.code == .busy)
            // Reads never wait for a writer.
            let reader = try Ledger.openForReading(stateDirectory: directory.path, patience: 0)
            #expect(try reader.load().state == state)
            #expect(try reader.verify().findings == [])
        }
        #expect(try ledger.verify().entries == 2)
    }

    @Test("gives up on another process that is opening it")
    func busyOpening() throws {
        let descriptor = Glibc.open(directory.path, O_RDONLY)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        #expect(throws: LedgerFailure.self) { try open() }
        #expect(directory.names == [])
    }

    @Test("shows a reader a whole state while a writer appends")
    func readerDuringWriter() async throws {
        try record("0")
        let path = directory.path
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for second in 2...60 as ClosedRange<Int64> {
                    do {
                        let ledger = try Ledger.open(stateDirectory: path, reading: reading(second))
                        let events = ["x", "y"].map {
                            Event.problemBegan(Problem(code: $0, text: "\(second)"))
                        }
                        let state = try ledger.load().state.after(events, at: reading(second).now)
                        try ledger.append(events, reading: reading(second), state: state)
                    } catch { Issue.record(error) }
                }
            }
            group.addTask {
                for _ in 0..<60 {
                    do {
                        let reader = try Ledger.openForReading(stateDirectory: path)
                        let texts = try reader.load().state.problems.filter { $0.code != "0" }.map(\.text)
                        #expect(Set(texts).count <= 1)
                        let report = try reader.verify()
                        #expect(report.findings == [])
                        #expect(report.entries % 2 == 0)
                    } catch { Issue.record(error) }
                }
            }
        }
        #expect(try open().verify().entries == 120)
    }

    @Test("lets two writers append one after another")
    func twoWriters() async throws {
        let path = directory.path
        await withTaskGroup(of: Void.self) { group in
            for writer in ["a", "b"] {
                group.addTask {
                    do {
                        let ledger = try Ledger.open(
                            stateDirectory: path, reading: reading(0), patience: 20_000)
                        for second in 1...50 as ClosedRange<Int64> {
                            let events = [Event.problemBegan(Problem(code: "\(writer)\(second)", text: "t"))]
                            let state = try ledger.load().state.after(events, at: reading(second).now)
                            try ledger.append(events, reading: reading(second), state: state)
                        }
                    } catch { Issue.record(error) }
                }
            }
        }
        let ledger = try open()
        #expect(try ledger.verify().findings == [])
        #expect(try ledger.load().state.problems.count == 100)
        #expect(try ledger.verify().entries == 101)
    }

    // MARK: Migrations

    @Test("takes a migration without touching what is chained (invariant 8)")
    func migration() throws {
        try record("a")
        func chain() throws -> [String] {
            var rows: [String] = []
            let database = try Connection(path: directory.file("ledger.db"), mode: .readOnly, busyTimeout: 0)
            try database.prepare("SELECT * FROM entry JOIN body USING(seq)").forEach { row in
                rows.append((0..<row.columnCount).map { hexadecimal(row.blob($0)) }.joined(separator: "|"))
            }
            return rows
        }
        let before = try chain()
        let database = try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 0)
        try database.transaction {
            try Schema.migrate(
                database, from: Schema.version,
                by: Schema.migrations + [
                    "ALTER TABLE decision ADD COLUMN more TEXT; CREATE TABLE also(a ANY) STRICT"
                ])
        }
        #expect(try database.prepare("PRAGMA user_version").first { $0.integer(0) } == Schema.version + 1)
        #expect(try chain() == before)
    }

    @Test("gives what an older version decided the rollout that its record names")
    func olderDecisions() throws {
        var samples = Samples(seed: 3)
        let ledger = try open()
        for second in 1...4 as ClosedRange<Int64> {
            var record = samples.decision()
            record.fleet.rollout = second % 2 == 0 ? "r\(second)" : nil
            try ledger.append([.decided(record)], reading: reading(second), state: NodeState())
        }
        let database = try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 0)
        // As it was before there was such a column, and with a record that is no JSON.
        try database.execute(
            script: """
                ALTER TABLE decision DROP COLUMN rollout; DROP TABLE outlet; PRAGMA user_version = 2;
                DROP TRIGGER body_stays;
                UPDATE body SET content = '{' WHERE seq = 5
                """)
        let newer = try open()
        var rollouts: [Int64] = []
        try newer.history(HistoryFilter(rollout: "r2")) { rollouts.append($0.seq) }
        #expect(rollouts == [3])
        var all = 0
        try newer.history(HistoryFilter()) { _ in all += 1 }
        #expect(all == 4)
    }

    @Test("has the columns that history exports")
    func columns() throws {
        let database = try open().store.database
        var names: [String] = []
        try database.prepare("SELECT name FROM pragma_table_info('decision')").forEach {
            names.append($0.text(0) ?? "")
        }
        #expect(names == ["seq", "instant"] + HistoryColumn.allCases.dropFirst().map(\.rawValue))
    }
}
