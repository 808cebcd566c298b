internal import Gate
internal import Glibc

/// A lock between processes; it is given back when this value ends, or its process.
public struct FileLock: ~Copyable, Sendable {
    private let file: Descriptor

    private init(_ file: consuming Descriptor) { self.file = file }

    /// Takes the lock that lies at a path; nil where another process holds it for longer than we wait.
    ///
    /// - Parameters:
    ///   - path: made where it is missing, its directory too.
    ///   - patience: how long to wait, in milliseconds.
    /// - Throws: `HostError`.
    public static func take(_ path: String, patience: Int = 0) throws(HostError) -> FileLock? {
        try makeDirectories(splitPath(path).directory)
        let file = try Descriptor.open(path, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        var waited = 0
        while flock(file.number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw HostError.failed("locked", path) }
            guard waited < patience else { return nil }
            usleep(1000)
            waited += 1
        }
        return FileLock(file)
    }

    /// Where the lock on artifacts and the gate's records of them lies below a root.
    ///
    /// It is held for microseconds, around a comparison and a rename; the gate waits a tenth of a second for it.
    public static func artifactLock(in root: Root) -> String { root.prefix + GatePlaces.artifactLock }
}
