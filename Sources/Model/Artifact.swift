/// A SHA-256 digest.
public struct Digest: Hashable, Sendable {
    /// 64 lower-case hexadecimal digits.
    public let hex: String

    /// Reads 64 hexadecimal digits, with or without `sha256:` before them; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let digits = text.hasPrefix("sha256:") ? Substring(text).dropFirst(7) : Substring(text)
        guard digits.utf8.count == 64,
            digits.utf8.allSatisfy({
                (48...57).contains($0) || (97...102).contains($0) || (65...70).contains($0)
            })
        else { return nil }
        hex = digits.lowercased()
    }

    /// Makes a digest from its 32 bytes; nil for another count.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        hex = String(decoding: text, as: UTF8.self)
    }

    private init(hex: String) { self.hex = hex }

    /// The digest that stands where there are no bytes: of a policy that was never written.
    public static let none = Digest(hex: String(repeating: "0", count: 64))

    /// The first twelve digits, for people.
    public var short: String { String(hex.prefix(12)) }
}

extension Digest: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = Digest(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a SHA-256 digest")
        }
        self = digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}

/// What a distribution is installed from: a binary with a digest, or a revision of a snap.
///
/// A version alone does not make two artifacts the same; where digests or revisions are known they decide.
public struct Artifact: Codable, Hashable, Sendable {
    /// Nil where it could not be read.
    public var version: Version?
    /// The binary of this node's architecture.
    public var sha256: Digest?
    /// A snap's revision: a number, or `x1` and so on where it was sideloaded.
    public var revision: String?
    /// The channel that a snap follows.
    public var channel: String?

    /// Makes an artifact.
    public init(version: Version?, sha256: Digest? = nil, revision: String? = nil, channel: String? = nil) {
        self.version = version
        self.sha256 = sha256
        self.revision = revision
        self.channel = channel
    }

    /// Whether more than a version is known of it.
    var hasBytes: Bool { sha256 != nil || revision != nil }

    /// By which rules and rollouts name its bytes: a digest's hexadecimal digits, or `revision:N`; nil without either.
    public var bytes: String? { sha256?.hex ?? revision.map { "revision:\($0)" } }

    /// Whether anything is known of it at all.
    public var isKnown: Bool { version != nil || sha256 != nil || revision != nil }

    /// Whether both are the same bytes: the same digest, or the same revision.
    ///
    /// Nil where neither can be compared, which is not the same as no.
    public func isSameBytes(as other: Artifact) -> Bool? {
        if let sha256, let other = other.sha256 { return sha256 == other }
        if let revision, let other = other.revision { return revision == other }
        return nil
    }

    /// The version and what pins it, for people: `v1.31.4+k3s1 (sha256 0f3a…)`, `v1.32.4 (revision 7731)`.
    public var summary: String {
        let name = version.map(\.description) ?? "unreadable version"
        if let revision { return "\(name) (revision \(revision))" }
        if let sha256 { return "\(name) (sha256 \(sha256.short))" }
        return name
    }
}

/// How a version was learnt.
public enum Evidence: String, Codable, CaseIterable, Hashable, Sendable {
    /// From the linker flags in Go's build information.
    case goBuildInfo = "go-buildinfo"
    /// From the one version string of the right shape in read-only data.
    case embeddedString = "embedded-string"
    /// From a release checksum file that was imported.
    case catalog
    /// From snapd.
    case snapd
    /// From a person who approved the digest and stated its version.
    case approval
    /// Nobody knows.
    case unreadable
}

/// How far it is certain that the bytes are the release that they say they are.
public enum Origin: String, Codable, CaseIterable, Hashable, Sendable {
    /// By a release checksum, an imported catalogue, a snap assertion, or a person's approval of the digest.
    case verified
    /// By its own bytes alone.
    case claimed
    case unknown
}

/// What tells without reading it whether a file is still the same one.
public struct FileIdentity: Codable, Hashable, Sendable {
    // Bit patterns of unsigned numbers: overlay file systems use the highest bit, JSON integers here end below it.
    /// The number of the file system that it lies on, as a bit pattern.
    public var device: Int64
    /// The number of the inode, as a bit pattern; another one where a file was renamed into its place.
    public var inode: Int64
    /// Bytes.
    public var size: Int64
    /// Nanoseconds since the epoch.
    public var modified: Int64
    /// Nanoseconds since the epoch; moves with every change of the inode and cannot be set back.
    public var changed: Int64

    /// Makes an identity from the fields of `stat(2)`.
    public init(device: Int64, inode: Int64, size: Int64, modified: Int64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }
}
