import Fleet
import FleetSuite
import Glibc
import Ports
import SQLite
import ScriptedServer
import Testing

@Suite("The fleet's store of this machine alone")
struct SQLiteStoreTests {
    private let directory: TemporaryDirectory
    private var file: String { "\(directory.path)/fleet.db" }

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws -> SQLiteFleetStore {
        try SQLiteFleetStore(stateDirectory: directory.path, timeoutMilliseconds: 200)
    }

    private func ask(_ sql: String) throws -> String? {
        let database = try Connection(path: file, mode: .readWrite, busyTimeout: 1000)
        return try database.prepare(sql).first { $0.text(0) ?? "" }
    }

    @Test("is a file for its owner alone, in WAL mode, with strict tables and a version")
    func made() throws {
        let state = "\(directory.path)/a/b"
        let store = try SQLiteFleetStore(stateDirectory: state)
        #expect(try store.list(.node).isEmpty && store.get(FleetKey(.node, "a")) == nil)
        var status = stat()
        #expect(stat(state, &status) != 0, "to ask is to change nothing")
        _ = try store.create(FleetKey(.node, "a"), "1")
        #expect(stat("\(state)/fleet.db", &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat(state, &status) == 0 && status.st_mode & 0o777 == 0o700)
        _ = try open().create(FleetKey(.node, "a"), "1")
        #expect(try ask("PRAGMA journal_mode") == "wal")
        #expect(try ask("PRAGMA user_version") == "1")
        #expect(try ask("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND strict = 1") == "2")
    }

    @Test("what was written is there after it was opened again, and no revision comes twice")
    func reopened() throws {
        let key = FleetKey(.rollout, "k3s")
        let old = try open().create(key, "1")
        try open().delete(key, ifRevision: old)
        let new = try open().create(key, "1")
        #expect(new != old)
        #expect(try open().get(key) == FleetValue(text: "1", revision: new))
    }

    @Test("another program's database is left as it is")
    func foreign() throws {
        let database = try Connection(path: file, mode: .create, busyTimeout: 1000)
        try database.execute("CREATE TABLE theirs (a)")
        expect(.malformed) { try open() }
        #expect(try ask("SELECT group_concat(name) FROM sqlite_schema") == "theirs")
        #expect(try ask("PRAGMA journal_mode") == "delete")
    }

    @Test("what a newer version wrote is left as it is")
    func newer() throws {
        _ = try open().create(FleetKey(.node, "a"), "1")
        try Connection(path: file, mode: .readWrite, busyTimeout: 1000).execute("PRAGMA user_version = 2")
        expect(.malformed) { try open() }
        #expect(try ask("PRAGMA user_version") == "2")
    }

    @Test("a damaged one is no empty one: it is an error that says so (invariant 2)")
    func damaged() throws {
        try directory.write(String(repeating: "no database ", count: 1000), to: "fleet.db")
        expect(.malformed) { try open() }
    }

    @Test("while another process holds it for too long nothing is changed, and reading goes on")
    func busy() throws {
        let key = FleetKey(.node, "a")
        let store = try open()
        let revision = try store.create(key, "1")
        let other = try Connection(path: file, mode: .readWrite, busyTimeout: 1000)
        try other.execute("BEGIN IMMEDIATE")
        expect(.unavailable) { try store.put(key, "2", ifRevision: revision) }
        #expect(try store.get(key)?.text == "1")
        try other.execute("ROLLBACK")
        _ = try store.put(key, "2", ifRevision: revision)
    }

    @Test("a value that somebody made too long is an error and fills no memory")
    func tooLong() throws {
        let store = try open()
        _ = try store.create(FleetKey(.node, "a"), "1")
        try Connection(path: file, mode: .readWrite, busyTimeout: 1000)
            .execute("UPDATE entry SET value = printf('%.*c', 700000, 'x')")
        expect(.malformed) { try store.get(FleetKey(.node, "a")) }
        expect(.malformed) { try store.list(.node) }
    }

    @Test("a list is whole for twenty thousand keys, and one beyond that or of too many bytes is refused")
    func listBounds() throws {
        let store = try open()
        _ = try store.create(FleetKey(.spent, "a"), "1")
        let database = try Connection(path: file, mode: .readWrite, busyTimeout: 1000)
        let fill = """
            WITH RECURSIVE n(i) AS (SELECT 100000 UNION ALL SELECT i + 1 FROM n LIMIT ?)
            INSERT INTO entry SELECT ?, 'n' || i, printf('%.*c', ?, 'x'), i FROM n
            """
        try database.execute(fill, [20_000, "node", 700])
        #expect(try store.list(.node).map(\.key.name) == (0..<20_000).map { "n\(100_000 + $0)" })
        try database.execute("INSERT INTO entry VALUES ('node', 'z', '', 1)")
        expect(.malformed) { try store.list(.node) }
        try database.execute(fill, [140, "archive", 500_000])
        expect(.malformed) { try store.list(.archive) }
    }

    @Test("a directory that cannot be made is an error that names it")
    func noDirectory() throws {
        try directory.write("", to: "file")
        do {
            let store = try SQLiteFleetStore(stateDirectory: "\(directory.path)/file/state")
            _ = try store.create(FleetKey(.node, "a"), "1")
            Issue.record("written")
        } catch {
            #expect(error.code == .unavailable && error.description.contains("\(directory.path)/file"))
        }
    }
}
