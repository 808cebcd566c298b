/// What a change is judged on, besides policy, fleet and approvals.
public struct Subject: Codable, Hashable, Sendable {
    public var node: NodeFacts
    public var installation: Installation
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
    public var decision: Decision
    public var subject: Subject
    public var policy: ResolvedPolicy
    public var fleet: FleetSummary
    public var approvals: [Approval]
    public var now: Instant
    /// Versions of the data that rules read, by name: `rules`, `tzdata`.
    public var dataVersions: [String: String]

    /// Makes a record.
    public init(
        id: String, decision: Decision, subject: Subject, policy: ResolvedPolicy, fleet: FleetSummary,
        approvals: [Approval], now: Instant, dataVersions: [String: String]
    ) {
        self.id = id
        self.decision = decision
        self.subject = subject
        self.policy = policy
        self.fleet = fleet
        self.approvals = approvals
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
