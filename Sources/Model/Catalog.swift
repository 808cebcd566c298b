/// What a release checksum file says of one binary.
public struct CatalogEntry: Codable, Hashable, Sendable {
    /// Whose release the file is of.
    public var distribution: Distribution
    /// The release.
    public var version: Version
    /// What the binary is built for; from the asset's name.
    public var architecture: Architecture
    /// The digest that the publisher gives for the binary.
    public var sha256: Digest
    /// The file that was imported, as it was given.
    public var file: String
    /// When a person imported it.
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
    /// Absolute, as the unit names it.
    public var path: String
    /// The identity that everything here holds for; with another one nothing does.
    public var identity: FileIdentity
    /// Nil where the file was still too young for its hash to be kept.
    public var sha256: Digest?
    /// The version that its bytes claim; nil where they could not be read.
    public var version: Version?
    /// How the version was learnt.
    public var evidence: Evidence
    /// Why `version` is nil.
    public var unreadable: String?
    /// What it is built for, by its ELF header; nil where it is no ELF of a known kind.
    public var architecture: Architecture?
    /// When its bytes were last read in full; they are again after a day whatever the identity says.
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
