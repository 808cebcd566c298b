import Crypto
import Gate
import Glibc
import Model

/// The digest of the file with this identity.
///
/// - Parameters:
///   - limit: milliseconds since the gate began after which it gives up.
///   - piece: gets all its bytes one after the other.
func hash(
    _ path: String, limit: Int64,
    each piece: (UnsafeRawBufferPointer) throws(FileFailure) -> Void = { _ throws(FileFailure) in }
) throws(FileFailure) -> (digest: Digest, identity: FileIdentity) {
    let file = try Descriptor(path, O_RDONLY)
    let before = try file.status(path)
    guard isRegular(before) else { throw FileFailure(text: "\(path) is not a regular file") }
    var stream = SHA256Stream()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    defer { buffer.deallocate() }
    while true {
        let count = try file.read(into: buffer, path)
        if count == 0 { break }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        stream.update(bytes)
        try piece(bytes)
        guard !Deadline.isPast(milliseconds: limit) else {
            throw FileFailure(text: "\(path) takes too long to read")
        }
    }
    let identity = FileIdentity(try file.status(path))
    guard identity == FileIdentity(before) else {
        throw FileFailure(text: "\(path) changed while it was read")
    }
    guard let digest = Digest(bytes: stream.finish()) else {
        throw FileFailure(text: "\(path) has no digest")
    }
    return (digest, identity)
}
