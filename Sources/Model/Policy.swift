/// What applies to one installation of one node: every key of the policy file, defaults filled in.
///
/// The schema and each key's meaning are in `Docs/reference.md`; the defaults are its table.
public struct Policy: Codable, Hashable, Sendable {
    /// The IANA zone of windows, freezes and the ends of overrides.
    public var timezone = "UTC"
    /// The widest update type that goes ahead with nobody asked.
    public var unattended = Ceiling.none
    /// The widest update type that an approval can release.
    public var approvable = Ceiling.minor
    /// What an approval has to be.
    public var approval = ApprovalRequirement()
    /// The only versions that may run.
    public var allowedVersions = VersionRange.any
    /// The only artifact that may run.
    public var pin = Pin()
    /// Versions that must not run; gathered from all rules that match.
    public var deny: [DeniedVersions] = []
    /// Whether bytes must be proven to be the release that they say they are.
    public var origin = OriginRequirement.verified
    /// How long a release must have been out.
    public var minimumReleaseAge = ReleaseAge()
    /// Versions that may not be jumped over.
    public var waypoints = Waypoints.shipped
    /// Nil means always.
    public var windows: [Window]?
    /// When nothing is begun; gathered from all rules that match.
    public var freezes: [Freeze] = []
    /// How a node is judged after a step.
    public var health = HealthPolicy()
    /// What is asked once in a rollout, before a minor.
    public var gates: [Gate] = [.deprecatedAPIs(coverage: .hours(24))]
    /// Whether a node is emptied before its step.
    public var drain = Drain()
    /// What is saved before a step.
    public var backup = Backup()
    /// Who puts a failed artifact back.
    public var rollback = RollbackMode.automatic
    /// Which ways of keeping a change out are used.
    public var enforce = Enforcement()
    /// Where artifacts come from.
    public var source = ArtifactSource()
    /// Whether rules that read the time need a synchronised clock.
    public var clock = ClockRequirement.synchronised
    /// Rules that are set aside for a while; gathered from all rules that match.
    public var overrides: [Override] = []

    /// Makes the policy of a file that sets nothing.
    public init() {}
}

/// How many people must approve, and for how long that holds.
public struct ApprovalRequirement: Codable, Hashable, Sendable {
    /// More than 1 is an error until approvals are signed.
    public var required = 1
    /// How long an approval is good for when it does not say so itself.
    public var expires = TimeSpan.days(7)
    /// Rules that an approval may set aside by naming them.
    public var mayWaive: [RuleName] = []

    /// Makes the default requirement.
    public init() {}
}

/// The only artifact that is wanted; each part that is set must match.
public struct Pin: Codable, Hashable, Sendable {
    /// The version that is wanted; nil for any.
    public var version: Version?
    /// The snap channel that must be followed, track and risk: `1.31/stable`.
    public var channel: String?
    /// The snap revision that is wanted.
    public var revision: String?
    /// By architecture.
    public var digest: [String: Digest] = [:]

    /// Makes a pin to nothing.
    public init() {}

    /// Whether nothing is pinned.
    public var isEmpty: Bool { version == nil && channel == nil && revision == nil && digest.isEmpty }
}

/// Versions that must not run, and why.
public struct DeniedVersions: Codable, Hashable, Sendable {
    /// The versions that are meant.
    public var versions: VersionRange
    /// Why, for whoever meets the denial.
    public var reason: String
    /// Where to read more; empty where there is nothing.
    public var url: String

    /// Makes an entry.
    public init(versions: VersionRange, reason: String, url: String) {
        self.versions = versions
        self.reason = reason
        self.url = url
    }
}

/// Whether bytes must be proven to be the release that they say they are.
public enum OriginRequirement: String, Codable, CaseIterable, Hashable, Sendable {
    case verified
    /// Their own word is enough, which lint warns about.
    case claimed
}

/// How old a release must be, by update type.
public struct ReleaseAge: Codable, Hashable, Sendable {
    /// For another build of the same version.
    public var build = TimeSpan.zero
    /// For another patch of the same minor.
    public var patch = TimeSpan.zero
    /// For another minor, and whatever is wider.
    public var minor = TimeSpan.zero

    /// Makes the default: no age asked for.
    public init() {}

    /// The age that a change of that type needs.
    public func required(for type: UpdateType) -> TimeSpan {
        switch type {
        case .build: build
        case .patch: patch
        case .minor, .major, .downgrade, .unknown: minor
        }
    }
}

/// Versions that must be passed through.
public enum Waypoints: Codable, Hashable, Sendable {
    /// The table that ships with the rules.
    case shipped
    case none
    case listed([Waypoint])
}

/// Whoever runs a version in `from` goes on to a version in `through` before any newer one.
public struct Waypoint: Codable, Hashable, Sendable {
    /// The versions that it applies to.
    public var from: VersionRange
    /// The versions of which one must be run on the way.
    public var through: VersionRange
    /// What would go wrong without it.
    public var reason: String

    /// Makes a waypoint.
    public init(from: VersionRange, through: VersionRange, reason: String) {
        self.from = from
        self.through = through
        self.reason = reason
    }
}

/// When a step may begin: on these days, from a local time on, for a while.
public struct Window: Codable, Hashable, Sendable {
    /// The days on which it starts; it may end on the next.
    public var days: [Weekday]
    /// Minutes after local midnight.
    public var start: Int
    /// From its start on; may cross midnight.
    public var duration: TimeSpan

    /// Makes a window.
    public init(days: [Weekday], start: Int, duration: TimeSpan) {
        self.days = days
        self.start = start
        self.duration = duration
    }
}

/// When nothing is begun, from midnight of one date to midnight of another, in the policy's zone.
public struct Freeze: Codable, Hashable, Sendable {
    /// What is frozen.
    public enum Scope: String, Codable, CaseIterable, Hashable, Sendable {
        case all
        case minor
    }

    /// Inclusive.
    public var from: CivilDate
    /// Exclusive.
    public var until: CivilDate
    /// Whether everything is frozen, or minors alone.
    public var scope: Scope
    /// Why, for whoever has to wait.
    public var reason: String

    /// Makes a freeze.
    public init(from: CivilDate, until: CivilDate, scope: Scope, reason: String) {
        self.from = from
        self.until = until
        self.scope = scope
        self.reason = reason
    }
}

/// How a node is judged healthy after a step.
public struct HealthPolicy: Codable, Hashable, Sendable {
    /// One question that is asked of a node.
    public enum Check: Codable, Hashable, Sendable {
        case unit
        case running
        case readyz
        case nodeReady
        case etcdVoter
        case dqliteVoters
        case http(String)
        case command([String])
    }

    /// All of them must pass.
    public var checks: [Check] = [.unit, .running, .readyz, .nodeReady]
    /// Between two rounds of checks.
    public var interval = TimeSpan(seconds: 30)
    /// How long one check may take before it counts as failed.
    public var timeout = TimeSpan(seconds: 10)
    /// How many rounds may fail before the node counts as unhealthy.
    public var failureLimit = 3
    /// Good rounds in a row that are needed.
    public var consecutiveSuccesses = 3
    /// From restart to the last of the checks.
    public var deadline = TimeSpan.minutes(15)

    /// Makes the default.
    public init() {}
}

/// A question that is asked once in a rollout, before a minor.
public enum Gate: Codable, Hashable, Sendable {
    case deprecatedAPIs(coverage: TimeSpan)
    case command([String], timeout: TimeSpan)
}

/// Whether a node is emptied before its step.
public struct Drain: Codable, Hashable, Sendable {
    /// `auto`: before minors on k0s workers.
    public enum Mode: String, Codable, CaseIterable, Hashable, Sendable {
        case auto
        case enabled = "true"
        case disabled = "false"
    }

    /// When a node is drained.
    public var enabled = Mode.auto
    /// How long pods may take to leave.
    public var timeout = TimeSpan.minutes(5)

    /// Makes the default.
    public init() {}
}

/// What is saved before a step.
public struct Backup: Codable, Hashable, Sendable {
    /// `auto`: required before minors on control-plane nodes.
    public enum Mode: String, Codable, CaseIterable, Hashable, Sendable {
        case auto
        case required
        case ifPossible
        case off
    }

    /// When a backup is needed.
    public var mode = Mode.auto
    /// What makes the backup of a store that Holdfast cannot back up itself; a program and its arguments.
    public var command: [String] = []
    /// What shows that the backup can be read; a program and its arguments.
    public var verify: [String] = []
    /// How many are kept.
    public var keep = 3

    /// Makes the default.
    public init() {}
}

/// Who puts a failed artifact back.
public enum RollbackMode: String, Codable, CaseIterable, Hashable, Sendable {
    /// Holdfast, within the table of the rollout protocol.
    case automatic
    case manual
}

/// Which ways of keeping a change out are used.
public struct Enforcement: Codable, Hashable, Sendable {
    /// Which hold is placed on the snap.
    public enum Hold: String, Codable, CaseIterable, Hashable, Sendable { case general, none }
    /// What the gate does with an artifact that is neither approved nor last good.
    public enum GateMode: String, Codable, CaseIterable, Hashable, Sendable {
        case restore, refuse, warn, off
    }
    /// What is done about a plan whose target is not allowed.
    public enum Plans: String, Codable, CaseIterable, Hashable, Sendable { case block, warn, off }

    /// The hold at snapd.
    public var hold = Hold.none
    /// The gate in front of a K3s or k0s unit.
    public var gate = GateMode.off
    /// Whether the gate on snap units refuses an unapproved revision while snapd is at it.
    public var veto = false
    /// The label that keeps system-upgrade-controller from this node.
    public var plans = Plans.off
    /// Whether the binary is made immutable.
    public var seal = false

    /// What sealing costs, for `policy lint` and `doctor`: lower case, no full stop.
    public static let sealWarning =
        "a sealed binary stops installers and cp, but system-upgrade-controller and autopilot cordon the node first "
        + "and then fail, and an attempt leaves no trace"

    /// Makes the default: nothing is enforced.
    public init() {}
}

/// Where artifacts come from.
public struct ArtifactSource: Codable, Hashable, Sendable {
    /// A URL template or a directory; empty where there is no source but, with a channel, the makers' own releases.
    ///
    /// In a URL `{version}`, `{arch}` (`amd64`, `arm64`, `arm`) and `{file}` are replaced, percent-encoded; without any
    /// of them releases lie below it, `VERSION/FILE` each, as on the makers' site and on every mirror of it.
    public var releases = ""
    /// The channel of releases that is followed, or a URL that answers its version; empty for none.
    ///
    /// A mirror or a directory says the version of a channel in `CHANNEL.txt`, beside its releases.
    public var channel = ""
    /// How often the source is asked.
    public var poll = TimeSpan.hours(6)
    /// Certificates that the source is checked against instead of the system's; empty for the system's.
    public var caFile = ""
    /// The proxy to the source; empty for none.
    public var proxy = ""

    /// Makes the default: no source.
    public init() {}
}

/// Whether rules that read the time need a synchronised clock.
public enum ClockRequirement: String, Codable, CaseIterable, Hashable, Sendable {
    case synchronised
    /// Whatever the clock says; printed wherever it takes effect.
    case trusted
}

/// One rule that is set aside for a while, and why.
public struct Override: Codable, Hashable, Sendable {
    /// The rule that is set aside.
    public var rule: RuleName
    /// Why, for whoever reads the decision.
    public var reason: String
    /// Exclusive, midnight in the policy's zone.
    public var until: CivilDate
    /// The installations for which it is.
    public var match: Match

    /// Makes an override.
    public init(rule: RuleName, reason: String, until: CivilDate, match: Match) {
        self.rule = rule
        self.reason = reason
        self.until = until
        self.match = match
    }
}

/// Which installations are meant; every part that is set must match, and none set means all.
public struct Match: Codable, Hashable, Sendable {
    /// Any of these.
    public var distribution: [Distribution] = []
    /// Any of these.
    public var role: [Role] = []
    /// Globs over node names.
    public var node: [String] = []
    /// Globs over cluster names.
    public var cluster: [String] = []
    /// Labels of node.yaml, all of which the node must have.
    public var labels: [String: String] = [:]
    /// Any of these.
    public var arch: [Architecture] = []

    /// Makes a match for everything.
    public init() {}
}

/// A group of nodes that move after the groups before it.
public struct Stage: Codable, Hashable, Sendable {
    /// How many nodes of a stage must prove an artifact.
    public enum Need: Codable, Hashable, Sendable {
        case all
        case count(Int)
    }

    /// By which decisions and approvals name it.
    public var name: String
    /// Globs over node names, any of which must match.
    public var nodes: [String] = ["*"]
    /// Labels of node.yaml, all of which the node must have.
    public var labels: [String: String] = [:]
    /// Globs over cluster names, any of which must match.
    public var clusters: [String] = ["*"]
    /// How many of its nodes may be in a step at once.
    public var maxConcurrent = 1
    /// How many of its nodes must prove an artifact before the next stage begins.
    public var need = Need.all
    /// How long an artifact must have run well on those nodes.
    public var soak = TimeSpan.zero
    /// How long the stage may take.
    public var deadline = TimeSpan.hours(24)

    /// Makes a stage of that name with the defaults.
    public init(name: String) { self.name = name }

    /// The stage of a policy file that names none.
    public static let everyone = Stage(name: "all")
}

/// Whom to tell of what.
public struct Notification: Codable, Hashable, Sendable {
    /// How somebody is told.
    public enum Target: Codable, Hashable, Sendable {
        case webhook(String)
        case command([String])
    }
    /// What somebody is told of.
    public enum Occasion: String, Codable, CaseIterable, Hashable, Sendable {
        case held, denied, undone
        case needsApproval = "needs-approval"
        case done, failed
        case guardBroken = "guard-broken"
        case paused
    }

    /// How it is told; a URL may carry a secret (invariant 13).
    public var target: Target
    /// On which occasions.
    public var on: [Occasion]

    /// Makes a notification.
    public init(target: Target, on: [Occasion]) {
        self.target = target
        self.on = on
    }
}
