import Model
import Ports

/// How often old bodies are looked for, and a checkpoint is signed at most.
private let ledgerInterval = TimeSpan.days(1)

// What a tick does for the ledger itself, after all that it records: retention, then a checkpoint that covers it.
extension Tick {
    /// Drops old bodies and signs a checkpoint, where either is due.
    ///
    /// - Returns: what was recorded of it.
    func careForLedger(
        _ judgement: inout Judgement, _ memory: inout ObserverMemory, _ reading: ClockReading
    ) throws(LedgerFailure) -> [Event] {
        var events = [try dropOldBodies(judgement.policy, &memory, reading)].compactMap(\.self)
        events += try signCheckpoint(judgement.state, &memory, reading)
        tellFleet(judgement, &memory)
        if !events.isEmpty { judgement.state = try ledger.load().state }
        if checkpoints?.isNodes != false { events.flatMap(journalEntries).forEach(journal.write) }
        return events
    }

    /// What a person should know of the last checkpoint.
    func checkpointProblems(_ memory: ObserverMemory) -> [Problem] {
        guard let trouble = memory.checkpoint?.trouble else { return [] }
        return [
            Problem(code: "checkpoint-unsigned", text: "no checkpoint of the ledger is signed: \(trouble)")
        ]
    }

    /// A clock that may be wrong drops nothing: what is gone cannot be brought back.
    private func dropOldBodies(
        _ policy: LoadedPolicy?, _ memory: inout ObserverMemory, _ reading: ClockReading
    ) throws(LedgerFailure) -> Event? {
        guard let keep = policy?.document.ledgerKeep, reading.synchronised == true,
            isDue(memory.retainedAt, at: reading.now)
        else { return nil }
        let event = try ledger.dropBodies(keep: keep, reading: reading)
        memory.retainedAt = reading.now
        return event
    }

    private func isDue(_ last: Instant?, at now: Instant) -> Bool {
        guard let last, last <= now else { return true }
        return last + ledgerInterval <= now
    }

    /// Signs the head where it has moved since the last checkpoint; the key is made where there is none.
    private func signCheckpoint(
        _ state: NodeState, _ memory: inout ObserverMemory, _ reading: ClockReading
    ) throws(LedgerFailure) -> [Event] {
        guard let port = checkpoints?.port, let adopted = state.lastAdoption else { return [] }
        let last = memory.checkpoint
        guard isDue(last?.triedAt, at: reading.now) || last.map({ adopted > $0.triedAt }) == true else {
            return []
        }
        if let signed = last?.signed, last?.trouble == nil, try ledger.head().hash == signed.hash {
            return []
        }
        var known = last ?? KnownCheckpoint(triedAt: reading.now)
        known.triedAt = reading.now
        known.trouble = nil
        defer { memory.checkpoint = known }
        var events: [Event] = []
        let verifier: String
        do throws(CheckpointFailure) { verifier = try port.key() } catch {
            known.trouble = error.description
            return []
        }
        var recorded = try ledger.load().state
        if recorded.checkpointKeys.last != verifier {
            let key = CheckpointKey(verifier: verifier, replaces: recorded.checkpointKeys.last)
            events.append(.checkpointKey(key))
            recorded.apply(.checkpointKey(key), at: reading.now)
            try ledger.append(events, reading: reading, state: recorded)
        }
        let head = try ledger.head()
        let checkpoint = Checkpoint(
            origin: ledger.originName, sequence: head.sequence, hash: head.hash, at: reading.now)
        do throws(CheckpointFailure) {
            let note = try port.sign(checkpoint)
            known.signed = checkpoint
            known.untold = note
            if checkpoints?.isNodes == true { journal.write(checkpointEntry(for: checkpoint, note: note)) }
        } catch {
            known.trouble = error.description
        }
        return events
    }

    /// Has the store keep the newest checkpoint, when it is asked anyway; one that is away is tried again then.
    ///
    /// The embedded store is on this machine, as the ledger is, and would prove nothing.
    private func tellFleet(_ judgement: Judgement, _ memory: inout ObserverMemory) {
        guard let note = memory.checkpoint?.untold, checkpoints?.isNodes == true, let fleet,
            fleet.port.seesOthers, judgement.fleetIsAsked, let known = memory.fleet, known.failure == nil,
            known.stranger == nil
        else { return }
        let id = fleet.identity.id
        do throws(FleetFailure) {
            let stored = try fleet.port.checkpoint(of: id)
            try fleet.port.put(FleetCheckpoint(node: id, note: note), over: stored)
            memory.checkpoint?.untold = nil
        } catch {
            // Whether it counted is seen at the next look.
        }
    }
}
