import Model

/// What the journal is told of what the gate did; its own line, in the unit's journal, has no fields.
func gateEntry(for act: GateAct) -> JournalEntry {
    var fields = act.installation.map { Agent.fields(of: $0, artifact: act.restored) } ?? [:]
    fields["HOLDFAST_UNIT"] = act.unit
    fields["HOLDFAST_REASON"] = act.reason
    fields["HOLDFAST_STARTED"] = act.at.description
    fields["HOLDFAST_INVOCATION"] = act.invocationID
    fields["HOLDFAST_PENDING"] = act.pending
    let (message, priority): (JournalEntry.Message, JournalEntry.Priority) =
        switch act.kind {
        case .putBack: (.gatePutBack, .warning)
        case .letThrough: (.gateLetThrough, .warning)
        case .refused: (.gateRefused, .error)
        case .unrecorded, .overflow, .unreadable: (.gateUntold, .warning)
        }
    let unit = act.unit.isEmpty ? "" : "\(act.unit) at \(act.at): "
    return JournalEntry(message: message, priority: priority, text: unit + act.text, fields: fields)
}

/// What the journal is told of a ledger that was seeded.
func seedEntry(for seeding: Seeding) -> JournalEntry {
    let names = seeding.seed.installations.map(\.installation.id.name).joined(separator: ", ")
    return JournalEntry(
        message: .seeded, priority: .error,
        text: "the ledger had lost what came before (\(seeding.entries) of at least "
            + "\(seeding.source.sequence) entries): what guards this node was taken over from the guard file"
            + (names.isEmpty ? "" : ", for \(names)"),
        fields: ["HOLDFAST_LOST_HASH": seeding.source.hash.hex])
}
