public import Model

/// The version of the rules; stored with every decision.
///
/// Raised when one of them would decide otherwise, or say the same in other words: one version gives the same bytes.
public let rulesVersion = "3"

/// What the rules say of a change: one reason for each of `RuleName.allCases`, in that order, met ones too.
///
/// A pure function of its arguments (invariant 5). What is not known never gives allow (invariant 2).
public func evaluate(
    policy: ResolvedPolicy, subject: Subject, fleet: FleetSummary, approvals: [Approval],
    denials: [Denial], now: Instant
) -> Decision {
    let question = Question(
        resolved: policy, subject: subject, fleet: fleet, approvals: approvals,
        denials: denials, now: now)
    var decision = Decision(reasons: question.reasons())
    decision.earliest = earliestAllowed(decision, question)
    return decision
}

/// When a held change would be allowed as things stand; nil where that cannot be known.
///
/// The latest of the times that open rules name need not satisfy the others: a freeze can end while no window
/// is open. So each time is judged in turn.
private func earliestAllowed(_ decision: Decision, _ question: Question) -> Instant? {
    var candidate = decision.earliest
    for _ in 0..<maximumLooksAhead {
        guard let instant = candidate else { return nil }
        var later = question
        later.now = instant
        let then = Decision(reasons: later.reasons())
        if then.verdict == .allow { return instant }
        guard let next = then.earliest, next > instant else { return nil }
        candidate = next
    }
    return nil
}

/// Enough for a year of freezes and windows that keep missing each other; beyond it no time is named.
private let maximumLooksAhead = 64

extension Question {
    /// Every rule's reason, overrides and waivers taken into account.
    func reasons() -> [Reason] {
        var settled: [RuleName: Reason] = [:]
        var read = timesRead
        for rule in RuleName.allCases where rule != .clock {
            let reason = judge(rule)
            let (final, needsClock) = setAside(reason)
            settled[rule] = final
            if let needsClock { read.append(needsClock) }
        }
        return RuleName.allCases.map { settled[$0] ?? clockRule(timesRead: read) }
    }

    private func judge(_ rule: RuleName) -> Reason {
        switch rule {
        case .ceiling: ceiling()
        case .allowedVersions: allowedVersions()
        case .pin: pin()
        case .deniedVersion: deniedVersion()
        case .origin: origin()
        case .releaseAge: releaseAge()
        case .window: window()
        case .freeze: freeze()
        case .skipMinor: skipMinor()
        case .downgrade: downgrade()
        case .major: major()
        case .skew: skew()
        case .order: order()
        case .waypoint: waypoint()
        case .stage: stageRule()
        case .soak: soak()
        case .quorum: quorum()
        case .gates: gates()
        case .backup: backup()
        case .health: health()
        case .quarantine: quarantine()
        case .clock: clockRule(timesRead: timesRead)
        case .identity: identity()
        }
    }
}
