import Glibc
public import Model
public import Ports
import SQLite

extension Ledger {
    /// How long a statement waits for another process's lock, in milliseconds.
    public static let patience: Int32 = 2000

    /// Texts and blobs beyond this many bytes are refused; no entry comes near it.
    private static let longest: Int32 = 64 << 20

    /// Up to this many bytes a database that was not closed is checked page by page, which takes about a second.
    private static let checkedSize: Int64 = 256 << 20

    /// Opens the ledger of a state directory for a tick, and begins one where there is none.
    ///
    /// One that is damaged is kept as `ledger.db.corrupt-TIME`, and a new one is begun whose first entry names it
    /// (`begun`). A database of another program or of a newer version of this one is left as it is.
    ///
    /// - Parameters:
    ///   - reading: the time of the first entry where a new ledger is begun.
    ///   - patience: how long to wait for another process, in milliseconds.
    /// - Throws: `LedgerFailure`; nothing was lost then.
    public static func open(
        stateDirectory: String, reading: ClockReading, patience: Int32 = patience
    ) throws(LedgerFailure) -> Ledger {
        let directory = StateDirectory(stateDirectory)
        try directory.make()
        return try directory.inTurn(timeout: patience) { () throws(LedgerFailure) in
            // SQLite calls a read that the disk refused damage too, which is not there a second time.
            do throws(LedgerFailure) {
                return try openInTurn(directory, reading: reading, patience: patience, replaces: nil)
            } catch {
                guard error.code == .corrupt else { throw error }
                // Closing it has taken the log away, by which the second opening would have known to look at the pages.
                directory.suspect()
            }
            do throws(LedgerFailure) {
                return try openInTurn(directory, reading: reading, patience: patience, replaces: nil)
            } catch {
                guard error.code == .corrupt else { throw error }
                let time = reading.now.description.filter { $0 != "-" && $0 != ":" }
                let name = try directory.setAside(time: time)
                return try openInTurn(
                    directory, reading: reading, patience: patience,
                    replaces: OriginBody.Replaced(file: name, reason: StateDirectory.withoutAdvice(error)))
            }
        }
    }

    private static func openInTurn(
        _ directory: StateDirectory, reading: ClockReading, patience: Int32, replaces: OriginBody.Replaced?
    ) throws(LedgerFailure) -> Ledger {
        try directory.makeDatabase()
        do {
            // Asked before SQLite makes one. Whoever closes a database last takes the log away.
            let hasLog = directory.size(of: directory.writeAheadLog) > 0
            let database = try Connection(path: directory.database, mode: .readWrite, busyTimeout: patience)
            let version = try check(database, directory: directory)
            let wasLeftOpen = hasLog && directory.size(of: directory.database) <= checkedSize
            if wasLeftOpen || directory.exists(directory.suspicion) { try checkPages(of: database) }
            directory.trust()
            // The mode is in the file; to set it again where it is set costs nothing.
            try database.execute("PRAGMA journal_mode = WAL")
            try database.execute(script: "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
            let store = Store(database: database)
            var begun: Beginning?
            if version < Schema.version {
                try database.transaction {
                    // Read again: another process may have been first while this one waited for the lock.
                    let version = try userVersion(of: database)
                    try Schema.migrate(database, from: version)
                    if version == 0 {
                        try begin(store, reading: reading, replaces: replaces)
                        begun = Beginning(replaces: replaces?.file, reason: replaces?.reason)
                    }
                }
            }
            guard let origin = try origin(of: store) else {
                throw SQLiteError(
                    extendedCode: SQLiteError.Code.corrupt.rawValue, message: "it has no origin entry")
            }
            return Ledger(store: store, directory: directory, origin: origin, begun: begun)
        } catch {
            throw directory.failure(error, isReading: false)
        }
    }

    /// Opens the ledger of a state directory for reading alone.
    ///
    /// It never waits for a writer and makes nothing. On a read-only file system a ledger that was closed is read
    /// as it lies there.
    ///
    /// - Throws: `LedgerFailure`; `missing` where there is none yet.
    public static func openForReading(
        stateDirectory: String, patience: Int32 = patience
    ) throws(LedgerFailure) -> Ledger {
        try openForReading(StateDirectory(stateDirectory), patience: patience)
    }

    /// Opens a copy of a ledger, whatever it is called, for reading alone.
    ///
    /// - Throws: `LedgerFailure`; `missing` where there is none.
    public static func openForReading(file: String) throws(LedgerFailure) -> Ledger {
        let slash = file.lastIndex(of: "/")
        let directory = slash.map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
        let name = slash.map { String(file[file.index(after: $0)...]) } ?? file
        return try openForReading(StateDirectory(directory, name: name), patience: patience)
    }

    private static func openForReading(
        _ directory: StateDirectory, patience: Int32
    ) throws(LedgerFailure) -> Ledger {
        do {
            return try openForReading(directory, mode: .readOnly, patience: patience)
        } catch {
            guard let error = error as? SQLiteError, error.code == .cannotOpen || error.code == .readOnly,
                directory.exists(directory.database), directory.refusal(toWrite: directory.path) != nil
            else { throw directory.failure(error, isReading: true) }
            // Readers share memory beside the file, which cannot be made here. Without a log there is nobody to
            // share it with; with one, what was committed last is in the log and would silently be left out.
            guard directory.size(of: directory.writeAheadLog) == 0 else {
                throw LedgerFailure(
                    code: .readOnly,
                    description:
                        "\(directory.writeAheadLog): holds what was recorded last and cannot be read where "
                        + "nothing can be written; copy ledger.db and ledger.db-wal into another directory and "
                        + "name that with --state")
            }
            do {
                return try openForReading(directory, mode: .immutable, patience: patience)
            } catch {
                throw directory.failure(error, isReading: true)
            }
        }
    }

    private static func openForReading(
        _ directory: StateDirectory, mode: Connection.Mode, patience: Int32
    ) throws -> Ledger {
        let missing = LedgerFailure(
            code: .missing,
            description: "\(directory.database): there is no ledger yet; 'holdfast check' begins one")
        guard directory.size(of: directory.database) > 0 || directory.size(of: directory.writeAheadLog) > 0
        else { throw directory.refusalToLookInside() ?? missing }
        let database = try Connection(path: directory.database, mode: mode, busyTimeout: patience)
        let version = try check(database, directory: directory)
        // Somebody is about to begin it, or was killed before the first entry.
        if version == 0 { throw missing }
        guard version == Schema.version else {
            throw LedgerFailure(
                code: .other,
                description: "\(directory.database): from an older version of holdfast (\(version)); "
                    + "'holdfast check' brings it up to date")
        }
        let store = Store(database: database)
        // A chain without its first entry can still be read, and 'verify' says what is missing.
        return Ledger(store: store, directory: directory, origin: try origin(of: store) ?? [], begun: nil)
    }

    // MARK: Steps

    /// Whether the database is one that this program may use, and its version; 0 for an empty one.
    private static func check(_ database: Connection, directory: StateDirectory) throws -> Int64 {
        database.limitLength(toBytes: longest)
        // Views and triggers of a file that somebody else made call no functions.
        try database.execute(script: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
        let application = try database.prepare("PRAGMA application_id").first { $0.integer(0) } ?? 0
        let version = try userVersion(of: database)
        let tables = try database.prepare("SELECT count(*) FROM sqlite_schema").first { $0.integer(0) } ?? 0
        if application != Schema.applicationID, application != 0 || version != 0 || tables != 0 {
            throw LedgerFailure(
                code: .other,
                description:
                    "\(directory.database): a database of another program; move it away, or name another "
                    + "state directory")
        }
        guard version <= Schema.version else {
            throw LedgerFailure(
                code: .newer,
                description:
                    "\(directory.database): written by a newer version of holdfast (schema \(version), this "
                    + "one knows \(Schema.version)); install that version again, nothing was changed")
        }
        return version
    }

    private static func userVersion(of database: Connection) throws(SQLiteError) -> Int64 {
        try database.prepare("PRAGMA user_version").first { $0.integer(0) } ?? 0
    }

    private static func checkPages(of database: Connection) throws {
        let found = try database.prepare("PRAGMA quick_check(1)").first { $0.text(0) ?? "" }
        guard found == "ok" else {
            throw SQLiteError(
                extendedCode: SQLiteError.Code.corrupt.rawValue, message: found ?? "quick_check found nothing"
            )
        }
    }

    private static func begin(_ store: Store, reading: ClockReading, replaces: OriginBody.Replaced?) throws {
        var generator = SystemRandomNumberGenerator()
        let origin = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let body = OriginBody(origin: hexadecimal(origin), createdAt: reading.now, replaces: replaces)
        let head = try store.add(
            kind: EntryBody.origin, body: CanonicalJSON.text(of: body), reading: reading, after: nil,
            origin: origin)
        try store.keep(Fold(), seq: head.seq)
    }

    private static func origin(of store: Store) throws -> [UInt8]? {
        do {
            let origin = bytes(hexadecimal: try store.origin().origin)
            return origin?.count == 16 ? origin : nil
        } catch is UnreadableBody {
            return nil
        }
    }
}

extension StateDirectory {
    /// Why nothing inside can be seen, where that is so.
    fileprivate func refusalToLookInside() -> LedgerFailure? {
        // Where a directory above cannot be searched either, nobody can say that this one is missing.
        guard let code = refusal(toSearch: path), code != ENOENT else { return nil }
        return failure(code, "cannot look into \(path)")
    }
}
