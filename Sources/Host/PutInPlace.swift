internal import CLinux
internal import Glibc
public import Model

/// Puts a file in the place of a binary, or where one is missing, by a rename: there is no instant without one.
///
/// Called under the artifact lock; it takes microseconds. What has to survive a power cut is flushed afterwards, with
/// `flushPlace`. As the gate does it before a start, every step may be the last one.
///
/// - Parameters:
///   - source: on the binary's own file system; its name is gone afterwards.
///   - seen: what was there when this was decided, links not followed; nil where nothing was.
///   - pending: the directory in which what was there is kept; nil where it need not be.
///   - mayStay: whether what was there may stay under the source's name where there is no room for that directory; the
///     next look has to keep it from there.
/// - Throws: `HostError`, where anything else is there too; nothing has been replaced then.
public func putInPlace(
    _ source: String, at binary: String, seen: FileIdentity?, keptIn pending: String?, mayStay: Bool = false
) throws(HostError) {
    guard try identityIfPresent(ofFile: binary) == seen else {
        throw HostError(description: "\(binary): somebody replaced it meanwhile, so it is left alone")
    }
    if let seen, let pending,
        try keepAside(binary, seen, in: pending, source: source, mayStay: mayStay)
    {
        return
    }
    guard rename(source, binary) == 0 else { throw HostError.failed("replaced", binary) }
}

/// Makes what `putInPlace` did survive a power cut.
///
/// - Throws: `HostError`.
public func flushPlace(of binary: String, keptIn pending: String?) throws(HostError) {
    try flushDirectory(of: binary)
    if let pending, isDirectory(pending) { try flushDirectory(of: "\(pending)/.") }
}

/// Whether it changed places with the source, as it does where the file system has no hard links, or no room for the
/// directory: that takes none.
private func keepAside(
    _ binary: String, _ seen: FileIdentity, in pending: String, source: String, mayStay: Bool
) throws(HostError) -> Bool {
    let refusal = try makePlace(pending)
    if let refusal, !mayStay { throw refusal }
    for name in names(for: seen, of: binary, in: pending) {
        if link(binary, name) == 0 { return false }
        let code = errno
        if code == EEXIST {
            if let other = try identityIfPresent(ofFile: name), other.device == seen.device,
                other.inode == seen.inode
            {
                return false
            }
            continue
        }
        guard clinux_exchange(source, binary) == 0 else {
            throw refusal ?? HostError.failed("kept as \(name)", binary, code: code)
        }
        _ = rename(source, name)
        return true
    }
    throw allTaken(binary, pending)
}

/// Keeps what changed places with the source, where `putInPlace` was killed before it had been given its name.
///
/// - Parameter source: the source's path, at which it was left.
/// - Throws: `HostError`; it then stays there.
public func keepSwapped(_ source: String, of binary: String, in pending: String) throws(HostError) {
    guard let found = try identityIfPresent(ofFile: source) else { return }
    if let refusal = try makePlace(pending) { throw refusal }
    for name in names(for: found, of: binary, in: pending)
    where try identityIfPresent(ofFile: name) == nil {
        return try moveFile(source, to: name)
    }
    throw allTaken(binary, pending)
}

/// Makes the directory in which files are kept, and returns why that cannot be done, as on a full disk.
///
/// - Throws: `HostError` where something else is in its place.
private func makePlace(_ pending: String) throws(HostError) -> HostError? {
    var refusal: HostError?
    do { try makeDirectories(pending, mode: 0o700) } catch { refusal = error }
    // Through a link the oldest of some other directory would be taken away.
    guard (try? readLink(pending)) == nil else {
        throw HostError(
            description: "\(pending): a link, where a directory of our own should be; take it away")
    }
    if let refusal, try identityIfPresent(ofFile: pending) != nil { throw refusal }
    return refusal
}

/// The names under which a file of a binary may be kept, in a directory that has room for one more.
private func names(for identity: FileIdentity, of binary: String, in pending: String) -> [String] {
    makeRoom(in: pending, for: splitPath(binary).name)
    return (0..<PendingNames.attempts).map { attempt in
        let own = PendingNames.name(
            of: splitPath(binary).name, inode: UInt64(bitPattern: identity.inode), size: identity.size,
            modified: identity.modified / 1_000_000_000, attempt: attempt)
        return "\(pending)/\(own)"
    }
}

private func allTaken(_ binary: String, _ pending: String) -> HostError {
    HostError(description: "\(binary) could not be kept: all names for it in \(pending) are taken")
}

/// Takes the oldest away until one more may be kept, as the gate does.
private func makeRoom(in pending: String, for binary: String) {
    let most = 8
    let names = ((try? listDirectory(pending)) ?? []).filter { PendingNames.isName($0, of: binary) }
    var found = names.compactMap { name -> (changed: Int64, name: String)? in
        guard let identity = try? identityIfPresent(ofFile: "\(pending)/\(name)") else { return nil }
        return (identity.changed, name)
    }
    found.sort { $0.changed < $1.changed }
    while found.count >= most { _ = unlink("\(pending)/\(found.removeFirst().name)") }
}

/// What a file may be used for, nobody but its owner being able to write it; nil where there is none that can be executed.
public func permissions(ofExecutable path: String) -> UInt32? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o100 != 0 else {
        return nil
    }
    return UInt32(status.st_mode & 0o755)
}
