import Model

/// One change before the rules: all that a rule may look at, and nothing else.
struct Question {
    let resolved: ResolvedPolicy
    let subject: Subject
    let fleet: FleetSummary
    let approvals: [Approval]
    let denials: [Denial]
    var now: Instant

    var policy: Policy { resolved.policy }
    var node: NodeFacts { subject.node }
    var change: Change { subject.change }
    var from: Version? { change.from.version }
    var to: Version? { change.to.version }
    var distribution: Distribution { change.installation.distribution }
    var role: Role? { subject.installation.role }

    /// What runs, where that is another version than the one that is meant to run.
    var unmeant: Version? {
        guard let version = subject.installation.running?.version, version != from else { return nil }
        return version
    }

    /// What the change is counted from: what is meant to run, and what does (invariants 9 and 12).
    ///
    /// A patch of what is approved is a downgrade of a newer version that somebody has started.
    var starts: [Version?] { [from] + [unmeant].compactMap(\.self) }

    /// The wider one by all that it is counted from.
    ///
    /// Worked out anew, so that a stored change cannot claim a smaller type than its versions have.
    var updateType: UpdateType { starts.map { UpdateType(from: $0, to: to) }.max() ?? .unknown }

    var skipsMinor: Bool { starts.contains { UpdateType.skipsMinor(from: $0, to: to) } }

    /// Both versions, where a reason counts from what runs; empty where it counts from what is meant to run.
    func whichRuns(_ start: Version?) -> String {
        guard let unmeant, start == unmeant else { return "" }
        return ", which runs (\(from.map(\.description) ?? "an unread version") is approved)"
    }

    /// `v1.31.4+k3s1`, or that it could not be read.
    var toText: String { to.map(\.description) ?? "the target's version, which could not be read" }

    /// `FILE:LINE` of a key, or `default`.
    func line(_ key: String) -> String { resolved.source(of: key) }

    /// The zone that the policy names; nil where there is no data for it.
    var zone: Zone? {
        if let zone = subject.zone, zone.name == policy.timezone { return zone }
        return policy.timezone == "UTC" ? .utc : nil
    }

    /// Whether rules may take the clock's word.
    var clockIsGood: Bool { subject.clockSynchronised == true || policy.clock == .trusted }

    /// `a patch update`, `an unknown update`, `a downgrade update of v1.32.1+k3s1, which runs (… is approved)`.
    var anUpdate: String {
        let type = updateType
        let what = (type == .unknown ? "an " : "a ") + "\(type.rawValue) update"
        guard let unmeant, UpdateType(from: from, to: to) < type else { return what }
        return what + " of \(unmeant)\(whichRuns(unmeant))"
    }

    /// The command that backs a target by its release's checksums; K3s's file does not name its version.
    var catalogCommand: String {
        let version = distribution == .k3s ? to.map { " --version \($0)" } ?? "" : ""
        return "holdfast catalog import FILE\(version)"
    }

    // MARK: Reasons

    func met(_ rule: RuleName, _ text: String, from source: String) -> Reason {
        Reason(rule: rule, result: .met, text: text, source: source)
    }

    func hold(
        _ rule: RuleName, _ text: String, from source: String, notBefore: Instant? = nil, lever: String
    ) -> Reason {
        Reason(rule: rule, result: .unmet, text: text, source: source, notBefore: notBefore, lever: lever)
    }

    func deny(_ rule: RuleName, _ text: String, from source: String, lever: String) -> Reason {
        Reason(rule: rule, result: .unmet, text: text, source: source, consequence: .deny, lever: lever)
    }

    func unknown(_ rule: RuleName, _ text: String, from source: String, lever: String) -> Reason {
        Reason(rule: rule, result: .unknown, text: text, source: source, lever: lever)
    }

    /// What a rule says that reads the time while nobody vouches for it.
    func clockUnknown(_ rule: RuleName, _ text: String, from source: String) -> Reason {
        unknown(rule, "\(text), and the clock is not known to be right", from: source, lever: clockLever)
    }

    var clockLever: String {
        "synchronise the clock (timedatectl set-ntp true), or set clock: trusted in the policy"
    }

    /// What a rule says that needs a zone for which this machine has no data.
    func zoneUnknown(_ rule: RuleName, from source: String) -> Reason {
        unknown(
            rule, "there is no data for the time zone \(policy.timezone)", from: source,
            lever: "install tzdata, or correct timezone in the policy")
    }

    func overrideLever(_ rule: RuleName) -> String {
        "an entry in overrides that names \(rule.rawValue), a reason and an end"
    }
}

/// Where rules stand that no policy key sets.
let builtIn = "built-in"

/// Where a denial stands that a person gave.
let denialSource = "holdfast deny"
