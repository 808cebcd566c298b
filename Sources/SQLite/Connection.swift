internal import CSQLite

/// A connection to one database file.
///
/// It is used by one thread at a time: SQLite's own locks are off. Statements keep it open.
public final class Connection {
    /// How a file is opened.
    public enum Mode: Hashable, Sendable {
        /// The file must be there. Where the system grants reading only, SQLite opens it so (`isReadOnly`).
        case readWrite
        /// Makes the file where it is missing.
        case create
        case readOnly
        /// Reads a file that nobody changes meanwhile, without any lock; a `-wal` beside it is ignored.
        case immutable
    }

    let handle: OpaquePointer
    /// The file, as it was given.
    public let path: String

    /// Opens a file; one that cannot be opened leaves nothing open.
    ///
    /// SQLite reads nothing yet: that a file is no database shows at the first statement.
    ///
    /// - Parameter busyTimeout: how long a statement waits for another process's lock, in milliseconds.
    public init(path: String, mode: Mode, busyTimeout: Int32) throws(SQLiteError) {
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        var name = path
        switch mode {
        case .readWrite: flags |= SQLITE_OPEN_READWRITE
        case .create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .readOnly: flags |= SQLITE_OPEN_READONLY
        case .immutable:
            flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            name = "file:" + percentEncoded(path) + "?immutable=1"
        }
        var opened: OpaquePointer?
        let result = sqlite3_open_v2(name, &opened, flags, nil)
        guard let opened else {
            // Only where there is no memory for the handle itself.
            throw SQLiteError(extendedCode: result, message: String(cString: sqlite3_errstr(result)))
        }
        guard result == SQLITE_OK else {
            let error = SQLiteError(handle: opened, sql: nil)
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        self.path = path
        sqlite3_busy_timeout(opened, busyTimeout)
    }

    deinit { sqlite3_close_v2(handle) }

    /// SQLite's version: `3.40.1`.
    public static var libraryVersion: String { String(cString: sqlite3_libversion()) }

    /// Whether nothing can be written.
    public var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") == 1 }

    /// Whether a transaction is open.
    public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// How many rows the newest statement inserted, changed or deleted.
    public var changes: Int64 { sqlite3_changes64(handle) }

    /// Refuses texts, blobs and rows that are longer, whatever the file says, and returns what the limit was.
    @discardableResult
    public func limitLength(toBytes count: Int32) -> Int32 {
        sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, count)
    }

    /// Prepares one statement.
    ///
    /// - Throws: also where `sql` holds more than one statement, or none.
    public func prepare(_ sql: String) throws(SQLiteError) -> Statement {
        try Statement(connection: self, sql: sql)
    }

    /// Runs statements without values, one after another, and drops the rows that they give.
    public func execute(script sql: String) throws(SQLiteError) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw SQLiteError(handle: handle, sql: sql)
        }
    }

    /// Runs one statement to its end.
    public func execute(_ sql: String, _ values: [Value] = []) throws(SQLiteError) {
        try prepare(sql).run(values)
    }

    /// Runs a closure in a transaction that takes the write lock at once, so that it fails before it did anything.
    ///
    /// What the closure throws is thrown on, after everything was rolled back.
    public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        try transaction(begin: "BEGIN IMMEDIATE", body)
    }

    /// Runs a closure that reads, and that sees one state of the database throughout.
    public func snapshot<Result>(_ body: () throws -> Result) throws -> Result {
        // One that is open already sees one state.
        if isInTransaction { return try body() }
        return try transaction(begin: "BEGIN", body)
    }

    /// Has everything that is read from here on see the state that the first of it sees, until the connection ends.
    public func holdSnapshot() throws(SQLiteError) { try execute(script: "BEGIN") }

    private func transaction<Result>(begin: String, _ body: () throws -> Result) throws -> Result {
        try execute(script: begin)
        do {
            let result = try body()
            try execute(script: "COMMIT")
            return result
        } catch {
            // SQLite has already rolled back after some errors (a full disk); the first error is what matters.
            if isInTransaction { try? execute(script: "ROLLBACK") }
            throw error
        }
    }
}

extension SQLiteError {
    /// What the connection says of its newest failure; to be asked before anything else is.
    init(handle: OpaquePointer, sql: String?) {
        self.init(
            extendedCode: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)),
            sql: sql, systemError: sqlite3_system_errno(handle))
    }
}

/// The path for a `file:` URI: all but unreserved characters and `/` as `%XX`.
private func percentEncoded(_ path: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in path.utf8 {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            bytes.append(byte)
        default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
