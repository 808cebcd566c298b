/// What a release checksum file says of one binary.
public struct CatalogEntry: Codable, Hashable, Sendable {
    public var distribution: Distribution
    public var version: Version
    public var architecture: Architecture
    public var sha256: Digest
    /// The file that was imported, as it was given.
    public var file: String
    public var importedAt: Instant

    /// Makes an entry.
    public init(
        distribution: Distribution, version: Version, architecture: Architecture, sha256: Digest,
        file: String,
        importedAt: Instant
    ) {
        self.distribution = distribution
        self.version = version
        self.architecture = architecture
        self.sha256 = sha256
        self.file = file
        self.importedAt = importedAt
    }
}

/// What was once learnt of a file's bytes, and the identity that it holds for.
public struct KnownFile: Codable, Hashable, Sendable {
    public var path: String
    public var identity: FileIdentity
    /// Nil where the file was still too young for its hash to be kept.
    public var sha256: Digest?
    public var version: Version?
    public var evidence: Evidence
    public var unreadable: String?
    public var architecture: Architecture?
    public var hashedAt: Instant

    /// Makes an entry of the identity cache.
    public init(
        path: String, identity: FileIdentity, sha256: Digest?, version: Version?, evidence: Evidence,
        unreadable: String?, architecture: Architecture?, hashedAt: Instant
    ) {
        self.path = path
        self.identity = identity
        self.sha256 = sha256
        self.version = version
        self.evidence = evidence
        self.unreadable = unreadable
        self.architecture = architecture
        self.hashedAt = hashedAt
    }
}
