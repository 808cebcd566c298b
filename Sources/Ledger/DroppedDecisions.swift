public import Model
public import Ports

/// Decisions that `history` no longer lists, since retention dropped them.
public struct DroppedDecisions: Hashable, Sendable {
    /// How many.
    public var count: Int64
    /// They were written before this.
    public var before: Instant
    /// The number of the entry that says so.
    public var entry: Int64

    /// In one sentence for a person.
    public var note: String {
        "\(count) decision\(count == 1 ? "" : "s") from before \(before) \(count == 1 ? "is" : "are") not listed: "
            + "retention dropped what they held (entry \(entry), ledger.keep)"
    }
}

extension Ledger {
    /// The number of the newest entry that says which bodies retention dropped; nil where none ever were.
    public func newestRetention() throws(LedgerFailure) -> Int64? {
        try guarded { try store.retention()?.seq }
    }

    /// What retention dropped of the decisions; nil where it dropped none.
    public func droppedDecisions() throws(LedgerFailure) -> DroppedDecisions? {
        try guarded {
            guard let dropped = try store.retention(), dropped.retention.decisions > 0 else { return nil }
            return DroppedDecisions(
                count: dropped.retention.decisions, before: dropped.retention.before, entry: dropped.seq)
        }
    }
}
