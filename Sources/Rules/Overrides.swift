import Model

extension Question {
    /// How the overrides stand to one rule.
    enum OverrideState {
        case none
        /// One names the rule and its end has not come.
        case inForce(Override, index: Int)
        /// One names the rule, but without a clock or a zone nobody can tell whether its end has come.
        case undecided(index: Int, why: String)
    }

    /// The override that sets a rule aside here, if there is one.
    func override(of rule: RuleName) -> OverrideState {
        var undecided: OverrideState?
        for (index, entry) in policy.overrides.enumerated()
        where entry.rule == rule
            && entry.match.applies(to: node, distribution: distribution, role: role)
        {
            guard let zone else {
                let why = "there is no data for the time zone \(policy.timezone)"
                undecided = undecided ?? .undecided(index: index, why: why)
                continue
            }
            guard clockIsGood else {
                let why = "the clock is not known to be right"
                undecided = undecided ?? .undecided(index: index, why: why)
                continue
            }
            if now < zone.firstInstant(of: entry.until, second: 0) {
                return .inForce(entry, index: index)
            }
        }
        return undecided ?? .none
    }

    /// Whether an override is of no avail whatever it says.
    private func standsAlways(_ reason: Reason) -> Bool {
        switch reason.rule {
        // What the target is has to be known before anything can be said of it (policy.md, "Update types").
        case .identity: true
        case .ceiling: updateType == .unknown || !resolved.isCurrent
        case .skipMinor, .downgrade, .major: updateType == .unknown
        // An entry of the policy can be set aside by another; a person's no stands until it is revoked.
        case .deniedVersion: denial != nil
        // The end of an override is read off the very clock that is in doubt.
        case .clock: true
        default: false
        }
    }

    /// A rule's reason after overrides and waivers, and what read the time on the way.
    func setAside(_ reason: Reason) -> (reason: Reason, readTime: String?) {
        guard reason.result != .met, !standsAlways(reason) else { return (reason, nil) }
        let rule = reason.rule
        switch override(of: rule) {
        case .inForce(let entry, let index):
            let text =
                "set aside by an override until \(entry.until) (\(entry.reason)); without it: \(reason.text)"
            return (met(rule, text, from: line("overrides[\(index)]")), "an override of \(rule.rawValue)")
        case .undecided(let index, let why):
            // No longer "never": it would be allowed if the override still holds.
            let text =
                "\(reason.text); an override (\(line("overrides[\(index)]"))) might set this aside, but \(why)"
            let open = unknown(rule, text, from: reason.source, lever: reason.lever ?? clockLever)
            return (open, "an override of \(rule.rawValue)")
        case .none:
            break
        }
        guard waivable.contains(rule), policy.approval.mayWaive.contains(rule),
            let approval = approvalsInForce.first(where: { $0.waives.contains(rule) })
        else { return (reason, nil) }
        let text = "waived by approval \(approval.id) (\(approval.reason)); without it: \(reason.text)"
        return (met(rule, text, from: line("approval")), nil)
    }
}

/// The rules that an approval may waive where the policy lets it (policy.md, `approval.mayWaive`).
private let waivable: Set<RuleName> = [.window, .freeze, .releaseAge, .soak, .quorum]
