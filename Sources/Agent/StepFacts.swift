import Gate
import Model
import Ports
import Rollout
import Rules

/// How often a node that soaks is looked at: as often as the timer runs the tick.
let soakInterval = TimeSpan.minutes(5)

// What a step goes by.
extension StepRun {
    func facts(_ step: Step, _ judgement: Judgement, identified: Artifact?) -> StepFacts {
        let id = step.change.installation
        let state = judgement.state
        let installation = judgement.observation.installations.first { $0.id == id }
        let situation = GuardSituation(
            state: state, observation: judgement.observation, policy: judgement.policy, site: site)
        let presence = port.look(at: situation.places)
        let vault = { (artifact: Artifact) in site.vaultPath(of: artifact.sha256 ?? .none) }
        let isDenied = state.denials.contains { $0.covers(step.change.to, of: id.distribution) }
        let lastRan = installation.map { situation.lastRan(of: $0, presence) } ?? .missing
        return StepFacts(
            now: judgement.observation.clock.now, installation: installation,
            objection: objection(step, judgement)
                ?? installation.flatMap { dataObjection(toStarting: step, on: $0, lastRan) },
            lastRanSeen: installation.flatMap { situation.lastRanSeen(of: $0, presence) },
            denial: isDenied ? "a person said no to it ('holdfast deny')" : nil,
            isAdopted: state.installations[id.description]?.adoption != nil,
            isPaused: state.pause != nil,
            hasNew: presence.identities[vault(step.change.to)] != nil,
            hasOld: presence.identities[vault(step.change.from)] != nil, identified: identified,
            goingBackNeedsPerson: installation.flatMap { installation in
                goingBackNeedsPerson(
                    step, installation, settings(of: installation, judgement).rollback, lastRan,
                    vault: vault(step.change.from))
            }, isRefreshing: situation.isRefreshing, hold: hold(step, judgement),
            gates: installation.map { gates(step, $0, judgement) } ?? .notAsked,
            backup: installation.map { backup(step, $0, judgement) } ?? .notAsked,
            drain: installation.map { drain(step, $0, judgement) } ?? .notAsked)
    }

    /// The same before a step begins, by a look of its own.
    func objection(toBeginning step: Step, on installation: Installation, _ judgement: Judgement) -> String? {
        let situation = GuardSituation(
            state: judgement.state, observation: judgement.observation, policy: judgement.policy, site: site)
        return dataObjection(
            toStarting: step, on: installation,
            situation.lastRan(of: installation, port.look(at: situation.places)))
    }

    /// What a rollout has the step wait for before it changes anything; only that needs the store.
    private func hold(_ step: Step, _ judgement: Judgement) -> String? {
        guard step.rollout != nil, !step.hasBegun, let fleet = judgement.fleet else { return nil }
        let distribution = step.change.installation.distribution
        if let reason = fleet.reasonToHold(distribution, judgement.state.seat(of: distribution)) {
            return reason
        }
        guard let document = fleet.documents[distribution.rawValue],
            document.state != .running
        else { return nil }
        return "the rollout is \(document.state.rawValue): \(document.reason ?? "no reason is given")"
    }

    /// Why the step may not change anything now: everything is asked anew at this instant.
    private func objection(_ step: Step, _ judgement: Judgement) -> String? {
        if judgement.state.pause != nil { return "the guards are paused" }
        guard judgement.policyIsCurrent else { return "there is no valid policy" }
        if let lost = lostTurn(step, judgement) { return lost }
        if step.isProofOnly { return nil }
        guard
            let record = judgement.decisions.first(where: {
                $0.subject.change.id == step.change.id
                    && $0.subject.change.installation == step.change.installation
            })
        else { return "the change is no longer there" }
        // What the step asks itself before it puts the bytes in place is not asked of it again once they lie there.
        var subject = record.subject
        if subject.change.phase == .onDisk { subject.change.phase = .offered }
        let decision = evaluate(
            policy: record.policy, subject: subject, fleet: record.fleet, approvals: record.approvals,
            denials: record.denials, now: record.now)
        guard decision.verdict != .allow else { return nil }
        let open = decision.reasons.filter { $0.result != .met }
        return "\(decision.verdict.rawValue): " + open.map(\.text).joined(separator: "; ")
    }

    /// Why a step of a rollout is no longer this node's to begin; nil where it is.
    private func lostTurn(_ step: Step, _ judgement: Judgement) -> String? {
        let distribution = step.change.installation.distribution
        let seat = judgement.state.seat(of: distribution)
        // What the store says then is not gone by, and the step waits.
        guard let rollout = step.rollout, !step.hasBegun, let fleet = judgement.fleet,
            fleet.reasonToHold(distribution, seat) == nil
        else { return nil }
        guard let document = fleet.documents[distribution.rawValue], document.id == rollout else {
            return "its rollout is no longer there"
        }
        if document.state.hasEnded { return "the rollout is \(document.state.rawValue)" }
        guard let grant = seat.grant,
            document.tracks.contains(where: { $0.stages.contains { $0.granted.contains(grant) } })
        else { return "this node's turn was taken from it" }
        guard document.policy == judgement.policy?.sha256 else { return Refusal.otherPolicy.text }
        let node = judgement.observation.installations.first { $0.id == step.change.installation }.flatMap {
            participant($0, judgement.observation, judgement.policy, FleetIdentity(id: grant.node))
        }
        guard let node, !document.hasMoved(node) else {
            return "this node is no longer in the stage whose turn it took"
        }
        return nil
    }

    func settings(of installation: Installation, _ judgement: Judgement) -> Policy {
        guard let policy = judgement.policy else { return Policy() }
        return resolve(
            policy, isCurrent: judgement.policyIsCurrent, node: judgement.observation.node,
            distribution: installation.id.distribution, role: installation.role
        ).policy
    }

    func health(of installation: Installation, _ judgement: Judgement) -> HealthPolicy {
        settings(of: installation, judgement).health
    }

    /// What puts an artifact of the step in place; nil where nothing is known of the binary.
    func replacement(_ step: Step, back: Bool, _ facts: StepFacts, _ judgement: Judgement) -> Effect? {
        let installation = judgement.observation.installations.first { $0.id == step.change.installation }
        guard let installed = installation?.installed else { return nil }
        let artifact = back ? step.change.from : step.change.to
        // The old one stands in the vault; what failed is kept, so that it can be looked at.
        let isKept = back || installed.artifact.sha256 != step.change.from.sha256
        return .replace(
            Replacement(
                installation: step.change.installation, artifact: artifact.pinned,
                source: .vault(site.vaultPath(of: artifact.sha256 ?? .none)), binary: step.binary,
                seen: installed.identity,
                pending: isKept ? site.pendingPath(of: step.binary) : nil,
                lastRan: back || installation?.keepsNoData == true ? nil : facts.lastRanSeen,
                purpose: .step(step.id)))
    }

    /// Where the bytes of a step lie now: since it began a start may have had the gate keep them aside.
    func source(of step: Step, _ judgement: Judgement) -> String {
        let situation = GuardSituation(
            state: judgement.state, observation: judgement.observation, policy: judgement.policy, site: site)
        return situation.source(of: step) ?? step.source
    }

    // MARK: Soak

    /// What the artifact has earned in this step.
    func soak(of step: Step) throws(LedgerFailure) -> Soak {
        try ledger.load().memory.soaks?[step.id] ?? Soak()
    }

    /// Keeps it; that of an earlier step is of no more use.
    func keepSoak(_ soak: Soak, of step: Step) throws(LedgerFailure) {
        try ledger.remember { $0.soaks = [step.id: soak] }
    }
}
