public import Model

/// The ledger, as far as a tick needs it.
public protocol LedgerStore {
    /// What the entries add up to, and the observer's memory.
    func load() throws(LedgerFailure) -> (state: NodeState, memory: ObserverMemory)

    /// The policy of the newest `policyLoaded` event; nil where there is none.
    func lastPolicy() throws(LedgerFailure) -> LoadedPolicy?

    /// Appends events in one transaction, with the state that they lead to; all of them or none.
    func append(_ events: [Event], reading: ClockReading, state: NodeState) throws(LedgerFailure)

    /// The same where nobody has appended since the last `load`; else nothing is appended, and it tells so by false.
    ///
    /// Of two that found the same thing at once, one records it.
    func appendIfCurrent(
        _ events: [Event], reading: ClockReading, state: NodeState
    ) throws(LedgerFailure) -> Bool

    /// The ledger's 16 random bytes as 32 hexadecimal digits, which no other ledger has.
    var originName: String { get }

    /// Drops what may be dropped of bodies that are older than the policy has them kept, a bounded number at a time
    /// (invariant 8).
    ///
    /// - Returns: the event that says so, which is in the ledger then; nil where nothing was dropped.
    func dropBodies(keep: TimeSpan, reading: ClockReading) throws(LedgerFailure) -> Event?

    /// The number and the hash of the newest entry; 0 and no hash before the first.
    func head() throws(LedgerFailure) -> (sequence: Int64, hash: Digest)

    /// The hash of an entry; nil where there is none with that number.
    func hash(ofEntry sequence: Int64) throws(LedgerFailure) -> Digest?

    /// A seed from the ledger's own text; nil where it is none.
    func seed(from text: String) -> Seed?

    /// Changes the observer's memory as it is kept now, with no other process in between; it is no part of the chain.
    func remember(_ change: (inout ObserverMemory) -> Void) throws(LedgerFailure)

    /// What imported checksums say of a digest; more than one entry where files disagree.
    func catalogEntries(for digest: Digest) throws(LedgerFailure) -> [CatalogEntry]

    /// What imported checksums say of a release; one for each architecture, and more where files disagree.
    func catalogEntries(
        of version: Version, for distribution: Distribution
    ) throws(LedgerFailure) -> [CatalogEntry]

    /// Notes that a tick ran; gives the stretch back when it is due to be sealed.
    ///
    /// A stretch that was given back is sealed by appending it; until that is done it is kept and given back again.
    ///
    /// - Parameter seal: whether the stretch ends here whatever its age, because something else is recorded.
    func extendCoverage(reading: ClockReading, seal: Bool) throws(LedgerFailure) -> Coverage?
}

/// Why the ledger could not be read or written.
public struct LedgerFailure: Error, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Hashable, Sendable {
        /// There is no ledger yet; only a tick begins one.
        case missing
        /// Another process held the write lock for too long.
        case busy
        case readOnly = "read-only"
        case full
        case corrupt
        case denied
        /// A newer program wrote it.
        case newer
        case other
    }

    /// The kind of failure.
    public var code: Code
    /// What happened, where, and what to do about it.
    public var description: String

    /// Makes a failure.
    public init(code: Code, description: String) {
        self.code = code
        self.description = description
    }
}
