import Model
import Ports
import Reports
import Testing

@testable import Ledger

@Suite("Histories of many ledgers as one")
struct MergeTests {
    /// A ledger with decisions at these seconds, by a clock that is as it says.
    private func ledger(
        _ seconds: [Int64], seed: UInt64, synchronised: Bool? = true
    ) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        _ = try Ledger.open(stateDirectory: directory.path, reading: reading(0))
        var samples = Samples(seed: seed)
        for second in seconds {
            let ledger = try Ledger.open(stateDirectory: directory.path, reading: reading(second))
            let event = Event.decided(samples.decision())
            let clock = reading(second, synchronised: synchronised)
            try ledger.append(
                [event], reading: clock, state: try ledger.load().state.after([event], at: clock.now))
        }
        return directory
    }

    private func merged(
        _ directories: [TemporaryDirectory], _ filter: HistoryFilter = HistoryFilter()
    ) throws -> [(stream: Int, seq: Int64, clock: Bool?)] {
        let streams = try directories.map {
            try HistoryStream(Ledger.openForReading(stateDirectory: $0.path), filter)
        }
        var rows: [(stream: Int, seq: Int64, clock: Bool?)] = []
        try mergeHistories(streams) { rows.append(($0, $1.row.seq, $1.clockSynchronised)) }
        return rows
    }

    @Test("are in order of their times; of equal ones the first ledger's goes first")
    func order() throws {
        let ledgers = [
            try ledger([10, 40, 50], seed: 1), try ledger([10, 20], seed: 2, synchronised: false),
            try ledger([], seed: 3),
            try ledger([5, 45, 60], seed: 4, synchronised: nil),
        ]
        let rows = try merged(ledgers)
        #expect(rows.map(\.stream) == [3, 0, 1, 1, 0, 3, 0, 3])
        #expect(rows.map(\.seq) == [2, 2, 2, 3, 3, 3, 4, 4])
        #expect(rows.map(\.clock) == [nil, true, false, false, true, nil, true, nil])
        #expect(try merged([]).isEmpty)
    }

    @Test("keep each ledger's own order where its clock was set back")
    func setBack() throws {
        let rows = try merged([try ledger([100, 20, 30, 110], seed: 1), try ledger([50, 105], seed: 2)])
        #expect(rows.map(\.stream) == [1, 0, 0, 0, 1, 0])
        #expect(rows.filter { $0.stream == 0 }.map(\.seq) == [2, 3, 4, 5])
    }

    @Test("are as many ledgers deep as there are, in the order that sorting gives")
    func many() throws {
        var dice = Dice(seed: 9)
        var ledgers: [TemporaryDirectory] = []
        var expected: [(second: Int64, stream: Int)] = []
        for stream in 0..<30 {
            let seconds = (0..<dice.next() % 6).map { _ in Int64(dice.next() % 500) }.sorted()
            ledgers.append(try ledger(seconds, seed: UInt64(stream)))
            expected += seconds.map { ($0, stream) }
        }
        expected.sort { ($0.second, $0.stream) < ($1.second, $1.stream) }
        #expect(try merged(ledgers).map(\.stream) == expected.map(\.stream))
    }

    @Test("are filtered as one ledger's is")
    func filtered() throws {
        let ledgers = [try ledger([10, 40, 50], seed: 1), try ledger([20, 60], seed: 2)]
        let filter = HistoryFilter(since: reading(20).now, until: reading(60).now)
        #expect(try merged(ledgers, filter).map(\.stream) == [1, 0, 0])
    }
}
