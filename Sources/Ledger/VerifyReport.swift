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
    /// How many bodies are gone, as the newest retention entry says.
    public var droppedBodies: Int64 = 0
    /// That entry's number; nil where no body was ever dropped.
    public var retention: Int64?
    /// The keys by which checkpoints are signed, as the ledger tells them: the first one first, the newest last.
    public var checkpointKeys: [String] = []
    /// What checkpoints prove of this ledger.
    public var checkpoints = CheckpointPart()
    /// What is wrong, the first bad entry first; empty where everything is as it was written.
    public var findings: [Finding]
    /// Whether more was wrong than is listed.
    public var hasMore: Bool

    /// How many findings are listed.
    static let limit = 20

    /// Whether nothing was found.
    public var isIntact: Bool { findings.isEmpty }

    /// What checkpoints that were compared with the chain prove.
    public struct CheckpointPart: Encodable, Hashable, Sendable {
        /// How many were genuine and of this ledger.
        public var compared = 0
        /// The newest that the chain agrees with: nothing up to its entry was changed or cut off since it was signed.
        public var newest: Checkpoint?
        /// The key that signed it.
        public var signedBy: String?
        /// Whether that key was named by whoever asked, rather than by the ledger itself.
        public var keyWasGiven = false
        /// How many entries lie after it.
        public var uncovered: Int64 = 0
    }

    /// What this check cannot see, in one sentence for a person.
    ///
    /// A chain alone proves only what follows an entry that somebody else remembers.
    public var blindSpot: String {
        guard let newest = checkpoints.newest else {
            return
                "entries cut off at the end, or a chain rewritten as a whole, since no checkpoint covers them; "
                + "compare with one that was kept elsewhere (--checkpoint FILE)"
        }
        let rest =
            checkpoints.uncovered == 0
            ? "" : "a change of what lies after entry \(newest.sequence), which the next checkpoint covers"
        // Whoever is root has the key and the file too.
        let own =
            checkpoints.keyWasGiven
            ? ""
            : "a chain that root rewrote with its checkpoints: compare with a checkpoint and a key that were kept "
                + "elsewhere (--checkpoint FILE --key KEY)"
        let parts = [rest, own].filter { !$0.isEmpty }
        return parts.isEmpty ? "nothing" : parts.joined(separator: "; ")
    }

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
            /// A checkpoint that the chain ends before.
            case cutTail = "cut-tail"
            /// A checkpoint that says another hash of an entry.
            case rewrittenChain = "rewritten-chain"
            /// A checkpoint of another ledger of this node.
            case otherLedger = "other-ledger"
            /// A checkpoint that is none, or that no known key has signed.
            case badCheckpoint = "bad-checkpoint"
            /// An entry that says which bodies were dropped, and says of the state what the entries do not.
            case falseRetention = "false-retention"
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
