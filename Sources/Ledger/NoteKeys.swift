public import Crypto
import FoundationEssentials

/// The public half of a key that signs notes: `NAME+ID+BASE64`, as C2SP's signed notes write a verifier key.
public struct NoteVerifier: Hashable, Sendable, CustomStringConvertible {
    /// Which key it is, for people.
    public let name: String
    /// The first 4 bytes of SHA-256(name ‖ line feed ‖ 0x01 ‖ public key).
    public let id: [UInt8]
    /// 32 bytes, of Ed25519.
    public let publicKey: [UInt8]

    /// What stands for Ed25519 in a key's text.
    fileprivate static let algorithm: UInt8 = 1

    init(name: String, publicKey: [UInt8]) {
        self.name = name
        self.publicKey = publicKey
        id = Array(sha256(Array(name.utf8) + [10, Self.algorithm] + publicKey).prefix(4))
    }

    /// Reads the text of a verifier key.
    ///
    /// - Throws: `NoteFailure` for anything else.
    public init(_ text: String) throws(NoteFailure) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard text.utf8.count <= 512, parts.count == 3, Self.isName(parts[0]),
            let id = bytes(hexadecimal: String(parts[1])), let key = Data(base64Encoded: String(parts[2])),
            key.count == 33, key.first == Self.algorithm
        else { throw NoteFailure("no verifier key of Ed25519, which reads NAME+ID+BASE64") }
        self.init(name: String(parts[0]), publicKey: Array(key.dropFirst()))
        guard self.id == id else { throw NoteFailure("its id is not that of its name and key") }
    }

    /// A name has no spaces and no plus sign.
    static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= 200 && !text.contains { $0.isWhitespace || $0 == "+" }
    }

    public var description: String {
        "\(name)+\(hexadecimal(id))+\(Data([Self.algorithm] + publicKey).base64EncodedString())"
    }
}

/// A private key that signs notes.
///
/// Its description says nothing of the key (invariant 13).
public struct NoteSigner: Sendable {
    /// The public half.
    public let verifier: NoteVerifier
    let key: SigningKey

    /// Makes a new key, named after itself: a node may be called something else one day.
    ///
    /// - Throws: `CryptoFailure` without libcrypto.
    public static func make() throws(CryptoFailure) -> NoteSigner {
        let key = try SigningKey.make()
        return NoteSigner(name: "holdfast/" + hexadecimal(sha256(key.publicKey).prefix(8)), key: key)
    }

    private init(name: String, key: SigningKey) {
        verifier = NoteVerifier(name: name, publicKey: key.publicKey)
        self.key = key
    }

    /// Reads the text of a private key, as `secretText` gives it.
    ///
    /// - Throws: `NoteFailure` for anything else, `CryptoFailure` without libcrypto; nothing of the key is in it.
    public init(secretText text: String) throws {
        let parts = text.prefix { $0 != "\n" }.split(
            separator: "+", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "PRIVATE", parts[1] == "KEY", NoteVerifier.isName(parts[2]),
            let id = bytes(hexadecimal: String(parts[3])), let seed = Data(base64Encoded: String(parts[4])),
            seed.count == 33, seed.first == NoteVerifier.algorithm
        else { throw NoteFailure("holds no private key of Ed25519") }
        self.init(name: String(parts[2]), key: try SigningKey(seed: Array(seed.dropFirst())))
        guard verifier.id == id else { throw NoteFailure("holds a private key that is damaged") }
    }

    /// The key's text, as tools for signed notes keep it: for a file that its owner alone can read, and nowhere else.
    var secretText: String {
        let seed = Data([NoteVerifier.algorithm] + key.seed).base64EncodedString()
        return "PRIVATE+KEY+\(verifier.name)+\(hexadecimal(verifier.id))+\(seed)\n"
    }
}

extension NoteSigner: CustomStringConvertible, CustomReflectable {
    public var description: String { "the private key of \(verifier.name)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
