import Model
import Ports

/// Seeds a ledger that is missing, or behind the guard file, from that file (design, "The guard file").
struct SeedLedger {
    let ledger: any LedgerStore
    let port: any GuardPort
    let journal: any Journal
    let reading: ClockReading

    /// What was taken over, where the ledger lacked it.
    struct Seeded {
        var event: Event
        var state: NodeState
    }

    /// Seeds where that is called for; nil where it is not, or another process performs effects.
    ///
    /// - Parameters:
    ///   - presence: what the look found; the guard file in it is compared with the ledger's end.
    ///   - dryRun: seeds nothing, and tells how the ledger would then stand.
    func run(
        _ state: NodeState, _ presence: GuardPresence, dryRun: Bool
    ) throws(LedgerFailure) -> Seeded? {
        guard let seeding = try seeding(state, presence.guardFile) else { return nil }
        if dryRun { return seeded(seeding, state) }
        guard (try? port.takeLock(patience: 0)) == true else { return nil }
        defer { port.giveLockBack() }
        // Whoever held the lock may have appended, and written the guard file after that.
        let state = try ledger.load().state
        guard let seeding = try self.seeding(state, port.look(at: GuardedPlaces()).guardFile) else {
            return nil
        }
        let result = seeded(seeding, state)
        try ledger.append([result.event], reading: reading, state: result.state)
        journalEntries(for: result.event).forEach(journal.write)
        return result
    }

    private func seeded(_ seeding: Seeding, _ state: NodeState) -> Seeded {
        var state = state
        state.apply(.seeded(seeding), at: reading.now)
        return Seeded(event: .seeded(seeding), state: state)
    }

    private func seeding(
        _ state: NodeState, _ content: GuardPresence.FileContent?
    ) throws(LedgerFailure) -> Seeding? {
        guard case .bytes(let bytes) = content else { return nil }
        let head = try ledger.head()
        // At nearly every tick the file is of the newest entry, and nothing more of it has to be read.
        guard !bytes.starts(with: GuardFile.beginning(of: head).utf8),
            let file = try? GuardFile.parse(bytes)
        else { return nil }
        let source = SeedSource(sequence: file.ledgerSequence, hash: file.ledgerHash)
        // A tick that died after it seeded has not written the file anew.
        guard state.seededFrom != source else { return nil }
        guard try ledger.lacks(source), let text = file.seed, let seed = ledger.seed(from: text) else {
            return nil
        }
        return Seeding(source: source, entries: head.sequence, seed: seed)
    }

}

extension LedgerStore {
    /// Whether the entry that a guard file was written after is not in the ledger.
    func lacks(_ source: SeedSource) throws(LedgerFailure) -> Bool {
        let head = try head()
        if head.sequence == source.sequence { return head.hash != source.hash }
        if head.sequence < source.sequence { return true }
        return try hash(ofEntry: source.sequence) != source.hash
    }
}

extension GuardSituation {
    /// Whether nobody knows any longer what the policy wanted, so that what was placed stays until somebody does.
    var hasLostPolicy: Bool {
        policy == nil
            && state.installations.values.contains { $0.adoption != nil && $0.seededMode != nil }
    }

    /// What a ledger that was lost is to be seeded from.
    func seed(modes: [InstallationID: Enforcement.GateMode]) -> Seed {
        let adopted = state.installations.sorted { $0.key < $1.key }.map(\.value)
            .filter { $0.adoption != nil }
        return Seed(
            installations: adopted.map { known in
                var known = known
                known.changes = []
                known.installation.offers = []
                known.acts = []
                // It belongs to a problem, and those are not taken over.
                known.unseenSince = nil
                known.seededMode = modes[known.installation.id] ?? .off
                return known
            }, records: records, pause: state.pause)
    }
}
