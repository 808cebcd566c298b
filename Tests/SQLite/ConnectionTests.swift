import SQLite
import Testing

@Suite("A connection")
struct ConnectionTests {
    let directory: TemporaryDirectory
    let database: Connection

    init() throws {
        directory = try TemporaryDirectory()
        database = try Connection(path: directory.file("a.db"), mode: .create, busyTimeout: 100)
        try database.execute(
            script: "CREATE TABLE t(a ANY) STRICT; CREATE TABLE n(a INTEGER NOT NULL UNIQUE) STRICT")
    }

    func count(_ table: String) throws -> Int64? {
        try database.prepare("SELECT count(*) FROM \(table)").first { $0.integer(0) }
    }

    static let values: [Value] = [
        nil, 0, .integer(.max), .integer(.min), "", "text", "na\u{0}ul", "é", "e\u{301}", .blob([]),
        .blob([0, 255]), "'; DROP TABLE t; --",
    ]

    @Test("gives back what was bound, byte for byte", arguments: values)
    func roundTrip(value: Value) throws {
        try database.execute("INSERT INTO t VALUES (?)", [value])
        let row = try database.prepare("SELECT a, typeof(a) FROM t").first { row -> (Value, String?) in
            switch row.text(1) {
            case "integer": (.integer(row.integer(0)), row.text(1))
            case "text": (.text(row.text(0) ?? "?"), row.text(1))
            case "blob": (.blob(row.blob(0)), row.text(1))
            default: (.null, row.text(1))
            }
        }
        let back = try #require(row)
        switch (value, back.0) {
        case (.text(let sent), .text(let got)): #expect(Array(sent.utf8) == Array(got.utf8))
        default: #expect(back.0 == value)
        }
    }

    @Test("tells an empty text from NULL in raw columns")
    func emptyIsNotNull() throws {
        let nulls = try database.prepare("SELECT NULL, ''").first { row in
            (row.rawText(0).baseAddress == nil, row.rawText(1).baseAddress == nil, row.rawText(1).count)
        }
        #expect(try #require(nulls) == (true, false, 0))
    }

    @Test("closes the file of a failed open")
    func failedOpen() {
        #expect(throws: SQLiteError.self) {
            try Connection(path: directory.path, mode: .readWrite, busyTimeout: 0)
        }
        #expect(throws: SQLiteError.self) {
            try Connection(path: directory.file("none.db"), mode: .readWrite, busyTimeout: 0)
        }
        #expect(descriptors(to: directory.path) == descriptors(to: directory.file("a.db")))
    }

    @Test("closes its file when it and its statements are gone, not before")
    func closing() throws {
        let path = directory.file("b.db")
        var other: Connection? = try Connection(path: path, mode: .create, busyTimeout: 0)
        var statement: Statement? = try other?.prepare("SELECT 7")
        other = nil
        #expect(try statement?.first { $0.integer(0) } == 7)
        #expect(descriptors(to: path) == 1)
        statement = nil
        #expect(descriptors(to: path) == 0)
    }

    @Test("names a file that is no database")
    func noDatabase() throws {
        write(Array("this is no database, whatever its name says".utf8), to: directory.file("c.db"))
        let other = try Connection(path: directory.file("c.db"), mode: .readWrite, busyTimeout: 0)
        let error = #expect(throws: SQLiteError.self) { try other.execute("SELECT * FROM sqlite_schema") }
        #expect(error?.code == .notADatabase)
    }

    @Test("reads an immutable file whose path holds what a URI would mean otherwise")
    func immutable() throws {
        let path = directory.file("a?b#c%20 é.db")
        try Connection(path: path, mode: .create, busyTimeout: 0).execute("CREATE TABLE here(a)")
        let reader = try Connection(path: path, mode: .immutable, busyTimeout: 0)
        #expect(try reader.prepare("SELECT name FROM sqlite_schema").first { $0.text(0) } == "here")
        #expect(reader.isReadOnly)
    }

    // MARK: Errors

    static let failures: [String] = [
        "INSERT INTO n VALUES (?)", "SELECT json(?)", "SELECT nothing(?)",
        "SELECT zeroblob(?), 1 FROM", "INSERT INTO n SELECT ? UNION ALL SELECT 1",
    ]

    @Test("names no bound value in an error (invariant 13)", arguments: failures)
    func secretsStaySecret(sql: String) throws {
        let secret = "s3cr3t-tok3n"
        let error = #expect(throws: SQLiteError.self) { try database.execute(sql, [.text(secret)]) }
        let shown = try #require(error)
        for text in ["\(shown)", String(reflecting: shown)] {
            #expect(!text.contains(secret))
            #expect(text.contains(String(sql.prefix(10))))
        }
    }

    @Test("shows no value where one is printed (invariant 13)")
    func valuesDescribeTheirType() {
        let secret = Value.text("s3cr3t-tok3n")
        var dumped = ""
        dump([secret], to: &dumped)
        for text in ["\(secret)", String(reflecting: [secret]), dumped] { #expect(!text.contains("s3cr3t")) }
    }

    @Test("gives an error its primary and its extended code")
    func codes() throws {
        try database.execute("INSERT INTO n VALUES (?)", [1])
        let error = #expect(throws: SQLiteError.self) {
            try database.execute("INSERT INTO n VALUES (?)", [1])
        }
        #expect(error?.code == .constraint)
        #expect(error?.extendedCode == 2067)
        #expect(error?.message == "UNIQUE constraint failed: n.a")
    }

    @Test("takes exactly one statement", arguments: ["", "  ", "SELECT 1; SELECT 2", "-- nothing"])
    func oneStatement(sql: String) {
        #expect(throws: SQLiteError.self) { try database.prepare(sql) }
    }

    @Test("takes a statement with white space behind it")
    func trailingSpace() throws {
        #expect(try database.prepare("SELECT 1 ; \n").first { $0.integer(0) } == 1)
    }

    @Test("takes exactly as many values as there are placeholders", arguments: [[], [1, 2]] as [[Value]])
    func placeholders(values: [Value]) {
        #expect(throws: SQLiteError.self) { try database.execute("INSERT INTO t VALUES (?)", values) }
    }

    @Test("refuses what is longer than its limit")
    func limit() throws {
        database.limitLength(toBytes: 1000)
        let error = #expect(throws: SQLiteError.self) { try database.execute("SELECT zeroblob(1001)") }
        #expect(error?.code == .tooBig)
    }

    // MARK: Transactions

    struct Stop: Error {}

    @Test("keeps nothing of a transaction that throws")
    func rollback() throws {
        #expect(throws: Stop.self) {
            try database.transaction {
                try database.execute("INSERT INTO t VALUES (1)")
                throw Stop()
            }
        }
        #expect(try count("t") == 0)
        #expect(!database.isInTransaction)
        try database.transaction { try database.execute("INSERT INTO t VALUES (1)") }
        #expect(try count("t") == 1)
    }

    @Test("fails a transaction at its beginning where another one writes")
    func busy() throws {
        let other = try Connection(path: directory.file("a.db"), mode: .readWrite, busyTimeout: 10)
        var ran = false
        try database.transaction {
            let error = #expect(throws: SQLiteError.self) { try other.transaction { ran = true } }
            #expect(error?.code == .busy)
        }
        #expect(!ran)
        try other.transaction { ran = true }
        #expect(ran)
    }
}
