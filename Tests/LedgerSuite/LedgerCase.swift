import Model
import Ports
public import Testing

/// What every ledger has to do, whatever it is made of.
///
/// A test runs each case at a place of its own.
public enum LedgerCase: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case beginning = "a new one has seen nothing, and remembers nothing"
    case appended = "what was appended is loaded, by another process too"
    case nothing = "to append nothing writes nothing"
    case whole = "an append of which one entry cannot be written leaves nothing of it (invariant 8)"
    case crash = "a crash loses nothing that was committed, and leaves nothing that was not (invariant 7)"
    case chain = "each entry has a hash, which no later one changes (invariant 8)"
    case stale = "what another process appended stays, though this one goes on from a state without it"
    case overtaken =
        "of two that found the same at once one appends it, and the other is told that it was overtaken (invariant 8)"
    case policy = "the last policy is the newest that was in force, not the newest that was read"
    case memory = "the memory that was kept last is loaded, and is no entry"
    case catalog = "imported checksums are found by bytes and by release"
    case quiet = "quiet ticks are no entries until a stretch is an hour old"
    case seal = "a stretch is sealed with each change, and the next one begins after it"
    case unsealed = "a stretch whose seal was not committed is given back again, a crash later too"
    case boot = "a stretch ends with the boot that it is of"

    public var testDescription: String { rawValue }

    /// Checks it.
    public func check(at place: LedgerPlace) throws {
        switch self {
        case .beginning: try beginning(place)
        case .appended: try appended(place)
        case .nothing: try nothing(place)
        case .whole: try whole(place)
        case .crash: try crash(place)
        case .chain: try chain(place)
        case .stale: try stale(place)
        case .overtaken: try overtaken(place)
        case .policy: try policy(place)
        case .memory: try memory(place)
        case .catalog: try catalog(place)
        case .quiet: try quiet(place)
        case .seal: try seal(place)
        case .unsealed: try unsealed(place)
        case .boot: try boot(place)
        }
    }

    private func problem(_ code: String) -> Event { .problemBegan(Problem(code: code, text: "of \(code)")) }

    private func codes(_ place: LedgerPlace) throws -> [String] {
        try place.open().load().state.problems.map(\.code)
    }

    // MARK: Entries

    private func beginning(_ place: LedgerPlace) throws {
        let ledger = try place.open()
        #expect(try ledger.load() == (NodeState(), ObserverMemory()))
        #expect(try ledger.lastPolicy() == nil)
        #expect(try ledger.hash(ofEntry: 0) == nil)
        #expect(try ledger.hash(ofEntry: ledger.head().sequence + 1) == nil)
    }

    private func appended(_ place: LedgerPlace) throws {
        let ledger = try place.open()
        let first = try ledger.head().sequence
        var state = try ledger.load().state
        let events = [problem("a"), .problemEnded(Problem(code: "a", text: "of a")), problem("b")]
        state = state.after(events, at: 1)
        try ledger.append(events, reading: reading(1), state: state)
        try ledger.append([problem("c")], at: 2)
        #expect(try codes(place) == ["b", "c"])
        #expect(try ledger.load().state == place.open().load().state)
        #expect(try place.open().head().sequence == first + 4)
    }

    private func nothing(_ place: LedgerPlace) throws {
        let ledger = try place.open()
        try ledger.append([problem("a")], at: 1)
        let before = try ledger.head()
        try ledger.append([], at: 2)
        #expect(try ledger.head() == before)
    }

    private func whole(_ place: LedgerPlace) throws {
        let ledger = try place.open()
        try ledger.append([problem("a")], at: 1)
        let before = try ledger.head()
        try place.withBadEntry(before.sequence + 2) {
            #expect(throws: LedgerFailure.self) {
                try ledger.append([problem("b"), problem("c"), problem("d")], at: 2)
            }
        }
        #expect(try ledger.head() == before)
        #expect(try codes(place) == ["a"])
        // And it goes on as if nothing had been.
        try ledger.append([problem("e")], at: 3)
        #expect(try codes(place) == ["a", "e"])
    }

    private func crash(_ place: LedgerPlace) throws {
        var ledger = try place.open()
        try ledger.append([problem("a"), problem("b")], at: 1)
        let (state, head) = (try ledger.load().state, try ledger.head())
        try place.withBadEntry(head.sequence + 2) {
            #expect(throws: LedgerFailure.self) { try ledger.append([problem("c"), problem("d")], at: 2) }
        }
        try place.crash()
        ledger = try place.open()
        #expect(try ledger.load().state == state)
        #expect(try ledger.head() == head)
        try ledger.append([problem("e")], at: 3)
        try place.crash()
        #expect(try codes(place) == ["a", "b", "e"])
    }

    private func chain(_ place: LedgerPlace) throws {
        let ledger = try place.open()
        let first = try ledger.head().sequence
        var hashes: [Digest?] = []
        for second in 1...5 as ClosedRange<Int64> {
            try ledger.append([problem("p\(second)")], at: second)
            let head = try ledger.head()
            #expect(head.sequence == first + second)
            #expect(try ledger.hash(ofEntry: head.sequence) == head.hash)
            hashes.append(head.hash)
        }
        #expect(Set(hashes).count == 5)
        let other = try place.open()
        let found = try (1...5).map { try other.hash(ofEntry: first + $0) }
        #expect(found == hashes)
        #expect(try other.hash(ofEntry: first + 6) == nil)
        #expect(try other.hash(ofEntry: -1) == nil)
    }

    private func stale(_ place: LedgerPlace) throws {
        let ticking = try place.open()
        var state = try ticking.load().state
        try place.open().append([problem("another's")], at: 1)
        // Two rounds of one tick that was loaded before.
        for (second, code) in [(2 as Int64, "a"), (3, "b")] {
            state = state.after([problem(code)], at: second)
            try ticking.append([problem(code)], reading: reading(second), state: state)
        }
        #expect(try codes(place) == ["another's", "a", "b"])
    }

    private func overtaken(_ place: LedgerPlace) throws {
        let (one, other) = (try place.open(), try place.open())
        let found = [problem("found")]
        let (first, second) = (try one.load().state, try other.load().state)
        #expect(
            try one.appendIfCurrent(found, reading: reading(1), state: first.after(found, at: 1)))
        #expect(
            try !other.appendIfCurrent(found, reading: reading(2), state: second.after(found, at: 2)))
        #expect(try codes(place) == ["found"])
        // It goes on once it has read what was appended.
        let more = [problem("more")]
        let now = try other.load().state
        #expect(try other.appendIfCurrent(more, reading: reading(3), state: now.after(more, at: 3)))
        #expect(try codes(place) == ["found", "more"])
    }

    private func policy(_ place: LedgerPlace) throws {
        func loaded(_ digits: Character) -> LoadedPolicy {
            LoadedPolicy(
                document: PolicyDocument(), sources: PolicySources(file: "policy.yaml", lines: [:]),
                sha256: Digest(String(repeating: digits, count: 64)) ?? .none)
        }
        let ledger = try place.open()
        try ledger.append([.policyLoaded(loaded("1")), problem("a")], at: 1)
        #expect(try ledger.lastPolicy() == loaded("1"))
        try ledger.append(
            [
                .policyLoaded(loaded("2")),
                .policyRejected(PolicyRejection(file: "policy.yaml", errors: ["1:1: no"])),
            ], at: 2)
        #expect(try place.open().lastPolicy() == loaded("2"))
        #expect(try ledger.load().state.policy == loaded("2").sha256)
    }

    private func memory(_ place: LedgerPlace) throws {
        let ledger = try place.open()
        let head = try ledger.head()
        var memory = ObserverMemory()
        for change in ["7", "8"] {
            memory.snapChanges["microk8s"] = change
            try ledger.remember { $0 = memory }
        }
        #expect(try ledger.head() == head)
        #expect(try place.open().load().memory == memory)
        try ledger.append([problem("a")], at: 1)
        #expect(try place.open().load().memory == memory)
    }

    private func catalog(_ place: LedgerPlace) throws {
        let version = try #require(Version("v1.31.4+k3s1"))
        let other = try #require(Version("v1.31.5+k3s1"))
        let digest = try #require(Digest(String(repeating: "a", count: 64)))
        func entry(_ version: Version, _ file: String, _ architecture: Architecture = .amd64) -> CatalogEntry
        {
            CatalogEntry(
                distribution: .k3s, version: version, architecture: architecture, sha256: digest, file: file,
                importedAt: Instant(seconds: 9))
        }
        let ledger = try place.open()
        for entries in [[entry(version, "one")], [entry(version, "two")], [entry(other, "three")]] {
            try ledger.append(
                [.catalogImported(CatalogImport(file: "f", sha256: digest, entries: entries))], at: 1)
        }
        // What two files say alike is said once; what they say otherwise is not hidden.
        #expect(try ledger.catalogEntries(for: digest).map(\.file) == ["one", "three"])
        #expect(try ledger.catalogEntries(for: .none) == [])
        #expect(try ledger.catalogEntries(of: version, for: .k3s).map(\.file) == ["one", "two"])
        #expect(try ledger.catalogEntries(of: version, for: .k0s) == [])
    }

    // MARK: Coverage

    /// One quiet tick, or one that has something to record, in a process of its own.
    private func tick(
        _ place: LedgerPlace, _ second: Int64, boot: String = "boot-1", seal: Bool = false,
        commits: Bool = true
    ) throws -> Coverage? {
        let ledger = try place.open()
        let state = try ledger.load().state
        let now = reading(second, boot: boot)
        let stretch = try ledger.extendCoverage(reading: now, seal: seal)
        if let stretch, commits { try ledger.append([.coverage(stretch)], reading: now, state: state) }
        return stretch
    }

    private func quiet(_ place: LedgerPlace) throws {
        let head = try place.open().head()
        for second in stride(from: 300 as Int64, to: 3900, by: 300) {
            #expect(try tick(place, second) == nil)
        }
        #expect(try place.open().head() == head)
        let stretch = try #require(try tick(place, 3900))
        #expect(stretch.ticks == 13 && stretch.longestGap == 300_000_000_000)
        #expect(stretch.first == reading(300).now && stretch.last == reading(3900).now)
        #expect(try place.open().head().sequence == head.sequence + 1)
    }

    private func seal(_ place: LedgerPlace) throws {
        #expect(try tick(place, 300) == nil)
        #expect(try tick(place, 600, seal: true)?.ticks == 2)
        #expect(try tick(place, 900) == nil)
        let next = try #require(try tick(place, 1500, seal: true))
        #expect(next.ticks == 2 && next.first == reading(900).now)
        #expect(next.longestGap == 600_000_000_000)
    }

    private func unsealed(_ place: LedgerPlace) throws {
        #expect(try tick(place, 300) == nil)
        #expect(try tick(place, 600, seal: true, commits: false)?.ticks == 2)
        #expect(try tick(place, 900, seal: true, commits: false)?.ticks == 3)
        try place.crash()
        #expect(try tick(place, 1200, seal: true)?.ticks == 4)
        #expect(try tick(place, 1500, seal: true)?.ticks == 1)
    }

    private func boot(_ place: LedgerPlace) throws {
        #expect(try tick(place, 300) == nil)
        #expect(try tick(place, 600) == nil)
        let ended = try #require(try tick(place, 5, boot: "boot-2"))
        #expect(ended.bootID == "boot-1" && ended.ticks == 2)
        #expect(try tick(place, 305, boot: "boot-2") == nil)
        #expect(try tick(place, 605, boot: "boot-2", seal: true)?.ticks == 3)
    }
}
