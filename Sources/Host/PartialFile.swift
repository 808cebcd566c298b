internal import Crypto
internal import Glibc
public import Model

/// A file of our own that is filled piece by piece and hashed on the way, to be gone on with after an interruption.
///
/// One process at a time has it; others see nothing until it is moved into its place.
public final class PartialFile {
    /// Where it lies.
    public let path: String
    /// Bytes that are in it.
    public private(set) var size: Int64 = 0
    private let descriptor: Descriptor
    private var stream = SHA256Stream()

    private init(_ descriptor: consuming Descriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens what an earlier attempt left, or begins a file that nobody else may read.
    ///
    /// What is there is read once, for the digest. Another's file, a link to one, or one with more bytes than any
    /// release is not gone on with.
    ///
    /// - Throws: `HostError`; with `isBusy` where another process has it.
    public static func open(_ path: String) throws(HostError) -> PartialFile {
        let descriptor = try Descriptor.open(
            path, flags: O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode: 0o600)
        let status = try descriptor.status(path)
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(), status.st_nlink <= 1 else {
            throw HostError(
                description: "\(path): not a file of our own; see who put it there, and take it away")
        }
        guard flock(descriptor.number, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw HostError.failed("locked", path) }
            throw HostError(code: EWOULDBLOCK, description: "\(path): another process is at it")
        }
        // Between the two somebody else may have finished it.
        guard let named = try identityIfPresent(ofFile: path), named.inode == FileIdentity(status).inode
        else {
            throw HostError(code: EWOULDBLOCK, description: "\(path): another process was at it")
        }
        guard fchmod(descriptor.number, 0o600) == 0 else { throw HostError.failed("given its mode", path) }
        let file = PartialFile(descriptor, path: path)
        if status.st_size > off_t(largestArtifact) {
            try file.restart()
        } else {
            try file.takeIn()
        }
        return file
    }

    /// Empties it.
    ///
    /// - Throws: `HostError`.
    public func restart() throws(HostError) {
        guard ftruncate(descriptor.number, 0) == 0 else { throw HostError.failed("emptied", path) }
        size = 0
        stream = SHA256Stream()
    }

    /// Writes bytes to its end.
    ///
    /// - Throws: `HostError`, with `isFull` where the disk is; also where it would be larger than any release.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(HostError) {
        guard bytes.count <= largestArtifact, size <= Int64(largestArtifact - bytes.count) else {
            throw HostError(code: EFBIG, description: "\(path): larger than any release")
        }
        var done = 0
        while done < bytes.count, let start = bytes.baseAddress {
            let count = pwrite(descriptor.number, start + done, bytes.count - done, off_t(size))
            if count < 0 {
                if errno == EINTR { continue }
                throw HostError.failed("written", path)
            }
            stream.update(UnsafeRawBufferPointer(start: start + done, count: count))
            size += Int64(count)
            done += count
        }
    }

    /// Writes all bytes of another file to its end.
    ///
    /// - Parameter goesOn: asked before each piece; false to give up.
    /// - Returns: Whether that file was read to its end.
    /// - Throws: `HostError`.
    public func append(contentsOf source: String, goesOn: () -> Bool) throws(HostError) -> Bool {
        let from = try Descriptor.openRegularFile(source)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var offset = 0
        while goesOn() {
            let count = try from.read(at: offset, into: buffer, path: source)
            try append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += count
            if count < buffer.count { return true }
        }
        return false
    }

    /// Flushes it to disk.
    ///
    /// - Returns: The digest of all its bytes, those of earlier attempts included; the file is to be left as it is then.
    /// - Throws: `HostError`.
    public func finish() throws(HostError) -> Digest {
        try descriptor.synchronise(path)
        var stream = SHA256Stream()
        swap(&stream, &self.stream)
        guard let digest = Digest(bytes: stream.finish()) else {
            throw HostError(description: "\(path): hashed to something that is no digest")
        }
        return digest
    }

    private func takeIn() throws(HostError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = try descriptor.read(at: Int(size), into: buffer, path: path)
            stream.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            size += Int64(count)
            if count < buffer.count { return }
            // Somebody who keeps on writing must not keep us reading.
            guard size <= Int64(largestArtifact) else { return try restart() }
        }
    }
}
