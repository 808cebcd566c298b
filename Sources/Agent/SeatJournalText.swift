import Model

/// What the journal is told of a node's part in a rollout; nil for what only the ledger has to know.
func seatEntry(for taking: SeatTaking) -> JournalEntry? {
    guard taking.isNews else { return nil }
    let rollout = taking.seat.rollout ?? "?"
    let release = taking.distribution.displayName + (taking.version.map { " \($0)" } ?? "")
    func entry(_ priority: JournalEntry.Priority, _ text: String) -> JournalEntry {
        JournalEntry(
            message: .seatTaken, priority: priority, text: "rollout \(rollout) of \(release): \(text)",
            fields: [
                "HOLDFAST_ROLLOUT": rollout, "HOLDFAST_DISTRIBUTION": taking.distribution.rawValue,
                "HOLDFAST_SEAT": taking.seat.phase.name,
            ])
    }
    switch taking.seat.phase {
    case .granted: return entry(.notice, "it is this node's turn")
    case .proving: return entry(.notice, "it runs well on this node, for as long as was asked")
    case .failing(let reason): return entry(.error, "it failed on this node, and goes no further: \(reason)")
    case .idle, .asking, .stepping, .soaking: return nil
    }
}

/// What the journal is told of a person's word on a rollout.
func wordEntry(for word: RolloutWord) -> JournalEntry {
    let reason = word.reason.isEmpty ? "" : ": \(word.reason)"
    return JournalEntry(
        message: .rolloutSaid, priority: .notice, text: "\(word.claimedBy) \(word.summary)\(reason)",
        fields: [
            "HOLDFAST_DISTRIBUTION": word.distribution.rawValue, "HOLDFAST_ROLLOUT": word.rollout ?? "-",
        ])
}
