public import Model

/// What earlier looks at a source of releases learnt, and when it is asked again.
public struct KnownSource: Codable, Hashable, Sendable {
    /// A label of the settings that it was asked with; what other settings told does not count.
    public var settings: String
    /// When it was asked last.
    public var askedAt: Instant
    /// How often in a row it has not answered.
    public var failures = 0
    /// Why it did not answer; nil where it did, or where time alone may mend it and it has failed but once.
    public var failure: String?
    /// What it tells of now, the newest first; at most one a minor.
    public var releases: [SeenRelease] = []
    /// What the channel said, the newest last; empty where no channel is followed.
    public var claims: [PlanClaim] = []

    /// Makes what is known of a source that was just asked for the first time.
    public init(settings: String, askedAt: Instant) {
        self.settings = settings
        self.askedAt = askedAt
    }

    /// A release that a source told of.
    public struct SeenRelease: Codable, Hashable, Sendable {
        /// The release.
        public var version: Version
        /// The digest for this node's architecture that was first read of it; nil where none was.
        public var sha256: Digest?
        /// How far it is certain that these are the release's bytes.
        public var origin: Origin

        /// Makes a release.
        public init(version: Version, sha256: Digest? = nil, origin: Origin = .claimed) {
            self.version = version
            self.sha256 = sha256
            self.origin = origin
        }
    }
}
