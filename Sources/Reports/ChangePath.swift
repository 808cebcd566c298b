public import Model

/// One way by which the version of an installation can change, and whether it is kept shut.
public struct ChangePath: Encodable, Hashable, Sendable {
    /// Every way that is known.
    public enum Name: String, Codable, CaseIterable, Hashable, Sendable {
        case autoRefresh = "auto-refresh"
        case namedRefresh = "named-refresh"
        case installer
        case sucPlan = "suc-plan"
        case autopilot
        case packageManager = "package-manager"
        case imageSwap = "image-swap"
        case root
    }

    /// How it stands.
    public enum State: String, Codable, CaseIterable, Hashable, Sendable {
        /// Every guard on it is proven to be in force.
        case held
        case notHeld = "not-held"
        /// A guard is meant to be there, and something keeps it from being proven.
        case notProven = "not-proven"
        /// Nothing on a node can hold it; it is detected.
        case cannotBeHeld = "cannot-be-held"
    }

    /// Which way.
    public var path: Name
    /// How it stands.
    public var state: State
    /// Which guard, since when, or why not, or what would prove it.
    public var evidence: String
    /// What changes it: a command, or a line of the policy; nil where nothing would.
    public var lever: String?

    /// Makes a path.
    public init(_ path: Name, _ state: State, _ evidence: String, lever: String? = nil) {
        self.path = path
        self.state = state
        self.evidence = evidence
        self.lever = lever
    }
}

/// The paths of one installation.
public struct InstallationPaths: Encodable, Hashable, Sendable {
    /// Which distribution it is.
    public var distribution: Distribution
    /// Its unit without `.service`, or its snap.
    public var name: String
    /// In the order of the design's table.
    public var paths: [ChangePath]

    /// Makes the paths of an installation.
    public init(_ id: InstallationID, _ paths: [ChangePath]) {
        distribution = id.distribution
        name = id.name
        self.paths = paths
    }
}
