/// The HMAC of a message with SHA-256 (RFC 2104): 32 bytes.
///
/// For short messages: both are copied.
public func hmacSHA256(key: [UInt8], message: [UInt8]) -> [UInt8] {
    let blockLength = 64
    var block = key.count > blockLength ? sha256(key) : key
    block += repeatElement(0, count: blockLength - block.count)
    let inner = sha256(block.map { $0 ^ 0x36 } + message)
    return sha256(block.map { $0 ^ 0x5c } + inner)
}
