/// One entry of a ledger as it is read back, for reports and exports.
public struct LedgerEntry: Hashable, Sendable {
    /// What an entry holds.
    public enum Content: Hashable, Sendable {
        /// The first entry, which begins the ledger.
        case beginning
        case event(Event)
        /// A body that retention dropped: that there was an entry, of which kind and when, is still proven.
        case dropped
        /// A body that this program cannot read, and why.
        case unreadable(String)
    }

    /// Its number, from 1.
    public var sequence: Int64
    /// The kind's name, such as `decided`.
    public var kind: String
    /// When it was written, by the clock of that time.
    public var at: Instant
    /// Whether that clock was synchronised; nil where nobody could say.
    public var clockSynchronised: Bool?
    /// The boot in which it was written, as the kernel names it.
    public var bootID: String
    /// Its hash, which covers all entries before it too.
    public var hash: Digest
    /// What it holds.
    public var content: Content

    /// Makes an entry.
    public init(
        sequence: Int64, kind: String, at: Instant, clockSynchronised: Bool?, bootID: String, hash: Digest,
        content: Content
    ) {
        self.sequence = sequence
        self.kind = kind
        self.at = at
        self.clockSynchronised = clockSynchronised
        self.bootID = bootID
        self.hash = hash
        self.content = content
    }

    /// The event; nil for the first entry and for one whose body is not there or cannot be read.
    public var event: Event? {
        if case .event(let event) = content { event } else { nil }
    }
}
