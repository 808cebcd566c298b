internal import Glibc
public import Model

/// The identity of the file that a path leads to, symbolic links followed.
///
/// - Throws: `HostError`.
public func identity(ofFile path: String) throws(HostError) -> FileIdentity {
    var status = stat()
    guard stat(path, &status) == 0 else { throw HostError.failed("examined", path) }
    return FileIdentity(status)
}

/// The identity of the file that this program was started from; nil where /proc does not tell.
public var ownIdentity: FileIdentity? { try? identity(ofFile: "/proc/self/exe") }

extension FileIdentity {
    init(_ status: stat) {
        self.init(
            device: Int64(bitPattern: UInt64(status.st_dev)), inode: Int64(bitPattern: UInt64(status.st_ino)),
            size: Int64(status.st_size), modified: Self.nanoseconds(status.st_mtim),
            changed: Self.nanoseconds(status.st_ctim))
    }

    // The year 2262 and after is taken for its end; such a time is never older than two seconds.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        let (seconds, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return time.tv_sec < 0 ? .min : .max }
        let (sum, sumOverflow) = seconds.addingReportingOverflow(Int64(time.tv_nsec))
        return sumOverflow ? .max : sum
    }
}
