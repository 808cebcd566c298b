import Host
import Model
import Ports
import SQLite
import Web

/// Makes one backup: in a draft beside its place, which becomes it by a rename once it is whole and verified.
///
/// What a program of the distribution does goes on in a unit of its own, in which it outlives this process; who comes
/// to it later joins it.
struct MakeBackup {
    let root: Root
    let units: any TransientUnits
    let backUp: BackUp

    /// How long a program is waited for before it is left to itself, in milliseconds: most snapshots are small.
    private static let patience = 3000

    /// Whether it is there.
    func isThere() throws(HostError) -> Bool { isDirectory(try place(backUp.directory)) }

    /// Makes it, or goes on making it.
    ///
    /// - Returns: nothing; whether it is made tells `isThere`, and while it is not, its unit runs.
    func perform() throws(HostError) {
        guard try !isThere() else { return }
        switch backUp.method {
        case .sqlite:
            let draft = try makeDraft()
            do throws(HostError) {
                try copySQLite(to: draft)
                try keep(draft)
            } catch {
                try? removeTree(draft)
                throw error
            }
        case .etcdSnapshot, .k0sBackup, .dbctl, .command: try performByProgram()
        }
    }

    /// How its unit stands; absent where it has none.
    func state() throws(HostError) -> TransientState {
        backUp.method == .sqlite ? .absent : try units.state(of: backUp.unit)
    }

    /// Takes away what a program left that is gone.
    func undo() throws(HostError) {
        guard try state() == .absent else { return }
        try removeTree(try place(draftPath))
    }

    // MARK: By a program

    private func performByProgram() throws(HostError) {
        switch try units.state(of: backUp.unit) {
        case .absent:
            try expectArtifact()
            let draft = try makeDraft()
            do throws(HostError) { try units.start(try task(draft: draft)) } catch {
                try? removeTree(draft)
                throw error
            }
            guard try waitBriefly() else { return }
        case .running:
            guard try waitBriefly() else { return }
        case .ended, .failed: break
        }
        let draft = try place(draftPath)
        do throws(HostError) {
            if case .failed(let reason) = try units.state(of: backUp.unit) {
                throw HostError(description: "\(backUp.method.summary): \(reason)")
            }
            // What was executed is what was approved: before it, and still.
            try expectArtifact()
            try keep(draft)
        } catch {
            try? removeTree(draft)
            try? units.forget(backUp.unit)
            throw error
        }
        try units.forget(backUp.unit)
    }

    private func waitBriefly() throws(HostError) -> Bool {
        for _ in 0..<(Self.patience / 100) {
            if try units.state(of: backUp.unit) != .running { return true }
            pause(milliseconds: 100)
        }
        return try units.state(of: backUp.unit) != .running
    }

    private func task(draft: String) throws(HostError) -> TransientTask {
        TransientTask(
            unit: backUp.unit, purpose: "Holdfast backs \(backUp.installation.name) up before a change",
            arguments: try arguments(draft: draft),
            environment: [
                "HOLDFAST_BACKUP": draft, "HOME": "/root",
                // What it puts aside on its way is as large as what it makes, and as secret.
                "TMPDIR": draft,
            ], timeout: backUp.timeout.seconds)
    }

    private func arguments(draft: String) throws(HostError) -> [String] {
        let binary = try root.resolve(backUp.binary)
        switch backUp.method {
        case .sqlite: return []
        case .etcdSnapshot:
            return [
                binary, "etcd-snapshot", "save", "--data-dir=\(try root.resolve(backUp.dataDirectory))",
                "--etcd-snapshot-dir=\(draft)", "--name=holdfast",
            ]
        case .k0sBackup:
            return [
                binary, "backup", "--data-dir=\(try root.resolve(backUp.dataDirectory))",
                "--save-path=\(draft)",
            ]
        case .dbctl:
            // A strictly confined snap writes to its own directories alone. The unit moves it out, who is free to.
            let common = try root.resolve("/var/snap/\(backUp.installation.name)/common")
            return [
                "/bin/sh", "-c",
                #"set -e; rm -rf "$1"; mkdir -m 700 "$1"; "$0" dbctl backup -o "$1/backup.tar.gz"; "#
                    + #"mv "$1/backup.tar.gz" "$2/backup.tar.gz"; rmdir "$1""#,
                try root.resolve("/snap/bin/\(backUp.installation.name)"), "\(common)/holdfast-backup", draft,
            ]
        case .command(let words, let verify):
            // Both in one unit: what the first made is looked at by the second with nobody in between.
            return ["/bin/sh", "-c", "\(Self.quoted(words)) && exec \(Self.quoted(verify))"]
        }
    }

    /// Words as a shell takes them for exactly those words.
    static func quoted(_ words: [String]) -> String {
        words.map { word in
            "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#)
                + "'"
        }.joined(separator: " ")
    }

    // MARK: The draft

    /// Beside the backups, under a name that no backup has.
    private var draftPath: String {
        let parts = backUp.directory.split(separator: "/")
        return "/" + parts.dropLast().joined(separator: "/") + "/.\(parts.last ?? "").draft"
    }

    /// An empty draft, in place of any that an earlier process left.
    private func makeDraft() throws(HostError) -> String {
        let draft = try place(draftPath)
        let parent = String(draft[..<(draft.lastIndex(of: "/") ?? draft.endIndex)])
        try makeDirectories(parent, mode: 0o700)
        for name in try listDirectory(parent) where name.hasPrefix(".") && name.hasSuffix(".draft") {
            // Of a step that was left while its program ran: there is one step at a time, so nobody joins that any more.
            let label = String(name.dropFirst().dropLast(".draft".count))
            if label != backUp.label { try units.forget(BackUp.unit(label: label)) }
            try removeTree("\(parent)/\(name)")
        }
        try makeDirectories(draft, mode: 0o700)
        return draft
    }

    private func keep(_ draft: String) throws(HostError) {
        try VerifyBackup(root: root, backUp: backUp).gather(draft)
        let backup = KeptBackup(
            installation: backUp.installation, directory: backUp.directory, method: backUp.method.summary,
            artifact: backUp.artifact, step: backUp.step, at: backUp.at, files: try sealPrivateTree(draft))
        try BackupManifest.write(backup, to: draft)
        try moveFile(draft, to: try place(backUp.directory))
    }

    private func copySQLite(to draft: String) throws(HostError) {
        let database = "\(try root.resolve(backUp.dataDirectory))/server/db/state.db"
        var needed: Int64 = 0
        for name in [database, "\(database)-wal"] { needed += try identityIfPresent(ofFile: name)?.size ?? 0 }
        let free = try space(ofFileSystemAt: draft).free
        guard needed < free else {
            throw HostError(
                description:
                    "\(backUp.directory): there are \(free >> 20) MiB for a database of \(needed >> 20) MiB; "
                    + "make room there")
        }
        do throws(SQLiteError) {
            try Connection(path: database, mode: .readOnly, busyTimeout: 5000).backup(to: "\(draft)/state.db")
        } catch {
            throw HostError(
                description:
                    "\(database): it cannot be backed up: \(error.description); where the state is elsewhere, "
                    + "name backup.command")
        }
    }

    // MARK: What is executed

    /// That what is in the binary's place is what was approved (invariant 11).
    private func expectArtifact() throws(HostError) {
        switch backUp.method {
        case .sqlite, .command: return
        case .etcdSnapshot, .k0sBackup:
            let found = try hashFile(try root.resolve(backUp.binary))
            guard let digest = backUp.artifact.sha256, found == digest else {
                throw HostError(
                    description:
                        "\(backUp.binary): it is sha256 \(found.short), which is not what is approved, so no "
                        + "backup is made with it")
            }
        case .dbctl:
            let link = try readLink(try place("/snap/\(backUp.installation.name)/current"))
            guard let revision = backUp.artifact.revision, link.split(separator: "/").last == revision[...]
            else {
                throw HostError(
                    description:
                        "revision \(link) of \(backUp.installation.name) is in place, which is not what is "
                        + "approved, so no backup is made with it")
            }
        }
    }

    private func place(_ path: String) throws(HostError) -> String {
        guard !root.isLive, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            return try root.resolve(path)
        }
        return try root.resolve(String(path[..<slash])) + path[slash...]
    }
}
