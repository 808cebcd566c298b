import FoundationEssentials
import SQLite
import Testing

@Suite("SQLite's own backup")
struct BackupTests {
    private func rows(_ connection: Connection) throws -> Int64? {
        try connection.prepare("SELECT count(*) FROM kine").first { $0.integer(0) }
    }

    @Test("what stands in the write-ahead log is in it, and is not in a copied file")
    func log() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/state.db"
        let writer = try Connection(path: path, mode: .create, busyTimeout: 1000)
        try writer.execute(script: "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;")
        try writer.execute(script: "CREATE TABLE kine (id INTEGER PRIMARY KEY, value TEXT);")
        try writer.execute(script: "PRAGMA wal_checkpoint(TRUNCATE);")
        for number in Int64(0)..<200 {
            try writer.execute("INSERT INTO kine VALUES (?, 'v')", [.integer(number)])
        }
        try FileManager.default.copyItem(atPath: path, toPath: "\(directory.path)/copied.db")

        try Connection(path: path, mode: .readOnly, busyTimeout: 1000).backup(
            to: "\(directory.path)/saved.db")
        let saved = try Connection(path: "\(directory.path)/saved.db", mode: .readWrite, busyTimeout: 1000)
        #expect(try rows(saved) == 200)
        #expect(try saved.integrityProblem() == nil)
        let copied = try Connection(path: "\(directory.path)/copied.db", mode: .readWrite, busyTimeout: 1000)
        #expect(try rows(copied) == 0)
        // The writer was not disturbed, and its log is still there.
        #expect(try rows(writer) == 200)
    }

    @Test("somebody who writes meanwhile neither fails nor gets half in")
    func transaction() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/state.db"
        let writer = try Connection(path: path, mode: .create, busyTimeout: 1000)
        try writer.execute(
            script: "PRAGMA journal_mode=WAL; CREATE TABLE kine (id INTEGER PRIMARY KEY, value TEXT);")
        try writer.execute("INSERT INTO kine VALUES (1, 'v')")
        try writer.execute(script: "BEGIN IMMEDIATE; INSERT INTO kine VALUES (2, 'v');")
        try Connection(path: path, mode: .readOnly, busyTimeout: 1000).backup(
            to: "\(directory.path)/saved.db")
        try writer.execute(script: "COMMIT")
        let saved = try Connection(path: "\(directory.path)/saved.db", mode: .readOnly, busyTimeout: 1000)
        #expect(try rows(saved) == 1)
    }

    @Test("a damaged page is found, and what is no database is not copied")
    func damage() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/state.db"
        do {
            let writer = try Connection(path: path, mode: .create, busyTimeout: 1000)
            try writer.execute(script: "CREATE TABLE kine (id INTEGER PRIMARY KEY, value TEXT);")
            for number in Int64(0)..<500 {
                try writer.execute(
                    "INSERT INTO kine VALUES (?, ?)",
                    [.integer(number), .text(String(repeating: "v", count: 100))])
            }
        }
        var bytes = try Data(contentsOf: URL(filePath: path))
        for index in 8192..<(8192 + 64) { bytes[index] = 0xff }
        try bytes.write(to: URL(filePath: path))
        let damaged = try Connection(path: path, mode: .readOnly, busyTimeout: 1000)
        let problem: String?
        do { problem = try damaged.integrityProblem() } catch { problem = error.description }
        #expect(problem != nil)

        try Data("not a database at all, whatever it is".utf8).write(
            to: URL(filePath: "\(directory.path)/none.db"))
        let none = try Connection(path: "\(directory.path)/none.db", mode: .readOnly, busyTimeout: 1000)
        #expect(throws: SQLiteError.self) { try none.backup(to: "\(directory.path)/saved.db") }
    }
}
