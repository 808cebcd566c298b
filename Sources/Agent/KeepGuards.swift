import Gate
public import Model
import Ports

/// What came of keeping the guards as they should be.
public struct GuardOutcome: Hashable, Sendable {
    /// What was recorded, in order.
    public var events: [Event] = []
    /// What would be done; filled on a dry run alone.
    public var planned: [Effect] = []
    /// Whether another process performs effects, and this one left them to it.
    public var isBusy = false
    /// Why not everything was done; nil where it was.
    public var trouble: String?
    /// How the ledger then stood; nil where it was not read anew.
    var state: NodeState?
    /// Whether a guard file was set aside, which the next look tells.
    var hasSetAside = false

    /// This and what a later round came to.
    func followed(by later: GuardOutcome) -> GuardOutcome {
        GuardOutcome(
            events: events + later.events, planned: later.planned, isBusy: later.isBusy,
            trouble: later.trouble,
            state: later.state, hasSetAside: later.hasSetAside)
    }
}

/// The effect loop: brings what is in place to what is desired, one effect at a time.
///
/// Each is committed as an intent before it is performed, and closed after a probe (invariant 7). Whoever runs it
/// holds the effect lock; who cannot get it leaves everything to the holder, which reads the ledger anew at each step.
struct KeepGuards {
    let ledger: any LedgerStore
    let port: any GuardPort
    let journal: any Journal
    let label: (String) -> String
    let reading: ClockReading
    /// How long to wait for another that is at it, in milliseconds: it may have looked at the ledger for the last time.
    var patience = 1000

    /// More steps than any node needs; somebody who undoes each of them must not keep us busy for ever.
    private static let mostSteps = 200

    /// Does what is to be done.
    ///
    /// - Parameter presence: what the look found; where nothing is to be done, nothing more is opened.
    func run(_ situation: GuardSituation, _ presence: GuardPresence) throws(LedgerFailure) -> GuardOutcome {
        let plan = planGuards(situation, presence)
        let head = try ledger.head()
        if plan.effects.isEmpty, situation.records.intents.isEmpty,
            wantedFile(situation, presence, head) == presence.guardFile
        {
            return GuardOutcome()
        }
        var run = Run(keep: self, situation: situation)
        do {
            guard try port.takeLock(patience: patience) else {
                run.outcome.isBusy = true
                return run.outcome
            }
        } catch {
            run.outcome.trouble = error.description
            return run.outcome
        }
        defer { port.giveLockBack() }
        for _ in 0..<Self.mostSteps {
            guard try run.step() else { return run.outcome }
        }
        run.outcome.trouble =
            "something undoes the guards as fast as they are placed; 'holdfast history' and the "
            + "journal tell what was placed"
        return run.outcome
    }

    /// Performs one effect of a step, committed and closed as any other.
    ///
    /// - Parameter isWanted: asked of the ledger under the lock, right before the intent is committed.
    func perform(
        _ effect: Effect, _ situation: GuardSituation, isWanted: (NodeState) -> Bool
    ) throws(LedgerFailure) -> GuardOutcome {
        var run = Run(keep: self, situation: situation)
        do {
            guard try port.takeLock(patience: patience) else {
                run.outcome.isBusy = true
                return run.outcome
            }
        } catch {
            run.outcome.trouble = error.description
            return run.outcome
        }
        defer { port.giveLockBack() }
        try run.only(effect, isWanted)
        return run.outcome
    }

    fileprivate func wantedFile(
        _ situation: GuardSituation, _ presence: GuardPresence, _ head: (sequence: Int64, hash: Digest)
    ) -> GuardPresence.FileContent? {
        var present: GuardFile?
        if case .bytes(let bytes) = presence.guardFile { present = try? GuardFile.parse(bytes) }
        return situation.guardFile(head: head, present: present).map { .bytes(Array($0.text.utf8)) }
    }
}

/// One run of the loop under the lock.
private struct Run {
    let keep: KeepGuards
    var situation: GuardSituation
    var outcome = GuardOutcome()
    /// Where something could not be done: the rest of it waits for the next tick, and nothing else does.
    private var stopped: Set<Effect.Lane> = []

    init(keep: KeepGuards, situation: GuardSituation) {
        self.keep = keep
        self.situation = situation
    }

    /// One step: an open intent is finished first; false where nothing is left to do, or can be done.
    mutating func step() throws(LedgerFailure) -> Bool {
        // Others append while we work: a pause or a release counts from the next step on.
        situation.state = try keep.ledger.load().state
        let presence = keep.port.look(at: situation.places)
        let plan = planGuards(situation, presence)
        outcome.state = situation.state
        guard try catchUp(presence) else { return false }
        if let intent = situation.records.intents.first(where: { !stopped.contains($0.effect.lane) }) {
            return try finish(intent, plan)
        }
        let isBlocked = Set(situation.records.intents.map(\.effect.lane)).union(stopped)
        guard let effect = plan.effects.first(where: { !isBlocked.contains($0.lane) }) else { return false }
        return try begin(effect, presence, broken: plan.broken[effect])
    }

    /// Performs one effect that no plan names.
    mutating func only(_ effect: Effect, _ isWanted: (NodeState) -> Bool) throws(LedgerFailure) {
        situation.state = try keep.ledger.load().state
        outcome.state = situation.state
        guard isWanted(situation.state) else { return }
        if let intent = situation.records.intents.first(where: { $0.effect.lane == effect.lane }) {
            _ = give(up: effect.lane, "an effect is not finished: \(intent.effect.summary)")
            return
        }
        let presence = keep.port.look(at: situation.places)
        guard try catchUp(presence) else { return }
        _ = try begin(effect, presence, broken: nil)
    }

    private mutating func begin(
        _ effect: Effect, _ presence: GuardPresence, broken: BrokenGuard?
    ) throws(LedgerFailure) -> Bool {
        let intent: Intent
        do {
            let before = try keep.port.fingerprint(of: effect)
            let number = try ledgerHead().sequence
            intent = Intent(
                id: keep.label("\(number) \(effect.summary)"), effect: effect, before: before)
        } catch let error as EffectFailure {
            return give(up: effect.lane, error.description)
        } catch let error as LedgerFailure {
            throw error
        } catch {
            return false
        }
        if let broken { try append(.guardBroken(broken)) }
        try append(.intended(intent))
        guard try catchUp(presence) else { return false }
        return try perform(intent)
    }

    private func ledgerHead() throws(LedgerFailure) -> (sequence: Int64, hash: Digest) {
        try keep.ledger.head()
    }

    private mutating func finish(_ intent: Intent, _ plan: GuardPlan) throws(LedgerFailure) -> Bool {
        switch keep.port.probe(intent) {
        case .done(let identity): return try close(intent, identity)
        case .reads(let value): try end(intent, .reads(value))
        case .notDone:
            if plan.effects.contains(intent.effect) { return try perform(intent) }
            do {
                try keep.port.undo(intent)
            } catch {
                return try stop(intent, .failed(error.description), error.description)
            }
            try end(intent, .undone)
        case .takenBack(let undo): try end(intent, .takenBack(undo))
        case .underWay: return leaveOpen(intent)
        case .unknown(let text):
            let whole =
                "\(text), so nobody can tell whether this was done: \(intent.effect.summary); nothing further is "
                + "done: look at it, put it right by hand, and run 'holdfast check'"
            return try stop(intent, .unknown(whole), whole)
        }
        return true
    }

    private mutating func perform(_ intent: Intent) throws(LedgerFailure) -> Bool {
        do {
            try keep.port.perform(intent.effect, before: intent.before)
        } catch {
            return try stop(intent, .failed(error.description), error.description)
        }
        guard intent.effect.leavesTrace else {
            try end(intent, .done(nil))
            return true
        }
        switch keep.port.probe(intent) {
        case .done(let identity): return try close(intent, identity)
        case .reads(let value): try end(intent, .reads(value))
        case .takenBack(let undo): try end(intent, .takenBack(undo))
        case .underWay: return leaveOpen(intent)
        case .notDone:
            let text = "it was done and is not there: \(intent.effect.summary); somebody may have undone it"
            return try stop(intent, .failed(text), text)
        case .unknown(let text):
            // What cannot be read now may well be there: the intent stays open, and the next look asks again.
            let whole = "\(text), so it cannot be seen whether this was done: \(intent.effect.summary)"
            return try stop(intent, .failed(whole), whole)
        }
        return true
    }

    /// Ends an effect that was done.
    ///
    /// Beside a binary that was replaced may lie what was staged for it, where the gate was quicker, or what was turned
    /// away, where it could not be kept: the latter is the only copy, so it is tried until it is kept, or the
    /// installation is released. Beside a record of a start may lie the draft of one who was killed before the gate
    /// wrote it.
    private mutating func close(_ intent: Intent, _ identity: FileIdentity?) throws(LedgerFailure) -> Bool {
        let isInUse: Bool
        switch intent.effect {
        case .replace(let replacement):
            isInUse = situation.state.installations[replacement.installation.description]?.adoption != nil
        case .writeLastRan: isInUse = true
        default:
            try end(intent, .done(identity))
            return true
        }
        do {
            try keep.port.undo(intent)
        } catch  where isInUse {
            return try stop(intent, .failed(error.description), error.description)
        } catch {
            // A node without room is released all the same.
        }
        try end(intent, .done(identity))
        return true
    }

    /// Leaves the intent open; the same trouble is recorded once.
    private mutating func stop(
        _ intent: Intent, _ result: EffectEnd.Outcome, _ text: String
    ) throws(LedgerFailure) -> Bool {
        let known = situation.records.troubles.first { $0.intent == intent.id }
        if known?.problem.text != text { try end(intent, result) }
        return give(up: intent.effect.lane, text)
    }

    /// It goes on without us, and is asked about again at the next look; nothing is wrong with that.
    private mutating func leaveOpen(_ intent: Intent) -> Bool {
        stopped.insert(intent.effect.lane)
        return stopped.count < Effect.Lane.allCases.count
    }

    /// Nothing more is done on a lane in this run; what is on the others goes on.
    private mutating func give(up lane: Effect.Lane, _ text: String) -> Bool {
        stopped.insert(lane)
        outcome.trouble = outcome.trouble ?? text
        return stopped.count < Effect.Lane.allCases.count
    }

    private mutating func end(_ intent: Intent, _ result: EffectEnd.Outcome) throws(LedgerFailure) {
        try append(.effected(EffectEnd(of: intent, outcome: result)))
        if case .done = result { situation.note(done: intent.effect) }
        guard case .reads(let value) = result else { return }
        switch intent.effect {
        case .set(let setting, _): situation.take(setting, value)
        case .restore(let placed): situation.take(placed.setting, value)
        default: break
        }
    }

    private mutating func append(_ event: Event) throws(LedgerFailure) {
        situation.state.apply(event, at: keep.reading.now)
        try keep.ledger.append([event], reading: keep.reading, state: situation.state)
        outcome.events.append(event)
        outcome.state = situation.state
        journalEntries(for: event).forEach(keep.journal.write)
    }

    /// Brings the guard file to what the ledger says.
    private mutating func catchUp(_ presence: GuardPresence) throws(LedgerFailure) -> Bool {
        let wanted = keep.wantedFile(situation, presence, try ledgerHead())
        guard wanted != presence.guardFile else { return true }
        let isLost = try mayBeLost(presence)
        do {
            if isLost {
                try keep.port.setGuardFileAside()
                outcome.hasSetAside = true
            }
            try keep.port.writeGuardFile(wanted?.text)
            return true
        } catch {
            outcome.trouble = error.description
            return false
        }
    }

    /// Whether the guard file is one that nobody trusts, and perhaps the only one that knows what of ours is in place.
    private func mayBeLost(_ presence: GuardPresence) throws(LedgerFailure) -> Bool {
        // What this run has written since the look is no longer that file.
        guard case .unusable = presence.guardFile, !outcome.hasSetAside else { return false }
        guard let bytes = presence.looseGuardFile else {
            // It could not be read: a ledger that knows guards of its own is not the one that was lost.
            return situation.records.isEmpty
                && !situation.state.installations.values.contains { $0.adoption != nil }
        }
        guard let file = try? GuardFile.parse(bytes) else { return true }
        return try keep.ledger.lacks(SeedSource(sequence: file.ledgerSequence, hash: file.ledgerHash))
    }
}
