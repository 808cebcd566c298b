import Glibc
import Host
import Ports
import SQLite

/// How errors of the layers below become what a tick is told.
extension StateDirectory {
    /// What to say of an error, whatever it is.
    ///
    /// - Parameter isReading: whether nothing was to be written; nothing is then made to learn why.
    func failure(_ error: any Error, isReading: Bool) -> LedgerFailure {
        switch error {
        case let failure as LedgerFailure: failure
        case let error as SQLiteError: failure(error, isReading: isReading)
        case let error as UnreadableEntry:
            LedgerFailure(
                code: .other,
                description:
                    "\(database): entry \(error.seq) cannot be read: \(error.reason); 'holdfast verify' "
                    + "says whether it was changed, else it is from another version of holdfast")
        case let error as UnreadableBody:
            LedgerFailure(
                code: .other,
                description: "\(database): \(error.reason); 'holdfast verify' says what was changed")
        default: LedgerFailure(code: .other, description: "\(database): \(error)")
        }
    }

    private static let damageAdvice =
        "; the next 'holdfast check' keeps it under another name and begins a new one, and "
        + "'sqlite3 FILE .recover' can read what is left"

    /// What was wrong with a damaged ledger, for the entry that says so once it has been set aside.
    static func withoutAdvice(_ failure: LedgerFailure) -> String {
        let text = failure.description
        return text.hasSuffix(damageAdvice) ? String(text.dropLast(damageAdvice.count)) : text
    }

    private func failure(_ error: SQLiteError, isReading: Bool) -> LedgerFailure {
        switch (error.code, error.systemError) {
        case (.busy, _), (.locked, _):
            return LedgerFailure(
                code: .busy,
                description:
                    "\(database): another process has held its lock for too long; nothing was recorded, "
                    + "try again, and see who it is with 'fuser -v \(database)'")
        case (.ioError, EDQUOT), (.cannotOpen, EDQUOT):
            return failure(EDQUOT, "cannot write \(database)")
        case (.full, _), (.ioError, ENOSPC), (.cannotOpen, ENOSPC):
            return failure(ENOSPC, "cannot write \(database)")
        case (.permission, _), (.cannotOpen, EACCES), (.cannotOpen, EPERM):
            return failure(EACCES, "cannot open \(database)")
        case (.readOnly, _), (.cannotOpen, _), (.ioError, EROFS):
            // SQLite opens a file for reading where it may not write it, and does not say why.
            let reason =
                refusal(toWrite: database) ?? refusal(toWrite: path)
                ?? (isReading ? nil : refusalOfAnotherFile())
            guard let reason = reason ?? (error.systemError == EROFS ? EROFS : nil) else {
                // A change that was cut off is undone by whoever may write, before anybody reads.
                return LedgerFailure(
                    code: .other,
                    description:
                        "\(database): \(error); 'holdfast check' opens it for writing, which undoes what "
                        + "was cut off")
            }
            return failure(reason, "cannot write \(database)")
        case (.ioError, _):
            // A quota that is used up comes here too: SQLite knows of full disks alone.
            return LedgerFailure(
                code: .other,
                description:
                    "\(database): \(error); see what the kernel says of the disk with 'journalctl -k', and "
                    + "whether a quota is used up; nothing was lost, the next tick tries again")
        case (.corrupt, _), (.notADatabase, _):
            return LedgerFailure(
                code: .corrupt,
                description: "\(database): damaged (\(error.message))\(Self.damageAdvice)")
        default:
            return LedgerFailure(code: .other, description: "\(database): \(error)")
        }
    }
}

extension Ledger {
    /// Runs a closure and says of what it throws what a tick can be told.
    func guarded<Result>(_ body: () throws -> Result) throws(LedgerFailure) -> Result {
        do {
            return try body()
        } catch {
            let isReading = store.database.isReadOnly
            let failure = directory.failure(error, isReading: isReading)
            // Checked, and set aside if need be, when it is next opened: here somebody may be in the middle of it.
            if failure.code == .corrupt, !isReading { directory.suspect() }
            throw failure
        }
    }

    /// What the coverage file holds; nil where it is missing or cannot be read.
    func readCoverage() -> [UInt8]? {
        do {
            return try readFileIfPresent(directory.coverage, limit: CoverageLog.sizeLimit)
        } catch {
            return nil
        }
    }
}
