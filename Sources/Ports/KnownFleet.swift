public import Model

/// What earlier looks at the fleet's store learnt, and when it is asked again.
public struct KnownFleet: Codable, Hashable, Sendable {
    /// When it was asked last.
    public var askedAt: Instant
    /// Why it did not answer; nil where it did.
    public var failure: String?
    /// By distribution: the rollout as it was then.
    public var documents: [String: RolloutDocument] = [:]
    /// The nodes of this node's cluster, as they were when they were last asked for.
    public var members: [NodeRecord] = []
    /// When that was; nil where they never were.
    public var membersAt: Instant?
    /// When people's approvals were last asked for; nil where they never were.
    public var approvalsAt: Instant?
    /// Whether the store sees other machines at all.
    public var seesOthers = false
    /// This node's control plane as its cluster told of it last; nil where it never did.
    public var controlPlane: ControlPlane?
    /// Why that is not how things stand: why the cluster could not be asked at the newest look; nil where it answered.
    public var controlPlaneFailure: String?
    /// What failed somewhere.
    public var quarantine: [FleetQuarantine] = []
    /// What people have approved for more than one node.
    public var approvals: [Approval] = []
    /// This node's own record, as it was last about to be written: a later one in the store is somebody else's.
    public var record: NodeRecord?
    /// Whether it is known to be there.
    public var isWritten = false
    /// Who else writes under this node's id, for a person; nil where nobody does.
    public var stranger: String?
    /// What this node waits for, by distribution, for a person.
    public var waits: [String: String] = [:]
    /// Why no rollout begins of what the policy lets in, by distribution, for a person; nil where nothing is in its way.
    public var unbegun: [String: String]?

    /// Makes what is known.
    public init(askedAt: Instant) { self.askedAt = askedAt }
}
