import Model
import Reports
import SQLite
import Testing

@testable import Ledger

@Suite("History")
struct HistoryTests {
    let directory: TemporaryDirectory
    let ledger: Ledger

    init() throws {
        directory = try TemporaryDirectory()
        ledger = try Ledger.open(stateDirectory: directory.path, reading: reading(0))
    }

    func record(_ count: Int64, seed: UInt64) throws -> [DecisionRecord] {
        var samples = Samples(seed: seed)
        return try (1...count).map { second in
            let record = samples.decision()
            try ledger.append([.decided(record)], reading: reading(second), state: NodeState())
            return record
        }
    }

    func seqs(_ filter: HistoryFilter) throws -> [Int64] {
        var seqs: [Int64] = []
        try ledger.history(filter) { seqs.append($0.seq) }
        return seqs
    }

    @Test(
        "is exported as the sqlite3 shell exports it, byte for byte",
        .enabled(if: hasShell, "SKIPPED: the sqlite3 shell is not installed"), arguments: 0..<4)
    func likeTheShell(seed: UInt64) throws {
        _ = try record(100, seed: seed)
        var bytes: [UInt8] = []
        let writer = HistoryWriter(format: .csv) { bytes += $0 }
        try ledger.history(HistoryFilter()) { try writer.write($0) }
        try writer.finish()
        directory.write(Array((HistoryQuery(HistoryFilter()).sql + ";").utf8), to: "query.sql")
        let shell = output(
            of:
                "sqlite3 -readonly -csv -header \(directory.file("ledger.db")) <\(directory.file("query.sql"))"
        )
        #expect(bytes == shell)
    }

    @Test("lets through what its filter names, and nothing else")
    func filters() throws {
        let records = try record(60, seed: 3)
        func expected(_ isWanted: (DecisionRecord) -> Bool) -> [Int64] {
            records.indices.filter { isWanted(records[$0]) }.map { Int64($0) + 2 }
        }
        #expect(try seqs(HistoryFilter()) == Array(2...61))
        #expect(try seqs(HistoryFilter(since: reading(10).now, until: reading(20).now)) == Array(11...20))
        for distribution in Distribution.allCases {
            #expect(
                try seqs(HistoryFilter(distribution: distribution))
                    == expected { $0.subject.change.installation.distribution == distribution })
        }
        for verdict in Verdict.allCases {
            #expect(try seqs(HistoryFilter(verdict: verdict)) == expected { $0.decision.verdict == verdict })
        }
        for name in awkwardTexts {
            #expect(
                try seqs(HistoryFilter(node: name))
                    == expected { Array($0.subject.node.name.utf8) == Array(name.utf8) })
        }
        #expect(
            try seqs(HistoryFilter(since: reading(30).now, verdict: .hold))
                == expected { $0.decision.verdict == .hold }.filter { $0 >= 31 })
    }

    @Test("lets through what was decided while a rollout was under way")
    func rollout() throws {
        var samples = Samples(seed: 9)
        for second in 1...30 as ClosedRange<Int64> {
            var record = samples.decision()
            record.fleet.rollout = [nil, "r1", "r'2"][Int(second) % 3]
            try ledger.append([.decided(record)], reading: reading(second), state: NodeState())
        }
        #expect(try seqs(HistoryFilter(rollout: "r1")) == (1...30).filter { $0 % 3 == 1 }.map { $0 + 1 })
        #expect(try seqs(HistoryFilter(rollout: "r'2")).count == 10)
        #expect(try seqs(HistoryFilter(rollout: "r3")) == [])
        #expect(try ledger.verify().isIntact)
        // A projection: made anew it is the same.
        try ledger.rebuild()
        #expect(try seqs(HistoryFilter(rollout: "r1")).count == 10)
    }

    struct Stop: Error {}

    @Test("ends where the reader of its rows throws, and holds no lock afterwards")
    func stops() throws {
        _ = try record(3, seed: 4)
        var count = 0
        #expect(throws: Stop.self) {
            try ledger.history(HistoryFilter()) { _ in
                count += 1
                throw Stop()
            }
        }
        #expect(count == 1)
        try ledger.rebuild()
        #expect(try seqs(HistoryFilter()) == [2, 3, 4])
    }

    @Test("names each decision's open rules and reasons")
    func columns() throws {
        var samples = Samples(seed: 5)
        var record = samples.decision()
        record.decision = Decision(reasons: [
            Reason(rule: .origin, result: .met, text: "verified", source: "default"),
            Reason(rule: .ceiling, result: .unmet, text: "the ceiling is patch", source: "default"),
            Reason(rule: .window, result: .unknown, text: "no zone", source: "default"),
        ])
        record.subject.change.to = Artifact(version: Version("v1.32.4"), revision: "7731")
        record.subject.change.from = Artifact(version: nil)
        try ledger.append([.decided(record)], reading: reading(1), state: NodeState())
        var row: [HistoryColumn: String] = [:]
        try ledger.history(HistoryFilter()) { columns in
            for (index, column) in HistoryColumn.allCases.enumerated() where columns[index].baseAddress != nil
            {
                row[column] = String(decoding: columns[index], as: UTF8.self)
            }
        }
        #expect(row[.at] == "2025-11-24T16:00:01Z")
        #expect(row[.unmet] == "ceiling window")
        #expect(row[.reason] == "the ceiling is patch; no zone")
        #expect(row[.target] == "revision:7731")
        #expect(row[.to] == "v1.32.4")
        #expect(row[.from] == nil)
        #expect(row[.verdict] == "hold")
    }
}
