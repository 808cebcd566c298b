import Model
import Ports

/// How often old bodies are looked for, and a checkpoint is signed at most.
private let ledgerInterval = TimeSpan.days(1)

// What a tick does for the ledger itself. What is recorded of it is recorded before the guard file is written, which has
// to know the newest entry; the signature comes last, so that it covers all.
extension Tick {
    /// Drops old bodies, and records the key of checkpoints, where either is due.
    ///
    /// - Returns: what was recorded of it.
    func careForLedger(
        _ judgement: inout Judgement, _ memory: inout ObserverMemory, _ reading: ClockReading
    ) throws(LedgerFailure) -> [Event] {
        let events =
            [
                try dropOldBodies(judgement.policy, &memory, reading),
                try recordKey(judgement.state, &memory, reading),
            ].compactMap(\.self)
        guard !events.isEmpty else { return [] }
        judgement.state = try ledger.load().state
        if checkpoints?.isNodes != false { events.flatMap(journalEntries).forEach(journal.write) }
        return events
    }

    /// What a person should know of the last checkpoint, and of retention.
    func ledgerProblems(_ memory: ObserverMemory) -> [Problem] {
        var problems: [Problem] = []
        if let trouble = memory.checkpoint?.trouble {
            problems.append(
                Problem(
                    code: "checkpoint-unsigned", text: "no checkpoint of the ledger is signed: \(trouble)"))
        }
        if let trouble = memory.retentionTrouble {
            problems.append(
                Problem(
                    code: "retention-failed",
                    text:
                        "what is older than ledger.keep is not dropped, and is tried again in a day: \(trouble)"
                ))
        }
        return problems
    }

    /// A clock that may be wrong drops nothing: what is gone cannot be brought back.
    private func dropOldBodies(
        _ policy: LoadedPolicy?, _ memory: inout ObserverMemory, _ reading: ClockReading
    ) throws(LedgerFailure) -> Event? {
        guard let keep = policy?.document.ledgerKeep, reading.synchronised == true,
            isDue(memory.retainedAt, at: reading.now)
        else { return nil }
        // Whatever comes of it is tried again in a day: what keeps old bodies from being dropped keeps no guard from
        // being put back (invariant 3).
        memory.retainedAt = reading.now
        memory.retentionTrouble = nil
        do throws(LedgerFailure) {
            return try ledger.dropBodies(keep: keep, reading: reading)
        } catch {
            memory.retentionTrouble = error.description
            return nil
        }
    }

    private func isDue(_ last: Instant?, at now: Instant) -> Bool {
        guard let last, last <= now else { return true }
        return last + ledgerInterval <= now
    }

    /// Whether the head is to be signed now: once a day where it has moved, and after an adoption.
    private func signs(
        _ state: NodeState, _ known: KnownCheckpoint?, _ reading: ClockReading
    ) throws(LedgerFailure) -> (any CheckpointPort)? {
        guard let port = checkpoints?.port, let adopted = state.lastAdoption else { return nil }
        guard let known else { return port }
        guard isDue(known.triedAt, at: reading.now) || adopted > known.triedAt else { return nil }
        guard known.trouble == nil, let signed = known.signed else { return port }
        return try ledger.head().hash == signed.hash ? nil : port
    }

    /// Records the key where the ledger does not know it as the newest; it is made where there is none.
    private func recordKey(
        _ state: NodeState, _ memory: inout ObserverMemory, _ reading: ClockReading
    ) throws(LedgerFailure) -> Event? {
        guard let port = try signs(state, memory.checkpoint, reading) else { return nil }
        let verifier: String
        do throws(CheckpointFailure) { verifier = try port.key() } catch {
            note(error, &memory, reading)
            return nil
        }
        var recorded = try ledger.load().state
        guard recorded.checkpointKeys.last != verifier else { return nil }
        let event = Event.checkpointKey(
            CheckpointKey(verifier: verifier, replaces: recorded.checkpointKeys.last))
        recorded.apply(event, at: reading.now)
        try ledger.append([event], reading: reading, state: recorded)
        return event
    }

    /// Signs the head where that is due, and has the fleet's store keep the note.
    func signCheckpoint(
        _ judgement: Judgement, _ memory: inout ObserverMemory, _ reading: ClockReading
    ) throws(LedgerFailure) {
        if let port = try signs(judgement.state, memory.checkpoint, reading) {
            let head = try ledger.head()
            let checkpoint = Checkpoint(
                origin: ledger.originName, sequence: head.sequence, hash: head.hash, at: reading.now)
            do throws(CheckpointFailure) {
                let note = try port.sign(checkpoint)
                memory.checkpoint = KnownCheckpoint(triedAt: reading.now)
                memory.checkpoint?.signed = checkpoint
                memory.checkpoint?.untold = note
                if checkpoints?.isNodes == true {
                    journal.write(checkpointEntry(for: checkpoint, note: note))
                }
            } catch {
                note(error, &memory, reading)
            }
        }
        tellFleet(judgement, &memory)
    }

    private func note(_ failure: CheckpointFailure, _ memory: inout ObserverMemory, _ reading: ClockReading) {
        var known = memory.checkpoint ?? KnownCheckpoint(triedAt: reading.now)
        known.triedAt = reading.now
        known.trouble = failure.description
        memory.checkpoint = known
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
