internal import Glibc

/// How full a file system is, and whether it can be written to.
public struct FileSystemSpace: Hashable, Sendable {
    /// In bytes, those that only root may use left out.
    public var free: Int64
    /// In bytes.
    public var size: Int64
    /// Names that can still be made.
    public var freeInodes: Int64
    /// 0 where the file system has no fixed number.
    public var inodes: Int64
    /// Whether it is mounted read-only.
    public var isReadOnly: Bool

    /// Asks about the file system of a path.
    ///
    /// - Throws: `HostError`.
    public init(of path: String) throws(HostError) {
        var space = statvfs()
        guard statvfs(path, &space) == 0 else { throw HostError.failed("examined", path) }
        let block = Int64(clamping: space.f_frsize)
        free = Self.product(Int64(clamping: space.f_bavail), block)
        size = Self.product(Int64(clamping: space.f_blocks), block)
        freeInodes = Int64(clamping: space.f_favail)
        inodes = Int64(clamping: space.f_files)
        isReadOnly = space.f_flag & UInt(ST_RDONLY) != 0
    }

    private static func product(_ count: Int64, _ block: Int64) -> Int64 {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: block)
        return overflow ? .max : bytes
    }
}
