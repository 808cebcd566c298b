/// What is known of the other nodes when a decision is made.
public struct FleetSummary: Codable, Hashable, Sendable {
    /// One node of a cluster, this one included.
    public struct Member: Codable, Hashable, Sendable {
        /// The node's name in the policy's sense, by which stages match it.
        public var name: String
        /// The cluster it belongs to; skew is judged within one.
        public var cluster: String
        /// What it does there; skew rules differ for control plane and kubelets.
        public var role: Role
        /// What it runs; nil where that is not known.
        public var running: Version?
        /// Whether it answers and is Ready; nil where that is not known.
        public var healthy: Bool?
        /// Whether it votes in the cluster's data store; nil where that is not known or it has no vote.
        public var votes: Bool?
        /// Why nobody knows whether it is healthy, for a person; nil where that is known, or nothing more is.
        public var doubt: String?

        /// Makes a member.
        public init(
            name: String, cluster: String, role: Role, running: Version?, healthy: Bool?, votes: Bool?
        ) {
            self.name = name
            self.cluster = cluster
            self.role = role
            self.running = running
            self.healthy = healthy
            self.votes = votes
        }
    }

    /// Whether an earlier stage has proven a given artifact.
    public struct StageProgress: Codable, Hashable, Sendable {
        /// The stage's name in the policy.
        public var stage: String
        /// The change's id.
        public var change: String
        /// Whether the stage asks for nothing more before the next one may begin.
        public var met: Bool
        /// Soak that the nodes of the stage still owe, at the least.
        public var soakLeft: TimeSpan

        /// Makes a stage's progress.
        public init(stage: String, change: String, met: Bool, soakLeft: TimeSpan) {
            self.stage = stage
            self.change = change
            self.met = met
            self.soakLeft = soakLeft
        }
    }

    /// An artifact that failed somewhere and that a person has not cleared.
    public struct Quarantined: Codable, Hashable, Sendable {
        /// A digest's hexadecimal digits, or `revision:N`.
        public var bytes: String
        /// What failed, for a person.
        public var reason: String
        /// Whether it failed on this very node, where approving it anew lifts the quarantine; nil for one of the fleet's.
        public var isOwn: Bool?

        /// Makes an entry.
        public init(bytes: String, reason: String, isOwn: Bool? = nil) {
            self.bytes = bytes
            self.reason = reason
            self.isOwn = isOwn
        }
    }

    /// Whether the store answered; where not, nothing new is begun (invariant 2).
    public var answered: Bool
    /// Whether the store can see other machines at all; the SQLite store sees this one only.
    public var seesOthers: Bool
    /// Every node that the store knows, this one included.
    public var members: [Member]
    /// What each stage has proven of the artifacts that are under way.
    public var stages: [StageProgress]
    /// Artifacts that no node may begin with.
    public var quarantine: [Quarantined]
    /// The rollout that is under way, by its id; nil where none is.
    public var rollout: String?
    /// Why this node's control plane may have members that are not among these, for a person; nil where it has none.
    public var unseen: String?

    /// Makes a summary.
    public init(
        answered: Bool, seesOthers: Bool, members: [Member], stages: [StageProgress],
        quarantine: [Quarantined], rollout: String? = nil, unseen: String? = nil
    ) {
        self.answered = answered
        self.seesOthers = seesOthers
        self.members = members
        self.stages = stages
        self.quarantine = quarantine
        self.rollout = rollout
        self.unseen = unseen
    }

    /// What a node on the embedded store knows: itself.
    public static let alone = FleetSummary(
        answered: true, seesOthers: false, members: [], stages: [], quarantine: [])
}
