/// The newest entry of a ledger at some time, as a node signs it (design, "Checkpoint").
///
/// Whoever keeps one elsewhere can tell later whether anything up to that entry was changed or cut off.
public struct Checkpoint: Codable, Hashable, Sendable {
    /// The ledger's 16 random bytes as 32 hexadecimal digits.
    public var origin: String
    /// The entry's number, from 1.
    public var sequence: Int64
    /// The entry's hash, which covers all entries before it too.
    public var hash: Digest
    /// When it was signed, by the node's own clock.
    public var at: Instant

    /// The first line of what is signed; another format would have another one.
    public static let header = "holdfast ledger checkpoint 1"

    /// Makes a checkpoint.
    public init(origin: String, sequence: Int64, hash: Digest, at: Instant) {
        self.origin = origin
        self.sequence = sequence
        self.hash = hash
        self.at = at
    }

    /// The text that is signed: five lines, of which the first says what it is and the last is seconds since 1970.
    public var text: String { "\(Self.header)\n\(origin)\n\(sequence)\n\(hash.hex)\n\(at.seconds)\n" }

    /// Reads the text of a checkpoint; nil for anything but exactly what `text` gives.
    public init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 6, lines[0] == Self.header, Self.isOrigin(lines[1]),
            let sequence = Int64(lines[2]), sequence > 0, let hash = Digest(lines[3]),
            let at = Int64(lines[4])
        else { return nil }
        self.init(origin: lines[1], sequence: sequence, hash: hash, at: Instant(seconds: at))
        guard self.text == text else { return nil }
    }

    private static func isOrigin(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}

/// The public half of the key by which a node signs its checkpoints, for whoever audits its ledger.
public struct CheckpointKey: Codable, Hashable, Sendable {
    /// As C2SP's signed notes write a verifier key: name, key id and public key.
    public var verifier: String
    /// The one that the ledger knew before; nil for the first.
    public var replaces: String?

    /// Names a key.
    public init(verifier: String, replaces: String?) {
        self.verifier = verifier
        self.replaces = replaces
    }
}

/// What a node keeps of its newest checkpoint where the whole fleet sees it.
public struct FleetCheckpoint: Codable, Hashable, Sendable {
    /// The node's id, as in `NodeRecord.id`.
    public var node: String
    /// The signed note, whole.
    public var note: String

    /// Makes an entry.
    public init(node: String, note: String) {
        self.node = node
        self.note = note
    }
}
