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
            port: fleet.port, identity: fleet.identity, servers: servers, isAsked: isAsked)
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
            port: fleet.port, identity: fleet.identity, servers: servers, isAsked: true)
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
        var events = try takeApprovals(&judgement, view, fleet.port, reading)
        try BeginRollout(port: fleet.port, ledger: ledger, label: label).run(judgement, &view)
        events += try seats.run(&judgement, &view, &memory)
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

    /// Takes over what people have approved elsewhere; it counts from the next look on.
    private func takeApprovals(
        _ judgement: inout Judgement, _ view: FleetView, _ port: any FleetPort, _ reading: ClockReading
    ) throws(LedgerFailure) -> [Event] {
        guard view.hasApprovals else { return [] }
        let node = judgement.observation.node.name
        for id in unsharedSpending(view.known.approvals, judgement.state, node: node) {
            // Where it is not noted now it is at the next look.
            try? port.spend(id, on: node)
        }
        let events = sharedApprovals(view.known.approvals, judgement.state, at: reading.now)
        guard !events.isEmpty else { return [] }
        var state = try ledger.load().state
        for event in events { state.apply(event, at: reading.now) }
        try ledger.append(events, reading: reading, state: state)
        events.flatMap(journalEntries).forEach(journal.write)
        judgement.state = state
        return events
    }

    /// Keeps what was learnt; what another process of this node has earned, fetched or heard meanwhile stays.
    func remember(_ memory: ObserverMemory) throws(LedgerFailure) {
        var next = memory
        let stored = try ledger.load().memory
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
        try ledger.remember(next)
    }
}
