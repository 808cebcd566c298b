internal import Crypto
internal import Glibc
public import Model

/// The SHA-256 of an etcd snapshot's database, which the file itself ends in.
///
/// etcd's server hashes what it sends and sends the hash after it; a file that was cut or changed since does not fit. One
/// without it was copied from a data directory, and proves nothing.
///
/// - Throws: `HostError` where it is none, or is damaged.
public func verifyEtcdSnapshot(_ path: String) throws(HostError) -> Digest {
    let file = try Descriptor.openRegularFile(path)
    let size = Int(try file.status(path).st_size)
    // Pages come in multiples of 512 bytes (etcd's own check, etcdutl snapshot restore).
    guard size > 4096, size % 512 == 32 else {
        throw HostError(
            description: "\(path): no etcd snapshot: it is cut short, compressed, or has no hash at its end")
    }
    guard try bytes(of: file, at: 16, count: 4, path) == [0xed, 0xda, 0x0c, 0xed] else {
        throw HostError(description: "\(path): no etcd snapshot: it does not begin as bbolt's databases do")
    }
    let end = size - 32
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    var stream = SHA256Stream()
    var offset = 0
    while offset < end {
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, end - offset)])
        let count = try file.read(at: offset, into: part, path: path)
        stream.update(UnsafeRawBufferPointer(rebasing: part[..<count]))
        offset += count
        if count < part.count { break }
    }
    let expected = try bytes(of: file, at: end, count: 32, path)
    let found = stream.finish()
    guard offset == end, found == expected, let digest = Digest(bytes: found) else {
        throw HostError(
            description: "\(path): the snapshot is damaged: its bytes do not fit the hash at its end")
    }
    return digest
}

private func bytes(
    of file: borrowing Descriptor, at offset: Int, count: Int, _ path: String
) throws(HostError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    var failure: HostError?
    let got = buffer.withUnsafeMutableBytes { bytes in
        do throws(HostError) { return try file.read(at: offset, into: bytes, path: path) } catch {
            failure = error
        }
        return 0
    }
    if let failure { throw failure }
    return Array(buffer.prefix(got))
}
