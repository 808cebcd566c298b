import Model
public import Ports

/// Where a ledger can be opened as often as a test wants: each opening stands for another process.
public struct LedgerPlace {
    /// Opens the ledger that lies there; where none does, one is begun.
    public var open: () throws -> any LedgerStore
    /// The node loses its power: what was not committed is gone, and so are the processes.
    public var crash: () throws -> Void
    /// Runs a closure while the entry of that number cannot be written.
    public var withBadEntry: (_ sequence: Int64, _ body: () throws -> Void) throws -> Void

    /// Names a place, in which nothing has been written yet.
    public init(
        open: @escaping () throws -> any LedgerStore, crash: @escaping () throws -> Void,
        withBadEntry: @escaping (_ sequence: Int64, _ body: () throws -> Void) throws -> Void
    ) {
        self.open = open
        self.crash = crash
        self.withBadEntry = withBadEntry
    }
}

extension LedgerStore {
    /// Appends events to what the ledger says now, as every process does.
    func append(_ events: [Event], at second: Int64) throws {
        try append(events, reading: reading(second), state: try load().state.after(events, at: second))
    }
}

extension NodeState {
    func after(_ events: [Event], at second: Int64) -> NodeState {
        var copy = self
        for event in events { copy.apply(event, at: reading(second).now) }
        return copy
    }
}

/// What the clocks say at a second of one boot.
func reading(_ second: Int64, boot: String = "boot-1") -> ClockReading {
    ClockReading(
        now: Instant(seconds: 1_764_000_000 + second), monotonic: second * 1_000_000_000, bootID: boot,
        synchronised: true)
}
