internal import CLinux
internal import Crypto
internal import Glibc
public import Model

/// Copies a file whole: shared with the old one where the file system can (reflink), never a second name for it.
///
/// The copy's bytes are hashed as they lie in the draft, and it appears under its name only with that digest, flushed.
///
/// - Parameters:
///   - like: a file whose owner and label it takes; nil for the caller's own.
///   - mode: what it may be used for, whatever the umask.
/// - Throws: `HostError`, also where the digest is another one; nothing is left then.
public func copyFile(
    from source: String, to path: String, digest: Digest, like: String? = nil, mode: UInt32
) throws(HostError) {
    let draft = draftPath(of: path)
    _ = unlink(draft)
    do throws(HostError) {
        try writeDraft(draft, from: source, digest: digest, like: like, mode: mode)
        guard rename(draft, path) == 0 else { throw HostError.failed("replaced", path) }
    } catch {
        _ = unlink(draft)
        throw error
    }
    try flushDirectory(of: path)
}

/// Where a copy lies until it is whole; the next copy to that path begins by taking it away.
public func draftPath(of path: String) -> String {
    let (directory, name) = splitPath(path)
    return "\(directory)/.\(name).draft"
}

private func writeDraft(
    _ draft: String, from source: String, digest: Digest, like: String?, mode: UInt32
) throws(HostError) {
    let from = try Descriptor.openRegularFile(source)
    let to = try Descriptor.open(draft, flags: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    guard try from.status(source).st_size <= off_t(largestArtifact) else {
        throw HostError(code: EFBIG, description: "\(source): larger than any release, not copied")
    }
    if clinux_clone(to.number, from.number) != 0 { try copyBytes(from, source, to: to, draft) }
    let found = try hash(to, path: draft)
    guard found == digest else {
        throw HostError(
            description:
                "\(source): its bytes are sha256 \(found.short), not \(digest.short): it changed meanwhile, "
                + "or is damaged; nothing was copied")
    }
    if let like {
        var status = stat()
        let isThere = stat(like, &status) == 0
        guard isThere || errno == ENOENT else { throw HostError.failed("examined", like) }
        if isThere, status.st_uid != geteuid() || status.st_gid != getegid() {
            guard fchown(to.number, status.st_uid, status.st_gid) == 0 else {
                throw HostError.failed("given its owner", draft)
            }
        }
        guard clinux_copy_label(like, to.number) == 0 else { throw HostError.failed("labelled", draft) }
    }
    guard fchmod(to.number, mode_t(mode)) == 0 else { throw HostError.failed("given its mode", draft) }
    try to.synchronise(draft)
}

private func copyBytes(
    _ from: borrowing Descriptor, _ source: String, to: borrowing Descriptor, _ path: String
) throws(HostError) {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var offset = 0
    while offset <= largestArtifact {
        var failure: HostError?
        let count = buffer.withUnsafeMutableBytes { bytes in
            do throws(HostError) { return try from.read(at: offset, into: bytes, path: source) } catch {
                failure = error
            }
            return 0
        }
        if let failure { throw failure }
        try to.write(count == buffer.count ? buffer : Array(buffer.prefix(count)), path: path)
        offset += count
        if count < buffer.count { return }
    }
}
