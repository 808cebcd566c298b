internal import Glibc
public import Model

/// Names of a directory and of what is below it that are gone through at most.
private let mostNames = 20_000
/// No store that one node keeps comes near it.
private let largestFile = 256 << 30
/// More levels than any backup has.
private let deepest = 8

/// Makes all below a directory root's alone, files 0600 and directories 0700, flushes it, and hashes every file.
///
/// - Returns: the files, in order of their names below the directory.
/// - Throws: `HostError`; also where something is neither a file nor a directory.
public func sealPrivateTree(_ directory: String) throws(HostError) -> [KeptBackup.File] {
    var files: [KeptBackup.File] = []
    try walk(directory, below: "", depth: 0) { (path, name, status) throws(HostError) in
        let descriptor = try Descriptor.openRegularFile(path)
        guard fchmod(descriptor.number, 0o600) == 0 else { throw HostError.failed("given its mode", path) }
        try descriptor.synchronise(path)
        files.append(
            KeptBackup.File(
                name: name, size: Int64(status.st_size),
                sha256: try hash(descriptor, path: path, limit: largestFile)))
    } directory: { path throws(HostError) in
        guard chmod(path, 0o700) == 0 else { throw HostError.failed("given its mode", path) }
        try Descriptor.open(path, flags: O_RDONLY | O_DIRECTORY).synchronise(path)
    }
    return files.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
}

/// The size and the digest of one file of a backup.
///
/// - Throws: `HostError`.
public func examinePrivateFile(_ path: String, named name: String) throws(HostError) -> KeptBackup.File {
    let descriptor = try Descriptor.openRegularFile(path)
    return KeptBackup.File(
        name: name, size: Int64(try descriptor.status(path).st_size),
        sha256: try hash(descriptor, path: path, limit: largestFile))
}

/// Takes a directory away with all that is in it; links are taken away, never followed.
///
/// - Throws: `HostError`; one that is not there is fine.
public func removeTree(_ directory: String) throws(HostError) {
    guard try identityIfPresent(ofFile: directory) != nil else { return }
    var count = 0
    try removeTree(directory, depth: 0, &count)
    try flushDirectory(of: directory)
}

private func removeTree(_ path: String, depth: Int, _ count: inout Int) throws(HostError) {
    if unlink(path) == 0 { return }
    guard errno == EISDIR || errno == EPERM, depth < 32 else { throw HostError.failed("removed", path) }
    for name in try listDirectory(path, limit: 100_000) {
        try removeTree("\(path)/\(name)", depth: depth + 1, &count)
    }
    guard rmdir(path) == 0 else { throw HostError.failed("removed", path) }
}

private func walk(
    _ directory: String, below name: String, depth: Int,
    file: (String, String, stat) throws(HostError) -> Void,
    directory leave: (String) throws(HostError) -> Void
) throws(HostError) {
    guard depth < deepest else {
        throw HostError(
            code: ELOOP, description: "\(directory): more than \(deepest) directories in each other")
    }
    for entry in try listDirectory(directory, limit: mostNames) {
        let path = "\(directory)/\(entry)"
        let below = name.isEmpty ? entry : "\(name)/\(entry)"
        var status = stat()
        guard lstat(path, &status) == 0 else { throw HostError.failed("examined", path) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: try file(path, below, status)
        case S_IFDIR: try walk(path, below: below, depth: depth + 1, file: file, directory: leave)
        default:
            throw HostError(description: "\(path): neither a file nor a directory, which no backup has in it")
        }
    }
    try leave(directory)
}

/// Copies small files of a directory and of those below it, links followed, into a directory that is made for them.
///
/// - Parameter limit: in bytes, for each file.
/// - Throws: `HostError`; what is no regular file is left out.
public func copySmallTree(_ directory: String, to target: String, limit: Int) throws(HostError) {
    try copySmallTree(directory, to: target, limit: limit, depth: 0)
}

private func copySmallTree(
    _ directory: String, to target: String, limit: Int, depth: Int
) throws(HostError) {
    guard depth < deepest else { return }
    try makeDirectories(target, mode: 0o700)
    for name in try listDirectory(directory, limit: 1000) {
        let path = "\(directory)/\(name)"
        var status = stat()
        // A link that leads nowhere is nothing to keep.
        guard stat(path, &status) == 0 else { continue }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: try copySmallTree(path, to: "\(target)/\(name)", limit: limit, depth: depth + 1)
        case S_IFREG:
            try writeFileAtomically("\(target)/\(name)", try readFile(path, limit: limit), mode: 0o600)
        default: continue
        }
    }
}
