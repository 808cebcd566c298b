public import Crypto
import FoundationEssentials

/// A text with signatures beneath it (C2SP signed-note, https://c2sp.org/signed-note).
///
/// The text, an empty line, and a line for each signature: an em dash, a space, the key's name, a space, and the Base64
/// of the key id (4 bytes) with the signature.
public struct SignedNote: Hashable, Sendable {
    /// One signature, by whatever key.
    public struct Signature: Hashable, Sendable {
        /// The key's name.
        public var name: String
        /// The key's id: 4 bytes.
        public var keyID: [UInt8]
        /// What follows the id; 64 bytes where it is one by Ed25519.
        public var bytes: [UInt8]
    }

    /// What is signed, with the line feed at its end.
    public var text: String
    /// At least one.
    public var signatures: [Signature]

    /// The longest note that is read, in bytes, and the most signatures.
    static let longest = 16_384
    static let mostSignatures = 16

    private static let dash = "\u{2014} "

    /// Reads a note.
    ///
    /// - Throws: `NoteFailure` for what is no note, is too long, or has control characters.
    public init(_ note: String) throws(NoteFailure) {
        guard note.utf8.count <= Self.longest else {
            throw NoteFailure("longer than the \(Self.longest) bytes of a note")
        }
        guard note.utf8.allSatisfy({ $0 == 10 || $0 >= 0x20 && $0 != 0x7f }) else {
            throw NoteFailure("has control characters, which no signed note has")
        }
        var lines = note.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 3, lines.removeLast().isEmpty, let gap = lines.lastIndex(where: \.isEmpty),
            gap > 0, gap < lines.count - 1
        else { throw NoteFailure("is no signed note: a text, an empty line, and its signatures") }
        guard lines.count - gap - 1 <= Self.mostSignatures else {
            throw NoteFailure("has more than \(Self.mostSignatures) signatures")
        }
        text = lines[..<gap].joined(separator: "\n") + "\n"
        signatures = []
        for line in lines[(gap + 1)...] { signatures.append(try Self.signature(line)) }
    }

    /// Signs a text.
    ///
    /// - Throws: `CryptoFailure` where libcrypto refuses.
    public init(_ text: String, by signer: NoteSigner) throws(CryptoFailure) {
        self.text = text
        let bytes = try signer.key.signature(of: Array(text.utf8))
        signatures = [Signature(name: signer.verifier.name, keyID: signer.verifier.id, bytes: bytes)]
    }

    private static func signature(_ line: Substring) throws(NoteFailure) -> Signature {
        let words = line.dropFirst(dash.count).split(separator: " ", omittingEmptySubsequences: false)
        guard line.hasPrefix(dash), words.count == 2, NoteVerifier.isName(words[0]),
            let bytes = Data(base64Encoded: String(words[1])), bytes.count > 4
        else { throw NoteFailure("has a line beneath it that is no signature") }
        return Signature(
            name: String(words[0]), keyID: Array(bytes.prefix(4)), bytes: Array(bytes.dropFirst(4)))
    }

    /// The whole note, as it is kept and handed on.
    public var description: String {
        text + "\n"
            + signatures.map {
                "\(Self.dash)\($0.name) \(Data($0.keyID + $0.bytes).base64EncodedString())\n"
            }.joined()
    }

    /// The first of these keys that has signed it; nil where none has.
    ///
    /// - Throws: `NoteFailure` where a signature by one of them is not genuine, `CryptoFailure` without libcrypto.
    public func signer(among keys: [NoteVerifier]) throws -> NoteVerifier? {
        var found: NoteVerifier?
        for key in keys {
            for signature in signatures where signature.name == key.name && signature.keyID == key.id {
                guard try isGenuine(signature: signature.bytes, of: Array(text.utf8), by: key.publicKey)
                else { throw NoteFailure("its signature by \(key.name) is not genuine") }
                if found == nil { found = key }
            }
        }
        return found
    }
}

/// Why something is no signed note, or no key of one.
public struct NoteFailure: Error, Hashable, CustomStringConvertible {
    /// What is wrong; nothing of a private key.
    public var description: String

    init(_ description: String) { self.description = description }
}
