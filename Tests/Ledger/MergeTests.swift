import Model
import Ports
import Reports
import SQLite
import Testing

@testable import Ledger

@Suite("Histories of many ledgers as one")
struct MergeTests {
    /// A ledger with decisions at these seconds, by a clock that is as it says.
    private func ledger(
        _ seconds: [Int64], seed: UInt64, synchronised: Bool? = true
    ) throws -> TemporaryDirectory {
        var samples = Samples(seed: seed)
        return try .ledger(of: seconds.map { _ in .decided(samples.decision()) }, at: seconds) { _ in
            synchronised
        }
    }

    private func merged(
        _ directories: [TemporaryDirectory], _ filter: HistoryFilter = HistoryFilter()
    ) throws -> [(stream: Int, seq: Int64, clock: Bool?)] {
        let streams = try directories.map {
            try HistoryStream([Ledger.openForReading(stateDirectory: $0.path)], filter)
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

    @Test("have each decision of one ledger once, whichever of its copies still has it, in the chain's order")
    func copies() throws {
        var samples = Samples(seed: 5)
        let whole = try TemporaryDirectory.ledger(of: (0..<6).map { _ in .decided(samples.decision()) })
        let older = try TemporaryDirectory()
        for name in whole.names { older.write(whole.bytes(name), to: name) }
        let (long, short) = (
            try Ledger.openForReading(stateDirectory: whole.path),
            try Ledger.openForReading(stateDirectory: older.path)
        )
        let gone = "DROP TRIGGER body_is_kept; DELETE FROM %1; DELETE FROM %2"
        func drop(_ condition: String, in directory: TemporaryDirectory) throws {
            let script = gone.replacing("%1", with: "body WHERE \(condition)")
                .replacing("%2", with: "decision WHERE \(condition)")
            try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
                .execute(script: script)
        }
        try drop("seq IN (2, 3, 5, 6)", in: whole)
        try drop("seq = 3 OR seq > 5", in: older)
        var sequences: [Int64] = []
        try HistoryStream([long, short], HistoryFilter()).forEach { sequences.append($0.seq) }
        #expect(sequences == [2, 4, 5, 7])
        let dropped = try long.dropped(since: nil, until: nil, older: [short])
        #expect(dropped.found == 2 && dropped.missing == 2)
        #expect(dropped.first == reading(2).now && dropped.last == reading(5).now)
        #expect(dropped.note?.contains("2 decisions from \(reading(2).now) to \(reading(5).now)") == true)
        #expect(try long.dropped(since: reading(3).now, until: reading(5).now, older: []).missing == 1)
        var contents: [Int64: LedgerEntry.Content] = [:]
        try long.entries(older: [short]) { contents[$0.sequence] = $0.content }
        #expect(contents.filter { $0.value == .dropped }.keys.sorted() == [3, 6])
    }

    @Test("are of the one state that was checked, though more was written since")
    func held() throws {
        let directory = try ledger([10, 40], seed: 1)
        let held = try Ledger.openForReading(stateDirectory: directory.path)
        try held.holdState()
        let report = try held.verify()
        #expect(report.isIntact && report.headSeq == 3)
        var samples = Samples(seed: 2)
        let writer = try Ledger.open(stateDirectory: directory.path, reading: reading(50))
        let event = Event.decided(samples.decision())
        try writer.append(
            [event], reading: reading(50), state: try writer.load().state.after([event], at: reading(50).now))
        var sequences: [Int64] = []
        try HistoryStream([held], HistoryFilter()).forEach { sequences.append($0.seq) }
        #expect(sequences == [2, 3])
        #expect(try held.head().sequence == report.headSeq)
    }
}
