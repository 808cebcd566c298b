/// That bodies of old entries were dropped: which, why, and what all entries before this one add up to.
///
/// It takes the place of every earlier one. The entries themselves stay, and so does the chain; the state goes on from
/// here, since it can no longer be made from bodies that are gone.
public struct Retention: Codable, Hashable, Sendable {
    /// The number of the first entry that was reached this time.
    public var from: Int64
    /// The number of the last one: a body that may be dropped, and is of this entry or an earlier one, is gone.
    public var through: Int64
    /// How long the policy has bodies kept (`ledger.keep`).
    public var keep: TimeSpan
    /// Entries up to `through` were written before this, by the clock of their time.
    public var before: Instant
    /// Numbers of entries up to `through` whose bodies stay although their kind may go: decisions that still stand.
    @OmittedWhenEmpty public var kept: [Int64]
    /// How many bodies were dropped so far, this time included.
    public var bodies: Int64
    /// How many of them were decisions, which `history` no longer lists.
    public var decisions: Int64
    /// What the entries before this one add up to.
    public var state: NodeState
    /// The newest sealed stretch of coverage; nil where there was none.
    public var coverage: Coverage?

    /// Makes the record of what was dropped.
    public init(
        from: Int64, through: Int64, keep: TimeSpan, before: Instant, kept: [Int64], bodies: Int64,
        decisions: Int64, state: NodeState, coverage: Coverage?
    ) {
        self.from = from
        self.through = through
        self.keep = keep
        self.before = before
        self.kept = kept
        self.bodies = bodies
        self.decisions = decisions
        self.state = state
        self.coverage = coverage
    }
}
