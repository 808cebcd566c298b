import Host
import Model
import SQLite

/// Finds out whether what was made is a backup: by the hash that an etcd snapshot ends in, by SQLite's own check, and of
/// an archive by what is in it.
struct VerifyBackup {
    let root: Root
    let backUp: BackUp

    /// No listing of an archive is longer: two names a key of a cluster with a hundred thousand.
    private static let longestListing = 16 << 20
    private static let patience = 10 * 60 * 1000

    /// Verifies what lies in a draft, and adds what a restore needs besides.
    func gather(_ draft: String) throws(HostError) {
        switch backUp.method {
        case .sqlite:
            try verifySQLite("\(draft)/state.db")
            try addK3sSecrets(to: draft)
        case .etcdSnapshot:
            let snapshot = try only(in: draft, "a snapshot") { $0.hasPrefix("holdfast-") }
            guard !snapshot.hasSuffix(".zip") else {
                throw HostError(
                    description:
                        "\(snapshot): K3s is set to compress its snapshots (etcd-snapshot-compress), and a "
                        + "compressed one does not end in its hash: take that out, or name backup.command")
            }
            _ = try verifyEtcdSnapshot(snapshot)
            try addK3sSecrets(to: draft)
        case .k0sBackup: try verifyK0s(draft)
        case .dbctl: try verifyDbctl("\(draft)/backup.tar.gz")
        case .command:
            // Its own `verify` has looked at it, in the same unit.
            guard try !listDirectory(draft).isEmpty else {
                throw HostError(
                    description:
                        "\(backUp.method.summary): it has left nothing in $HOLDFAST_BACKUP; have it write there "
                        + "what it made, or a note of where that is")
            }
        }
    }

    private func verifySQLite(_ path: String) throws(HostError) {
        let problem: String?
        do throws(SQLiteError) {
            let copy = try Connection(path: path, mode: .readWrite, busyTimeout: 5000)
            problem = try copy.integrityProblem()
        } catch {
            throw HostError(description: "\(path): the copy cannot be read: \(error.description)")
        }
        if let problem {
            throw HostError(
                description:
                    "\(path): the copy is not whole (\(problem.cut(to: 200).printable)), so the database is not "
                    + "either; see to it before anything is changed")
        }
    }

    /// The server's token, without which what is in the store cannot be read (docs.k3s.io/datastore/backup-restore), and
    /// its credentials and authorities, without which its nodes would have to join anew.
    private func addK3sSecrets(to draft: String) throws(HostError) {
        let server = "\(try root.resolve(backUp.dataDirectory))/server"
        let token = try readFile("\(server)/token", limit: 1 << 16)
        try writeFileAtomically("\(draft)/token", token, mode: 0o600)
        for name in ["cred", "tls"] where isDirectory("\(server)/\(name)") {
            try copySmallTree("\(server)/\(name)", to: "\(draft)/\(name)", limit: 1 << 20)
        }
    }

    /// k0s warns and leaves a store out that it cannot save; such an archive is none.
    private func verifyK0s(_ draft: String) throws(HostError) {
        let archive = try only(in: draft, "an archive") {
            $0.hasPrefix("k0s_backup_") && $0.hasSuffix(".tar.gz")
        }
        let names = try list(archive)
        let store = backUp.store == .sqlite ? "kine-state-backup.db" : "etcd-snapshot.db"
        guard let member = names.first(where: { Self.plain($0) == store }) else {
            throw HostError(
                description:
                    "\(archive): k0s has left the data store out of it, as it does with one that it does not "
                    + "keep itself; name backup.command")
        }
        for name in ["pki/ca.crt", "pki/ca.key"] where !names.contains(where: { Self.plain($0) == name }) {
            throw HostError(
                description: "\(archive): \(name) is not in it, so nothing could be restored from it")
        }
        let unpacked = "\(draft)/.unpacked"
        try makeDirectories(unpacked, mode: 0o700)
        defer { try? removeTree(unpacked) }
        _ = try tar([
            "--extract", "--gzip", "--no-same-owner", "--file", archive, "--directory", unpacked, member,
        ])
        if backUp.store == .sqlite {
            try verifySQLite("\(unpacked)/\(store)")
        } else {
            _ = try verifyEtcdSnapshot("\(unpacked)/\(store)")
        }
    }

    /// `microk8s dbctl` writes a file for each key, and one for what it holds, counted from 0.
    private func verifyDbctl(_ archive: String) throws(HostError) {
        var keys: Set<Int> = []
        var values: Set<Int> = []
        for name in try list(archive) {
            guard let last = name.split(separator: "/").last, let dot = last.lastIndex(of: "."),
                let number = Int(last[..<dot])
            else { continue }
            switch last[dot...] {
            case ".key": keys.insert(number)
            case ".data": values.insert(number)
            default: break
            }
        }
        // A restore reads from 0 on and stops at the first that is missing.
        guard !keys.isEmpty, keys == values, keys.max() == keys.count - 1, keys.contains(0) else {
            throw HostError(
                description:
                    "\(archive): \(keys.count) keys and \(values.count) values are in it, which is no whole "
                    + "backup of dqlite; see 'journalctl -u \(backUp.unit)'")
        }
    }

    private static func plain(_ name: String) -> Substring {
        name.hasPrefix("./") ? name.dropFirst(2) : name[...]
    }

    private func only(
        in draft: String, _ what: String, _ isIt: (String) -> Bool
    ) throws(HostError) -> String {
        let found = try listDirectory(draft).filter(isIt)
        guard found.count == 1 else {
            throw HostError(
                description:
                    "\(draft): \(backUp.method.summary) has left \(found.isEmpty ? "nothing" : "several files") "
                    + "there that could be \(what); see 'journalctl -u \(backUp.unit)'")
        }
        return "\(draft)/\(found[0])"
    }

    /// The names in an archive, which is read to its end, so that gzip's own checksum has been compared.
    private func list(_ archive: String) throws(HostError) -> [String] {
        let outcome = try tar(["--list", "--gzip", "--file", archive])
        return String(decoding: outcome, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func tar(_ arguments: [String]) throws(HostError) -> [UInt8] {
        let program = ["/usr/bin/tar", "/bin/tar"].first(where: isExecutable) ?? "/usr/bin/tar"
        let outcome = try runProcess(
            [program] + arguments, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"],
            timeout: Self.patience,
            outputLimit: Self.longestListing)
        guard outcome.succeeded, !outcome.isCut else {
            let said =
                String(decoding: outcome.errors.prefix(200), as: UTF8.self).split(separator: "\n").first ?? ""
            throw HostError(
                description:
                    "the archive of \(backUp.method.summary) cannot be read: \(String(said).printable)")
        }
        return outcome.output
    }
}
