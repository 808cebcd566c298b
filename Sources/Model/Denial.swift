/// A person's standing no to exact bytes, until it is revoked.
///
/// It outweighs every approval, and no override of the policy sets it aside.
public struct Denial: Codable, Hashable, Sendable {
    /// A short label by which a person revokes it.
    public var id: String
    /// Whose artifact it is.
    public var distribution: Distribution
    /// The artifact that is not wanted; its digest or revision decides, its version is for people.
    public var target: Artifact
    /// When it was given, by this node's clock.
    public var deniedAt: Instant
    /// Why, in the person's words.
    public var reason: String
    /// What the system says of who denied; root can forge it.
    public var claimedBy: String

    /// Makes a denial.
    public init(
        id: String, distribution: Distribution, target: Artifact, deniedAt: Instant, reason: String,
        claimedBy: String
    ) {
        self.id = id
        self.distribution = distribution
        self.target = target
        self.deniedAt = deniedAt
        self.reason = reason
        self.claimedBy = claimedBy
    }

    /// Whether it speaks of an artifact: exactly these bytes, whatever version they are said to be.
    public func covers(_ artifact: Artifact, of distribution: Distribution) -> Bool {
        distribution == self.distribution && target.isSameBytes(as: artifact) == true
    }
}

/// A person's taking back of an approval or a denial.
public struct Revocation: Codable, Hashable, Sendable {
    /// What is taken back, as it stood.
    public enum Revoked: Codable, Hashable, Sendable {
        case approval(Approval)
        case denial(Denial)
    }

    /// What is taken back, as it stood.
    public var revoked: Revoked
    /// What the system says of who revoked; root can forge it.
    public var claimedBy: String

    /// Makes a revocation.
    public init(revoked: Revoked, claimedBy: String) {
        self.revoked = revoked
        self.claimedBy = claimedBy
    }
}
