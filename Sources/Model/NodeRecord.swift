/// What a node tells the others of itself (`rollout.md`, "The store"); it alone writes it.
public struct NodeRecord: Codable, Hashable, Sendable {
    /// The newest format that this program acts on.
    public static let newestFormat = 1

    /// How the text is to be read.
    public var format = NodeRecord.newestFormat
    /// HMAC of the machine's id: the same as long as the machine is.
    public var id: String
    /// Made at `adopt`: where another one writes under the same id, the machine was cloned.
    public var instance: String
    /// Names the boot in which it was written: two machines never share one.
    public var boot: String
    /// The name by which the policy knows it; a label, not an identity.
    public var name: String
    /// Its cluster.
    public var cluster: String
    /// The policy's first stage that matches it; nil where none does.
    public var stage: String?
    /// As in `RolloutArtifact.bytes`.
    public var architecture: String
    /// The normalised policy by which it decides; nil without one.
    public var policy: Digest?
    /// Grows with each write.
    public var sequence: Int64
    /// When it was written, by the node's own clock.
    public var at: Instant
    /// Its installations.
    public var parts: [Part]

    /// One installation of a node.
    public struct Part: Codable, Hashable, Sendable {
        /// Whose it is.
        public var distribution: Distribution
        /// Its name on the node.
        public var name: String
        /// What the node does in its cluster; nil where that is not known.
        public var role: Role?
        /// What runs; nil where that is not known.
        public var running: Version?
        /// What is installed: 64 hexadecimal digits of a SHA-256, or `revision:N`; nil where that is not known.
        public var bytes: String?
        /// Whether the node found itself well at its last look; nil where it did not ask.
        public var isWell: Bool?
        /// Whether it votes in the cluster's data store; nil where that is not known.
        public var votes: Bool?
        /// How far it has come in the rollout that `grant` is of: a token for a person.
        public var phase: String?
        /// The grant that it holds; nil where it holds none.
        public var grant: String?
        /// What it has earned of its soak.
        public var soak: TimeSpan?
        /// The rollout whose artifact it has proven last.
        public var proven: String?

        /// Makes a part.
        public init(
            distribution: Distribution, name: String, role: Role?, running: Version?, bytes: String?
        ) {
            self.distribution = distribution
            self.name = name
            self.role = role
            self.running = running
            self.bytes = bytes
        }
    }

    /// Makes a record.
    public init(
        id: String, instance: String, boot: String = "", name: String, cluster: String, stage: String?,
        architecture: String,
        policy: Digest?, sequence: Int64, at: Instant, parts: [Part]
    ) {
        self.id = id
        self.instance = instance
        self.boot = boot
        self.name = name
        self.cluster = cluster
        self.stage = stage
        self.architecture = architecture
        self.policy = policy
        self.sequence = sequence
        self.at = at
        self.parts = parts
    }
}

/// An artifact that failed somewhere in the fleet.
///
/// One that a person has cleared stays as cleared: a node on which it failed gives it back to a store that does not know
/// it, since that was restored, and leaves the clear alone.
public struct FleetQuarantine: Codable, Hashable, Sendable {
    /// 64 hexadecimal digits of a SHA-256, or `revision:N`.
    public var bytes: String
    /// Whose artifact it is.
    public var distribution: Distribution
    /// Its version; nil where it is not known.
    public var version: Version?
    /// Why, for a person.
    public var reason: String
    /// The name of the node on which it failed.
    public var node: String
    /// When, by that node's clock.
    public var at: Instant
    /// What a person said to it; nil while it is in force.
    public var cleared: Clearing?

    /// A person's word that bytes may be rolled out again.
    public struct Clearing: Codable, Hashable, Sendable {
        /// When, by the clock of the node on which it was said.
        public var at: Instant
        /// What the system says of who said it; root can forge it.
        public var claimedBy: String
        /// Why, in the person's words; empty where none were given.
        public var reason: String

        /// Makes a word.
        public init(at: Instant, claimedBy: String, reason: String) {
            self.at = at
            self.claimedBy = claimedBy
            self.reason = reason
        }
    }

    /// Makes an entry that is in force.
    public init(
        bytes: String, distribution: Distribution, version: Version?, reason: String, node: String,
        at: Instant
    ) {
        self.bytes = bytes
        self.distribution = distribution
        self.version = version
        self.reason = reason
        self.node = node
        self.at = at
    }
}
