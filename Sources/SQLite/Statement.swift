internal import CSQLite

/// One prepared statement; finalised when nobody holds it any longer.
public final class Statement {
    private let connection: Connection
    private let handle: OpaquePointer
    /// The text with its placeholders.
    public let sql: String

    init(connection: Connection, sql: String) throws(SQLiteError) {
        var text = sql
        var prepared: OpaquePointer?
        // What is left after the first statement; a second one would silently never run.
        var rest = 0
        let result = text.withUTF8 { bytes -> Int32 in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                var tail: UnsafePointer<CChar>?
                let result = sqlite3_prepare_v2(
                    connection.handle, characters.baseAddress, Int32(clamping: characters.count), &prepared,
                    &tail)
                if let start = characters.baseAddress, let tail { rest = tail - start }
                return result
            }
        }
        guard result == SQLITE_OK else { throw SQLiteError(handle: connection.handle, sql: sql) }
        let isAlone = text.utf8.dropFirst(rest).allSatisfy { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
        guard let prepared, isAlone else {
            sqlite3_finalize(prepared)
            throw SQLiteError(extendedCode: SQLITE_MISUSE, message: "not exactly one statement", sql: sql)
        }
        self.connection = connection
        self.sql = sql
        handle = prepared
    }

    deinit { sqlite3_finalize(handle) }

    // MARK: Running

    /// Begins anew with these values, one for each placeholder.
    public func bind(_ values: [Value]) throws(SQLiteError) {
        sqlite3_reset(handle)
        guard values.count == Int(sqlite3_bind_parameter_count(handle)) else {
            throw SQLiteError(
                extendedCode: SQLITE_MISUSE, message: "\(values.count) values for other placeholders",
                sql: sql)
        }
        // SQLITE_TRANSIENT, a cast that Swift does not import: SQLite copies the bytes before the call returns.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        for (offset, value) in values.enumerated() {
            let index = Int32(clamping: offset + 1)
            let result =
                switch value {
                case .null: sqlite3_bind_null(handle, index)
                case .integer(let number): sqlite3_bind_int64(handle, index, number)
                case .text(var text):
                    text.withUTF8 { bytes in
                        // An empty buffer may have no address, and no address would bind NULL.
                        bytes.withMemoryRebound(to: CChar.self) { characters in
                            sqlite3_bind_text64(
                                handle, index, characters.baseAddress ?? emptyText, UInt64(characters.count),
                                transient, UInt8(SQLITE_UTF8))
                        }
                    }
                case .blob(let bytes):
                    bytes.isEmpty
                        ? sqlite3_bind_zeroblob(handle, index, 0)
                        : bytes.withUnsafeBytes {
                            sqlite3_bind_blob64(handle, index, $0.baseAddress, UInt64($0.count), transient)
                        }
                }
            guard result == SQLITE_OK else { throw SQLiteError(handle: connection.handle, sql: sql) }
        }
    }

    /// Goes to the next row; false after the last one.
    public func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = SQLiteError(handle: connection.handle, sql: sql)
            sqlite3_reset(handle)
            throw error
        }
    }

    /// Ends a run that was not stepped to its end, so that it holds no lock.
    public func reset() { sqlite3_reset(handle) }

    /// Runs to the end with these values, and drops the rows.
    public func run(_ values: [Value] = []) throws(SQLiteError) {
        try bind(values)
        while try step() {}
        sqlite3_reset(handle)
    }

    /// Runs with these values and hands over each row; the statement itself reads the columns.
    public func forEach(_ values: [Value] = [], _ row: (Statement) throws -> Void) throws {
        try bind(values)
        defer { sqlite3_reset(handle) }
        while try step() { try row(self) }
    }

    /// What a closure makes of the first row; nil where there is none.
    public func first<Result>(
        _ values: [Value] = [], _ row: (Statement) -> Result
    ) throws(SQLiteError) -> Result? {
        try bind(values)
        defer { sqlite3_reset(handle) }
        return try step() ? row(self) : nil
    }

    // MARK: Columns of the current row, counted from 0

    /// How many columns a row has.
    public var columnCount: Int { Int(sqlite3_column_count(handle)) }

    /// A column's name.
    public func columnName(_ column: Int) -> String {
        sqlite3_column_name(handle, Int32(clamping: column)).map { String(cString: $0) } ?? ""
    }

    /// Whether the value is NULL.
    public func isNull(_ column: Int) -> Bool {
        sqlite3_column_type(handle, Int32(clamping: column)) == SQLITE_NULL
    }

    /// The value as an integer, by SQLite's conversions; 0 for NULL.
    public func integer(_ column: Int) -> Int64 { sqlite3_column_int64(handle, Int32(clamping: column)) }

    /// The value as text bytes where SQLite keeps them, valid until the next step; no address for NULL.
    ///
    /// They are whatever is in the file: NUL and bytes that are no UTF-8 too.
    public func rawText(_ column: Int) -> UnsafeRawBufferPointer {
        let column = Int32(clamping: column)
        guard let start = sqlite3_column_text(handle, column) else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }

    /// The value as text, mended where it is no UTF-8; nil for NULL.
    public func text(_ column: Int) -> String? {
        let bytes = rawText(column)
        return bytes.baseAddress == nil ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// The value's bytes; empty for NULL.
    public func blob(_ column: Int) -> [UInt8] {
        let column = Int32(clamping: column)
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }
}

/// Where an empty text lies; never read, never freed.
nonisolated(unsafe) private let emptyText: UnsafePointer<CChar> = {
    let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    byte.initialize(to: 0)
    return UnsafePointer(byte)
}()
