internal import Glibc
public import Model

/// Takes a file's name away and flushes its directory; one that is not there is fine.
///
/// - Throws: `HostError`.
public func removeFile(_ path: String) throws(HostError) {
    if unlink(path) != 0 {
        guard errno == ENOENT || errno == ENOTDIR else { throw HostError.failed("removed", path) }
        return
    }
    try flushDirectory(of: path)
}

/// Takes a directory away where nothing is in it; else, or where there is none, it stays as it is.
///
/// - Throws: `HostError`.
public func removeDirectoryIfEmpty(_ path: String) throws(HostError) {
    guard rmdir(path) != 0 else { return try flushDirectory(of: path) }
    guard [ENOENT, ENOTEMPTY, EEXIST].contains(errno) else { throw HostError.failed("removed", path) }
}

/// Makes a directory and those above it that are missing.
///
/// - Parameter mode: of those that are made.
/// - Throws: `HostError`.
public func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(HostError) {
    var made = ""
    for name in path.split(separator: "/") {
        made += path.hasPrefix("/") || !made.isEmpty ? "/\(name)" : String(name)
        guard mkdir(made, mode_t(mode)) != 0 else { continue }
        let code = errno
        // On a read-only file system mkdir says so even of a directory that is there.
        guard isDirectory(made) else { throw HostError.failed("made", made, code: code) }
    }
}

/// Whether a path leads to a directory.
public func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The identity of what is at a path itself, symbolic links not followed; nil where nothing is.
///
/// - Throws: `HostError`.
public func identityIfPresent(ofFile path: String) throws(HostError) -> FileIdentity? {
    var status = stat()
    guard lstat(path, &status) == 0 else {
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw HostError.failed("examined", path)
    }
    return FileIdentity(status)
}

/// Whether the owner may execute what is at a path, and it is a regular file.
public func isExecutable(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o100 != 0
}

func flushDirectory(of path: String) throws(HostError) {
    let directory = splitPath(path).directory
    try Descriptor.open(directory, flags: O_RDONLY | O_DIRECTORY).synchronise(directory)
}

/// A path's directory and its last name.
func splitPath(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (
        slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...])
    )
}

/// Gives a file or a directory another name on the same file system, in the place of whatever has that name.
///
/// - Throws: `HostError`.
public func moveFile(_ path: String, to other: String) throws(HostError) {
    guard rename(path, other) == 0 else { throw HostError.failed("moved to \(other)", path) }
    try flushDirectory(of: other)
    try flushDirectory(of: path)
}

/// How many bytes the file system of a path can still take from others than root, and how many it has.
///
/// - Throws: `HostError`.
public func space(ofFileSystemAt path: String) throws(HostError) -> (free: Int64, total: Int64) {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { throw HostError.failed("examined", path) }
    let unit = UInt64(status.f_frsize)
    func bytes(_ blocks: UInt64) -> Int64 { Int64(clamping: blocks.multipliedReportingOverflow(by: unit).0) }
    return (bytes(UInt64(status.f_bavail)), bytes(UInt64(status.f_blocks)))
}
