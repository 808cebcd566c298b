/// What a node remembers of its own part in the rollouts of one distribution, in its own ledger.
///
/// Each change of it is committed before the node acts on it (invariant 7).
public struct Seat: Codable, Hashable, Sendable {
    /// How far the node has come.
    public enum Phase: Codable, Hashable, Sendable {
        /// It has no part in anything.
        case idle
        /// Its grant's id is committed, and may have been put.
        case asking
        /// The grant was seen in the document; nothing was begun.
        case granted
        /// Something irreversible may have been done.
        case stepping
        /// It runs the artifact, and earns its soak.
        case soaking
        /// Its soak is over; its grant is to become a proof.
        case proving
        /// The artifact failed here, and was put back as far as the rollback table lets it.
        case failing(reason: String)
    }

    /// How far it has come.
    public var phase: Phase
    /// The rollout that `phase` is about, else the last one that it was about.
    public var rollout: String?
    /// The grant that it asked for last.
    public var grant: Grant?
    /// What that grant lets this node try, as in `RolloutArtifact.bytes`: the rollout may be another one by the time it
    /// has failed.
    ///
    /// Nil before, and where an older Holdfast asked.
    public var bytes: String?
    /// The generation at which that grant was seen; nil before.
    public var grantedAt: Int64?
    /// The rollout that this node has proven last, and the generation that counted it.
    public var proven: Proof?
    /// The rollout in which the artifact failed here.
    public var failed: String?
    /// The greatest generation that this node has seen.
    public var highest: Int64

    /// A proof that counted.
    public struct Proof: Codable, Hashable, Sendable {
        /// The rollout.
        public var rollout: String
        /// The generation by which it was known to count.
        public var generation: Int64

        /// Makes a proof.
        public init(rollout: String, generation: Int64) {
            self.rollout = rollout
            self.generation = generation
        }
    }

    /// A node that never took part in anything.
    public init() {
        phase = .idle
        highest = 0
    }
}

/// A node's part in a rollout, as it is from now on.
public struct SeatTaking: Codable, Hashable, Sendable {
    /// Of which distribution's rollouts.
    public var distribution: Distribution
    /// The part.
    public var seat: Seat
    /// What is rolled out; nil where that is not known any longer.
    public var version: Version?
    /// Whether it came to another phase, rather than to know more of the document.
    public var isNews: Bool

    /// Makes a record.
    public init(distribution: Distribution, seat: Seat, version: Version?, isNews: Bool) {
        self.distribution = distribution
        self.seat = seat
        self.version = version
        self.isNews = isNews
    }
}
