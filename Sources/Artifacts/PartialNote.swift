import Host
import Model
import Ports

/// What a draft's bytes are of: kept beside it, so that an attempt never mixes the bytes of two releases.
struct PartialNote: Equatable {
    /// Of the URL, which may hold a token.
    var address: Digest
    /// The digest that the whole must have.
    var sha256: Digest
    /// What `If-Range` is sent with: a strong ETag, or the time of the last change (RFC 9110, 13.1.5).
    var validator: String
    /// Bytes of the whole; nil where the server does not say.
    var total: Int64?

    /// Bytes of a validator; a server that sends a longer one is not gone on with.
    private static let longestValidator = 512

    /// Nil where the server's answer has nothing by which it could be gone on with.
    init?(address: Digest, sha256: Digest, etag: String?, lastModified: String?, total: Int64?) {
        let strong = etag.flatMap { $0.hasPrefix("\"") ? $0 : nil }
        guard let validator = strong ?? lastModified, Self.isUsable(validator) else { return nil }
        self.address = address
        self.sha256 = sha256
        self.validator = validator
        self.total = total
    }

    private static func isUsable(_ validator: String) -> Bool {
        (1...longestValidator).contains(validator.utf8.count)
            && validator.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// Whether an answer to a `Range` is of the same bytes, as far as it says.
    func agrees(etag: String?, lastModified: String?, total: Int64?) -> Bool {
        if let known = self.total, let total, known != total { return false }
        if validator.hasPrefix("\"") { return etag == nil || etag == validator }
        return lastModified == nil || lastModified == validator
    }

    // MARK: The file

    private static let head = "holdfast download 1"

    /// Reads a note; nil where there is none, or not one of ours.
    init?(readFrom path: String) {
        guard let bytes = try? readFileIfPresent(path, limit: 4096) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 6, lines[0] == Self.head, let address = Digest(lines[1]),
            let sha256 = Digest(lines[2]), Self.isUsable(lines[3]), lines[5].isEmpty
        else { return nil }
        self.address = address
        self.sha256 = sha256
        validator = lines[3]
        total = Int64(lines[4])
    }

    /// Writes the note before the bytes that it is about.
    func write(to path: String) throws(HostError) {
        let text =
            "\(Self.head)\n\(address.hex)\n\(sha256.hex)\n\(validator)\n\(total.map { "\($0)" } ?? "")\n"
        try writeFileAtomically(path, Array(text.utf8), mode: 0o600)
    }
}
