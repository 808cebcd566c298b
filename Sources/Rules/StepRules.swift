import Model

// Questions that belong to a step: it asks them before it puts anything in place.
extension Question {
    /// Whether bytes that nobody asked these questions about would run at the next start.
    private var wouldRunUnasked: Bool { change.phase == .onDisk }

    func gates() -> Reason {
        let source = line("gates")
        guard updateType == .minor || updateType == .major || skipsMinor else {
            return met(
                .gates, "gates are asked before minors, not before \(anUpdate)",
                from: source)
        }
        guard !policy.gates.isEmpty else {
            return met(.gates, "no gate is asked of this node", from: source)
        }
        let list = policy.gates.map(\.name).joined(separator: ", ")
        return asked(
            .gates, "asked in the step, in a rollout once before its first node: \(list)", from: source,
            lever:
                "have it put aside first (enforce: {gate: restore}, then restart the unit), or set gates: none in the policy"
        )
    }

    func backup() -> Reason {
        let source = line("backup")
        switch policy.backup.mode {
        case .off: return met(.backup, "no backup is asked for", from: source)
        case .ifPossible:
            return met(.backup, "made in the step, where possible", from: source)
        case .auto where updateType == .build || updateType == .patch:
            return met(
                .backup, "a backup is asked for before minors, not before \(anUpdate)",
                from: source)
        case .auto, .required: break
        }
        guard let role else { return roleUnknown(.backup) }
        guard role.isControlPlane else {
            return met(.backup, "\(role.withArticle) has nothing to back up", from: source)
        }
        return asked(
            .backup, "made and verified in the step", from: source,
            lever:
                "have it put aside first (enforce: {gate: restore}, then restart the unit), or set backup: {mode: off} in the policy"
        )
    }

    func health() -> Reason {
        let list = policy.health.checks.map(\.name).joined(separator: ", ")
        return met(
            .health, "asked in the step, after the restart: \(list.isEmpty ? "nothing" : list)",
            from: line("health"))
    }

    private func asked(_ rule: RuleName, _ text: String, from source: String, lever: String) -> Reason {
        guard wouldRunUnasked else {
            let tense = change.phase == .running ? "; it runs already, so nothing is left to ask" : ""
            return met(rule, text + tense, from: source)
        }
        return unknown(
            rule, "\(text); what is on disk now would run at the next start without it", from: source,
            lever: lever)
    }
}
