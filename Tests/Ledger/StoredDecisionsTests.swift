import Model
import SQLite
import Testing

@testable import Ledger

@Suite("Decisions read back with their bytes")
struct StoredDecisionsTests {
    let directory: TemporaryDirectory
    let records: [DecisionRecord]

    init() throws {
        var samples = Samples(seed: 11)
        records = (0..<6).map { index in
            var record = samples.decision()
            record.id = "d\(index)"
            record.subject.change.id = "c\(index)"
            return record
        }
        directory = try .ledger(of: records.map { .decided($0) })
    }

    private func decisions(_ change: (inout DecisionFilter) -> Void = { _ in }) throws -> [StoredDecision] {
        var filter = DecisionFilter()
        change(&filter)
        var decisions: [StoredDecision] = []
        try Ledger.openForReading(stateDirectory: directory.path).decisions(filter) { decisions.append($0) }
        return decisions
    }

    @Test("come oldest first, each with the very bytes that were stored (invariant 5)")
    func whole() throws {
        let decisions = try decisions()
        #expect(decisions.map(\.sequence) == Array(2...7))
        for (stored, record) in zip(decisions, records) {
            guard case .record(let read, let text) = stored.content else {
                Issue.record("entry \(stored.sequence) was not read")
                continue
            }
            #expect(read == record)
            #expect(text == Array(try CanonicalJSON.text(of: record).utf8))
        }
    }

    @Test("can be asked for by id, by time and up to an entry")
    func filters() throws {
        #expect(try decisions { $0.id = "d3" }.map(\.sequence) == [5])
        #expect(try decisions { $0.id = "d" }.count == 6)
        #expect(try decisions { $0.id = "3" }.isEmpty)
        #expect(try decisions { $0.since = reading(4).now }.map(\.sequence) == [5, 6, 7])
        #expect(try decisions { $0.until = reading(4).now }.map(\.sequence) == [2, 3, 4])
        #expect(try decisions { $0.through = 3 }.map(\.sequence) == [2, 3])
    }

    @Test("the newest with a name is found by its id, its change and its target's version")
    func named() throws {
        let ledger = try Ledger.openForReading(stateDirectory: directory.path)
        #expect(try ledger.newestDecision(named: "d2")?.sequence == 4)
        #expect(try ledger.newestDecision(named: "c4")?.sequence == 6)
        let version = try #require(records.compactMap(\.subject.change.to.version).first?.description)
        let last = try #require(
            records.lastIndex { $0.subject.change.to.version?.description == version })
        #expect(try ledger.newestDecision(named: version)?.sequence == Int64(last) + 2)
        #expect(try ledger.newestDecision(named: "x")?.sequence == nil)
        #expect(try ledger.newestDecision()?.sequence == 7)
    }

    @Test("a body that is gone and one that cannot be read are told apart, and what follows is still read")
    func damaged() throws {
        let database = try Connection(
            path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
        try database.execute(
            script: """
                DROP TRIGGER body_is_kept; DROP TRIGGER body_stays;
                DELETE FROM body WHERE seq = 3; UPDATE body SET content = '{}' WHERE seq = 4;
                """)
        let kinds = try decisions().map { stored in
            switch stored.content {
            case .record: "record"
            case .dropped: "dropped"
            case .unreadable(let reason): reason
            }
        }
        #expect(kinds[0] == "record" && kinds[1] == "dropped" && kinds[2].hasSuffix("is missing"))
        #expect(kinds[3...].allSatisfy { $0 == "record" })
    }
}
