/// A whole policy file, parsed and normalised: the same for every order of keys and every comment.
///
/// Its hash is taken over its canonical encoding; where each key stood is kept apart, in `PolicySources`.
public struct PolicyDocument: Codable, Hashable, Sendable {
    /// The keys outside `rules`, defaults filled in.
    public var base: Policy
    /// In the order in which they move; the first that matches a node is its stage.
    public var stages: [Stage]
    /// How long bodies of ledger entries are kept; the chain itself stays.
    public var ledgerKeep: TimeSpan
    /// Whom to tell of what.
    public var notify: [Notification]
    /// In the file's order, in which those that match apply.
    public var rules: [PolicyRule]

    /// Makes the document of a file that sets nothing.
    public init(
        base: Policy = Policy(), stages: [Stage] = [.everyone], ledgerKeep: TimeSpan = .days(400),
        notify: [Notification] = [], rules: [PolicyRule] = []
    ) {
        self.base = base
        self.stages = stages
        self.ledgerKeep = ledgerKeep
        self.notify = notify
        self.rules = rules
    }
}

/// Keys that apply to some installations only.
public struct PolicyRule: Codable, Hashable, Sendable {
    /// The installations that it applies to.
    public var match: Match
    /// The keys that it sets for them.
    public var settings: PolicySettings

    /// Makes a rule.
    public init(match: Match, settings: PolicySettings) {
        self.match = match
        self.settings = settings
    }
}

/// The keys that a rule sets; nil where it leaves them alone.
///
/// Names and meanings are those of `Policy`.
public struct PolicySettings: Codable, Hashable, Sendable {
    public var timezone: String?
    public var unattended: Ceiling?
    public var approvable: Ceiling?
    public var approval: ApprovalRequirement?
    public var allowedVersions: VersionRange?
    public var pin: Pin?
    public var deny: [DeniedVersions]?
    public var origin: OriginRequirement?
    public var minimumReleaseAge: ReleaseAge?
    public var waypoints: Waypoints?
    public var windows: [Window]?
    public var freezes: [Freeze]?
    public var health: HealthPolicy?
    public var gates: [Gate]?
    public var drain: Drain?
    public var backup: Backup?
    public var rollback: RollbackMode?
    public var enforce: Enforcement?
    public var source: ArtifactSource?
    public var clock: ClockRequirement?
    public var overrides: [Override]?

    /// Makes settings that set nothing.
    public init() {}
}

/// Where each key of a policy document stands, so that a decision can say which line it came from.
public struct PolicySources: Codable, Hashable, Sendable {
    /// The file, as it was given.
    public var file: String
    /// Line numbers from 1, by path: `unattended`, `deny[0]`, `stages[1]`, `rules[2].windows`, `rules[0].deny[1]`.
    public var lines: [String: Int]

    /// Makes a table of places.
    public init(file: String, lines: [String: Int]) {
        self.file = file
        self.lines = lines
    }

    /// `FILE:LINE` of a path, or `default` where the file does not set it.
    public func source(of path: String) -> String {
        lines[path].map { "\(file):\($0)" } ?? "default"
    }
}

/// A policy file that was read and found valid.
public struct LoadedPolicy: Codable, Hashable, Sendable {
    /// What the file says.
    public var document: PolicyDocument
    /// Where each key stands in it.
    public var sources: PolicySources
    /// Over the document's canonical encoding.
    public var sha256: Digest

    /// Makes a loaded policy.
    public init(document: PolicyDocument, sources: PolicySources, sha256: Digest) {
        self.document = document
        self.sources = sources
        self.sha256 = sha256
    }
}

/// The policy as it applies to one installation, with where each key came from.
public struct ResolvedPolicy: Codable, Hashable, Sendable {
    /// Every key as it applies here.
    public var policy: Policy
    /// By key, and by element for those that accumulate (`deny[0]`): `FILE:LINE` or `default`.
    public var sources: [String: String]
    /// All stages, so that a decision can name those before this node's own.
    public var stages: [Stage]
    /// The index in `stages` of the stage that this node is in; nil where none matches it.
    public var stage: Int?
    /// The document's hash.
    public var sha256: Digest
    /// False where the newest file is invalid and this is the last valid one: it forbids, and allows nothing new.
    public var isCurrent: Bool

    /// Makes a resolved policy.
    public init(
        policy: Policy, sources: [String: String], stages: [Stage], stage: Int?, sha256: Digest,
        isCurrent: Bool
    ) {
        self.policy = policy
        self.sources = sources
        self.stages = stages
        self.stage = stage
        self.sha256 = sha256
        self.isCurrent = isCurrent
    }

    /// `FILE:LINE` of a key, or `default`.
    public func source(of key: String) -> String { sources[key] ?? "default" }
}
