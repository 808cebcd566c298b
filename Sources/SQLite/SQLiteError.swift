/// What SQLite refused, without any value that was bound to the statement (invariant 13).
public struct SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A primary result code.
    ///
    /// Names and meanings are those of sqlite.org/rescode.html.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public var rawValue: Int32

        /// Takes a primary code, or an extended one by its lowest byte.
        public init(rawValue: Int32) { self.rawValue = rawValue & 0xff }

        public static let error = Code(rawValue: 1)
        public static let permission = Code(rawValue: 3)
        public static let busy = Code(rawValue: 5)
        public static let locked = Code(rawValue: 6)
        public static let readOnly = Code(rawValue: 8)
        public static let ioError = Code(rawValue: 10)
        public static let corrupt = Code(rawValue: 11)
        public static let full = Code(rawValue: 13)
        public static let cannotOpen = Code(rawValue: 14)
        public static let tooBig = Code(rawValue: 18)
        public static let constraint = Code(rawValue: 19)
        public static let misuse = Code(rawValue: 21)
        public static let notADatabase = Code(rawValue: 26)
    }

    /// The primary code.
    public var code: Code
    /// The code with its detail, such as SQLITE_IOERR_WRITE.
    public var extendedCode: Int32
    /// SQLite's own words.
    public var message: String
    /// The statement with its placeholders; nil where the error is about no statement.
    public var sql: String?
    /// `errno` of the system call behind the error; 0 where there is none.
    public var systemError: Int32

    /// Makes an error.
    public init(extendedCode: Int32, message: String, sql: String? = nil, systemError: Int32 = 0) {
        code = Code(rawValue: extendedCode)
        self.extendedCode = extendedCode
        self.message = message
        self.sql = sql
        self.systemError = systemError
    }

    /// One line: the message, the extended code, and the statement where there is one.
    public var description: String {
        let place = sql.map { " in: " + $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        return "sqlite: \(message) (code \(extendedCode))" + (place ?? "")
    }
}
