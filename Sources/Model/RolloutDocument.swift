/// One rollout of one distribution, as every node that takes part reads and writes it (`rollout.md`, "The store").
///
/// Grants, progress and abort lie in one value, because a swap of a single key can make nothing else atomic. It changes
/// by the transitions of this module alone, each of which makes `generation` one greater.
public struct RolloutDocument: Codable, Hashable, Sendable {
    /// The newest format that this program acts on; what is newer is read and left alone.
    public static let newestFormat = 1

    /// How the text is to be read.
    public var format = RolloutDocument.newestFormat
    /// Grows with every transition, over rollouts too: one that is less than a node has seen went back in time.
    public var generation: Int64
    /// Names this rollout and no other.
    public var id: String
    /// What is rolled out.
    public var distribution: Distribution
    /// Which release, and for each architecture which bytes.
    public var artifact: RolloutArtifact
    /// The normalised policy under which it was planned; a node with another one asks for no grant.
    public var policy: Digest
    /// How it stands.
    public var state: State
    /// Why it does not run, for a person; nil while it does.
    public var reason: String?
    /// One for each control plane and each cluster's workers.
    public var tracks: [Track]
    /// What a store that went back in time has lost; nil where it never did.
    public var lost: LostSpan?
    /// What the gates answered, by cluster: asked once, before its first node; nil where none was asked.
    public var gates: [String: GateAnswer]?
    /// What is to come after this one, for people: the rest of the ladder.
    public var then: [Version]?

    /// What the gates of a cluster answered.
    public struct GateAnswer: Codable, Hashable, Sendable {
        /// By the clock of the node that asked.
        public var at: Instant
        /// Which node asked.
        public var node: String
        /// What was asked and answered, for a person.
        public var text: String

        /// Makes an answer that lets the rollout go on; what does not is no answer, and is asked again.
        public init(at: Instant, node: String, text: String) {
            self.at = at
            self.node = node
            self.text = text
        }
    }

    /// How a rollout can stand.
    public enum State: String, Codable, CaseIterable, Hashable, Sendable {
        case running
        /// By a person, or by a deadline.
        case paused
        /// An artifact failed on a node.
        case halted
        case aborted
        case done

        /// Whether nothing of it will ever move again.
        public var hasEnded: Bool { self == .aborted || self == .done }
    }

    /// Makes a document; `plan` makes one from nodes and a policy.
    public init(
        generation: Int64, id: String, distribution: Distribution, artifact: RolloutArtifact, policy: Digest,
        state: State = .running, reason: String? = nil, tracks: [Track]
    ) {
        self.generation = generation
        self.id = id
        self.distribution = distribution
        self.artifact = artifact
        self.policy = policy
        self.state = state
        self.reason = reason
        self.tracks = tracks
    }
}

/// Generations that were seen and that a restored store knows nothing of.
public struct LostSpan: Codable, Hashable, Sendable {
    /// What the restored document was at; nothing of it was lost.
    public var after: Int64
    /// Where it goes on.
    public var before: Int64

    /// Makes a span.
    public init(after: Int64, before: Int64) {
        self.after = after
        self.before = before
    }

    /// Whether what was written then is lost.
    public func contains(_ generation: Int64) -> Bool { after < generation && generation < before }
}

/// A release, and what it is on each architecture.
public struct RolloutArtifact: Codable, Hashable, Sendable {
    /// The release.
    public var version: Version
    /// By architecture: 64 hexadecimal digits of a SHA-256, or `revision:N`.
    public var bytes: [String: String]
    /// The channel that a snap follows from then on; nil where it stays as it is.
    public var channel: String?

    /// Names a release.
    public init(version: Version, bytes: [String: String], channel: String? = nil) {
        self.version = version
        self.bytes = bytes
        self.channel = channel
    }
}

/// One cluster's control plane, or one cluster's workers.
public struct Track: Codable, Hashable, Sendable {
    /// The two kinds; a node that is both belongs to the control plane.
    public enum Kind: String, Codable, CaseIterable, Hashable, Sendable {
        case controlPlane = "control-plane"
        case workers
    }

    /// The cluster.
    public var cluster: String
    /// Which of its nodes.
    public var kind: Kind
    /// In the policy's order; a stage without a node of this track is left out, and so counts as met.
    public var stages: [StageState]

    /// Makes a track.
    public init(cluster: String, kind: Kind, stages: [StageState]) {
        self.cluster = cluster
        self.kind = kind
        self.stages = stages
    }
}

/// How far one stage of one track has come.
public struct StageState: Codable, Hashable, Sendable {
    /// The stage's name in the policy.
    public var name: String
    /// Its place among the policy's stages: one that is less comes first, whatever the track.
    public var position: Int
    /// How many nodes must prove the artifact, at least 1.
    public var need: Int
    /// Whether that was all nodes that matched when it was planned: an evicted one then is waited for no longer.
    public var needsAll: Bool
    /// How many nodes may hold a grant at once.
    public var max: Int
    /// Nodes that may be in a step, or soak after one.
    public var granted: [Grant]
    /// How many nodes have proven it, by architecture; who did stands in their own records.
    public var proven: [String: Int]
    /// Nodes whose grant a person took back, or that a person no longer waits for.
    public var evicted: [String]
    /// When its first grant was given, by that node's clock; nil before.
    public var begun: Instant?
    /// How long it may take from then on.
    public var deadline: TimeSpan
    /// Whether it was met once; that is never taken back.
    public var met: Bool

    /// Makes a stage before its first grant.
    public init(name: String, position: Int, need: Int, needsAll: Bool, max: Int, deadline: TimeSpan) {
        self.name = name
        self.position = position
        self.need = need
        self.needsAll = needsAll
        self.max = max
        granted = []
        proven = [:]
        evicted = []
        begun = nil
        self.deadline = deadline
        met = false
    }

    /// How many have proven it.
    public var provenCount: Int { proven.values.reduce(0, +) }

    /// How many must, without those that nobody waits for.
    public var effectiveNeed: Int { needsAll ? Swift.max(1, need - evicted.count) : need }

    /// Enough nodes have proven it, and none is in the midst of it.
    public var isFulfilled: Bool { provenCount >= effectiveNeed && granted.isEmpty }
}

/// A node's leave to take one step; it never expires, and is held until its soak is over.
public struct Grant: Codable, Hashable, Sendable {
    /// The holder's id.
    public var node: String
    /// Made by the holder and committed in its ledger before it was asked for.
    public var id: String

    /// Makes a grant.
    public init(node: String, id: String) {
        self.node = node
        self.id = id
    }
}
