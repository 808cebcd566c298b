internal import CLinux
internal import Gate
internal import Glibc

/// Puts a file in the place of another, or of none: at any instant, and after a crash, it is the old or the new one.
///
/// - Parameter mode: what the file may be used for, whatever the umask.
/// - Throws: `HostError`; the old file then still stands, except where only the directory could not be flushed.
public func writeFileAtomically(
    _ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644
) throws(HostError) {
    let directory = splitPath(path).directory
    let temporary = ownDraft(of: path)
    removeDrafts(of: path)
    _ = unlink(temporary)
    do throws(HostError) {
        let descriptor = try Descriptor.open(
            temporary, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        try descriptor.write(bytes, path: temporary)
        guard fchmod(descriptor.number, mode_t(mode)) == 0 else {
            throw HostError.failed("given its mode", temporary)
        }
        try descriptor.synchronise(temporary)
        guard rename(temporary, path) == 0 else { throw HostError.failed("replaced", path) }
    } catch {
        _ = unlink(temporary)
        throw error
    }
    try Descriptor.open(directory, flags: O_RDONLY | O_DIRECTORY).synchronise(directory)
}

/// Where this process writes what is to take the place of a file: its number keeps two writers apart.
public func ownDraft(of path: String) -> String {
    let (directory, name) = splitPath(path)
    return "\(directory)/.\(name).\(getpid()).tmp"
}

/// Takes away what writers of a file have left who were killed before they had put it in place.
public func removeDrafts(of path: String) {
    let (directory, name) = splitPath(path)
    removeDrafts(in: directory, of: [name])
}

/// The same of several files of one directory.
public func removeDrafts(in directory: String, of names: [String]) {
    for draft in (try? listDirectory(directory)) ?? [] where draft.hasPrefix(".") && draft.hasSuffix(".tmp") {
        let words = draft.dropFirst().dropLast(4)
        guard let dot = words.lastIndex(of: "."), let writer = pid_t(words[words.index(after: dot)...]),
            writer > 0, names.contains(String(words[..<dot]))
        else { continue }
        if kill(writer, 0) != 0, errno == ESRCH { _ = unlink("\(directory)/\(draft)") }
    }
}

/// Takes away what a start gate has left that was killed while it wrote the record at a path.
///
/// Only under the artifact lock, which a gate holds from before it begins a draft until that is in its place.
public func removeGateDraft(of path: String) { _ = unlink(GatePlaces.draft(of: path)) }

/// Puts a draft in the place of a file of the same directory without waiting for the disk: after a power cut the file
/// may be empty.
///
/// A rename over a file has ext4 write the new one's blocks out at once (its auto_da_alloc), which on a busy disk takes
/// longer than the rest of a quiet tick; an exchange of the two names has not.
///
/// - Returns: 0, or the error number; the old file then still stands.
public func replaceWithoutFlush(_ path: String, with draft: String) -> Int32 {
    if clinux_exchange(draft, path) == 0 {
        _ = unlink(draft)
        return 0
    }
    // There is no old file, or the file system cannot exchange.
    return rename(draft, path) == 0 ? 0 : errno
}
