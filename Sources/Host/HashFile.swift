internal import Crypto
internal import Glibc
public import Model

/// The SHA-256 of a regular file.
///
/// It is read, not mapped: a mapped file that somebody cuts short ends the process (SIGBUS).
///
/// - Throws: `HostError`; also for a file that is larger than any release.
public func hashFile(_ path: String) throws(HostError) -> Digest {
    try hash(Descriptor.openRegularFile(path), path: path)
}

func hash(
    _ descriptor: borrowing Descriptor, path: String, limit: Int = largestArtifact
) throws(HostError) -> Digest {
    guard try descriptor.status(path).st_size <= off_t(limit) else {
        throw HostError(
            code: EFBIG,
            description:
                "\(path): larger than \(limit == largestArtifact ? "any release" : "\(limit) bytes"), not hashed"
        )
    }
    _ = posix_fadvise(descriptor.number, 0, 0, POSIX_FADV_SEQUENTIAL)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var stream = SHA256Stream()
    var offset = 0
    // The size again: somebody who keeps on writing must not keep us reading.
    while offset <= limit {
        let count = try descriptor.read(at: offset, into: buffer, path: path)
        stream.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        offset += count
        if count < buffer.count { break }
    }
    guard let digest = Digest(bytes: stream.finish()) else {
        throw HostError(description: "\(path): hashed to something that is no digest")
    }
    return digest
}
