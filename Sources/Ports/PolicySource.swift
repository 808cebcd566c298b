public import Model

/// Where the policy comes from.
public protocol PolicySource {
    /// Reads the policy.
    ///
    /// - Parameters:
    ///   - now: the start of the look.
    ///   - known: what an earlier reading learnt of the file, and what the next one may go by.
    func load(now: Instant, known: inout KnownPolicy?) -> PolicyReading
}

/// The hash that the policy of a file had, known since a reading at which the file stood untouched.
///
/// A policy is hashed in its canonical encoding, which costs more than all else that is done with it.
public struct KnownPolicy: Codable, Hashable, Sendable {
    /// The file, as it is called on this machine.
    public var path: String
    /// The file when it was read.
    public var identity: FileIdentity
    /// The program that hashed it; another one may read more or less out of the same file.
    public var program: FileIdentity
    /// The policy's hash.
    public var sha256: Digest
    /// When the policy was last encoded.
    public var hashedAt: Instant

    /// Makes what is known of a policy.
    public init(
        path: String, identity: FileIdentity, program: FileIdentity, sha256: Digest, hashedAt: Instant
    ) {
        self.path = path
        self.identity = identity
        self.program = program
        self.sha256 = sha256
        self.hashedAt = hashedAt
    }
}

/// What reading the policy gave.
public enum PolicyReading: Hashable, Sendable {
    /// There is no policy file.
    case absent(file: String)
    case valid(LoadedPolicy)
    case invalid(PolicyRejection)

    /// The policy, where there is one to go by.
    public var loaded: LoadedPolicy? {
        if case .valid(let loaded) = self { loaded } else { nil }
    }

    /// Whether there is a policy to go by.
    public var isValid: Bool {
        if case .valid = self { true } else { false }
    }
}

/// Where time zones come from.
public protocol ZoneSource {
    /// The zone of that IANA name, and which data it is from; nil where there is none.
    func zone(named name: String) -> (zone: Zone, dataVersion: String)?
}
