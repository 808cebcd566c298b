import Model

/// What the journal is told of a signed checkpoint; the note is a field of its own, so that it can be taken from there.
///
/// The journal keeps a value on one line, so the note's lines are joined by `\n`, as `printf %b` takes it.
func checkpointEntry(for checkpoint: Checkpoint, note: String) -> JournalEntry {
    JournalEntry(
        message: .checkpointSigned, priority: .info,
        text: "checkpoint: entry \(checkpoint.sequence) of ledger \(checkpoint.origin) has the hash "
            + checkpoint.hash.hex,
        fields: [
            "HOLDFAST_ORIGIN": checkpoint.origin, "HOLDFAST_SEQUENCE": String(checkpoint.sequence),
            "HOLDFAST_HASH": checkpoint.hash.hex,
            "HOLDFAST_CHECKPOINT": note.split(separator: "\n", omittingEmptySubsequences: false)
                .joined(separator: "\\n"),
        ])
}

/// What the journal is told of the key of checkpoints.
func keyEntry(for key: CheckpointKey) -> JournalEntry {
    JournalEntry(
        message: .checkpointKey, priority: key.replaces == nil ? .notice : .warning,
        text: "checkpoints are signed by \(key.verifier) from now on"
            + (key.replaces.map { ", in place of \($0)" } ?? ""),
        fields: ["HOLDFAST_KEY": key.verifier])
}

/// What the journal is told of bodies that were dropped.
func retentionEntry(for retention: Retention) -> JournalEntry {
    JournalEntry(
        message: .bodiesDropped, priority: .info,
        text: "the contents of ledger entries \(retention.from) to \(retention.through), older than "
            + "\(retention.keep.policyText) (ledger.keep), were dropped; the chain stays",
        fields: ["HOLDFAST_SEQUENCE": String(retention.through)])
}
