import Glibc
import Host
import Ports

/// The directory that the ledger lives in, and the few things done to files in it.
struct StateDirectory {
    let path: String

    private let name: String
    var database: String { "\(path)/\(name)" }
    var writeAheadLog: String { database + "-wal" }
    var coverage: String { "\(path)/coverage.json" }
    /// Its presence says that the database was found damaged after it had been opened.
    var suspicion: String { "\(path)/ledger.suspect" }

    /// - Parameter name: the database's; a copy of a ledger may be called anything.
    init(_ path: String, name: String = "ledger.db") {
        self.name = name
        var path = Substring(path)
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        self.path = String(path)
    }

    /// Makes the directory for its owner alone, and those above it that are missing.
    ///
    /// One that is there keeps its mode: it may be an operator's choice.
    func make() throws(LedgerFailure) {
        var parent = ""
        for part in path.split(separator: "/") {
            parent += path.hasPrefix("/") || !parent.isEmpty ? "/\(part)" : String(part)
            let mode: mode_t = parent == path ? 0o700 : 0o755
            guard mkdir(parent, mode) != 0 else { continue }
            // Looking whether it is there sets errno too.
            let code = errno
            // On a read-only file system mkdir says so even of a directory that is there.
            if code != EEXIST, !exists(parent) {
                throw failure(code, "cannot make the directory \(parent)")
            }
        }
    }

    /// Makes the database's file empty and for its owner alone where it is missing; SQLite gives its mode to
    /// `-wal` and `-shm`.
    func makeDatabase() throws(LedgerFailure) {
        let descriptor = Glibc.open(database, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor < 0 else {
            close(descriptor)
            return
        }
        let code = errno
        if code != EEXIST, !exists(database) { throw failure(code, "cannot make \(database)") }
    }

    func exists(_ file: String) -> Bool {
        var status = stat()
        return lstat(file, &status) == 0
    }

    /// A file's length in bytes; 0 where there is none.
    func size(of file: String) -> Int64 {
        var status = stat()
        return stat(file, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Whether this process may write a file, and if not, by which `errno`.
    func refusal(toWrite file: String) -> Int32? {
        faccessat(AT_FDCWD, file, W_OK, AT_EACCESS) == 0 ? nil : errno
    }

    /// By which `errno` no file more can be made here, as where a quota is used up; SQLite does not say why it could not.
    ///
    /// It makes one to find that out, so that only who is to write may ask.
    func refusalOfAnotherFile() -> Int32? {
        let draft = ownDraft(of: database)
        let descriptor = Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return errno }
        close(descriptor)
        unlink(draft)
        return nil
    }

    /// Whether this process may reach files in a directory, and if not, by which `errno`.
    func refusal(toSearch directory: String) -> Int32? {
        faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) == 0 ? nil : errno
    }

    /// Renames the database with what belongs to it, and returns the new name.
    ///
    /// - Parameter time: becomes part of the name.
    func setAside(time: String) throws(LedgerFailure) -> String {
        let stem = "ledger.db.corrupt-\(time)"
        var name = stem
        var count = 1
        while exists("\(path)/\(name)") {
            count += 1
            name = "\(stem)-\(count)"
        }
        guard rename(database, "\(path)/\(name)") == 0 else {
            throw failure(errno, "cannot set the damaged \(database) aside")
        }
        // Beside it under the same name, so that `sqlite3 NAME .recover` sees what was not yet checkpointed.
        for suffix in ["-wal", "-shm"] { rename(database + suffix, "\(path)/\(name)\(suffix)") }
        unlink(suspicion)
        return name
    }

    /// Notes that the database is to be checked when it is next opened.
    func suspect() {
        let descriptor = Glibc.open(suspicion, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor >= 0 { close(descriptor) }
    }

    /// Takes that note away.
    func trust() { unlink(suspicion) }

    // MARK: Small files

    /// Puts a file in place at one instant, so that a reader sees the old one or the new one.
    ///
    /// Nothing is flushed to the disk: after a power cut the file may be old, empty or gone.
    func replace(_ file: String, with bytes: [UInt8]) throws(LedgerFailure) {
        let draft = ownDraft(of: file)
        // Those of others too, which nobody may be about to write again, and that of `refusalOfAnotherFile`.
        removeDrafts(in: path, of: ["coverage.json", "guard", "checkpoints", "checkpoint.key", name])
        let descriptor = Glibc.open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure(errno, "cannot write \(file)") }
        var code: Int32 = 0
        var count = 0
        while count < bytes.count, code == 0 {
            let put = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count)
            }
            if put < 0 {
                if errno != EINTR { code = errno }
            } else {
                count += put
            }
        }
        if close(descriptor) != 0, code == 0 { code = errno }
        if code == 0 { code = replaceWithoutFlush(file, with: draft) }
        guard code == 0 else {
            unlink(draft)
            throw failure(code, "cannot write \(file)")
        }
    }

    // MARK: Opening in turn

    /// Runs a closure while no other process opens the ledger for writing.
    ///
    /// Two that find it missing or damaged at once would else each begin a new one. The lock is on the directory
    /// itself, so it leaves no file; where the file system has no locks, SQLite's are what is left.
    ///
    /// - Parameter timeout: how long to wait, in milliseconds.
    func inTurn<Result>(
        timeout: Int32, _ body: () throws(LedgerFailure) -> Result
    ) throws(LedgerFailure) -> Result {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(errno, "cannot open the directory \(path)") }
        // Closing gives the lock back.
        defer { close(descriptor) }
        try refuseOthers(descriptor)
        var waited: Int32 = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            guard waited < timeout else {
                throw LedgerFailure(
                    code: .busy,
                    description: "\(database): another process has been opening it for over \(timeout) ms; "
                        + "try again, and see who it is with 'fuser -v \(path)'")
            }
            usleep(10_000)
            waited += 10
        }
        return try body()
    }

    /// Refuses a directory in which somebody else could put a database, or a link, of their own.
    ///
    /// Asked of the one that is open; who may read in it is its owner's choice.
    private func refuseOthers(_ descriptor: Int32) throws(LedgerFailure) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(errno, "cannot examine \(path)") }
        let isOurs = status.st_uid == 0 || status.st_uid == geteuid()
        guard !isOurs || status.st_mode & 0o022 != 0 else { return }
        let problem =
            isOurs
            ? "others than its owner may write in it; take that away (chmod go-w \(path))"
            : "belongs to user \(status.st_uid); give it to root (chown root \(path))"
        throw LedgerFailure(
            code: .denied, description: "\(path): \(problem), or name another state directory")
    }

    func failure(_ code: Int32, _ what: String) -> LedgerFailure {
        let reason = String(cString: strerror(code))
        switch code {
        case ENOSPC, EDQUOT:
            return LedgerFailure(
                code: .full,
                description:
                    "\(what): \(reason); free some space, nothing was lost and the next tick tries again")
        case EROFS:
            return LedgerFailure(
                code: .readOnly,
                description: "\(what): \(reason); remount it for writing, or name another state directory")
        case EACCES, EPERM:
            return LedgerFailure(
                code: .denied, description: "\(what): \(reason); run as root, or name another state directory"
            )
        default: return LedgerFailure(code: .other, description: "\(what): \(reason)")
        }
    }
}
