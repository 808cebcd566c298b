import Model
import Ports

// What a tick does about the fleet.
extension Tick {
    /// Asks the store where it is due, and takes what rollouts bring in among what is offered.
    func lookAtFleet(
        _ observation: inout Observation, _ state: NodeState, _ policy: LoadedPolicy?,
        _ memory: inout ObserverMemory, isAsked: Bool, failure: LedgerFailure?
    ) -> FleetView? {
        guard let fleet, failure == nil else { return nil }
        let watch = FleetWatch(
            port: fleet.port, identity: fleet.identity, policy: policy?.sha256, servers: servers,
            isAsked: isAsked)
        guard let view = watch.look(observation, state: state, policy: policy, memory: &memory) else {
            return nil
        }
        observation.offer(rollouts: view)
        if let failure = view.known.failure {
            observation.problems.append(
                Problem(
                    code: "fleet-silent",
                    text: "\(failure); nothing new is begun until it answers, what was begun is finished"))
        }
        if let stranger = view.known.stranger {
            observation.problems.append(Problem(code: "fleet-stranger", text: stranger))
        }
        return view
    }

    /// Asks the store after all, and the other nodes, where something may go ahead by what was decided just now; false
    /// where that was known already.
    func freshen(_ view: inout FleetView?, _ judgement: Judgement, _ memory: inout ObserverMemory) -> Bool {
        guard let fleet, var seen = view else { return false }
        let watch = FleetWatch(
            port: fleet.port, identity: fleet.identity, policy: judgement.policy?.sha256, servers: servers,
            isAsked: true)
        var isNews = false
        if !seen.isAsked, seen.known.failure == nil, judgement.state.hasAllowedChange,
            let asked = watch.look(
                judgement.observation, state: judgement.state, policy: judgement.policy, memory: &memory)
        {
            seen = asked
            isNews = true
        }
        defer { view = seen }
        return watch.freshen(&seen, judgement, memory: &memory) || isNews
    }

    /// What rules are told of the others, by installation.
    func fleets(
        _ view: FleetView?, _ observation: Observation, _ policy: LoadedPolicy?
    ) -> [InstallationID: FleetSummary] {
        guard let view else { return [:] }
        var summaries: [InstallationID: FleetSummary] = [:]
        for installation in observation.installations {
            summaries[installation.id] = view.summary(for: installation, observation, policy, label: label)
        }
        return summaries
    }

    /// Plays this node's part in rollouts, and tells the others of itself.
    func takePart(
        _ judgement: inout Judgement, _ view: inout FleetView, _ memory: inout ObserverMemory,
        _ reading: ClockReading
    ) throws(LedgerFailure) -> [Event] {
        guard let fleet else { return [] }
        let seats = TakeSeat(
            port: fleet.port, identity: fleet.identity, ledger: ledger, journal: journal, label: label,
            reading: reading, tell: tellOfItself)
        giveBack(judgement, &view, fleet)
        try BeginRollout(port: fleet.port, ledger: ledger, label: label).run(judgement, &view)
        let events = try seats.run(&judgement, &view, &memory)
        try tellOfItself(judgement, &view, &memory)
        memory.fleet = view.known
        judgement.fleet = view.known
        judgement.fleetIsAsked = view.isAsked
        return events
    }

    /// Writes the node's own record where that is due.
    private func tellOfItself(
        _ judgement: Judgement, _ view: inout FleetView, _ memory: inout ObserverMemory
    ) throws(LedgerFailure) {
        guard let fleet, view.known.failure == nil,
            let record = view.recordToWrite(
                judgement, fleet.identity, soaks: memory.soaks ?? [:], label: label),
            let adoptedAt = judgement.state.lastAdoption
        else { return }
        try TellFleet(port: fleet.port, ledger: ledger).run(
            record, &view.known, adoptedAt: adoptedAt, memory: &memory)
    }

    /// What people have approved or taken back elsewhere, since it was last taken over.
    func sharedEvents(_ view: FleetView?, _ state: NodeState, at now: Instant) -> [Event] {
        guard let fleet, let view, view.hasApprovals else { return [] }
        return sharedApprovals(view.known.approvals, state, node: fleet.identity.id, at: now)
    }

    /// Gives a store that was restored what this node remembers and it does not know (`rollout.md`, "The store"); what
    /// cannot be written now is at the next look.
    private func giveBack(
        _ judgement: Judgement, _ view: inout FleetView,
        _ fleet: (port: any FleetPort, identity: FleetIdentity)
    ) {
        guard view.known.stranger == nil else { return }
        let (state, node) = (judgement.state, judgement.observation.node.name)
        if view.hasApprovals {
            let shared = view.known.approvals
            for id in unsharedSpending(shared, state, node: fleet.identity.id, called: node) {
                try? fleet.port.spend(id, on: fleet.identity.id)
            }
        }
        guard let standing = view.standing else { return }
        for entry in state.quarantine where entry.rollout != nil {
            guard let bytes = entry.bytes, !standing.contains(bytes), !view.told.contains(bytes) else {
                continue
            }
            let own = FleetQuarantine(
                bytes: bytes, distribution: entry.installation.distribution,
                version: entry.artifact.version, reason: entry.reason, node: node, at: entry.at)
            do throws(FleetFailure) { try fleet.port.quarantine(own, isNew: false) } catch { continue }
            view.told.insert(bytes)
            view.known.quarantine.append(own)
        }
    }

    /// Keeps what was learnt; what another process of this node has earned, fetched or heard meanwhile stays.
    func remember(_ memory: ObserverMemory) throws(LedgerFailure) {
        try ledger.remember { stored in
            var next = memory
            next.soaks = stored.soaks
            next.downloads = stored.downloads
            if let other = stored.fleet, let own = next.fleet {
                if other.askedAt > own.askedAt { next.fleet = other }
                // Of records the newest counts, whoever asked last: an older one would make ours look like another's.
                let newest = (other.record?.sequence ?? 0) > (own.record?.sequence ?? 0) ? other : own
                next.fleet?.record = newest.record
                next.fleet?.isWritten = newest.isWritten
                next.fleet?.stranger = newest.stranger
            }
            stored = next
        }
    }
}
