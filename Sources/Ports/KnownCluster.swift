public import Model

/// What earlier looks at the cluster learnt, and when it is asked again.
public struct KnownCluster: Codable, Hashable, Sendable {
    /// What it told last; nil where it never answered.
    public var seen: ClusterObservation?
    /// When it was asked last.
    public var askedAt: Instant
    /// How often in a row it has not answered.
    public var failures = 0
    /// Why it did not answer; nil where it did.
    public var failure: String?
    /// What channels said, by the plan's path, the newest last.
    public var claims: [String: [PlanClaim]] = [:]
    /// Whether a label was set since it was asked, so that what it told of labels is no longer so.
    public var hasActed = false
    /// Why people could not be told of something; nil where the last time went well.
    public var untold: Problem?
    /// When that was.
    public var untoldAt: Instant?

    /// Makes what is known.
    public init(askedAt: Instant) { self.askedAt = askedAt }
}

/// What system-upgrade-controller once said that a plan's channel says.
public struct PlanClaim: Codable, Hashable, Sendable {
    /// As it stood in the plan's status.
    public var text: String
    /// The channel that was asked.
    public var channel: String
    /// When it was first seen.
    public var at: Instant

    /// Makes a claim.
    public init(text: String, channel: String, at: Instant) {
        self.text = text
        self.channel = channel
        self.at = at
    }
}
