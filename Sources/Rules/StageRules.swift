import Model

// Canary first: what must have happened elsewhere before this node may move.
extension Question {
    /// The stage that this node is in.
    var stage: Stage? {
        guard let index = resolved.stage, resolved.stages.indices.contains(index) else { return nil }
        return resolved.stages[index]
    }

    private var earlierStages: ArraySlice<Stage> {
        guard let index = resolved.stage, resolved.stages.indices.contains(index) else { return [] }
        return resolved.stages[..<index]
    }

    private func progress(of stage: Stage) -> FleetSummary.StageProgress? {
        fleet.stages.first { $0.stage == stage.name && $0.change == change.id }
    }

    private var stageLine: String {
        resolved.stage.map { line("stages[\($0)]") } ?? line("stages[0]")
    }

    /// Every earlier stage must have proven this very artifact.
    func stageRule() -> Reason {
        guard let stage else {
            return hold(
                .stage, "no stage of the policy takes this node in", from: stageLine,
                lever: "stages in the policy, or name, cluster and labels in node.yaml")
        }
        guard fleet.answered else { return storeSilent(.stage) }
        guard !earlierStages.isEmpty else {
            return met(.stage, "\(stage.name) is the first stage", from: stageLine)
        }
        for earlier in earlierStages where progress(of: earlier)?.met != true {
            guard fleet.seesOthers || progress(of: earlier) != nil else {
                return stageUnseen(.stage, earlier)
            }
            let text =
                progress(of: earlier) == nil
                ? "stage \(earlier.name) has not begun with this artifact"
                : "stage \(earlier.name) has not proven this artifact yet"
            return hold(.stage, text, from: stageLine, lever: "wait for stage \(earlier.name)")
        }
        return met(.stage, "every stage before \(stage.name) has proven this artifact", from: stageLine)
    }

    /// The soak of every earlier stage must be over.
    func soak() -> Reason {
        guard let stage else {
            return hold(
                .soak, "no stage of the policy takes this node in, so nobody soaks for it", from: stageLine,
                lever: "stages in the policy, or name, cluster and labels in node.yaml")
        }
        guard fleet.answered else { return storeSilent(.soak) }
        let soaking = earlierStages.filter { $0.soak > .zero }
        guard !soaking.isEmpty else {
            return met(.soak, "no stage before \(stage.name) soaks", from: stageLine)
        }
        for earlier in soaking {
            guard let progress = progress(of: earlier) else {
                guard fleet.seesOthers else { return stageUnseen(.soak, earlier) }
                return hold(
                    .soak, "stage \(earlier.name) has not begun its soak of \(earlier.soak.policyText)",
                    from: stageLine, lever: waiveLever(.soak, key: "soak of stage \(earlier.name)"))
            }
            if progress.soakLeft > .zero {
                // Soak is earned by healthy samples, so no time can be promised.
                return hold(
                    .soak,
                    "stage \(earlier.name) still owes \(progress.soakLeft.policyText) of its soak, at "
                        + "the least", from: stageLine,
                    lever: waiveLever(.soak, key: "soak of stage \(earlier.name)"))
            }
        }
        return met(.soak, "every stage before \(stage.name) has soaked", from: stageLine)
    }

    private func stageUnseen(_ rule: RuleName, _ stage: Stage) -> Reason {
        unknown(
            rule, "stage \(stage.name) comes first, and the embedded store sees only this machine",
            from: stageLine, lever: storeLever)
    }

    /// What failed somewhere is kept out until a person clears it.
    func quarantine() -> Reason {
        guard fleet.answered else { return storeSilent(.quarantine) }
        let target = change.to
        let labels = [target.sha256?.hex, target.revision.map { "revision:\($0)" }].compactMap { $0 }
        guard !labels.isEmpty else {
            return unknown(
                .quarantine, "the target has neither a digest nor a revision to look for", from: builtIn,
                lever: "let Holdfast read the file (holdfast check), or name the revision")
        }
        if let entry = fleet.quarantine.first(where: { labels.contains($0.bytes) }) {
            return deny(
                .quarantine, "the target is quarantined: \(entry.reason)", from: builtIn,
                lever: entry.isOwn == true
                    ? "holdfast approve \(change.id), which lifts it"
                    : "holdfast quarantine clear \(entry.bytes)")
        }
        return met(.quarantine, "the target is not quarantined", from: builtIn)
    }
}
