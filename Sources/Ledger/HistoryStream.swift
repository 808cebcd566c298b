public import Model
public import Ports
import SQLite

/// The decisions of one ledger, handed out one at a time: what a merge of many is made from.
///
/// Of a ledger that there are several copies of, each decision comes once, from the first copy that still has it.
public final class HistoryStream {
    /// The ledger's origin in hexadecimal digits.
    public let origin: String
    private var copies: [Copy]
    /// The number of the current row; 0 before the first one.
    private var sequence: Int64 = 0
    /// The copy that has it.
    private var current = 0
    private let texts: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>
    /// By what a merge puts the current row in order: its time, or that of a row before it where the clock was set back.
    ///
    /// The order within a ledger is proven, and stays.
    private(set) var order = Int64.min

    private static let count = HistoryColumn.allCases.count - 1

    /// Where the reading of one copy stands.
    private struct Copy {
        let ledger: Ledger
        let statement: Statement
        /// The number of its row; 0 before the first one, nil after the last.
        var sequence: Int64?
    }

    /// Begins a stream; one state of each copy is read, however long it takes.
    ///
    /// - Parameter copies: of one ledger, of which every other one is a beginning of the first.
    /// - Throws: `LedgerFailure`.
    public init(_ copies: [Ledger], _ filter: HistoryFilter) throws(LedgerFailure) {
        origin = copies.first?.originName ?? ""
        let query = HistoryQuery(
            filter, extra: ", instant, (SELECT synchronised FROM entry WHERE entry.seq = decision.seq)")
        var begun: [Copy] = []
        for ledger in copies {
            let statement = try ledger.guarded {
                let statement = try ledger.store.database.prepare(query.sql)
                try statement.bind(query.values)
                return statement
            }
            begun.append(Copy(ledger: ledger, statement: statement, sequence: 0))
        }
        self.copies = begun
        texts = .allocate(capacity: Self.count)
        texts.initialize(repeating: UnsafeRawBufferPointer(start: nil, count: 0))
    }

    deinit { texts.deallocate() }

    /// Hands every decision over, oldest first.
    ///
    /// - Parameter handle: is handed a row that holds until it returns.
    /// - Throws: `LedgerFailure`, and whatever the closure throws.
    public func forEach(_ handle: (HistoryRow) throws -> Void) throws {
        while try next() { try handle(decision.row) }
    }

    /// Goes to the next decision; false after the last one.
    ///
    /// - Throws: `LedgerFailure`.
    func next() throws(LedgerFailure) -> Bool {
        var least: (sequence: Int64, copy: Int)?
        for index in copies.indices {
            if copies[index].sequence == sequence {
                let statement = copies[index].statement
                let isThere = try copies[index].ledger.guarded { try statement.step() }
                copies[index].sequence = isThere ? statement.integer(0) : nil
            }
            if let found = copies[index].sequence, least.map({ found < $0.sequence }) != false {
                least = (found, index)
            }
        }
        guard let least else { return false }
        (sequence, current) = least
        order = max(order, copies[current].statement.integer(Self.count + 1))
        return true
    }

    /// The current decision; its row holds until the next one is asked for.
    var decision: MergedDecision {
        let statement = copies[current].statement
        for index in 0..<Self.count { texts[index] = statement.rawText(index + 1) }
        let clock = statement.isNull(Self.count + 2) ? nil : statement.integer(Self.count + 2) != 0
        return MergedDecision(
            origin: origin, clockSynchronised: clock,
            row: HistoryRow(seq: sequence, texts: UnsafeBufferPointer(texts)))
    }
}

/// One decision of a merge; its row holds for as long as the closure that it is handed to runs.
public struct MergedDecision {
    /// The origin of the ledger that it stands in.
    public var origin: String
    /// Whether the node's clock was synchronised; nil where nobody could say.
    public var clockSynchronised: Bool?
    /// The decision.
    public var row: HistoryRow
}

/// Hands the decisions of many ledgers over as one stream, in order of their times, in constant memory.
///
/// Within a ledger the order is the chain's. Between ledgers it is that of their clocks, of which nobody knows how far
/// they were apart. Of equal times the ledger that was given first goes first.
///
/// - Parameter handle: is handed the stream's number with each decision.
/// - Throws: `LedgerFailure`, and whatever the closure throws.
public func mergeHistories(
    _ streams: [HistoryStream], _ handle: (Int, MergedDecision) throws -> Void
) throws {
    // A binary heap of streams that have a row, the earliest on top.
    var heap: [Int] = []
    func isEarlier(_ left: Int, _ right: Int) -> Bool {
        (streams[left].order, left) < (streams[right].order, right)
    }
    func sift(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && isEarlier(heap[child], heap[least]) {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
    for index in streams.indices where try streams[index].next() { heap.append(index) }
    for index in stride(from: heap.count / 2, through: 0, by: -1) { sift(index) }
    while let top = heap.first {
        try handle(top, streams[top].decision)
        if try !streams[top].next() {
            heap.swapAt(0, heap.count - 1)
            heap.removeLast()
        }
        sift(0)
    }
}
