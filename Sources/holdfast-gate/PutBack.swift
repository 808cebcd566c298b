import CGate
import Gate
import Glibc
import Model

/// Why an artifact was not put back.
enum PutBackFailure: Error {
    /// What was decided on is no longer so: look again.
    case moved
    case failed(String)
}

/// Puts the approved artifact in the binary's place, and keeps what was there.
///
/// Every step may be the last one: a name is added before one is replaced, there is no instant without a binary, and
/// the next start goes on from whatever was reached.
struct PutBack {
    let report: Report
    let guarded: GuardedInstallation
    let binary: String
    let pending: String
    /// What was at the path when it was decided.
    let seen: FileFinding

    /// Called under the artifact lock: where the one that is kept now lies, nil where nothing was there.
    func rename(from source: String, isSpare: Bool) throws(PutBackFailure) -> String? {
        guard find(binary) == seen else { throw .moved }
        let kept = try keepAside(source: isSpare ? source : nil)
        if case .swapped(let path) = kept { return path }
        guard Glibc.rename(source, binary) == 0 else {
            throw .failed(FileFailure("replaced", binary).text)
        }
        // A start that waits for nothing more would be quicker, and could wake up after a power cut to the old name.
        try? flushDirectory(split(binary).directory)
        guard case .linked(let path) = kept else { return nil }
        try? flushDirectory(pending)
        return path
    }

    private enum Kept {
        case nothing
        case linked(String)
        /// The file system has no hard links: both changed places in one step.
        case swapped(String)
    }

    private func keepAside(source: String?) throws(PutBackFailure) -> Kept {
        var status = stat()
        guard lstat(binary, &status) == 0 else { return .nothing }
        // A file system without room for a directory still lets both change places.
        let refusal = mkdir(pending, 0o700) == 0 || errno == EEXIST ? ENOENT : errno
        var directory = stat()
        // Through a link the oldest of some other directory would be taken away.
        if lstat(pending, &directory) == 0, directory.st_mode & S_IFMT != S_IFDIR {
            throw .failed("\(binary) could not be kept: \(pending) is not a directory")
        }
        makeRoom()
        // The same file gets the same name, however often a gate is killed between here and the rename.
        for attempt in 0..<PendingNames.attempts {
            let own = PendingNames.name(
                of: split(binary).name, inode: UInt64(status.st_ino), size: Int64(status.st_size),
                modified: Int64(status.st_mtim.tv_sec), attempt: attempt)
            let name = "\(pending)/\(own)"
            if link(binary, name) == 0 { return .linked(name) }
            let code = errno
            var other = stat()
            if code == EEXIST {
                guard lstat(name, &other) == 0 else { continue }
                if other.st_dev == status.st_dev, other.st_ino == status.st_ino { return .linked(name) }
                continue
            }
            guard let source, cgate_exchange(source, binary) == 0 else {
                let reason = String(cString: strerror(code == ENOENT ? refusal : code))
                throw .failed("\(binary) could not be kept as \(name): \(reason)")
            }
            try? flushDirectory(split(binary).directory)
            return .swapped(Glibc.rename(source, name) == 0 ? name : source)
        }
        throw .failed("\(binary) could not be kept: all names for it in \(pending) are taken")
    }

    /// Takes the oldest away until one more may be kept; the tick bounds the space.
    private func makeRoom() {
        let most = 8
        var found: [(changed: Int64, name: String)] = []
        guard let stream = opendir(pending) else { return }
        defer { closedir(stream) }
        // More than this is not ours, and is not read in a start.
        for _ in 0..<256 {
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            guard PendingNames.isName(name, of: split(binary).name),
                lstat("\(pending)/\(name)", &status) == 0, isRegular(status)
            else {
                continue
            }
            found.append((FileIdentity(status).changed, name))
        }
        found.sort { $0.changed < $1.changed }
        while found.count >= most { unlink("\(pending)/\(found.removeFirst().name)") }
    }

    /// Copies the vault's bytes beside the binary, checked: the path of the copy.
    func copy(from vault: String, digest: Digest) throws(PutBackFailure) -> String {
        let (directory, name) = split(binary)
        let path = "\(directory)/.\(name).holdfast-copy"
        do throws(FileFailure) {
            unlink(path)
            let file = try Descriptor(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
            let (read, _) = try hash(vault, limit: 1300) { bytes throws(FileFailure) in
                try file.write(bytes, path)
            }
            guard read == digest else {
                throw FileFailure(
                    text: "\(vault) does not have the digest in its name; 'holdfast doctor' tells more")
            }
        } catch {
            unlink(path)
            throw .failed(error.text)
        }
        do throws(FileFailure) {
            try likeBinary(path)
        } catch {
            unlink(path)
            throw .failed(error.text)
        }
        return path
    }

    /// Gives the copy the mode, owner and label of what is there now, and flushes it.
    private func likeBinary(_ path: String) throws(FileFailure) {
        let file = try Descriptor(path, O_RDWR)
        var status = stat()
        let isThere = stat(binary, &status) == 0
        let mode = isThere && status.st_mode & 0o111 != 0 ? status.st_mode & 0o755 : 0o755
        if isThere { _ = fchown(file.number, status.st_uid, status.st_gid) }
        guard fchmod(file.number, mode) == 0 else { throw FileFailure("made executable", path) }
        guard cgate_copy_label(binary, file.number) == 0 else { throw FileFailure("labelled", path) }
        try file.synchronise(path)
        guard !Deadline.isPast(milliseconds: 1500) else {
            throw FileFailure(text: "\(path) took too long to write")
        }
    }
}
