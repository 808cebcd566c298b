import Model

// Questions that belong to a rollout's step. Until there is one, nobody can have asked them.
extension Question {
    /// Whether bytes that nobody asked these questions about would run at the next start.
    ///
    /// What was turned away and kept is put in place as soon as it is allowed.
    private var wouldRunUnasked: Bool {
        change.phase == .onDisk || (change.phase == .offered && change.trigger == .fileReplaced)
    }

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
            .gates, "\(list) would be asked in a rollout, before its first node", from: source,
            lever: "bring the minor in by a rollout, or set gates: none in the policy")
    }

    func backup() -> Reason {
        let source = line("backup")
        switch policy.backup.mode {
        case .off: return met(.backup, "no backup is asked for", from: source)
        case .ifPossible:
            return met(.backup, "a backup would be made in a rollout's step, where possible", from: source)
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
            .backup, "a backup would be made and verified in a rollout's step", from: source,
            lever: "bring it in by a rollout, or set backup: {mode: ifPossible} or {mode: off} in the policy")
    }

    func health() -> Reason {
        let list = policy.health.checks.map(\.name).joined(separator: ", ")
        return met(
            .health, "asked after a rollout's step, not before it: \(list.isEmpty ? "nothing" : list)",
            from: line("health"))
    }

    private func asked(_ rule: RuleName, _ text: String, from source: String, lever: String) -> Reason {
        guard wouldRunUnasked else {
            let tense = change.phase == .running ? "; it runs already, so nothing is left to ask" : ""
            return met(rule, text + tense, from: source)
        }
        return unknown(
            rule,
            change.phase == .onDisk
                ? "\(text); what is on disk now would run at the next start without it"
                : "\(text); what is kept on this node would be put in place without it", from: source,
            lever: lever)
    }
}
