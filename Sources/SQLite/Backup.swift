internal import CSQLite

extension Connection {
    /// Copies the database as it is at one instant to a file that is made for it, while others go on writing.
    ///
    /// By SQLite's own backup, which takes in what still stands in the `-wal`; a copied file does not. All pages are
    /// copied in one step: between two steps somebody else's write would begin it anew.
    ///
    /// - Parameter path: a file that is not there yet; where this fails what was made of it is to be taken away.
    public func backup(to path: String) throws(SQLiteError) {
        let copy = try Connection(path: path, mode: .create, busyTimeout: 5000)
        guard let backup = sqlite3_backup_init(copy.handle, "main", handle, "main") else {
            throw SQLiteError(handle: copy.handle, sql: nil)
        }
        var result = sqlite3_backup_step(backup, -1)
        // Somebody holds a lock for an instant, as a checkpoint does.
        var tries = 0
        while (result & 0xff) == SQLITE_BUSY || (result & 0xff) == SQLITE_LOCKED, tries < 100 {
            sqlite3_sleep(50)
            tries += 1
            result = sqlite3_backup_step(backup, -1)
        }
        let end = sqlite3_backup_finish(backup)
        guard result == SQLITE_DONE, end == SQLITE_OK else {
            let code = result == SQLITE_DONE ? end : result
            throw SQLiteError(extendedCode: code, message: String(cString: sqlite3_errstr(code)))
        }
    }

    /// What SQLite finds wrong with the database; nil where it is whole.
    public func integrityProblem() throws(SQLiteError) -> String? {
        let row = try prepare("PRAGMA integrity_check(1)").first { $0.text(0) ?? "" }
        guard let row else { return "SQLite says nothing of it" }
        return row == "ok" ? nil : row
    }
}
