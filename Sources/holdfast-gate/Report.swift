import Gate
import Glibc
import Model

/// The start that this process stands before, and how it tells of it.
struct Report {
    let root: String
    let places: GatePlaces
    let unit: String
    let invocationID: String?
    let now: Instant

    /// A path of the node as this process sees it.
    func path(_ path: String) -> String { root + path }

    /// The path of the node that `path` makes such a path of.
    func nodePath(_ path: String) -> String {
        path.hasPrefix(root) ? String(path.dropFirst(root.count)) : path
    }

    /// Writes one line to the journal, which is what standard error is in a unit.
    func say(_ text: String) {
        var line = "holdfast-gate: \(unit): \(text)".printable + "\n"
        line.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
    }

    /// Tells the journal now and the ledger with the next tick.
    func tell(
        _ reason: GateReason, _ text: String, installation: InstallationID?, restored: Artifact? = nil,
        pending: String? = nil
    ) {
        say("\(text) [\(reason.rawValue)]")
        let record = SpoolRecord(
            reason: reason, unit: unit, installation: installation, at: now, invocationID: invocationID,
            text: text,
            restored: restored, pending: pending)
        do throws(FileFailure) {
            try spool(record)
        } catch {
            say("\(error.text); the next tick will not know of this start")
        }
    }

    private func spool(_ record: SpoolRecord) throws(FileFailure) {
        let directory = path(places.spool)
        makeDirectories(directory)
        guard entries(of: directory, atMost: SpoolRecord.most) < SpoolRecord.most else {
            try writeFile("\(directory)/overflow", "", flags: 0, flushed: false)
            return
        }
        // The monotonic clock keeps two starts of one unit apart, the process id two units.
        let name = "\(now.seconds)-\(Deadline.monotonic())-\(getpid())"
        let draft = "\(directory)/.\(name)"
        try writeFile(draft, record.fileText, flags: O_EXCL, flushed: true)
        guard rename(draft, "\(directory)/\(name)") == 0 else {
            let failure = FileFailure("put in place", "\(directory)/\(name)")
            unlink(draft)
            throw failure
        }
        try flushDirectory(directory)
    }

    private func entries(of directory: String, atMost most: Int) -> Int {
        guard let stream = opendir(directory) else { return 0 }
        defer { closedir(stream) }
        var count = 0
        // "." and ".." are two more.
        while count < most + 2, readdir(stream) != nil { count += 1 }
        return count - 2
    }
}
