internal import Glibc

/// An open file that is closed exactly once.
public struct Descriptor: ~Copyable, Sendable {
    /// The number by which the system knows it; valid as long as this value lives.
    public let number: Int32

    /// Takes over a descriptor that somebody else opened.
    public init(owning number: Int32) { self.number = number }

    deinit { _ = close(number) }

    /// Opens a file; the descriptor is closed when another program is started.
    ///
    /// - Parameters:
    ///   - flags: those of `open(2)`.
    ///   - mode: what a new file may be used for, less the process's umask.
    static func open(_ path: String, flags: Int32, mode: mode_t = 0) throws(HostError) -> Descriptor {
        while true {
            let number = Glibc.open(path, flags | O_CLOEXEC, mode)
            if number >= 0 { return Descriptor(owning: number) }
            if errno != EINTR { throw HostError.failed("opened", path) }
        }
    }

    /// Opens a regular file for reading, and nothing else: a pipe or a device would hang or have effects.
    ///
    /// The kind is asked of what was opened, not of the path, which somebody could exchange in between.
    static func openRegularFile(_ path: String) throws(HostError) -> Descriptor {
        var status = stat()
        return try openRegularFile(path, status: &status)
    }

    /// The same, which also tells what was asked about it.
    static func openRegularFile(_ path: String, status: inout stat) throws(HostError) -> Descriptor {
        let descriptor = try open(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
        status = try descriptor.status(path)
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw HostError(description: "\(path): not a regular file")
        }
        return descriptor
    }

    func status(_ path: String) throws(HostError) -> stat {
        var status = stat()
        guard fstat(number, &status) == 0 else { throw HostError.failed("examined", path) }
        return status
    }

    /// Reads up to `count` bytes at a place; fewer only at the end of the file.
    func read(
        at offset: Int, into buffer: UnsafeMutableRawBufferPointer, path: String
    ) throws(HostError) -> Int {
        var done = 0
        while done < buffer.count, let start = buffer.baseAddress {
            let got = pread(number, start + done, buffer.count - done, off_t(offset + done))
            if got == 0 { break }
            if got > 0 {
                done += got
            } else if errno != EINTR {
                throw HostError.failed("read", path)
            }
        }
        return done
    }

    func write(_ bytes: [UInt8], path: String) throws(HostError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(number, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if count >= 0 {
                done += count
            } else if errno != EINTR {
                throw HostError.failed("written", path)
            }
        }
    }

    func synchronise(_ path: String) throws(HostError) {
        guard fsync(number) == 0 else { throw HostError.failed("flushed to disk", path) }
    }
}
