import Model
import SQLite
import Testing

@testable import Ledger

@Suite("How far others were told, beside the chain")
struct OutletsTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ second: Int64 = 0) throws -> Ledger {
        try Ledger.open(stateDirectory: directory.path, reading: reading(second))
    }

    private func append(_ events: [Event], second: Int64, to ledger: Ledger) throws {
        let state = try ledger.load().state.after(events, at: reading(second).now)
        try ledger.append(events, reading: reading(second), state: state)
    }

    private func problem(_ code: String) -> Event { .problemBegan(Problem(code: code, text: "text")) }

    private var policy: Event {
        .policyLoaded(
            LoadedPolicy(
                document: PolicyDocument(), sources: PolicySources(file: "p", lines: [:]), sha256: .none))
    }

    @Test("is kept over restarts, replaced, and forgotten, without an entry")
    func kept() throws {
        let ledger = try open()
        var one = Outlet(id: "notify-a", name: "notify[0] (é)", told: 3)
        one.fail(because: "it hangs", at: reading(5).now)
        try ledger.keep(one)
        try ledger.keep(Outlet(id: "notify-b", name: "b", told: 1))
        #expect(try open().outlets() == [one, Outlet(id: "notify-b", name: "b", told: 1)])
        one.deliver(4)
        try ledger.keep(one)
        try ledger.forget(Outlet(id: "notify-b", name: "b", told: 1))
        #expect(try Ledger.openForReading(stateDirectory: directory.path).outlets() == [one])
        #expect(try ledger.verify().entries == 1)
    }

    @Test("what cannot be read of it is begun anew")
    func unreadable() throws {
        let ledger = try open()
        try ledger.keep(Outlet(id: "b", name: "b", told: 1))
        try ledger.store.database.execute(script: "INSERT INTO outlet VALUES ('a', 'no JSON')")
        #expect(try ledger.outlets().map(\.id) == ["b"])
    }

    @Test("the queue gives entries of the wanted kinds, so many at most, and how far it has looked")
    func queue() throws {
        let ledger = try open()
        // 1 begins the ledger.
        try append(
            [problem("a"), .paused(Pause(until: reading(9).now, reason: "r")), problem("b")], second: 1,
            to: ledger)
        try append([problem("c"), problem("d")], second: 2, to: ledger)
        func queued(_ kinds: Set<String>, _ first: Int64, limit: Int = 10, looked: Int = 100) throws -> (
            [Int64], Int64
        ) {
            let (entries, last) = try ledger.queued(of: kinds, from: first, limit: limit, looked: looked)
            return (entries.map(\.sequence), last)
        }
        #expect(try queued(["problem-began"], 1) == ([2, 4, 5, 6], 6))
        #expect(try queued(["problem-began"], 3) == ([4, 5, 6], 6))
        // Not beyond what was handed over: the rest is for the next time.
        #expect(try queued(["problem-began"], 1, limit: 2) == ([2, 4], 4))
        #expect(try queued(["problem-began"], 5, looked: 1) == ([5], 5))
        #expect(try queued(["adopted"], 2) == ([], 6))
        #expect(try queued(["problem-began"], 7) == ([], 6))
        #expect(
            try ledger.queued(of: ["paused"], from: 1, limit: 9, looked: 9).entries.first?.event?.kind
                == "paused")
    }

    @Test("somebody new is told from the policy that names them on, and not of what is older than asked for")
    func beginning() throws {
        let ledger = try open()
        #expect(try ledger.beginning(since: reading(-100).now) == 0)
        try append([problem("a")], second: 1, to: ledger)
        try append([policy], second: 10, to: ledger)
        try append([problem("b")], second: 20, to: ledger)
        try append([problem("c")], second: 5000, to: ledger)
        #expect(try ledger.beginning(since: reading(0).now) == 3)
        #expect(try ledger.beginning(since: reading(4000).now) == 4)
    }

    @Test("an older ledger gets the table, and its chain is as it was (invariant 8)")
    func migration() throws {
        try append([problem("a")], second: 1, to: try open())
        let before = try open().verify()
        let database = try Connection(path: directory.file("ledger.db"), mode: .readWrite, busyTimeout: 1000)
        try database.execute(script: "DROP TABLE outlet; PRAGMA user_version = \(Schema.version - 1)")
        let ledger = try open(2)
        #expect(try ledger.outlets() == [])
        try ledger.keep(Outlet(id: "a", name: "a", told: 1))
        let after = try ledger.verify()
        #expect(after.isIntact)
        #expect((after.headSeq, after.headHash) == (before.headSeq, before.headHash))
    }

    @Test("the catalogue names each release of a distribution once")
    func catalogue() throws {
        func entry(_ version: String, _ architecture: Architecture, _ distribution: Distribution) throws
            -> CatalogEntry
        {
            CatalogEntry(
                distribution: distribution, version: try #require(Version(version)),
                architecture: architecture,
                sha256: Digest.none, file: "f", importedAt: reading(0).now)
        }
        let ledger = try open()
        try append(
            [
                .catalogImported(
                    CatalogImport(
                        file: "f", sha256: Digest.none,
                        entries: [
                            try entry("v1.31.4+k3s1", .amd64, .k3s), try entry("v1.31.4+k3s1", .arm64, .k3s),
                            try entry("v1.31.5+k3s1", .amd64, .k3s), try entry("v1.31.4+k0s.0", .amd64, .k0s),
                        ]))
            ], second: 1, to: ledger)
        #expect(
            try ledger.cataloguedVersions(of: .k3s).sorted().map(\.description) == [
                "v1.31.4+k3s1", "v1.31.5+k3s1",
            ])
        #expect(try ledger.cataloguedVersions(of: .microk8s) == [])
    }
}
