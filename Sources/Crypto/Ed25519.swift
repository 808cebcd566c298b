internal import CCrypto

/// A private key that signs by Ed25519 (RFC 8032).
///
/// Its description says nothing of the key (invariant 13).
public struct SigningKey: Sendable {
    /// 32 bytes.
    public let publicKey: [UInt8]
    /// What the key is made from: 32 secret bytes.
    public let seed: [UInt8]

    /// Makes a key from its seed.
    ///
    /// - Throws: `CryptoFailure` where the seed is not 32 bytes long, or libcrypto has no Ed25519.
    public init(seed: [UInt8]) throws(CryptoFailure) {
        guard seed.count == 32 else { throw CryptoFailure("an Ed25519 seed has 32 bytes") }
        var key = [UInt8](repeating: 0, count: 32)
        guard ccrypto_ed25519_public_key(seed, &key) else { throw .noLibrary }
        publicKey = key
        self.seed = seed
    }

    /// Makes a new key from the kernel's random bytes.
    ///
    /// - Throws: `CryptoFailure` where libcrypto has no Ed25519.
    public static func make() throws(CryptoFailure) -> SigningKey {
        var generator = SystemRandomNumberGenerator()
        return try SigningKey(
            seed: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// The signature of a message: 64 bytes.
    ///
    /// - Throws: `CryptoFailure` where libcrypto refuses.
    public func signature(of message: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: 64)
        guard ccrypto_ed25519_sign(seed, message, message.count, &signature) else { throw .noLibrary }
        return signature
    }
}

extension SigningKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "a private key" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Whether a signature by Ed25519 is genuine; anything but 64 and 32 bytes is not.
///
/// - Throws: `CryptoFailure` where nobody can say, since there is no libcrypto.
public func isGenuine(
    signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]
) throws(CryptoFailure) -> Bool {
    guard signature.count == 64, publicKey.count == 32 else { return false }
    switch ccrypto_ed25519_verify(publicKey, message, message.count, signature) {
    case ccrypto_genuine: return true
    case ccrypto_forged: return false
    default: throw .noLibrary
    }
}

/// Why something could not be signed or checked.
public struct CryptoFailure: Error, Hashable, CustomStringConvertible {
    /// What happened, and what to do about it; nothing of a key.
    public var description: String

    init(_ description: String) { self.description = description }

    static let noLibrary = CryptoFailure(
        "libcrypto cannot be loaded, or has no Ed25519; install it (libssl3 on Debian and Ubuntu)")
}
