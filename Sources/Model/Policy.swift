/// What applies to one installation of one node: every key of the policy file, defaults filled in.
///
/// The schema and each key's meaning are in `Docs` (policy.md); the defaults are its table.
public struct Policy: Codable, Hashable, Sendable {
    public var timezone = "UTC"
    public var unattended = Ceiling.none
    public var approvable = Ceiling.minor
    public var approval = ApprovalRequirement()
    public var allowedVersions = VersionRange.any
    public var pin = Pin()
    public var deny: [DeniedVersions] = []
    public var origin = OriginRequirement.verified
    public var minimumReleaseAge = ReleaseAge()
    public var waypoints = Waypoints.shipped
    /// Nil means always.
    public var windows: [Window]?
    public var freezes: [Freeze] = []
    public var health = HealthPolicy()
    public var gates: [Gate] = [.deprecatedAPIs(coverage: .hours(24))]
    public var drain = Drain()
    public var backup = Backup()
    public var rollback = RollbackMode.automatic
    public var enforce = Enforcement()
    public var source = ArtifactSource()
    public var clock = ClockRequirement.synchronised
    public var overrides: [Override] = []

    /// Makes the policy of a file that sets nothing.
    public init() {}
}

/// How many people must approve, and for how long that holds.
public struct ApprovalRequirement: Codable, Hashable, Sendable {
    /// More than 1 is an error until approvals are signed.
    public var required = 1
    public var expires = TimeSpan.days(7)
    public var mayWaive: [RuleName] = []

    /// Makes the default requirement.
    public init() {}
}

/// The only artifact that is wanted; each part that is set must match.
public struct Pin: Codable, Hashable, Sendable {
    public var version: Version?
    public var channel: String?
    public var revision: String?
    /// By architecture.
    public var digest: [String: Digest] = [:]

    /// Makes a pin to nothing.
    public init() {}

    public var isEmpty: Bool { version == nil && channel == nil && revision == nil && digest.isEmpty }
}

/// Versions that must not run, and why.
public struct DeniedVersions: Codable, Hashable, Sendable {
    public var versions: VersionRange
    public var reason: String
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
    public var build = TimeSpan.zero
    public var patch = TimeSpan.zero
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
    public var from: VersionRange
    public var through: VersionRange
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
    public var days: [Weekday]
    /// Minutes after local midnight.
    public var start: Int
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
    public var scope: Scope
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

    public var checks: [Check] = [.unit, .running, .readyz, .nodeReady]
    public var interval = TimeSpan(seconds: 30)
    public var timeout = TimeSpan(seconds: 10)
    public var failureLimit = 3
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

    public var enabled = Mode.auto
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

    public var mode = Mode.auto
    public var command: [String] = []
    public var verify: [String] = []
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
    public enum Hold: String, Codable, CaseIterable, Hashable, Sendable { case general, none }
    public enum GateMode: String, Codable, CaseIterable, Hashable, Sendable {
        case restore, refuse, warn, off
    }
    public enum Plans: String, Codable, CaseIterable, Hashable, Sendable { case block, warn, off }

    public var hold = Hold.none
    public var gate = GateMode.off
    public var veto = false
    public var plans = Plans.off
    public var seal = false

    /// Makes the default: nothing is enforced.
    public init() {}
}

/// Where artifacts come from.
public struct ArtifactSource: Codable, Hashable, Sendable {
    /// A URL template or a directory; empty where there is no source.
    public var releases = ""
    public var channel = ""
    public var poll = TimeSpan.hours(6)
    public var caFile = ""
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
    public var rule: RuleName
    public var reason: String
    /// Exclusive, midnight in the policy's zone.
    public var until: CivilDate
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
    public var distribution: [Distribution] = []
    public var role: [Role] = []
    /// Globs over node names.
    public var node: [String] = []
    /// Globs over cluster names.
    public var cluster: [String] = []
    public var labels: [String: String] = [:]
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

    public var name: String
    public var nodes: [String] = ["*"]
    public var labels: [String: String] = [:]
    public var clusters: [String] = ["*"]
    public var maxConcurrent = 1
    public var need = Need.all
    public var soak = TimeSpan.zero
    public var deadline = TimeSpan.hours(24)

    /// Makes a stage of that name with the defaults.
    public init(name: String) { self.name = name }

    /// The stage of a policy file that names none.
    public static let everyone = Stage(name: "all")
}

/// Whom to tell of what.
public struct Notification: Codable, Hashable, Sendable {
    public enum Target: Codable, Hashable, Sendable {
        case webhook(String)
        case command([String])
    }
    public enum Occasion: String, Codable, CaseIterable, Hashable, Sendable {
        case held, denied, undone
        case needsApproval = "needs-approval"
        case done, failed
        case guardBroken = "guard-broken"
        case paused
    }

    public var target: Target
    public var on: [Occasion]

    /// Makes a notification.
    public init(target: Target, on: [Occasion]) {
        self.target = target
        self.on = on
    }
}
