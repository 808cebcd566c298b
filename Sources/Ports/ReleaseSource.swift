public import Model

/// Where the artifacts of an upgrade of K3s or k0s come from: releases on the web, a mirror, a directory, a file.
///
/// Every call is bounded in time, but for the bytes themselves, which end where nothing more comes. It is used by one
/// thread. MicroK8s comes from snapd.
public protocol ReleaseSource {
    /// The releases that it can tell of, the newest first; empty where it can list none, which is no error.
    func releases(of distribution: Distribution) throws(SourceFailure) -> [Version]

    /// Finds one release for one architecture, and by what its bytes are to be known.
    func find(_ wanted: WantedArtifact) throws(SourceFailure) -> FoundArtifact

    /// Brings the bytes here; they appear at `path` once they are proven to be what was found, and flushed to disk.
    ///
    /// What an interrupted attempt brought is gone on with. A failed proof leaves nothing behind. The file can be read
    /// by its owner alone, and nobody can execute it (invariant 11).
    ///
    /// - Parameters:
    ///   - path: in a directory of our own, which is made where it is missing.
    ///   - progress: told what has come; false gives up, and keeps what is there for the next attempt.
    func fetch(
        _ found: FoundArtifact, to path: String, progress: @escaping (FetchProgress) -> Bool
    ) throws(SourceFailure) -> FetchedArtifact
}

/// One artifact that somebody is looking for.
public struct WantedArtifact: Hashable, Sendable {
    /// Whose release.
    public var distribution: Distribution
    /// Which release.
    public var version: Version
    /// What it is to be built for.
    public var architecture: Architecture
    /// The digest that the policy, an approval or the rollout pins it to; nil where nothing does.
    public var pinned: Digest?
    /// The digest of an imported checksum file; nil where none says one.
    public var imported: Digest?

    /// Names an artifact.
    public init(
        _ distribution: Distribution, _ version: Version, _ architecture: Architecture,
        pinned: Digest? = nil, imported: Digest? = nil
    ) {
        self.distribution = distribution
        self.version = version
        self.architecture = architecture
        self.pinned = pinned
        self.imported = imported
    }

    /// A name for its file among downloads: `k3s-v1.31.4+k3s1-amd64`.
    public var fileName: String { "\(distribution.rawValue)-\(version)-\(architecture.rawValue)" }
}

/// An artifact that a source has, before its bytes are here.
public struct FoundArtifact: Hashable, Sendable {
    /// Who says which digest the bytes must have.
    public enum Proof: String, Hashable, Sendable {
        /// The release's checksum file, from the same source.
        case release = "the release's checksum file"
        /// Whoever asked.
        case pin = "the pinned digest"
        /// A checksum file that was imported.
        case imported = "the imported checksum file"
        /// The bytes themselves, which proves nothing.
        case bytes = "the file itself"
    }

    /// What was looked for.
    public var wanted: WantedArtifact
    /// What the source calls it: `k3s-arm64`.
    public var name: String
    /// The digest that its bytes must have; all that say one agree.
    public var sha256: Digest
    /// Who says so.
    public var proof: Proof
    /// In bytes; nil where only the download itself tells.
    public var size: Int64?
    /// Where it is, for people: without credentials, and without the query of a URL.
    public var place: String

    /// How far it is certain that it is the release that it says it is.
    public var origin: Origin { proof == .bytes ? .claimed : .verified }

    /// Makes what was found.
    public init(
        wanted: WantedArtifact, name: String, sha256: Digest, proof: Proof, size: Int64?, place: String
    ) {
        self.wanted = wanted
        self.name = name
        self.sha256 = sha256
        self.proof = proof
        self.size = size
        self.place = place
    }
}

/// How much of an artifact has come.
public struct FetchProgress: Hashable, Sendable {
    /// Bytes that are here, those of earlier attempts included.
    public var done: Int64
    /// Bytes in all; nil where nobody says.
    public var total: Int64?

    /// Makes progress.
    public init(done: Int64, total: Int64?) {
        self.done = done
        self.total = total
    }
}

/// An artifact whose bytes are here and proven.
public struct FetchedArtifact: Hashable, Sendable {
    /// Where its bytes are.
    public var path: String
    /// Their digest.
    public var sha256: Digest
    /// In bytes.
    public var size: Int64
    /// How the version was read from them.
    public var evidence: Evidence

    /// Makes what was fetched.
    public init(path: String, sha256: Digest, size: Int64, evidence: Evidence) {
        self.path = path
        self.sha256 = sha256
        self.size = size
        self.evidence = evidence
    }
}

/// Why a source did not do what was asked: what happened, where, and what to do about it.
public struct SourceFailure: Error, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Hashable, Sendable {
        /// The source has no such release.
        case notFound = "not-found"
        /// It did not answer, or not to the end; what came is kept.
        case unreachable
        /// Nothing would prove the bytes, or the source itself.
        case untrusted
        /// The bytes are not those of the release's, or the imported, checksum file.
        case checksum
        /// The bytes are not those that are pinned.
        case pin
        /// The bytes say another version than was asked for, or none.
        case version
        /// The bytes are built for something else.
        case architecture
        /// There is too little room for them.
        case space
        /// Whoever asked gave up; what came is kept.
        case stopped
        /// Another process is at it.
        case busy
        /// What the source says is not what it should be.
        case malformed
        /// The settings of the source cannot be used.
        case configuration
        case other
    }

    /// The kind of failure.
    public var code: Code
    /// Lower case, no full stop; without a credential (invariant 13).
    public var description: String

    /// Makes a failure.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether time alone may mend it.
    public var isTemporary: Bool {
        switch code {
        case .unreachable, .busy, .stopped, .space: true
        case .notFound, .untrusted, .checksum, .pin, .version, .architecture, .malformed, .configuration,
            .other:
            false
        }
    }
}
