public import Model
import Rules

/// Whether a change is being carried out, could be, or waits.
public enum StepStanding: Hashable, Sendable {
    /// One is under way: it is finished before another begins.
    case open(Step)
    /// One can begin.
    case due(Step)
    /// Its bytes are fetched first, or ahead of its turn.
    case fetch(FetchOrder)
    /// Changes that the rules allow and that cannot begin, with the reason for each.
    case waits([Waiting])
    case nothing

    /// An allowed change that cannot begin.
    public struct Waiting: Hashable, Sendable {
        /// What waits.
        public var change: Change
        /// For what, for a person.
        public var reason: String
    }

    /// Whether the step's service has something to do.
    public var isWork: Bool {
        switch self {
        case .open, .due, .fetch: true
        case .waits, .nothing: false
        }
    }
}

/// How long a change that was left is not begun again, so that what cannot be done fills neither ledger nor journal.
private let pauseAfterLeaving = TimeSpan.hours(1)

extension NodeState {
    /// Whether a change was left a short while ago, and is not begun again yet.
    func hasJustLeft(_ change: Change, at now: Instant) -> Bool {
        guard let last = lastStep else { return false }
        return last.change == change.id && now < last.at + pauseAfterLeaving
    }
}

/// What a judgement leaves to be carried out.
///
/// Pure.
public func stepStanding(
    of judgement: Judgement, site: GuardSite, label: (String) -> String
) -> StepStanding {
    if let step = judgement.state.step { return .open(step) }
    guard judgement.policyIsCurrent, judgement.state.pause == nil else { return .nothing }
    let situation = GuardSituation(
        state: judgement.state, observation: judgement.observation, policy: judgement.policy, site: site)
    var due: [Step] = []
    var waits: [StepStanding.Waiting] = []
    let turns = Turns(judgement)
    for wanted in situation.wantedGates where wanted.isSeen && [.restore, .refuse].contains(wanted.mode) {
        for record in judgement.decisions
        where record.subject.change.installation == wanted.installation.id
            && record.decision.verdict == .allow
        {
            let change = record.subject.change
            let turn = turns.turn(of: change)
            let trouble = judgement.fetchTrouble(change)
            if case .waits(let reason) = turn {
                // It is fetched ahead of its turn.
                let reasons = [reason, trouble].compactMap(\.self)
                waits.append(.init(change: change, reason: reasons.joined(separator: "; ")))
                continue
            }
            switch begin(record, wanted, situation, trouble: trouble) {
            case .success(let source):
                due.append(
                    Step(
                        id: label("step \(change.id) \(judgement.observation.clock.now.seconds)"),
                        change: change, decision: record.id,
                        approvals: approvalsInForce(record).map(\.id).sorted(), source: source,
                        binary: wanted.binary, since: judgement.observation.clock, rollout: turn.rollout,
                        soak: turn.soak))
            case .failure(let reason): waits.append(.init(change: change, reason: reason.text))
            }
        }
    }
    for snap in situation.snapsToChange {
        for record in judgement.decisions
        where record.subject.change.installation == snap.installation.id && record.decision.verdict == .allow
        {
            let change = record.subject.change
            let turn = turns.turn(of: change)
            if case .waits(let reason) = turn {
                waits.append(.init(change: change, reason: reason))
                continue
            }
            if let reason = situation.objection(toRefreshing: snap.installation, by: change)
                ?? waiting(record, snap.installation, situation)
            {
                waits.append(.init(change: change, reason: reason))
                continue
            }
            due.append(
                Step(
                    id: label("step \(change.id) \(judgement.observation.clock.now.seconds)"),
                    change: change, decision: record.id,
                    approvals: approvalsInForce(record).map(\.id).sorted(), source: "snapd",
                    binary: snap.installation.installed?.path ?? "", since: judgement.observation.clock,
                    rollout: turn.rollout, soak: turn.soak))
        }
    }
    due += turns.proofs(label: label)
    // Of several that are allowed the newest: a step through each would be a restart for each.
    if let best = due.max(by: { precedes($0.change, $1.change) }) { return .due(best) }
    let order = judgement.fetchOrder { installation, digest in
        situation.wantedGates.first { $0.installation.id == installation.id }
            .map { source(of: digest, $0, situation) != nil } ?? true
    }
    if let order { return .fetch(order) }
    return waits.isEmpty ? .nothing : .waits(waits)
}

private func precedes(_ left: Change, _ right: Change) -> Bool {
    switch (left.to.version, right.to.version) {
    case (let one?, let other?) where one != other: one < other
    default: left.id < right.id
    }
}

private struct Wait: Error { var text: String }

/// Where the bytes are, or why the step cannot begin.
private func begin(
    _ record: DecisionRecord, _ wanted: WantedGate, _ situation: GuardSituation, trouble: String?
) -> Result<String, Wait> {
    let change = record.subject.change
    guard change.to.version != nil, let digest = change.to.sha256 else {
        return .failure(Wait(text: "its bytes are not here yet"))
    }
    guard let source = source(of: digest, wanted, situation) else {
        return .failure(
            Wait(
                text: trouble
                    ?? "its bytes are not on this node, and no source is set: set source.releases in the policy, or install it as usual"
            ))
    }
    if let reason = waiting(record, wanted.installation, situation) {
        return .failure(Wait(text: reason))
    }
    return .success(source)
}

/// Why a change cannot begin now, whatever brings it; nil where it can.
private func waiting(
    _ record: DecisionRecord, _ installation: Installation, _ situation: GuardSituation
) -> String? {
    let change = record.subject.change
    guard let unit = installation.mainUnit, unit.activeState == "active" else {
        return "\(installation.id.name) does not run, and a step begins on a node that is up"
    }
    guard situation.records.intents.isEmpty else {
        return "an effect is not finished; 'holdfast check' tells more"
    }
    if let last = situation.state.lastStep,
        situation.state.hasJustLeft(change, at: situation.observation.clock.now)
    {
        return "it was left: \(last.reason); it is tried again from \(last.at + pauseAfterLeaving) on"
    }
    return nil
}

/// Where the bytes of a digest lie: in place already, kept aside, or in the vault.
private func source(of digest: Digest, _ wanted: WantedGate, _ situation: GuardSituation) -> String? {
    if wanted.installation.installed?.artifact.sha256 == digest { return wanted.binary }
    if let offer = wanted.installation.offers.first(where: { $0.artifact.sha256 == digest && $0.path != nil })
    {
        return offer.path
    }
    let path = situation.site.vaultPath(of: digest)
    return situation.records.vault[path] == digest ? path : nil
}

extension GuardSituation {
    /// Where the bytes that a step brings lie; nil where they are not on this node.
    func source(of step: Step) -> String? {
        guard let digest = step.change.to.sha256,
            let wanted = wantedGates.first(where: { $0.installation.id == step.change.installation })
        else { return nil }
        return Agent.source(of: digest, wanted, self)
    }

    /// What has to be looked at while a step is open.
    var stepPlaces: Set<String> {
        guard let step = state.step else { return [] }
        return vaultPathsOfStep(on: step.change.installation)
    }

    /// What a step needs of the vault: what it brings, and what it goes back to.
    func vaultPathsOfStep(on id: InstallationID) -> Set<String> {
        guard let step = state.step, step.change.installation == id else { return [] }
        return Set([step.change.to, step.change.from].compactMap { $0.sha256.map(site.vaultPath) })
    }
}
