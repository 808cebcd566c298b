public import Model

/// What walking the chain found.
public struct VerifyReport: Encodable, Hashable, Sendable {
    /// The database's file.
    public var file: String
    /// The ledger's origin in hexadecimal digits.
    public var origin: String
    /// The damaged ledger that this one took the place of; nil where there was none.
    public var replaces: String?
    /// How many entries there are.
    public var entries: Int64
    /// The newest entry's number and hash in hexadecimal digits: write them down elsewhere, and a cut shows.
    public var headSeq: Int64
    /// The newest entry's hash in hexadecimal digits.
    public var headHash: String
    /// When the first entry was written; nil for an empty ledger.
    public var first: Instant?
    /// When the newest entry was written; nil for an empty ledger.
    public var last: Instant?
    /// What is wrong, the first bad entry first; empty where everything is as it was written.
    public var findings: [Finding]
    /// Whether more was wrong than is listed.
    public var hasMore: Bool

    /// How many findings are listed.
    static let limit = 20

    /// Whether nothing was found.
    public var isIntact: Bool { findings.isEmpty }

    /// What this check cannot see, in one sentence for a person.
    ///
    /// A chain alone proves only what follows an entry that somebody else remembers.
    public static let blindSpot =
        "entries cut off at the end, or a chain rewritten as a whole, cannot be seen until there are checkpoints; "
        + "compare the head with one that was written down elsewhere"

    /// One thing that is not as it was written.
    public struct Finding: Encodable, Hashable, Sendable {
        /// What kind of change it is.
        public enum Kind: String, Encodable, Hashable, Sendable {
            /// An entry's fields do not give its hash.
            case editedEntry = "edited-entry"
            /// A body does not give the hash that its entry holds.
            case editedBody = "edited-body"
            case missingBody = "missing-body"
            /// A body that no entry has.
            case strayBody = "stray-body"
            /// Numbers that the chain leaves out.
            case missingEntries = "missing-entries"
            /// An entry that does not follow the one before it.
            case brokenLink = "broken-link"
            /// A body that this program cannot read.
            case unreadableBody = "unreadable-body"
            /// A table of queries that the entries do not give.
            case projection
            /// Tables or guards that are not those of this program.
            case schema
            /// Pages that SQLite cannot follow.
            case damage
        }

        /// The entry; 0 where it is about no single one.
        public var seq: Int64
        /// What kind of change it is.
        public var kind: Kind
        /// What is wrong, in one line.
        public var text: String
    }
}
