import Model
import Ports
import Rules

extension FleetView {
    /// What this node tells of itself now; nil where that is what it last told, and it is not due.
    func recordToWrite(
        _ judgement: Judgement, _ identity: FleetIdentity, soaks: [String: Soak], label: (String) -> String
    ) -> NodeRecord? {
        let observation = judgement.observation
        let state = judgement.state
        let now = observation.clock.now
        guard let adoptedAt = state.lastAdoption else { return nil }
        let parts = observation.installations.compactMap { installation -> NodeRecord.Part? in
            guard state.installations[installation.id.description]?.adoption != nil else { return nil }
            return part(of: installation, judgement, soaks)
        }
        var record = NodeRecord(
            id: identity.id, instance: label("instance \(identity.id) \(adoptedAt.seconds)"),
            boot: label("boot \(observation.clock.bootID)"), name: observation.node.name,
            cluster: observation.node.cluster,
            stage: judgement.policy?.document.stages.first { $0.matches(observation.node) }?.name,
            architecture: observation.node.architecture?.rawValue ?? "unknown",
            policy: judgement.policy?.sha256, sequence: known.record?.sequence ?? 0,
            at: known.record?.at ?? now, parts: parts)
        let isOld = record.at > now || record.at + fleetInterval <= now
        guard record != known.record || isOld || !known.isWritten else { return nil }
        record.sequence += 1
        record.at = now
        return record
    }

    private func part(
        of installation: Installation, _ judgement: Judgement, _ soaks: [String: Soak]
    ) -> NodeRecord.Part {
        let distribution = installation.id.distribution
        let seat = judgement.state.seat(of: distribution)
        var part = NodeRecord.Part(
            distribution: distribution, name: installation.id.name, role: installation.role,
            running: installation.running?.version,
            bytes: installation.running?.startedFrom?.bytes ?? installation.installed?.artifact.bytes)
        part.isWell = installation.isUp
        if seat.phase != .idle {
            part.phase = seat.phase.name
            part.grant = seat.grant?.id
        }
        if let step = judgement.state.step, step.change.installation == installation.id {
            part.phase = step.phase.rawValue
            part.soak = soaks[step.id]?.credit
        }
        part.proven = seat.proven?.rollout
        return part
    }
}

extension Installation {
    /// Whether its main unit runs; nil where systemd does not tell.
    fileprivate var isUp: Bool? {
        guard let active = mainUnit?.activeState else { return nil }
        return active == "active"
    }
}

extension NodeState {
    /// When a person last took the present state as approved; nil where nothing is guarded.
    var lastAdoption: Instant? { installations.values.compactMap(\.adoption?.at).max() }
}

extension Seat.Phase {
    /// A token that never changes its meaning.
    var name: String {
        switch self {
        case .idle: "idle"
        case .asking: "asking"
        case .granted: "granted"
        case .stepping: "stepping"
        case .soaking: "soaking"
        case .proving: "proving"
        case .failing: "failing"
        }
    }
}

/// Writes a node's own record, and finds out whether somebody else writes under its id.
struct TellFleet {
    let port: any FleetPort
    let ledger: any LedgerStore

    /// Writes where there is something to tell; what the store does not take is no trouble of the tick.
    ///
    /// What is written is remembered before, so that after a crash no record of ours looks like another's, and what one
    /// process of this node wrote is none to the next. Whoever finds another machine under its id writes once more and then
    /// no longer: the other one finds that, and holds as well. Both go on holding until a person has adopted anew.
    ///
    /// Two copies of one running machine can be told only once both have written: until then each takes what the other
    /// wrote last for its own. A copy that never writes is never seen.
    func run(
        _ record: NodeRecord, _ known: inout KnownFleet, adoptedAt: Instant, memory: inout ObserverMemory
    ) throws(LedgerFailure) {
        let wasFound = known.stranger != nil && known.record?.instance == record.instance
        if wasFound, known.isWritten { return }
        let stored: Stored<NodeRecord>?
        do throws(FleetFailure) { stored = try port.node(record.id) } catch {
            // What stands there is an earlier one, if any.
            known.isWritten = false
            return
        }
        var record = record
        var next = known
        // Other processes of this node write meanwhile, and each counts on from what any of them has remembered: one that
        // remembered less afterwards would make the newest record look like another's.
        try ledger.remember { remembered in
            let last = [known.record, remembered.fleet?.record].compactMap(\.self).max {
                $0.sequence < $1.sequence
            }
            if let other = stored?.value, isAnothers(other, than: record, last), adoptedAt <= other.at {
                next.stranger =
                    "another machine writes under this node's id as \(other.name): is its image a clone? Give the clone "
                    + "a machine id of its own ('rm /etc/machine-id; systemd-machine-id-setup'), then 'holdfast adopt' "
                    + "on the one that keeps this one"
            } else if !wasFound {
                next.stranger = nil
            }
            // A node that has lost its memory goes on from what it wrote.
            record.sequence = max(
                record.sequence, (stored?.value.sequence ?? 0) + 1, (last?.sequence ?? 0) + 1)
            next.record = record
            next.isWritten = false
            remembered.fleet = next
        }
        known = next
        memory.fleet = known
        do throws(FleetFailure) {
            _ = try port.put(record, over: stored)
            known.isWritten = true
        } catch {
            // Whether it counted is seen at the next look.
        }
    }

    /// Whether what stands in the store is not what this node wrote.
    ///
    /// Whoever writes counts on from what stands there, so what is newer than what this node has remembered is another's,
    /// and what is older its own, in a store that went back in time. What is as new as that is another's where it is of
    /// another adoption, or of a boot that is neither this one nor the one in which this node wrote last. A node that has
    /// lost its memory has its adoption alone to tell by.
    private func isAnothers(_ stored: NodeRecord, than record: NodeRecord, _ last: NodeRecord?) -> Bool {
        guard let last else { return stored.instance != record.instance }
        guard stored.sequence == last.sequence else { return stored.sequence > last.sequence }
        return ![last.instance, record.instance].contains(stored.instance)
            || ![last.boot, record.boot].contains(stored.boot)
    }
}
