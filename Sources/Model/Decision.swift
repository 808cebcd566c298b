/// What is to become of a change.
public enum Verdict: String, Codable, CaseIterable, Hashable, Sendable {
    case allow
    /// Not now: something is waited for.
    case hold
    /// Never under this policy.
    case deny
}

/// The rules, by the names that decisions, overrides, waivers and tests use (`Docs/reference.md`, "Rules by name").
public enum RuleName: String, Codable, CaseIterable, Hashable, Sendable {
    case ceiling
    case allowedVersions = "allowed-versions"
    case pin
    case deniedVersion = "denied-version"
    case origin
    case releaseAge = "release-age"
    case window
    case freeze
    case skipMinor = "skip-minor"
    case downgrade
    case major
    case skew
    case order
    case waypoint
    case stage
    case soak
    case quorum
    case gates
    case backup
    case health
    case quarantine
    case clock
    case identity
}

/// What became of one rule.
public enum RuleResult: String, Codable, CaseIterable, Hashable, Sendable {
    case met
    case unmet
    /// Not known, which is never taken for met.
    case unknown
}

/// One rule's share of a decision.
public struct Reason: Codable, Hashable, Sendable {
    /// The rule that was asked.
    public var rule: RuleName
    /// Whether it is met.
    public var result: RuleResult
    /// One sentence for a person: lower case, no full stop.
    public var text: String
    /// Where the rule stands: `/etc/holdfast/policy.yaml:7`, or `default`.
    public var source: String
    /// Where it is not met: whether waiting or a person can mend that (hold), or nothing under this policy (deny).
    public var consequence: Verdict
    /// From when on it would be met, where that can be known.
    public var notBefore: Instant?
    /// What a person can do about it, as a command or a policy key; nil where it is met.
    public var lever: String?

    /// Makes a reason.
    public init(
        rule: RuleName, result: RuleResult, text: String, source: String, consequence: Verdict = .hold,
        notBefore: Instant? = nil, lever: String? = nil
    ) {
        self.rule = rule
        self.result = result
        self.text = text
        self.source = source
        self.consequence = result == .met ? .allow : consequence
        self.notBefore = notBefore
        self.lever = result == .met ? nil : lever
    }
}

/// What the rules say of a change, with every reason, met ones too.
public struct Decision: Codable, Hashable, Sendable {
    /// Deny where one reason denies, hold where one is open, else allow.
    public var verdict: Verdict
    /// One or more for every rule, in the rules' order.
    public var reasons: [Reason]
    /// The earliest time at which it would be allowed as things stand; nil where that cannot be known.
    public var earliest: Instant?

    /// Makes a decision from its reasons: a single deny denies, anything unmet or unknown holds (invariant 2).
    public init(reasons: [Reason]) {
        self.reasons = reasons
        let open = reasons.filter { $0.result != .met }
        if open.isEmpty {
            verdict = .allow
        } else {
            verdict = open.contains { $0.result == .unmet && $0.consequence == .deny } ? .deny : .hold
        }
        // Only where each open rule names its time does the latest of them say anything.
        let times = open.compactMap(\.notBefore)
        earliest = verdict == .hold && times.count == open.count ? times.max() : nil
    }
}
