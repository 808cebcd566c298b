internal import Glibc

/// Reads a file that holds a secret, and that nobody but its owner may read or write.
///
/// Who may is asked of what was opened, not of the path. The owner has to be root or the user that runs this.
///
/// - Parameter limit: in bytes; a longer file is an error.
/// - Throws: `HostError`, which says what to do and nothing of what the file holds (invariant 13).
public func readSecretFile(_ path: String, limit: Int) throws(HostError) -> [UInt8] {
    let descriptor = try Descriptor.openRegularFile(path)
    let status = try descriptor.status(path)
    guard status.st_uid == 0 || status.st_uid == geteuid() else {
        throw HostError(
            code: EPERM,
            description: "\(path): belongs to user \(status.st_uid); give it to root (chown root \(path))")
    }
    guard status.st_mode & 0o077 == 0 else {
        throw HostError(
            code: EPERM,
            description: "\(path): others than its owner may use it, and it holds a secret; "
                + "take that away (chmod 600 \(path)), and change the secret if they may have read it")
    }
    var buffer = [UInt8](repeating: 0, count: limit + 1)
    var failure: HostError?
    let count = buffer.withUnsafeMutableBytes { bytes in
        do throws(HostError) { return try descriptor.read(at: 0, into: bytes, path: path) } catch {
            failure = error
        }
        return 0
    }
    if let failure { throw failure }
    guard count <= limit else {
        throw HostError(
            code: EFBIG, description: "\(path): longer than \(limit) bytes; is this the right file?")
    }
    return Array(buffer.prefix(count))
}
