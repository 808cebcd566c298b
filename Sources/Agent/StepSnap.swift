import Model

/// Decides what a step of a snap does next.
///
/// snapd does most of it: it fetches, stops, puts in place and starts, and takes all of it back where services do not
/// start. There is nothing to store and nothing to restart, and going back is snapd's or a person's, never ours.
func nextSnapAction(_ step: Step, _ installation: Installation, _ facts: StepFacts) -> StepAction {
    let installed = installation.installed?.artifact
    let isNew = installed?.isSameBytes(as: step.change.to) == true
    let isOld = installed?.isSameBytes(as: step.change.from) == true
    switch step.phase {
    case .storing:
        if let objection = facts.objection { return .end(.abandoned(objection)) }
        if let hold = facts.hold { return .hold(hold) }
        return .move(facts.preparation(after: .storing))
    // After these both revisions are approved, so that the veto lets snapd start the new one.
    case .gating, .backingUp, .draining: return nextPreparation(step, facts)
    case .replacing:
        // While snapd is at it, the new revision may be in place and still be taken back.
        if facts.isRefreshing { return .wait }
        if let undo = step.takenBack {
            return undo.hadStopped
                ? .move(.replacingBack, failure: undo.reason) : .end(.abandoned(undo.reason))
        }
        if isNew { return .move(.probing) }
        if let objection = facts.objection { return .end(.abandoned(objection)) }
        guard isOld else { return .end(.abandoned("\(name(installed)) is installed now")) }
        return .refresh
    case .restarting: return .move(.probing)
    case .probing, .soaking:
        if isOld, !step.isProofOnly {
            return .move(.replacingBack, failure: "\(name(installed)) was put back, and not by this step")
        }
        if let denial = facts.denial { return failed(denial, step, facts) }
        return step.phase == .soaking ? .sample : .probe
    case .replacingBack, .restartingBack:
        guard isOld else {
            return .end(
                .needsPerson(
                    "\(step.failure ?? "it failed"); snapd should have put \(step.change.from.summary) back, and "
                        + "\(name(installed)) is installed: see 'snap changes' and 'snap list --all'"))
        }
        return .move(.probingBack)
    case .probingBack: return .probe
    }
}

private func name(_ artifact: Artifact?) -> String { artifact?.summary ?? "nothing that is known" }

/// How a snap may be gone back from by a person, which Holdfast never does (`rollout.md`, "Rollback").
///
/// A revert puts the data of dqlite back as it was at the refresh: what was written since would be lost without a word,
/// and the other nodes of a cluster would disagree with this one.
func snapAdvice(_ step: Step, _ installation: Installation) -> String {
    let snap = installation.id.name
    let unit = installation.mainUnit?.name ?? "snap.\(snap).daemon-kubelite.service"
    let old = step.change.from.revision ?? "REVISION"
    return
        "it stays as it is, since a revert puts old dqlite data back: mend it with the new revision where that can be "
        + "done ('journalctl -u \(unit)', 'microk8s inspect'); else with more than one node in the cluster take this "
        + "one out ('microk8s remove-node NODE --force' on another), here 'snap remove --purge \(snap)', "
        + "'snap install \(snap) --revision=\(old)' (--classic where it was), and join it anew; alone: "
        + "'snap revert \(snap) --revision=\(old)', 'microk8s dbctl restore FILE' with the backup from before, then "
        + "'holdfast adopt'. What was written since the backup is lost"
}

extension GuardSituation {
    /// Whether snapd is still asked, or was not yet known to be done with, a refresh that a step began.
    var isRefreshing: Bool {
        records.intents.contains { if case .refreshSnap = $0.effect { true } else { false } }
    }

    /// Snaps that changes are carried out on: guarded ones that this look saw.
    var snapsToChange: [GuardedSnap] {
        guardedSnaps.filter { $0.isSeen && ($0.enforce.hold == .general || $0.enforce.veto) }
    }

    /// Why a snap cannot be brought to what a change names; nil where it can.
    func objection(toRefreshing installation: Installation, by change: Change) -> String? {
        guard change.to.version != nil, let revision = change.to.revision else {
            return "its revision or its version is not known"
        }
        if change.phase == .running { return nil }
        guard installation.installed?.artifact.isSameBytes(as: change.from) == true else {
            return
                "revision \(installation.installed?.artifact.revision ?? "?") is installed already and does not run: "
                + "'snap restart \(installation.id.name)'"
        }
        guard revision.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return "revision \(revision) was made from a file, which no store can bring: install it as usual"
        }
        if let refresh = observation.snapd?.refreshes.first(where: { $0.snap == installation.id.name }) {
            return "snapd is at a refresh of it (change \(refresh.change)); see 'snap changes'"
        }
        return nil
    }
}
