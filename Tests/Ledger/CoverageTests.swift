import Glibc
import Model
import Testing

@testable import Ledger

@Suite("Coverage")
struct CoverageTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func open() throws -> Ledger { try Ledger.open(stateDirectory: directory.path, reading: reading(0)) }

    /// One quiet tick, or one that has something to record, in a process of its own.
    func tick(
        _ second: Int64, boot: String = "boot-1", seal: Bool = false, fails: Bool = false
    ) throws -> Coverage? {
        let ledger = try open()
        let state = try ledger.load().state
        let now = reading(second, boot: boot)
        let stretch = try ledger.extendCoverage(reading: now, seal: seal)
        if let stretch, !fails { try ledger.append([.coverage(stretch)], reading: now, state: state) }
        return stretch
    }

    @Test("adds no row for quiet ticks within the hour")
    func quiet() throws {
        for second in stride(from: 300 as Int64, to: 3900, by: 300) { #expect(try tick(second) == nil) }
        let ledger = try open()
        #expect(try ledger.verify().entries == 1)
        #expect(try ledger.lastTick() == reading(3600).now)
    }

    @Test("takes away what killed writers have left of our own names, and nobody else's")
    func drafts() throws {
        // No process has that number.
        let dead = Int32.max
        let own = ["coverage.json", "guard", "checkpoints", "checkpoint.key", "ledger.db"]
            .map { ".\($0).\(dead).tmp" }
        let theirs = [".mine.\(dead).tmp", ".ledger.db.\(getpid()).tmp", "ledger.db.\(dead).tmp"]
        for name in own + theirs { directory.write([], to: name) }
        _ = try tick(300)
        #expect(directory.names.filter { $0.hasSuffix(".tmp") } == theirs.sorted())
    }

    @Test("seals a stretch when it is an hour old, and begins the next one after it")
    func hourly() throws {
        for second in stride(from: 300 as Int64, to: 3900, by: 300) { _ = try tick(second) }
        let stretch = try #require(try tick(3900))
        #expect(stretch.ticks == 13)
        #expect(stretch.first == reading(300).now)
        #expect(stretch.last == reading(3900).now)
        #expect(stretch.lastMonotonic - stretch.firstMonotonic == 3_600_000_000_000)
        #expect(stretch.longestGap == 300_000_000_000)
        #expect(try tick(4200) == nil)
        let next = try #require(try tick(4800, seal: true))
        #expect(next.first == reading(4200).now)
        #expect(next.ticks == 2)
        #expect(next.longestGap == 600_000_000_000)
        #expect(try open().verify().entries == 3)
    }

    @Test("seals a stretch with each change, however young")
    func change() throws {
        #expect(try tick(300) == nil)
        #expect(try tick(600, seal: true)?.ticks == 2)
        #expect(try tick(900, seal: true)?.ticks == 1)
    }

    @Test("tells the stretches that are not sealed yet, and none that is")
    func unsealed() throws {
        #expect(try open().unsealedCoverage() == [])
        _ = try tick(300)
        _ = try tick(600)
        #expect(try open().unsealedCoverage().map(\.ticks) == [2])
        // What an append could not take is still not sealed.
        #expect(try tick(900, seal: true, fails: true) != nil)
        #expect(try open().unsealedCoverage().map(\.ticks) == [3])
        #expect(try tick(1200, seal: true) != nil)
        #expect(try open().unsealedCoverage() == [])
        _ = try tick(1500)
        #expect(
            try Ledger.openForReading(stateDirectory: directory.path).unsealedCoverage().map(\.first) == [
                reading(1500).now
            ])
    }

    @Test("seals the stretch of the boot before at the first tick of another one")
    func boot() throws {
        _ = try tick(300)
        _ = try tick(600)
        let old = try #require(try tick(5, boot: "boot-2"))
        #expect(old.bootID == "boot-1")
        #expect(old.ticks == 2)
        #expect(old.last == reading(600).now)
        #expect(try tick(305, boot: "boot-2") == nil)
        let new = try #require(try tick(605, boot: "boot-2", seal: true))
        #expect(new.bootID == "boot-2")
        #expect(new.ticks == 3)
    }

    @Test("keeps a stretch whose seal was not committed, and seals it later, once")
    func failedSeal() throws {
        _ = try tick(300)
        #expect(try tick(600, seal: true, fails: true)?.ticks == 2)
        #expect(try tick(5, boot: "boot-2", fails: true)?.bootID == "boot-1")
        #expect(try tick(305, boot: "boot-2")?.bootID == "boot-1")
        #expect(try tick(605, boot: "boot-2") == nil)
        #expect(try tick(905, boot: "boot-2", seal: true)?.ticks == 4)
        #expect(try open().verify().entries == 3)
    }

    @Test("goes on without what it cannot read", arguments: ["", "{", "[]", "{\"stretches\":7}", "nul\u{0}"])
    func unreadable(content: String) throws {
        _ = try tick(300)
        directory.write(Array(content.utf8), to: "coverage.json")
        #expect(try tick(600, seal: true)?.ticks == 1)
    }

    @Test("reads no more of the file than is sensible")
    func huge() throws {
        directory.write(Array(repeating: 32, count: 1 << 20), to: "coverage.json")
        #expect(try tick(600, seal: true)?.ticks == 1)
    }

    @Test("survives numbers at their ends")
    func extremes() throws {
        let wild = Coverage(
            bootID: "boot-1", first: Instant(seconds: .min), last: Instant(seconds: .max),
            firstMonotonic: .min,
            lastMonotonic: .min, ticks: .max, longestGap: .max)
        let text = try CanonicalJSON.text(of: ["stretches": [wild]])
        directory.write(Array(text.utf8), to: "coverage.json")
        let stretch = try #require(try tick(600))
        #expect(stretch.ticks == .max)
        #expect(stretch.longestGap == .max)
    }

    @Test("keeps a bounded number of stretches that wait")
    func bounded() throws {
        var log = CoverageLog(bytes: nil)
        for boot in 0..<100 { _ = log.extend(reading: reading(1, boot: "\(boot)"), seal: false, sealed: nil) }
        #expect(log.stretches.map(\.bootID) == (84..<100).map(String.init))
    }

    @Test("begins another stretch where the monotonic clock went back")
    func backwards() throws {
        _ = try tick(600)
        #expect(try tick(300)?.lastMonotonic == reading(600).monotonic)
    }
}
