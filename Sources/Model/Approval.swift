/// A person's word that a change may pass the ceiling.
///
/// It answers nothing else, but for what it waives by name.
public struct Approval: Codable, Hashable, Sendable {
    /// Whom an approval speaks for.
    public enum Scope: Codable, Hashable, Sendable {
        case node(String)
        case stage(String)
        case rollout(String)
    }

    /// A short label by which a person revokes it.
    public var id: String
    /// The distribution whose change it lets pass.
    public var distribution: Distribution
    /// The target's version; nil where only digests or a revision name the target.
    public var version: Version?
    /// The digest for each architecture; empty for a snap.
    public var digests: [String: Digest]
    /// The target's revision where it is a snap.
    public var revision: String?
    /// The versions that it may start from; empty means any.
    public var from: [Version]
    /// Whom it speaks for.
    public var scope: Scope
    /// When it was given, by this node's clock.
    public var approvedAt: Instant
    /// Exclusive.
    public var expires: Instant
    /// Rules that it waives besides the ceiling.
    public var waives: [RuleName]
    /// Why, in the approver's words.
    public var reason: String
    /// What the system says of who approved; root can forge it.
    public var claimedBy: String
    /// Nodes that have used it up (invariant 6): in a fleet's store their ids, in a node's own ledger `thisNode`.
    ///
    /// A name there is a label beside it, and the mark of a ledger that an older Holdfast wrote.
    public var spentBy: [String]

    /// In `spentBy` of a node's own ledger: that node, whatever it is called by now.
    public static let thisNode = "."

    /// Makes an approval.
    public init(
        id: String, distribution: Distribution, version: Version?, digests: [String: Digest],
        revision: String?,
        from: [Version], scope: Scope, approvedAt: Instant, expires: Instant, waives: [RuleName],
        reason: String,
        claimedBy: String, spentBy: [String]
    ) {
        self.id = id
        self.distribution = distribution
        self.version = version
        self.digests = digests
        self.revision = revision
        self.from = from
        self.scope = scope
        self.approvedAt = approvedAt
        self.expires = expires
        self.waives = waives
        self.reason = reason
        self.claimedBy = claimedBy
        self.spentBy = spentBy
    }
}

extension Approval {
    /// Whether the node whose ledger it stands in has used it up.
    ///
    /// - Parameter name: what the node is called.
    public func isSpent(on name: String) -> Bool {
        spentBy.contains { $0 == Self.thisNode || $0 == name }
    }

    /// The target for people: its version, and the revision or the digests that pin it.
    public var summary: String {
        let name = version.map(\.description) ?? "any version"
        if let revision { return "\(name) (revision \(revision))" }
        let pins = digests.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.short)" }
        return pins.isEmpty ? name : "\(name) (sha256 \(pins.joined(separator: ", ")))"
    }
}

extension Approval.Scope: CustomStringConvertible {
    /// For people: `node edge-1`.
    public var description: String {
        switch self {
        case .node(let name): "node \(name)"
        case .stage(let name): "stage \(name)"
        case .rollout(let name): "rollout \(name)"
        }
    }
}
