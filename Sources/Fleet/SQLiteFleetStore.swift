import Host
import Model
public import Ports
import SQLite

/// The fleet of this machine alone, in a database of its own in the state directory.
///
/// Processes of this machine may use it at once.
public final class SQLiteFleetStore: FleetStore {
    public let seesOthers = false

    /// Nil while there is none: it is made when something is first written, since to ask is to change nothing.
    private var database: Connection?
    private let directory: String
    private let patience: Int
    private var path: String { "\(directory)/fleet.db" }

    /// "HfFl"; the ledger's is another.
    private static let applicationID: Int64 = 0x4866_466c
    private static let version: Int64 = 1

    private static let schema = """
        CREATE TABLE entry (
            kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, revision INTEGER NOT NULL,
            PRIMARY KEY (kind, name)
        ) STRICT;
        -- One row: the newest revision that any key ever had, so that none is had twice.
        CREATE TABLE newest (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
        INSERT INTO newest VALUES (1, 0);
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(version);
        """

    /// Opens `fleet.db` in a directory; both are made for their owner alone when something is first written.
    ///
    /// - Parameter timeoutMilliseconds: how long a call waits for another process.
    public init(
        stateDirectory: String, timeoutMilliseconds: Int = FleetLimits.timeoutMilliseconds
    ) throws(FleetFailure) {
        directory = stateDirectory
        patience = timeoutMilliseconds
        _ = try existing()
    }

    private func existing() throws(FleetFailure) -> Connection? {
        if let database { return database }
        return Self.isAbsent(path) ? nil : try opened()
    }

    private func opened() throws(FleetFailure) -> Connection {
        if let database { return database }
        let opened = try Self.openInTurn(path, in: directory, patience: patience)
        database = opened
        return opened
    }

    /// Two that make it at once, or turn to WAL at once, would get in each other's way: SQLite does not wait there.
    private static func openInTurn(
        _ path: String, in directory: String, patience: Int
    ) throws(FleetFailure) -> Connection {
        do {
            try makeDirectories(directory, mode: 0o700)
            if let turn = try FileLock.take("\(directory)/fleet.lock", patience: patience) {
                let database = try open(path, patience: Int32(clamping: patience))
                _ = consume turn
                return database
            }
        } catch {
            throw failure(error, at: path, isWrite: false)
        }
        throw FleetFailure(
            .unavailable,
            "\(path): another process has been opening it for over \(patience) ms; try again, and see who it is "
                + "with 'fuser -v \(path)'")
    }

    private static func open(_ path: String, patience: Int32) throws -> Connection {
        // SQLite would give it whatever mode the umask leaves.
        if isAbsent(path) { try writeFileAtomically(path, [], mode: 0o600) }
        let database = try Connection(path: path, mode: .readWrite, busyTimeout: patience)
        database.limitLength(toBytes: Int32(FleetLimits.valueBytes * 2))
        // Views and triggers of a file that somebody else made call no functions.
        try database.execute(script: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
        let application = try number("PRAGMA application_id", of: database)
        let version = try number("PRAGMA user_version", of: database)
        if application != applicationID {
            let tables = try number("SELECT count(*) FROM sqlite_schema", of: database)
            guard application == 0, version == 0, tables == 0 else {
                throw FleetFailure(
                    .malformed,
                    "\(path): a database of another program; move it away, or name another state directory")
            }
        }
        guard version <= Self.version else {
            throw FleetFailure(
                .malformed,
                "\(path): written by a newer version of holdfast (schema \(version), this one knows "
                    + "\(Self.version)); install that version again, nothing was changed")
        }
        try database.execute("PRAGMA journal_mode = WAL")
        try database.execute(script: "PRAGMA synchronous = FULL")
        if version == 0 { try database.transaction { try database.execute(script: schema) } }
        return database
    }

    private static func isAbsent(_ path: String) -> Bool {
        do throws(HostError) { _ = try identity(ofFile: path) } catch { return error.isAbsence }
        return false
    }

    private static func number(_ sql: String, of database: Connection) throws(SQLiteError) -> Int64 {
        try database.prepare(sql).first { $0.integer(0) } ?? 0
    }

    // MARK: Reading

    public func get(_ key: FleetKey) throws(FleetFailure) -> FleetValue? {
        try FleetLimits.check(key)
        return try entries(
            of: key.kind, "SELECT name, value, revision FROM entry WHERE kind = ? AND name = ?",
            [.text(key.kind.rawValue), .text(key.name)]
        ).first?.value
    }

    public func list(_ kind: FleetKey.Kind) throws(FleetFailure) -> [FleetEntry] {
        try entries(
            of: kind, "SELECT name, value, revision FROM entry WHERE kind = ? ORDER BY name",
            [.text(kind.rawValue)])
    }

    private func entries(
        of kind: FleetKey.Kind, _ sql: String, _ values: [Value]
    ) throws(FleetFailure) -> [FleetEntry] {
        guard let database = try existing() else { return [] }
        do {
            let rows = try database.prepare(sql)
            try rows.bind(values)
            defer { rows.reset() }
            var entries: [FleetEntry] = []
            var budget = FleetLimits.ListBudget(kind)
            while try rows.step() {
                let key = FleetKey(kind, rows.text(0) ?? "")
                let text = rows.text(1) ?? ""
                try FleetLimits.check(key)
                try FleetLimits.check(text, for: key)
                let value = FleetValue(text: text, revision: FleetRevision(String(rows.integer(2))))
                let entry = FleetEntry(key: key, value: value)
                try budget.take(entry)
                entries.append(entry)
            }
            return entries
        } catch {
            throw Self.failure(error, at: path, isWrite: false)
        }
    }

    // MARK: Writing

    public func create(_ key: FleetKey, _ text: String) throws(FleetFailure) -> FleetRevision {
        try FleetLimits.check(key)
        try FleetLimits.check(text, for: key)
        return try change { database in
            let revision = try Self.next(database)
            let insert = try database.prepare(
                "INSERT INTO entry (kind, name, value, revision) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
            try insert.run([.text(key.kind.rawValue), .text(key.name), .text(text), .integer(revision)])
            guard database.changes == 1 else { throw Self.conflict(key, "is there already") }
            return FleetRevision(String(revision))
        }
    }

    public func put(
        _ key: FleetKey, _ text: String, ifRevision revision: FleetRevision
    ) throws(FleetFailure) -> FleetRevision {
        try FleetLimits.check(key)
        try FleetLimits.check(text, for: key)
        return try change { database in
            let new = try Self.next(database)
            // As text, so that nothing that is no revision of this store can be taken for one.
            let update = try database.prepare(
                "UPDATE entry SET value = ?, revision = ? WHERE kind = ? AND name = ? "
                    + "AND CAST(revision AS TEXT) = ?")
            try update.run([
                .text(text), .integer(new), .text(key.kind.rawValue), .text(key.name), .text(revision.text),
            ])
            guard database.changes == 1 else { throw Self.conflict(key, "is no longer as it was read") }
            return FleetRevision(String(new))
        }
    }

    public func delete(_ key: FleetKey, ifRevision revision: FleetRevision) throws(FleetFailure) {
        try FleetLimits.check(key)
        try change { database in
            let delete = try database.prepare(
                "DELETE FROM entry WHERE kind = ? AND name = ? AND CAST(revision AS TEXT) = ?")
            try delete.run([.text(key.kind.rawValue), .text(key.name), .text(revision.text)])
            guard database.changes == 1 else { throw Self.conflict(key, "is no longer as it was read") }
        }
    }

    private static func next(_ database: Connection) throws -> Int64 {
        try database.execute("UPDATE newest SET revision = revision + 1")
        return try database.prepare("SELECT revision FROM newest").first { $0.integer(0) } ?? 0
    }

    // MARK: Failures

    private static func conflict(_ key: FleetKey, _ what: String) -> FleetFailure {
        FleetFailure(.conflict, "\(key): \(what)")
    }

    private func change<Result>(_ body: (Connection) throws -> Result) throws(FleetFailure) -> Result {
        let database = try opened()
        do {
            return try database.transaction { try body(database) }
        } catch {
            throw Self.failure(error, at: path, isWrite: true)
        }
    }

    private static func failure(_ error: any Error, at path: String, isWrite: Bool) -> FleetFailure {
        if let failure = error as? FleetFailure { return failure }
        if let error = error as? HostError { return FleetFailure(.unavailable, error.description) }
        guard let error = error as? SQLiteError else { return FleetFailure(.unanswered, "\(path): \(error)") }
        switch error.code {
        case .busy, .locked:
            return FleetFailure(
                .unavailable,
                "\(path): another process has held its lock for too long; nothing was changed, try again, and "
                    + "see who it is with 'fuser -v \(path)'")
        case .full:
            return FleetFailure(.unavailable, "\(path): the disk is full; free some space")
        case .corrupt, .notADatabase:
            return FleetFailure(
                .malformed,
                "\(path): damaged (\(error.message)); 'sqlite3 FILE .recover' can read what is left. Move it "
                    + "away to begin anew: what this node had proven and approved is then to be given again")
        case .readOnly, .permission, .cannotOpen:
            return FleetFailure(
                .forbidden,
                "\(path): cannot be written (\(error.message)); run as root, and see its file system")
        case .ioError where isWrite:
            // The log may have reached the disk before it failed.
            return FleetFailure(.unanswered, "\(path): \(error.message); look into the kernel's messages")
        default:
            return FleetFailure(.unavailable, "\(path): \(error)")
        }
    }
}
