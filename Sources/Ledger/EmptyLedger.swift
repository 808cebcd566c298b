public import Model
public import Ports

/// What stands for the ledger where there is none yet and none may be made: a dry run before the first tick.
public struct EmptyLedger: LedgerStore {
    /// Makes one.
    public init() {}

    public func load() -> (state: NodeState, memory: ObserverMemory) { (NodeState(), ObserverMemory()) }

    public func catalogEntries(for digest: Digest) -> [CatalogEntry] { [] }

    public func append(
        _ events: [Event], reading: ClockReading, state: NodeState
    ) throws(LedgerFailure) { throw Self.refusal }

    public func remember(_ memory: ObserverMemory) throws(LedgerFailure) { throw Self.refusal }

    public func extendCoverage(reading: ClockReading, seal: Bool) throws(LedgerFailure) -> Coverage? {
        throw Self.refusal
    }

    private static let refusal = LedgerFailure(
        code: .missing,
        description: "there is no ledger to write; 'holdfast check' without --dry-run begins one")
}
