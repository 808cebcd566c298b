import Glibc
import Testing

/// A file that the kernel gives nobody who does not wait for it, as long as this object is there.
///
/// A write lease, as a file server takes one: who opens the file gets EWOULDBLOCK, whoever it is.
final class LeasedFile {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        try #require(descriptor >= 0)
        // The holder is told by a signal that somebody came; one that is ignored.
        try #require(fcntl(descriptor, F_SETSIG, SIGURG) == 0)
        // Another test's child has what is open here open too, between its fork and its exec.
        for _ in 0..<200 {
            if fcntl(descriptor, F_SETLEASE, F_WRLCK) == 0 { return }
            try #require(errno == EAGAIN)
            usleep(20_000)
        }
        Issue.record("\(path) stays busy")
    }

    deinit { close(descriptor) }
}

// Of fcntl.h, behind _GNU_SOURCE.
private let F_SETSIG: Int32 = 10
private let F_SETLEASE: Int32 = 1024
