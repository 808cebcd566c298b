import Gate
import Glibc

/// The lock on artifacts while it is held.
struct ArtifactLock: ~Copyable {
    // Closing it gives the lock back; so does the end of the process.
    private let file: Descriptor

    /// Tries for a tenth of a second, then gives up.
    init(root: String) throws(FileFailure) {
        let path = root + GatePlaces.artifactLock
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW
        let opened: Descriptor
        do throws(FileFailure) {
            opened = try Descriptor(path, flags)
        } catch {
            guard error.code == ENOENT else { throw error }
            makeDirectories(split(path).directory)
            opened = try Descriptor(path, flags)
        }
        let end = Deadline.monotonic() + 100_000_000
        while flock(opened.number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw FileFailure("locked", path) }
            guard Deadline.monotonic() < end else {
                throw FileFailure(text: "\(path) has been locked by another process for over 100 ms")
            }
            usleep(1000)
        }
        file = opened
    }
}
