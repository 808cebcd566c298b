/// What a person has said of a rollout, or of what failed in one.
public struct RolloutWord: Codable, Hashable, Sendable {
    /// What can be said.
    public enum Word: Codable, Hashable, Sendable {
        case begin
        case pause
        case resume
        case abort
        /// A node's grant is freed, and it is waited for no longer.
        case evict(node: String)
        /// Bytes may be rolled out again.
        case clear(bytes: String)
        /// The record of a node that is gone for good is taken away.
        case forget(node: String)
    }

    /// Whose rollout.
    public var distribution: Distribution
    /// The rollout's id; nil where it is about none.
    public var rollout: String?
    /// What is rolled out; nil where that is not known.
    public var version: Version?
    /// What was said.
    public var word: Word
    /// Why, in the person's words; empty where none were asked for.
    public var reason: String
    /// What the system says of who said it; root can forge it.
    public var claimedBy: String

    /// Makes a record.
    public init(
        distribution: Distribution, rollout: String?, version: Version?, word: Word, reason: String,
        claimedBy: String
    ) {
        self.distribution = distribution
        self.rollout = rollout
        self.version = version
        self.word = word
        self.reason = reason
        self.claimedBy = claimedBy
    }

    /// For a person: `paused rollout 3f9a1c22b0 of K3s v1.32.1+k3s1`.
    public var summary: String {
        let what =
            "rollout \(rollout ?? "?") of \(distribution.displayName)" + (version.map { " \($0)" } ?? "")
        return switch word {
        case .begin: "began \(what)"
        case .pause: "paused \(what)"
        case .resume: "resumed \(what)"
        case .abort: "aborted \(what)"
        case .evict(let node): "took \(node) out of \(what)"
        case .clear(let bytes): "cleared the quarantine of \(distribution.displayName) \(bytes)"
        case .forget(let node): "forgot \(node)"
        }
    }
}
