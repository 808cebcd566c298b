import Model
import SQLite
import Testing

@testable import Ledger

@Suite("Entries read back")
struct EntriesTests {
    let directory: TemporaryDirectory
    let events: [Event]

    init() throws {
        var samples = Samples(seed: 7)
        events = samples.events(40)
        directory = try .ledger(of: events) { $0 % 2 == 0 }
    }

    func entries(of kinds: Set<String>? = nil, from first: Int64 = 1) throws -> [LedgerEntry] {
        var entries: [LedgerEntry] = []
        try Ledger.openForReading(stateDirectory: directory.path).entries(of: kinds, from: first) {
            entries.append($0)
        }
        return entries
    }

    @Test("come oldest first, as they were written, with the clock and the boot of their time")
    func whole() throws {
        let entries = try entries()
        #expect(entries.map(\.sequence) == Array(1...41))
        #expect(entries.first?.content == .beginning)
        #expect(entries.dropFirst().map(\.event) == events)
        #expect(entries.dropFirst().map(\.kind) == events.map(\.kind))
        #expect(entries[3].at == reading(3).now && entries[3].bootID == "boot-1")
        #expect(entries[1].clockSynchronised == true && entries[2].clockSynchronised == false)
        let head = try Ledger.openForReading(stateDirectory: directory.path).head()
        #expect(entries.last?.hash == head.hash)
    }

    @Test("can be asked for by kind, and from a number on")
    func some() throws {
        let kind = events[20].kind
        let expected = try entries().filter { $0.kind == kind && $0.sequence >= 5 }
        #expect(!expected.isEmpty)
        #expect(try entries(of: [kind], from: 5) == expected)
    }

    @Test("can be asked for without some kinds")
    func without() throws {
        var entries: [LedgerEntry] = []
        try Ledger.openForReading(stateDirectory: directory.path).entries(leavingOut: ["decided"]) {
            entries.append($0)
        }
        #expect(try self.entries().contains { $0.kind == "decided" })
        #expect(try entries == self.entries().filter { $0.kind != "decided" })
    }

    @Test("tell a body that is gone and one that cannot be read, and go on")
    func damaged() throws {
        let database = try Connection(
            path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
        try database.execute(
            script: """
                DROP TRIGGER body_is_kept; DROP TRIGGER body_stays;
                DELETE FROM body WHERE seq = 3; UPDATE body SET content = '{' WHERE seq = 4
                """)
        let entries = try entries()
        #expect(entries.count == 41)
        #expect(entries[2].content == .dropped)
        guard case .unreadable(let reason) = entries[3].content else {
            Issue.record("\(entries[3].content)")
            return
        }
        #expect(reason.contains("JSON"))
    }
}
