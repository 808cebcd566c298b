import Model
import Ports
import Rollout
import Rules

/// Plays this node's part in the rollouts of its fleet, as far as one tick gets.
///
/// What to do is decided by `nextMove` alone; each seat is committed before it is acted on (invariant 7).
struct TakeSeat {
    let port: any FleetPort
    let identity: FleetIdentity
    let ledger: any LedgerStore
    let journal: any Journal
    let label: (String) -> String
    let reading: ClockReading
    /// Writes the node's own record where it has something new to tell.
    let tell: (Judgement, inout FleetView, inout ObserverMemory) throws(LedgerFailure) -> Void

    /// More moves than lead from nothing to a step.
    private static let mostMoves = 12

    /// Moves on as far as it can be; what it waits for is left in what is known.
    ///
    /// - Returns: The events that were recorded.
    func run(
        _ judgement: inout Judgement, _ view: inout FleetView, _ memory: inout ObserverMemory
    ) throws(LedgerFailure) -> [Event] {
        var events: [Event] = []
        for installation in judgement.observation.installations {
            let id = installation.id
            guard judgement.state.installations[id.description]?.adoption != nil, view.isAsked,
                let node = participant(installation, judgement, &view)
            else { continue }
            for _ in 0..<Self.mostMoves {
                let seat = judgement.state.seat(of: id.distribution)
                var situation = situation(installation, judgement, view, node)
                situation.isQuarantined = isQuarantined(seat, installation, judgement, view)
                guard let next = try move(seat, situation, installation, &judgement, &view, &memory) else {
                    break
                }
                events += next
            }
        }
        return events
    }

    /// One move; nil where there is none, or it came to nothing.
    private func move(
        _ seat: Seat, _ situation: SeatSituation, _ installation: Installation, _ judgement: inout Judgement,
        _ view: inout FleetView, _ memory: inout ObserverMemory
    ) throws(LedgerFailure) -> [Event]? {
        let distribution = installation.id.distribution
        view.known.waits[distribution.rawValue] = nil
        if let document = situation.document, document.reasonToHold(seat) == nil,
            reading.synchronised == true, let overdue = try? document.pausingOverdue(now: reading.now),
            put(overdue, distribution, &view)
        {
            return []
        }
        switch nextMove(seat, situation) {
        case .wait(let reason):
            view.known.waits[distribution.rawValue] = reason
            return nil
        case .step: return nil
        case .put(let document):
            // Who proved what stands in the records alone, so that is there before the proof counts.
            if seat.phase == .proving {
                try tell(judgement, &view, &memory)
                guard view.known.isWritten, view.known.stranger == nil else {
                    view.known.waits[distribution.rawValue] =
                        view.known.stranger
                        ?? "this node's own record is not yet in the fleet's store; it is written again at the next look"
                    return nil
                }
            }
            return put(document, distribution, &view) ? [] : nil
        case .commit(let seat):
            // Others append while we ask.
            var state = try ledger.load().state
            let event = Event.seatTaken(
                SeatTaking(
                    distribution: distribution, seat: seat, version: situation.document?.artifact.version,
                    isNews: state.seat(of: distribution).phase != seat.phase))
            state.apply(event, at: reading.now)
            try ledger.append([event], reading: reading, state: state)
            judgement.state = state
            journalEntries(for: event).forEach(journal.write)
            return [event]
        case .quarantine(let reason):
            guard let bytes = tried(seat, judgement, situation.document) else { return nil }
            let own = judgement.state.quarantine.first {
                $0.installation == installation.id && $0.bytes == bytes
            }
            let entry = FleetQuarantine(
                bytes: bytes, distribution: distribution, version: own?.artifact.version, reason: reason,
                node: judgement.observation.node.name, at: own?.at ?? reading.now)
            do throws(FleetFailure) { try port.quarantine(entry, isNew: true) } catch {
                view.known.waits[distribution.rawValue] = error.description
                return nil
            }
            view.told.insert(bytes)
            view.known.quarantine.append(entry)
            return []
        }
    }

    /// Whether it counted, or somebody else was first and there is more to look at.
    private func put(_ document: RolloutDocument, _ distribution: Distribution, _ view: inout FleetView)
        -> Bool
    {
        do throws(FleetFailure) {
            let stored = try port.put(document, over: view.documents[distribution])
            view.documents[distribution] = stored
            view.known.documents[distribution.rawValue] = stored.value
            if stored.value.state == .done { try? port.archive(stored.value) }
            return true
        } catch {
            guard error.code == .conflict || error.code == .unanswered else {
                view.known.waits[distribution.rawValue] = error.description
                return false
            }
        }
        do throws(FleetFailure) {
            view.documents[distribution] = try port.rollout(of: distribution)
            view.known.documents[distribution.rawValue] = view.documents[distribution]?.value
            return true
        } catch {
            view.known.waits[distribution.rawValue] = error.description
            return false
        }
    }

    // MARK: Facts

    /// Where the node stands for its seat; nil where it has no part in anything, which is told.
    ///
    /// One that no stage takes in any longer still gives back, or ends, what it was once given.
    private func participant(
        _ installation: Installation, _ judgement: Judgement, _ view: inout FleetView
    ) -> Participant? {
        let observation = judgement.observation
        if let node = Agent.participant(installation, observation, judgement.policy, identity) { return node }
        let distribution = installation.id.distribution
        let nowhere = Participant(
            id: identity.id, cluster: observation.node.cluster, kind: .workers, stage: "",
            architecture: observation.node.architecture?.rawValue ?? "unknown")
        let document = view.documents[distribution]?.value
        guard judgement.state.seat(of: distribution).phase == .idle, document?.grant(of: nowhere) == nil
        else { return nowhere }
        view.known.waits[distribution.rawValue] =
            document?.state.hasEnded == false ? Refusal.noStage.text : nil
        return nil
    }

    private func situation(
        _ installation: Installation, _ judgement: Judgement, _ view: FleetView, _ node: Participant
    ) -> SeatSituation {
        let seat = judgement.state.seat(of: installation.id.distribution)
        let document = view.documents[installation.id.distribution]?.value
        return SeatSituation(
            document: document, storeAnswers: view.known.failure == nil, node: node,
            policy: judgement.policy?.sha256 ?? .none,
            obstacle: obstacle(installation, judgement, view, document), isQuarantined: false,
            step: status(of: installation, judgement, document),
            // The seat before it makes it another one each time.
            freshGrant: label(
                "grant \(node.id) \(document?.id ?? "") \(document?.generation ?? 0) \(seat.grant?.id ?? "") "
                    + "\(reading.bootID) \(reading.monotonic)"), now: reading.now)
    }

    /// While a failure is being told, the fleet has to know of it; before a grant this node's own memory is enough.
    private func isQuarantined(
        _ seat: Seat, _ installation: Installation, _ judgement: Judgement, _ view: FleetView
    ) -> Bool {
        let document = view.documents[installation.id.distribution]?.value
        let isKnown = { (bytes: String) in view.known.quarantine.contains { $0.bytes == bytes } }
        if case .failing = seat.phase {
            // What nobody can name cannot be told; what was known some time ago a person may have cleared since.
            guard let bytes = tried(seat, judgement, document) else { return true }
            return view.told.contains(bytes) || view.isFresh && isKnown(bytes)
        }
        guard let bytes = document?.artifact(for: judgement.observation.node.architecture)?.bytes else {
            return false
        }
        return isKnown(bytes)
            || judgement.state.quarantine.contains {
                $0.installation == installation.id && $0.bytes == bytes
            }
    }

    /// What this node has tried, or is at: the document may be of other bytes by now.
    private func tried(_ seat: Seat, _ judgement: Judgement, _ document: RolloutDocument?) -> String? {
        if let bytes = seat.bytes { return bytes }
        guard let document, document.id == seat.rollout else { return nil }
        return document.artifact(for: judgement.observation.node.architecture)?.bytes
    }

    /// Why this node may not begin now; nil where the rules let it.
    private func obstacle(
        _ installation: Installation, _ judgement: Judgement, _ view: FleetView, _ document: RolloutDocument?
    ) -> String? {
        if let stranger = view.known.stranger { return stranger }
        guard judgement.policyIsCurrent else { return "there is no valid policy" }
        if judgement.state.pause != nil { return "the guards are paused" }
        guard let artifact = document?.artifact(for: judgement.observation.node.architecture) else {
            return "the rollout has no bytes for this node's architecture"
        }
        if let step = judgement.state.step, step.rollout != document?.id {
            return "another change is being carried out: \(step.summary)"
        }
        let known = judgement.state.installations[installation.id.description]
        if known?.reference?.isSameBytes(as: artifact) == true {
            // Nobody proves what does not run.
            guard installation.runs(artifact) else {
                let unit = installation.mainUnit?.name ?? installation.id.name
                return "\(artifact.summary) is meant to run here, and does not: 'systemctl status \(unit)'"
            }
        } else {
            guard
                let record = judgement.decisions.first(where: {
                    $0.subject.change.installation == installation.id
                        && $0.subject.change.to.isSameBytes(as: artifact) == true
                })
            else { return "this node has not looked at the change yet" }
            let open = record.decision.reasons.filter { $0.result != .met }
            if record.decision.verdict != .allow { return open.map(\.text).joined(separator: "; ") }
        }
        // The others' records are read before anything is begun, and not only some time before.
        return view.isFresh ? nil : "the other nodes were not asked"
    }

    private func status(
        of installation: Installation, _ judgement: Judgement, _ document: RolloutDocument?
    ) -> SeatSituation.StepStatus {
        let seat = judgement.state.seat(of: installation.id.distribution)
        if let step = judgement.state.step, step.change.installation == installation.id, step.rollout != nil {
            return step.phase == .soaking ? .soaking : .underWay
        }
        guard let bytes = tried(seat, judgement, document) else { return .notBegun }
        let failed = judgement.state.quarantine.first {
            $0.installation == installation.id && $0.bytes == bytes
        }
        if let failed { return .failed(reason: failed.reason) }
        let known = judgement.state.installations[installation.id.description]
        guard let reference = known?.reference, reference.bytes == bytes, known?.proven == bytes else {
            return .notBegun
        }
        // Its proof is not lost by a restart: it waits until that runs again.
        return installation.runs(reference) ? .soaked : .underWay
    }
}
