import Model

// Rules that read the time; windows have a file of their own.
extension Question {
    func releaseAge() -> Reason {
        let source = line("minimumReleaseAge")
        let type = updateType
        let required = policy.minimumReleaseAge.required(for: type)
        guard required > .zero else {
            return met(.releaseAge, "no age is asked of \(anUpdate)", from: source)
        }
        let asked = "\(anUpdate) must be \(required.policyText) old"
        guard clockIsGood else { return clockUnknown(.releaseAge, asked, from: source) }
        // Nobody can have seen it before it was published, so first sight alone is enough; a publisher's date
        // alone is not, since it is only the publisher's word.
        guard let firstSeen = change.firstSeen else {
            return unknown(
                .releaseAge, "\(asked), and no synchronised clock has seen it yet", from: source,
                lever: "wait for a tick with a synchronised clock, or minimumReleaseAge in the policy")
        }
        let counted = max(change.published ?? firstSeen, firstSeen)
        let ripe = counted + required
        if now >= ripe {
            return met(.releaseAge, "\(asked), and is: it counts from \(counted)", from: source)
        }
        return hold(
            .releaseAge, "\(asked), which it is from \(ripe) on", from: source, notBefore: ripe,
            lever: waiveLever(.releaseAge, key: "minimumReleaseAge"))
    }

    func freeze() -> Reason {
        guard !policy.freezes.isEmpty else { return met(.freeze, "nothing is frozen", from: line("freezes")) }
        let relevant = policy.freezes.enumerated().filter { concerns($0.element) }
        guard let first = relevant.first else {
            return met(
                .freeze, "no freeze is for \(anUpdate)", from: line("freezes"))
        }
        guard let zone else { return zoneUnknown(.freeze, from: line("freezes[\(first.offset)]")) }
        guard clockIsGood else {
            return clockUnknown(
                .freeze, "there is a freeze from \(first.element.from) until \(first.element.until)",
                from: line("freezes[\(first.offset)]"))
        }
        func isFrozen(_ instant: Instant, by freeze: Freeze) -> Bool {
            zone.firstInstant(of: freeze.from, second: 0) <= instant
                && instant < zone.firstInstant(of: freeze.until, second: 0)
        }
        guard let active = relevant.first(where: { isFrozen(now, by: $0.element) }) else {
            return met(.freeze, "no freeze is in force", from: line("freezes"))
        }
        // One freeze can end inside another: go on until an instant is outside all of them.
        var thaw = now
        while let next = relevant.first(where: { isFrozen(thaw, by: $0.element) }) {
            thaw = zone.firstInstant(of: next.element.until, second: 0)
        }
        return hold(
            .freeze,
            "frozen from \(active.element.from) until \(active.element.until): \(active.element.reason)",
            from: line("freezes[\(active.offset)]"), notBefore: thaw,
            lever: waiveLever(.freeze, key: "freezes"))
    }

    private func concerns(_ freeze: Freeze) -> Bool {
        switch (freeze.scope, updateType) {
        case (.all, _): true
        case (.minor, .build), (.minor, .patch): false
        // Whatever is wider than a minor, and what nobody knows, is frozen with it.
        case (.minor, .minor), (.minor, .major), (.minor, .downgrade), (.minor, .unknown): true
        }
    }

    /// What in this policy reads the time, apart from overrides, which are added where one is looked at.
    var timesRead: [String] {
        var names: [String] = []
        if policy.windows != nil { names.append("window") }
        if policy.freezes.contains(where: concerns) { names.append("freeze") }
        if policy.minimumReleaseAge.required(for: updateType) > .zero { names.append("release-age") }
        let leansOnApproval =
            !policy.unattended.admits(updateType)
            || (policy.origin == .verified && change.origin == .claimed) || isVersionStated
        if leansOnApproval, !matchingApprovals.isEmpty { names.append("the end of an approval") }
        return names
    }

    /// Whether the target's version is known only from an approval, which has an end.
    private var isVersionStated: Bool {
        guard let installed = subject.installation.installed, installed.evidence == .approval else {
            return false
        }
        return installed.artifact.isSameBytes(as: change.to) == true
    }

    /// Whether what reads the time may take the clock's word.
    func clockRule(timesRead names: [String]) -> Reason {
        let source = line("clock")
        guard !names.isEmpty else { return met(.clock, "nothing here reads the time", from: source) }
        let list = names.joined(separator: ", ")
        if subject.clockSynchronised == true {
            return met(.clock, "the clock is synchronised (read by: \(list))", from: source)
        }
        if policy.clock == .trusted {
            return met(
                .clock,
                "clock: trusted takes effect: the clock is not known to be synchronised, and its word "
                    + "is taken all the same (read by: \(list))", from: source)
        }
        if subject.clockSynchronised == nil {
            return unknown(
                .clock, "nobody can say whether the clock is synchronised (read by: \(list))", from: source,
                lever: clockLever)
        }
        return hold(
            .clock, "the clock is not synchronised (read by: \(list))", from: source, lever: clockLever)
    }

    func waiveLever(_ rule: RuleName, key: String) -> String {
        policy.approval.mayWaive.contains(rule)
            ? "wait, or holdfast approve \(change.id) --waive \(rule.rawValue) --reason TEXT"
            : "wait, or \(key) in the policy"
    }
}
