import Model

/// What is known when it is decided what a step does next; all of it values.
struct StepFacts {
    var now: Instant
    /// The installation as this look saw it; nil where it did not.
    var installation: Installation?
    /// Why a step may no longer change anything: the rules, a pause, a person's word, or what has started on the data
    /// (invariant 12); nil while it may.
    var objection: String?
    /// The record of starts by which that was judged; nil where the installation has no data directory.
    var lastRanSeen: Replacement.RecordSeen?
    /// A person's word against these very bytes; nil where there is none.
    var denial: String?
    /// Whether the installation is still guarded.
    var isAdopted: Bool
    /// Whether a person has lifted the guards.
    var isPaused: Bool
    /// Whether the vault has the new artifact and the old one.
    var hasNew: Bool
    var hasOld: Bool
    /// What the vault's bytes of the new one say; nil where they were not read yet.
    var identified: Artifact?
    /// Why the old artifact may not be put back, with what a person is to do (invariant 12); nil where it may.
    var goingBackNeedsPerson: String?
    /// Whether snapd may still be at a refresh that was asked of it.
    var isRefreshing = false
    /// What it waits for before it changes anything, without being left for it; nil where nothing holds it up.
    var hold: String?
    /// How what comes before the change stands.
    var gates = Preparation.notAsked
    var backup = Preparation.notAsked
    var drain = Preparation.notAsked
}

/// How one thing stands that is done before a change.
enum Preparation: Hashable {
    case notAsked
    case due
    case done
    /// It cannot be done, and the step does not begin without it.
    case impossible(String)
}

/// What a step does next.
enum StepAction: Hashable {
    /// The bytes go into the vault.
    case store
    /// The vault's bytes are read.
    case identify
    /// An artifact takes the binary's place; true for the old one.
    case replace(back: Bool)
    case restart
    /// snapd is asked for the revision.
    case refresh
    /// snapd is at it.
    case wait
    case move(Step.Phase, failure: String? = nil)
    /// Ask whether the node is well.
    case probe
    /// Ask it once, since it has to stay well.
    case sample
    /// Wait until the file has been left alone for long enough that the gate knows it.
    case settle
    case askGates
    case backUp
    case drain
    /// Nothing, for now; the step stays open, and is looked after again.
    case hold(String)
    /// - Parameter failure: why what was tried did not do well; nil where it was not tried to its end.
    case end(StepEnd.Outcome, failure: String? = nil)
}

/// Decides what a step does next.
///
/// Pure: whatever was done and then lost with the process shows in the facts, so each phase may be entered anew. A
/// person's word counts until the unit is restarted; from then on the step is finished, one way or the other, since a
/// node must not be left in the midst of it.
func nextAction(_ step: Step, _ facts: StepFacts) -> StepAction {
    guard facts.isAdopted else { return .end(.abandoned("the installation was released, or is gone")) }
    guard let installation = facts.installation else {
        // Its unit may be away for an instant. What is gone is no longer adopted. Where nothing was touched yet, or only
        // begun, a person's word counts all the same.
        if ![.restarting, .probing, .soaking, .replacingBack, .restartingBack, .probingBack].contains(
            step.phase)
        {
            if let denial = facts.denial { return .end(.abandoned(denial)) }
            if facts.isPaused { return .end(.abandoned("the guards are paused")) }
        }
        return .hold("this look has not found the installation; the next one goes on, or ends it")
    }
    if step.change.installation.distribution == .microk8s {
        return nextSnapAction(step, installation, facts)
    }
    let digest = installation.installed?.artifact.sha256
    let isNew = digest != nil && digest == step.change.to.sha256
    let isOld = digest != nil && digest == step.change.from.sha256
    let invocation = installation.mainUnit?.invocationID
    switch step.phase {
    case .storing:
        if let objection = facts.objection { return .end(.abandoned(objection)) }
        guard facts.hasNew else { return .store }
        guard facts.hasOld else {
            return .end(.abandoned("the vault has nothing to go back to; 'holdfast doctor' tells more"))
        }
        guard let identified = facts.identified else { return .identify }
        guard identified.sha256 == step.change.to.sha256, identified.version == step.change.to.version else {
            return .end(
                .abandoned("its bytes are \(identified.summary), which is not what was allowed"))
        }
        if let hold = facts.hold { return .hold(hold) }
        return .move(facts.preparation(after: .storing))
    case .gating, .backingUp, .draining: return nextPreparation(step, facts)
    case .replacing:
        if let objection = facts.objection { return .end(.abandoned(objection)) }
        guard isNew else { return .replace(back: false) }
        return .move(installation.runs(step.change.to) ? .probing : .restarting)
    case .restarting:
        if let denial = facts.denial { return .end(.abandoned(denial)) }
        if facts.isPaused { return .end(.abandoned("the guards are paused")) }
        guard isNew else { return .end(.abandoned("somebody put something else in its place")) }
        return isOther(invocation, than: step.invocation) ? .move(.probing) : .restart
    case .probing:
        if let denial = facts.denial { return failed(denial, step, facts) }
        return .probe
    case .soaking:
        if let denial = facts.denial { return failed(denial, step, facts) }
        guard isNew else { return .end(.abandoned("somebody put something else in its place")) }
        return .sample
    case .replacingBack:
        return isOld ? .move(.restartingBack) : .replace(back: true)
    case .restartingBack:
        // The gate does not know a younger file by its identity: it would hash it, and has a second for that.
        if let changed = installation.installed?.identity?.changed,
            facts.now.seconds < changed / 1_000_000_000 + 4
        {
            return .settle
        }
        return isOther(invocation, than: step.invocation) ? .move(.probingBack) : .restart
    case .probingBack: return .probe
    }
}

/// What comes before the change: everything is asked anew before each part, and whatever stands against it ends it.
func nextPreparation(_ step: Step, _ facts: StepFacts) -> StepAction {
    if let objection = facts.objection { return .end(.abandoned(objection)) }
    if let hold = facts.hold { return .hold(hold) }
    let (preparation, action): (Preparation, StepAction) =
        switch step.phase {
        case .gating: (facts.gates, .askGates)
        case .backingUp: (facts.backup, .backUp)
        default: (facts.drain, .drain)
        }
    return switch preparation {
    case .notAsked, .done: .move(facts.preparation(after: step.phase))
    case .due: action
    case .impossible(let reason): .end(.abandoned(reason))
    }
}

extension StepFacts {
    /// The next phase in which something is to be done before the change, or the change itself.
    func preparation(after phase: Step.Phase) -> Step.Phase {
        let all: [(Step.Phase, Preparation)] = [(.gating, gates), (.backingUp, backup), (.draining, drain)]
        let done = all.firstIndex { $0.0 == phase }.map { $0 + 1 } ?? 0
        return all[done...].first { $0.1 != .notAsked }?.0 ?? .replacing
    }
}

/// What follows from rounds of checks; nil where another round does.
func action(after verdict: HealthVerdict, _ step: Step, _ facts: StepFacts) -> StepAction? {
    switch (verdict, step.phase.isBack) {
    case (.undecided, _): nil
    case (.well, false): step.soak == nil ? .end(.done) : .move(.soaking)
    case (.well, true): .end(.putBack(step.failure ?? "it did not become well"))
    case (.unwell(let reason), false): failed(reason, step, facts)
    case (.unwell(let reason), true):
        .end(
            .needsPerson(
                "\(step.failure ?? "it failed"); \(step.change.from.summary) was put back, and is not well either: "
                    + "\(reason); see 'journalctl -u \(facts.installation?.mainUnit?.name ?? "the unit")'")
        )
    }
}

/// The table of `rollout.md`, "Rollback".
func failed(_ reason: String, _ step: Step, _ facts: StepFacts) -> StepAction {
    if step.isProofOnly {
        return .end(
            .needsPerson(
                "\(reason); it ran here before the rollout came, so there is nothing to go back to: see "
                    + "'journalctl -u \(facts.installation?.mainUnit?.name ?? "the unit")'"),
            failure: reason)
    }
    if let advice = facts.goingBackNeedsPerson {
        return .end(.needsPerson("\(reason); \(advice)"), failure: reason)
    }
    return .move(.replacingBack, failure: reason)
}

/// Whether a step's bytes have run here, or nobody can tell that they have not.
///
/// - Parameter installation: as it is now; nil where it is gone.
func mayHaveRun(_ step: Step, _ installation: Installation?) -> Bool {
    switch step.phase {
    case .storing, .gating, .backingUp, .draining: return false
    // From when they may lie in place on, whoever starts the unit starts them.
    case .replacing, .restarting:
        guard let installation else { return true }
        return isOther(installation.mainUnit?.invocationID, than: step.invocation)
            || installation.running?.startedFrom?.isSameBytes(as: step.change.to) == true
    case .probing, .soaking, .replacingBack, .restartingBack, .probingBack: return true
    }
}

private func isOther(_ invocation: String?, than before: String?) -> Bool {
    invocation != nil && invocation != before
}

extension Installation {
    /// Whether its main process was started from exactly these bytes.
    func runs(_ artifact: Artifact) -> Bool {
        running?.restartPending == false && running?.startedFrom?.isSameBytes(as: artifact) == true
    }
}
