import Model

extension Question {
    /// How wide a change may be, with nobody asked and with an approval (invariant 1).
    func ceiling() -> Reason {
        let reason = widthRule()
        // An invalid policy goes on forbidding, and allows nothing new (invariant 2).
        guard !resolved.isCurrent, !(reason.result == .unmet && reason.consequence == .deny),
            reason.result != .unknown
        else { return reason }
        // The last valid one may have come from another file than the one that is not valid now.
        let file = resolved.sources[policyFileKey] ?? "default"
        return hold(
            .ceiling,
            "the policy file is not valid or not there; the last valid policy goes on forbidding and allows "
                + "nothing new",
            from: file, lever: "correct the policy file: holdfast policy lint")
    }

    private func widthRule() -> Reason {
        let type = updateType
        switch type {
        case .unknown:
            return unknown(
                .ceiling,
                "the update type is not known: \(starts.map(describe).joined(separator: ", ")) and "
                    + "\(describe(to)) cannot be compared",
                from: builtIn,
                lever: "make the version known: holdfast catalog import FILE, or approve the digest with a "
                    + "stated version")
        case .major, .downgrade:
            // Wider than any ceiling; an override of its own rule makes it a thing that can be approved, never
            // one that happens with nobody asked.
            let rule: RuleName = type == .major ? .major : .downgrade
            guard case .inForce = override(of: rule), policy.approvable >= .minor else {
                return deny(
                    .ceiling, "no ceiling takes in \(anUpdate)", from: line("approvable"),
                    lever: overrideLever(rule))
            }
            return approved(type)
        case .build, .patch, .minor:
            if policy.unattended.admits(type) {
                return met(
                    .ceiling,
                    "\(anUpdate) is within unattended: \(policy.unattended.rawValue)",
                    from: line("unattended"))
            }
            guard policy.approvable.admits(type) else {
                return deny(
                    .ceiling,
                    "\(anUpdate) is above unattended: \(policy.unattended.rawValue) and "
                        + "above approvable: \(policy.approvable.rawValue)", from: line("approvable"),
                    lever: "approvable: \(type.rawValue) in the policy")
            }
            return approved(type)
        }
    }

    /// What the approvals say of a change that only they can release.
    private func approved(_ type: UpdateType) -> Reason {
        let needed = max(1, policy.approval.required)
        let matching = matchingApprovals
        let inForce = approvalsInForce
        let persons = Set(inForce.map(\.claimedBy)).count
        if persons >= needed {
            let names = inForce.map { "\($0.id) (by \($0.claimedBy), until \($0.expires))" }
            return met(
                .ceiling,
                "\(anUpdate), released by approval \(names.joined(separator: " and "))",
                from: line("approvable"))
        }
        let above = "\(anUpdate) is above unattended: \(policy.unattended.rawValue)"
        let lever = "holdfast approve \(change.id)"
        if !clockIsGood, Set(matching.map(\.claimedBy)).count >= needed {
            return clockUnknown(
                .ceiling, "\(above); an approval is there but it has an end", from: line("unattended"))
        }
        var text = "\(above) and needs an approval"
        if needed > 1 { text = "\(above) and needs \(needed) approvals by different persons" }
        if let expired = matching.first(where: { $0.expires <= now }), clockIsGood {
            text += "; approval \(expired.id) ended \(expired.expires)"
        } else if let (approval, why) = nearestRefusal {
            text += "; approval \(approval.id) \(why)"
        }
        return hold(.ceiling, text, from: line("unattended"), lever: lever)
    }

    /// An approval for this version that does not count, and why, so that nobody wonders.
    private var nearestRefusal: (Approval, String)? {
        for approval in approvals where approval.distribution == distribution {
            guard approval.version == nil || approval.version == to, let why = refusal(of: approval) else {
                continue
            }
            return (approval, why)
        }
        return nil
    }

    private func describe(_ version: Version?) -> String { version.map(\.description) ?? "an unread version" }
}
