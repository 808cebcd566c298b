internal import Glibc

/// Reads a whole regular file.
///
/// - Parameters:
///   - limit: in bytes; a longer file is an error, and no more than that is ever in memory. Files of `/proc` and `/sys`,
///     whose size is unknown before they are read, are read as well.
///   - trusted: whether one that others than root, or whoever runs this, may have written is an error.
/// - Throws: `HostError`; for pipes, devices and directories too, at once.
public func readFile(_ path: String, limit: Int, trusted: Bool = false) throws(HostError) -> [UInt8] {
    var status = stat()
    let descriptor = try Descriptor.openRegularFile(path, status: &status)
    guard !trusted || status.st_mode & 0o022 == 0 && (status.st_uid == 0 || status.st_uid == geteuid()) else {
        throw HostError(
            description: "\(path): others than root may write it (it belongs to user \(status.st_uid), mode "
                + "\(String(status.st_mode & 0o7777, radix: 8)))")
    }
    let size = Int(status.st_size)
    guard size <= limit else { throw tooLong(path, limit) }
    var bytes: [UInt8] = []
    // One byte more than expected tells the end from a file that has grown.
    var step = size > 0 ? size + 1 : min(limit + 1, 4096)
    while true {
        let offset = bytes.count
        let wanted = min(step, limit + 1 - offset)
        var failure: HostError?
        let more = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
            do throws(HostError) {
                count = try descriptor.read(
                    at: offset, into: UnsafeMutableRawBufferPointer(buffer), path: path)
            } catch { failure = error }
        }
        if let failure { throw failure }
        bytes += more
        guard bytes.count <= limit else { throw tooLong(path, limit) }
        if more.count < wanted { return bytes }
        step = max(4096, bytes.count)
    }
}

/// Reads a whole regular file; nil where there is none.
///
/// - Throws: `HostError` as `readFile` does, for all but absence.
public func readFileIfPresent(
    _ path: String, limit: Int, trusted: Bool = false
) throws(HostError) -> [UInt8]? {
    do {
        return try readFile(path, limit: limit, trusted: trusted)
    } catch  where error.isAbsence {
        return nil
    }
}

private func tooLong(_ path: String, _ limit: Int) -> HostError {
    HostError(code: EFBIG, description: "\(path): longer than \(limit) bytes; is this the right file?")
}

/// Reads the start of a regular file, however long it is.
func readStart(of path: String, count: Int) throws(HostError) -> [UInt8] {
    let descriptor = try Descriptor.openRegularFile(path)
    var buffer = [UInt8](repeating: 0, count: count)
    var failure: HostError?
    let got = buffer.withUnsafeMutableBytes { bytes in
        do throws(HostError) { return try descriptor.read(at: 0, into: bytes, path: path) } catch {
            failure = error
        }
        return 0
    }
    if let failure { throw failure }
    return Array(buffer.prefix(got))
}

/// What a symbolic link says.
///
/// - Throws: `HostError`, with `EINVAL` for what is no link.
public func readLink(_ path: String) throws(HostError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink(path, &buffer, buffer.count)
    guard count >= 0 else { throw HostError.failed("read as a link", path) }
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The names in a directory, in order of their bytes, without `.` and `..`.
///
/// - Parameter limit: more names than that are an error.
/// - Throws: `HostError`.
public func listDirectory(_ path: String, limit: Int = 10_000) throws(HostError) -> [String] {
    guard let directory = opendir(path) else { throw HostError.failed("listed", path) }
    defer { closedir(directory) }
    var names: [String] = []
    while true {
        errno = 0
        guard let entry = readdir(directory) else { break }
        let name = withUnsafeBytes(of: &entry.pointee.d_name) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard name != ".", name != ".." else { continue }
        guard names.count < limit else {
            throw HostError(code: EFBIG, description: "\(path): more than \(limit) names in the directory")
        }
        names.append(name)
    }
    guard errno == 0 else { throw HostError.failed("listed", path) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}
