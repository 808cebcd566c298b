internal import CCrypto

/// The SHA-256 of bytes that are already in memory: 32 bytes.
public func sha256(_ bytes: some Collection<UInt8>) -> [UInt8] {
    let direct = bytes.withContiguousStorageIfAvailable { hash(UnsafeRawBufferPointer($0)) }
    return direct ?? Array(bytes).withUnsafeBytes(hash)
}

/// Up to here plain Swift is done before libcrypto would be loaded; a quiet tick hashes its policy, which is shorter.
private let shortLength = 262_144

private func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    if bytes.count <= shortLength {
        var digest = PortableSHA256()
        digest.update(bytes)
        return digest.finish()
    }
    var stream = SHA256Stream()
    stream.update(bytes)
    let digest = stream.finish()
    guard digest.isEmpty else { return digest }
    var portable = PortableSHA256()
    portable.update(bytes)
    return portable.finish()
}

/// A SHA-256 over more bytes than should be in memory at once.
public struct SHA256Stream: ~Copyable {
    /// Nil where libcrypto cannot be loaded; what it would do is then done by `portable`.
    private let native: OpaquePointer?
    private var portable = PortableSHA256()
    /// Whether libcrypto refused bytes, so that there is no digest of them.
    var isRefused = false

    /// Begins a digest, by libcrypto where there is one.
    public init() { native = ccrypto_sha256_new() }

    /// Begins a digest without libcrypto, so that tests can compare the two.
    init(portable: Void) { native = nil }

    deinit {
        if let native { ccrypto_sha256_free(native) }
    }

    /// Takes more bytes in.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let native else { return portable.update(bytes) }
        // It fails only for an unfinished set-up, which `init` has ruled out.
        if !ccrypto_sha256_update(native, bytes.baseAddress, bytes.count) { isRefused = true }
    }

    /// Takes more bytes in.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest: 32 bytes, or none at all where libcrypto refused, which is no digest for anybody.
    public consuming func finish() -> [UInt8] {
        guard let native else { return portable.finish() }
        var digest = [UInt8](repeating: 0, count: 32)
        let isDone = digest.withUnsafeMutableBufferPointer { output in
            output.baseAddress.map { ccrypto_sha256_finish(native, $0) } ?? false
        }
        return isDone && !isRefused ? digest : []
    }
}
