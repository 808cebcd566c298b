/// What a change is judged on, besides policy, fleet and approvals.
public struct Subject: Codable, Hashable, Sendable {
    /// The node that it was judged for.
    public var node: NodeFacts
    /// The installation as it was observed then.
    public var installation: Installation
    /// The change that was judged.
    public var change: Change
    /// Whether the clock is synchronised; nil where nobody could say.
    public var clockSynchronised: Bool?
    /// The policy's zone; nil where this machine has no data for it.
    public var zone: Zone?

    /// Makes a subject.
    public init(
        node: NodeFacts, installation: Installation, change: Change, clockSynchronised: Bool?, zone: Zone?
    ) {
        self.node = node
        self.installation = installation
        self.change = change
        self.clockSynchronised = clockSynchronised
        self.zone = zone
    }
}

/// A decision with all that it was made from, so that it can be made again (invariant 5).
public struct DecisionRecord: Codable, Hashable, Sendable {
    /// A short label over what was decided; the same while verdict and rule results stay the same.
    public var id: String
    /// What came of it.
    public var decision: Decision
    /// The facts of this node that went into it.
    public var subject: Subject
    /// The policy as it applied to this installation.
    public var policy: ResolvedPolicy
    /// What was known of other nodes.
    public var fleet: FleetSummary
    /// The approvals that were there, used or not.
    public var approvals: [Approval]
    /// The denials that were there.
    @OmittedWhenEmpty public var denials: [Denial]
    /// The time that rules compared with.
    public var now: Instant
    /// Versions of the data that rules read, by name: `rules`, `tzdata`.
    public var dataVersions: [String: String]

    /// Makes a record.
    public init(
        id: String, decision: Decision, subject: Subject, policy: ResolvedPolicy, fleet: FleetSummary,
        approvals: [Approval], denials: [Denial] = [], now: Instant,
        dataVersions: [String: String]
    ) {
        self.id = id
        self.decision = decision
        self.subject = subject
        self.policy = policy
        self.fleet = fleet
        self.approvals = approvals
        self.denials = denials
        self.now = now
        self.dataVersions = dataVersions
    }

    /// What `id` is the digest of: the change, the policy, and each rule's result, but no time and no text.
    public static func labelText(change: Change, policy: Digest, decision: Decision) -> String {
        let results = decision.reasons.map { "\($0.rule.rawValue)=\($0.result.rawValue)" }
        return
            ([
                change.installation.description, change.id, change.phase.rawValue, policy.hex,
                decision.verdict.rawValue,
            ] + results).joined(separator: " ")
    }
}
