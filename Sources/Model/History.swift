/// Which decisions of the ledger are asked for; nil means any.
public struct HistoryFilter: Hashable, Sendable {
    /// Inclusive.
    public var since: Instant?
    /// Exclusive.
    public var until: Instant?
    /// Decisions about this distribution only.
    public var distribution: Distribution?
    /// Decisions with this verdict only.
    public var verdict: Verdict?
    /// A node's name.
    public var node: String?
    /// Decisions that were made while this rollout was under way, by its id.
    public var rollout: String?

    /// Makes a filter; without arguments one that lets every decision through.
    public init(
        since: Instant? = nil, until: Instant? = nil, distribution: Distribution? = nil,
        verdict: Verdict? = nil,
        node: String? = nil, rollout: String? = nil
    ) {
        self.since = since
        self.until = until
        self.distribution = distribution
        self.verdict = verdict
        self.node = node
        self.rollout = rollout
    }
}

/// The columns of the decision history, in the order in which they are exported.
///
/// Their names are an interface: the ledger's table, the csv header and the JSON keys have them.
public enum HistoryColumn: String, CaseIterable, Sendable {
    /// The entry's number in the ledger.
    case seq
    /// When it was recorded: UTC as RFC 3339 writes it.
    case at
    case node
    case distribution
    /// The unit or the snap.
    case installation
    /// The change's id.
    case change
    case trigger
    case updateType
    case phase
    /// A version; NULL where it could not be read.
    case from
    /// A version; NULL where it could not be read.
    case to
    /// What pins the target's bytes: `sha256:…`, `revision:7731`; NULL where neither is known.
    case target
    case verdict
    /// The rules that are not met or not known, a space between them; NULL where all are met.
    case unmet
    /// The decision's id.
    case decision
    /// The policy's SHA-256.
    case policy
    /// Why, in one line.
    case reason
    /// The id of the rollout that was under way; NULL where none was.
    case rollout
}

/// One decision as the ledger stores it: the bytes of its columns where SQLite keeps them.
///
/// It holds for as long as the closure that it is handed to runs, and nothing of it is copied: a million rows are
/// exported in constant memory. The bytes are what is in the file; they can hold NUL and need not be UTF-8.
public struct HistoryRow {
    /// The entry's number.
    public var seq: Int64
    private let texts: UnsafeBufferPointer<UnsafeRawBufferPointer>

    /// Makes a row over the texts of all columns but the first, in the order of `HistoryColumn`.
    ///
    /// A buffer without an address stands for NULL. The texts must outlive the row.
    public init(seq: Int64, texts: UnsafeBufferPointer<UnsafeRawBufferPointer>) {
        self.seq = seq
        self.texts = texts
    }

    /// A column's bytes, counted from 0; no address for NULL, for `seq`, and for what is no column.
    public subscript(index: Int) -> UnsafeRawBufferPointer {
        index >= 1 && index <= texts.count ? texts[index - 1] : UnsafeRawBufferPointer(start: nil, count: 0)
    }
}
