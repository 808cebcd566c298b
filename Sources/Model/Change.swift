/// What brings a change.
public enum Trigger: String, Codable, CaseIterable, Hashable, Sendable {
    /// snapd by itself.
    case autoRefresh = "auto-refresh"
    /// A person or a tool named the snap to snapd.
    case namedRefresh = "named-refresh"
    /// Somebody put another file in the binary's place.
    case fileReplaced = "file-replaced"
    case sucPlan = "suc-plan"
    case autopilotPlan = "autopilot-plan"
    case rollout
    case unknown
}

/// How far a change has come.
public enum Phase: String, Codable, CaseIterable, Hashable, Sendable {
    case offered
    case onDisk = "on-disk"
    case running
}

/// From the artifact that this node is meant to run to another one.
public struct Change: Codable, Hashable, Sendable {
    /// A short label over distribution, target version and target digests; the same on every node.
    public var id: String
    /// Which installation of this node it would change.
    public var installation: InstallationID
    /// What brings it.
    public var trigger: Trigger
    /// How far it goes, by the two versions.
    public var updateType: UpdateType
    /// Whether it leaves out a minor between the two.
    public var skipsMinor: Bool
    /// How far it has come.
    public var phase: Phase
    /// What this node is meant to run.
    public var from: Artifact
    /// What it would run.
    public var to: Artifact
    /// How certain it is that the target is the release that it says it is.
    public var origin: Origin
    /// When the target was published, by the publisher's word.
    public var published: Instant?
    /// When a synchronised clock of this node first saw the target.
    public var firstSeen: Instant?

    /// Makes a change; its type follows from the two artifacts.
    public init(
        id: String, installation: InstallationID, trigger: Trigger, phase: Phase, from: Artifact,
        to: Artifact,
        origin: Origin, published: Instant? = nil, firstSeen: Instant? = nil
    ) {
        self.id = id
        self.installation = installation
        self.trigger = trigger
        updateType = UpdateType(from: from.version, to: to.version)
        skipsMinor = UpdateType.skipsMinor(from: from.version, to: to.version)
        self.phase = phase
        self.from = from
        self.to = to
        self.origin = origin
        self.published = published
        self.firstSeen = firstSeen
    }

    /// What `id` is the digest of; the same text on every node for the same target.
    public static func labelText(distribution: Distribution, target: Artifact) -> String {
        let version = target.version.map(\.description) ?? "unreadable"
        let bytes =
            target.revision.map { "revision:\($0)" } ?? target.sha256.map { "sha256:\($0.hex)" } ?? "unknown"
        return "\(distribution.rawValue) \(version) \(bytes)"
    }
}
