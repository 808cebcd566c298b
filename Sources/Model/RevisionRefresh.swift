/// A refresh of a snap to exactly one revision, which snapd carries out.
///
/// It is asked for once: snapd goes on with it without us, and takes it back by itself where services do not start.
public struct RevisionRefresh: Codable, Hashable, Sendable {
    /// What is refreshed.
    public var snap: String
    /// To which revision.
    public var revision: String
    /// What is installed before it.
    public var from: String
    /// It is asked for no earlier than this: what snapd did before is another's.
    public var since: Instant
    /// The channel that the snap follows from then on; nil for the one that it follows.
    public var channel: String?

    /// Makes a refresh.
    public init(snap: String, revision: String, from: String, since: Instant, channel: String? = nil) {
        self.snap = snap
        self.revision = revision
        self.from = from
        self.since = since
        self.channel = channel
    }
}

/// What snapd began for us and took back by itself.
public struct SnapdUndo: Codable, Hashable, Sendable {
    /// Why, for a person.
    public var reason: String
    /// Whether services were stopped already: the revision failed then, else only the way to it.
    public var hadStopped: Bool

    /// Makes a finding.
    public init(reason: String, hadStopped: Bool) {
        self.reason = reason
        self.hadStopped = hadStopped
    }
}
