import Model
import Ports
import SQLite
import Testing

@testable import Ledger

@Suite("Retention (invariant 8)")
struct RetentionTests {
    let directory: TemporaryDirectory
    private let day: Int64 = 86_400

    /// A hundred days of a node, one event a day, with whatever ticks could record.
    init() throws {
        directory = try TemporaryDirectory()
        var samples = Samples(seed: 20)
        for number in 1...100 as ClosedRange<Int64> {
            var event = samples.event()
            if number == 10 { event = .policyLoaded(Self.policy(samples.digest())) }
            if number == 12 { event = .approved(samples.approval()) }
            if number == 14 { event = .decided(samples.decision()) }
            try append(event, number)
        }
    }

    private static func policy(_ digest: Digest) -> LoadedPolicy {
        LoadedPolicy(
            document: PolicyDocument(), sources: PolicySources(file: "p", lines: [:]), sha256: digest)
    }

    private func append(_ event: Event, _ number: Int64) throws {
        let ledger = try open(number)
        var state = try ledger.load().state
        state.apply(event, at: reading(number * day).now)
        try ledger.append([event], reading: reading(number * day), state: state)
    }

    private func open(_ number: Int64) throws -> Ledger {
        try Ledger.open(stateDirectory: directory.path, reading: reading(number * day))
    }

    private func drop(_ number: Int64, keep: Int64) throws -> Retention? {
        let event = try open(number).dropBodies(keep: .days(keep), reading: reading(number * day))
        guard case .bodiesDropped(let retention) = event else { return nil }
        return retention
    }

    private func verify() throws -> VerifyReport {
        try Ledger.openForReading(stateDirectory: directory.path).verify()
    }

    private func rows(_ sql: String) throws -> [String] {
        let database = try Connection(path: directory.file("ledger.db"), mode: .readOnly, busyTimeout: 1000)
        var rows: [String] = []
        try database.prepare(sql).forEach { row in
            rows.append((0..<row.columnCount).map { hexadecimal(row.blob($0)) }.joined(separator: "|"))
        }
        return rows
    }

    private func bodies() throws -> Set<Int64> {
        var found: Set<Int64> = []
        try Ledger.openForReading(stateDirectory: directory.path).entries {
            if $0.content != .dropped { found.insert($0.sequence) }
        }
        return found
    }

    private func kinds() throws -> [Int64: String] {
        var kinds: [Int64: String] = [:]
        try Ledger.openForReading(stateDirectory: directory.path).entries { kinds[$0.sequence] = $0.kind }
        return kinds
    }

    @Test("drops nothing that is young enough, and records nothing then")
    func young() throws {
        #expect(try drop(101, keep: 200) == nil)
        #expect(try verify().entries == 101)
    }

    @Test(
        "drops what is older by an entry that says so; the chain, the state and what was written stay as they were"
    )
    func drops() throws {
        let (chain, state) = (try rows("SELECT * FROM entry"), try open(100).load().state)
        let retention = try #require(try drop(101, keep: 60))
        // What was written on day 40 is still within 60 days of day 101; entry 41 is of day 40.
        #expect(retention.from == 1 && retention.through == 41)
        #expect(try rows("SELECT * FROM entry WHERE seq <= 101") == chain)
        let report = try verify()
        #expect(report.findings == [])
        #expect(report.retention == 102 && report.droppedBodies == retention.bodies && retention.bodies > 10)
        var expected = state
        expected.apply(.bodiesDropped(retention), at: reading(101 * day).now)
        #expect(expected == state)
        #expect(try open(101).load().state == state)
        // Exactly what the rule lets go.
        let (kinds, bodies) = (try kinds(), try bodies())
        for (entry, kind) in kinds {
            let isGone = entry <= 41 && DroppedBodies.kinds.contains(kind) && !retention.kept.contains(entry)
            #expect(bodies.contains(entry) != isGone, "entry \(entry), \(kind)")
        }
        #expect(try open(101).lastPolicy() != nil)
    }

    @Test("keeps what can be asked for: a decision that stands, and says how many it dropped")
    func decisions() throws {
        let ledger = try open(100)
        let standing = Set(
            try ledger.load().state.installations.values.flatMap { $0.changes.map(\.decisionID) })
        let retention = try #require(try drop(101, keep: 10))
        for id in standing { #expect(try ledger.decision(id: id) != nil) }
        let all = try kinds().filter { $0.value == "decided" && $0.key <= retention.through }.keys
        let left = try rows("SELECT seq FROM decision").count
        let total = try kinds().values.filter { $0 == "decided" }.count
        #expect(retention.decisions == Int64(total - left))
        #expect(Set(retention.kept).isSubset(of: all))
        let dropped = try #require(try ledger.droppedDecisions())
        #expect(dropped.count == retention.decisions && dropped.entry == 102)
        #expect(dropped.note.contains("ledger.keep"))
    }

    @Test("goes on from where it was, and the newest entry stands for the earlier ones")
    func again() throws {
        let first = try #require(try drop(101, keep: 80))
        let second = try #require(try drop(102, keep: 60))
        #expect(second.from == first.through + 1 && second.through > first.through)
        #expect(second.bodies > first.bodies && second.decisions >= first.decisions)
        #expect(try verify().findings == [])
        // Entry 102 said the first; what it held is in 103 now.
        #expect(try !bodies().contains(102) && bodies().contains(103))
        try append(.problemBegan(Problem(code: "a", text: "later")), 103)
        #expect(try verify().findings == [])
        #expect(try drop(103, keep: 60) != nil)
        #expect(try drop(103, keep: 60) == nil, "nothing is left to drop")
    }

    @Test("leaves what the entries add up to as it was, however the projections are made anew")
    func rebuild() throws {
        let before = try open(100).load()
        _ = try drop(101, keep: 30)
        let projections = ["decision", "catalog", "snapshot", "retention"].map { "SELECT * FROM \($0)" }
        let rows = try projections.map { try self.rows($0) }
        try open(102).rebuild()
        #expect(try projections.map { try self.rows($0) } == rows)
        #expect(try verify().findings == [])
        // Without a snapshot the state is made from the entries.
        try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 0)
            .execute("DELETE FROM snapshot")
        #expect(try open(102).load().state == before.state)
    }

    @Test("drops nothing while a step or an intent is open, since what they began with is needed")
    func underWay() throws {
        try append(.intended(Intent(id: "i", effect: .reloadUnits, before: .nothing)), 101)
        #expect(try drop(102, keep: 10) == nil)
        try append(
            .effected(
                EffectEnd(of: Intent(id: "i", effect: .reloadUnits, before: .nothing), outcome: .done(nil))),
            102)
        #expect(try drop(103, keep: 10) != nil)
    }

    @Test("takes an entry whose clock nobody vouched for to be as old as a later one whose clock was right")
    func clocks() throws {
        let other = try TemporaryDirectory()
        func append(_ second: Int64, synchronised: Bool?) throws -> Int64 {
            let clock = reading(second, synchronised: synchronised)
            let ledger = try Ledger.open(stateDirectory: other.path, reading: clock)
            let event = Event.problemBegan(Problem(code: "p", text: "\(second)"))
            try ledger.append(
                [event], reading: clock, state: try ledger.load().state.after([event], at: clock.now))
            return try ledger.head().sequence
        }
        func drop() throws -> Int64? {
            let ledger = try Ledger.open(stateDirectory: other.path, reading: reading(100 * day))
            let event = try ledger.dropBodies(keep: .days(50), reading: reading(100 * day))
            guard case .bodiesDropped(let retention) = event else { return nil }
            #expect(try ledger.verify().findings == [])
            return retention.through
        }
        // A node that booted long before its time, and whose clock was never put right.
        for second in 0..<3 as Range<Int64> {
            _ = try append(second, synchronised: second == 1 ? nil : false)
        }
        #expect(try drop() == nil)
        let anchor = try append(10 * day, synchronised: true)
        // It boots again: this is of yesterday, whatever it says.
        _ = try append(-1000 * day, synchronised: false)
        _ = try append(99 * day, synchronised: true)
        #expect(try drop() == anchor)
        #expect(try drop() == nil)
    }

    @Test("goes through a bounded number of entries at a time")
    func bounded() throws {
        let ledger = try open(101)
        for number in 0..<5 as Range<Int64> {
            let problems = (0..<1000).map { Event.problemBegan(Problem(code: "p", text: "\(number) \($0)")) }
            let state = try ledger.load().state.after(problems, at: reading(101 * day).now)
            try ledger.append(problems, reading: reading(101 * day), state: state)
        }
        #expect(try drop(300, keep: 1)?.through == Ledger.retentionBatch)
        let second = try #require(try drop(301, keep: 1))
        // All but the newest entry.
        #expect(second.from == Ledger.retentionBatch + 1 && second.through == 5101)
        #expect(try verify().findings == [])
    }

    @Test("keeps out whoever deletes a body that no retention entry covers, or of a kind that stays")
    func guarded() throws {
        let database = try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
        #expect(throws: SQLiteError.self) { try database.execute("DELETE FROM body WHERE seq = 5") }
        _ = try drop(101, keep: 60)
        #expect(throws: SQLiteError.self) { try database.execute("DELETE FROM body WHERE seq = 60") }
        #expect(throws: SQLiteError.self) { try database.execute("DELETE FROM body WHERE seq = 1") }
        #expect(throws: SQLiteError.self) { try database.execute("DELETE FROM body WHERE seq = 11") }
        #expect(throws: SQLiteError.self) { try database.execute("DELETE FROM body WHERE seq = 102") }
        // A row of the table alone covers nothing: it has to be the number of an entry that says so.
        try database.execute("UPDATE retention SET seq = 50, through = 1000")
        #expect(throws: SQLiteError.self) { try database.execute("DELETE FROM body WHERE seq = 60") }
    }

    // MARK: What verify still finds

    private func tamper(_ script: String) throws {
        let database = try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
        var guards: [(name: String, sql: String)] = []
        try database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            .forEach { guards.append(($0.text(0) ?? "", $0.text(1) ?? "")) }
        for guardian in guards { try database.execute("DROP TRIGGER \(guardian.name)") }
        try database.execute(script: script)
        for guardian in guards { try database.execute(guardian.sql) }
    }

    static let tamperings: [(script: String, kind: VerifyReport.Finding.Kind)] = [
        // After what was dropped, a policy and an approval within it, and the entry that says so.
        ("DELETE FROM body WHERE seq = 60", .missingBody), ("DELETE FROM body WHERE seq = 11", .missingBody),
        ("DELETE FROM body WHERE seq = 13", .missingBody), ("DELETE FROM body WHERE seq = 102", .missingBody),
        (
            "UPDATE body SET content = replace(content, '\"through\":41', '\"through\":60') WHERE seq = 102",
            .editedBody
        ),
        ("UPDATE retention SET through = 60", .projection), ("DELETE FROM retention", .projection),
        ("INSERT INTO decision(seq, instant) VALUES (2, 0)", .projection),
        ("UPDATE entry SET at = at + 1 WHERE seq = 5", .editedEntry),
        (
            "DELETE FROM body WHERE seq = 5; DELETE FROM decision WHERE seq = 5; DELETE FROM entry WHERE seq = 5",
            .missingEntries
        ),
        ("UPDATE snapshot SET coverage = '{}'", .projection),
    ]

    @Test("finds what was changed of a ledger of which bodies were dropped", arguments: tamperings)
    func finds(script: String, kind: VerifyReport.Finding.Kind) throws {
        #expect(try drop(101, keep: 60)?.through == 41)
        try tamper(script)
        let findings = try verify().findings
        #expect(findings.map(\.kind).contains(kind), "\(findings)")
    }

    @Test("finds a first retention entry that says of the state what the entries do not")
    func falseState() throws {
        let ledger = try open(101)
        let earlier = try ledger.load().state
        var other = earlier
        other.checkpointKeys = ["somebody else's"]
        let event = Event.bodiesDropped(
            Retention(
                from: 1, through: 1, keep: .days(1), before: reading(0).now, kept: [], bodies: 0,
                decisions: 0,
                state: other, coverage: nil))
        try ledger.append([event], reading: reading(101 * day), state: other)
        #expect(try verify().findings.first?.kind == .falseRetention)
    }

    // MARK: A ledger from before

    @Test("a ledger of the first version takes the migration, and keeps all it held")
    func migration() throws {
        let old = try TemporaryDirectory()
        let path = old.file("ledger.db")
        let database = try Connection(path: path, mode: .create, busyTimeout: 0)
        try database.transaction {
            try Schema.migrate(database, from: 0, by: Array(Schema.migrations.prefix(1)))
        }
        // What the first version wrote, row by row.
        for table in ["entry", "body", "decision", "catalog", "snapshot"] {
            try database.execute("ATTACH '\(directory.file("ledger.db"))' AS filled")
            var columns: [String] = []
            try database.prepare("SELECT name FROM pragma_table_info('\(table)')").forEach {
                columns.append("\"\($0.text(0) ?? "")\"")
            }
            let list = columns.joined(separator: ", ")
            try database.execute(
                "INSERT INTO main.\(table)(\(list)) SELECT \(list) FROM filled.\(table) ORDER BY 1")
            try database.execute("DETACH filled")
        }
        #expect(throws: SQLiteError.self) { try database.execute("DELETE FROM body WHERE seq = 5") }
        let failure = #expect(throws: LedgerFailure.self) {
            try Ledger.openForReading(stateDirectory: old.path)
        }
        #expect(failure?.description.contains("older version") == true)
        let ledger = try Ledger.open(stateDirectory: old.path, reading: reading(101 * day))
        #expect(ledger.begun == nil)
        #expect(try ledger.verify().findings == [])
        #expect(try ledger.load().state == open(100).load().state)
        #expect(try ledger.dropBodies(keep: .days(30), reading: reading(101 * day)) != nil)
        #expect(try ledger.verify().findings == [])
    }
}
