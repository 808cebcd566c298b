import FoundationEssentials
import Model
import Ports

/// What of a simulated node's ledger lies on its disk: what was committed there outlives every process.
///
/// It passes the suite that the real one does (Tests/LedgerSuite).
final class SimulatedLedger {
    typealias Entry = (event: Event, at: Instant)

    fileprivate(set) var committed: [Entry] = []
    /// What the entries add up to.
    fileprivate(set) var state = NodeState()
    fileprivate(set) var memory = ObserverMemory()
    /// Stretches of ticks that are not sealed yet, the newest last.
    fileprivate var stretches: [Coverage] = []
    /// The newest stretch that was sealed.
    fileprivate var sealed: Coverage?
    fileprivate var imported: [CatalogEntry] = []
    /// Which ledger it is: one that was lost has another number.
    private(set) var number = 1
    /// The entry that cannot be written, whoever appends it; nil while there is none.
    var bad: Int64?

    /// The ledger is lost, or set back to an older copy of it.
    func lose(keeping entries: Int = 0) {
        if entries == 0 { number += 1 }
        let kept = committed.prefix(entries)
        committed = []
        (state, memory, stretches, sealed, imported) = (NodeState(), ObserverMemory(), [], nil, [])
        for entry in kept { take(entry) }
    }

    /// Of an entry's number and kind, and of which ledger it is; nil where there is none.
    fileprivate func hash(ofEntry sequence: Int64) -> Digest? {
        guard sequence > 0, sequence <= Int64(committed.count) else { return nil }
        let name = fingerprint("\(number) \(sequence) \(committed[Int(sequence) - 1].event.kind)")
        return Digest(String(repeating: "0", count: 64 - name.count) + name)
    }

    fileprivate func take(_ entry: Entry) {
        committed.append(entry)
        state.apply(entry.event, at: entry.at)
        switch entry.event {
        case .catalogImported(let file): imported += file.entries
        case .coverage(let stretch): sealed = stretch
        default: break
        }
    }

    /// All events of one append, whatever another process has appended since its state was loaded.
    ///
    /// - Parameter state: what they lead to; nil where the caller went on from a state that is no longer the newest.
    fileprivate func commit(_ events: [Event], at now: Instant, to state: NodeState?) {
        guard let state else {
            for event in events { take((event, now)) }
            return
        }
        for event in events {
            committed.append((event, now))
            switch event {
            case .catalogImported(let file): imported += file.entries
            case .coverage(let stretch): sealed = stretch
            default: break
            }
        }
        self.state = state
    }
}

/// One process's way to the ledger; it loses what it has not committed when it dies.
final class LedgerProcess: LedgerStore {
    /// A planted bug.
    enum Bug {
        /// It says that an intent is committed before it is: that is done with what comes next.
        case commitsIntentsLate
    }

    let disk: SimulatedLedger
    /// One step of the process that uses it; false where it is dead.
    var isAlive: () -> Bool = { true }
    /// The next append fails before it commits.
    var failNextAppend: LedgerFailure?
    /// Why old bodies cannot be dropped; nil where they can.
    var failDrops: LedgerFailure?
    /// Told of what was committed.
    var onCommit: ([Event]) -> Void = { _ in }
    /// What a person brought in besides what the ledger has.
    var catalog: [CatalogEntry] = []
    var bug: Bug?
    /// The newest entry when it was last read.
    private var known = 0
    /// How long bodies were to be kept, each time that old ones were looked for.
    private(set) var retentions: [TimeSpan] = []
    /// What is not committed though it was said to be.
    private var late: [Event] = []

    init(_ disk: SimulatedLedger) { self.disk = disk }

    /// It has died, and another one takes its place.
    func restart() {
        known = 0
        late = []
    }

    func load() -> (state: NodeState, memory: ObserverMemory) {
        known = disk.committed.count
        var state = disk.state
        for event in late { state.apply(event, at: Instant(seconds: 0)) }
        return (state, disk.memory)
    }

    func lastPolicy() -> LoadedPolicy? {
        for entry in disk.committed.reversed() {
            if case .policyLoaded(let policy) = entry.event { return policy }
        }
        return nil
    }

    func appendIfCurrent(
        _ events: [Event], reading: ClockReading, state: NodeState
    ) throws(LedgerFailure) -> Bool {
        if events.isEmpty { return true }
        guard known == disk.committed.count else { return false }
        try append(events, reading: reading, state: state)
        return true
    }

    func append(_ events: [Event], reading: ClockReading, state: NodeState) throws(LedgerFailure) {
        if let failure = failNextAppend {
            failNextAppend = nil
            throw failure
        }
        guard isAlive() else { throw Self.died }
        if events.isEmpty { return }
        if case .intended? = events.first, bug == .commitsIntentsLate {
            late = events
            return
        }
        let events = late + events
        late = []
        let isCurrent = known == disk.committed.count
        let next = disk.committed.count + events.count
        if let bad = disk.bad, bad > Int64(disk.committed.count), bad <= Int64(next) {
            throw LedgerFailure(code: .other, description: "entry \(bad) cannot be written")
        }
        disk.commit(events, at: reading.now, to: isCurrent ? state : nil)
        if isCurrent { known = next }
        onCommit(events)
        // Whoever dies right after it knows nothing of it.
        guard isAlive() else { throw Self.died }
    }

    private static let died = LedgerFailure(code: .other, description: "the process has died")

    func head() -> (sequence: Int64, hash: Digest) {
        let newest = Int64(disk.committed.count)
        return (newest, disk.hash(ofEntry: newest) ?? .none)
    }

    var originName: String { String(repeating: "0", count: 31) + "\(disk.number % 10)" }

    /// A simulated ledger is never old enough.
    func dropBodies(keep: TimeSpan, reading: ClockReading) throws(LedgerFailure) -> Event? {
        retentions.append(keep)
        if let failure = failDrops { throw failure }
        return nil
    }

    func hash(ofEntry sequence: Int64) -> Digest? { disk.hash(ofEntry: sequence) }

    func seed(from text: String) -> Seed? { try? JSONDecoder().decode(Seed.self, from: Data(text.utf8)) }

    func remember(_ change: (inout ObserverMemory) -> Void) throws(LedgerFailure) {
        guard isAlive() else { throw Self.died }
        change(&disk.memory)
    }

    func catalogEntries(for digest: Digest) -> [CatalogEntry] {
        var found: [CatalogEntry] = []
        for entry in catalog + disk.imported where entry.sha256 == digest {
            let isKnown = found.contains {
                $0.distribution == entry.distribution && $0.version == entry.version
                    && $0.architecture == entry.architecture
            }
            if !isKnown { found.append(entry) }
        }
        return found
    }

    func catalogEntries(of version: Version, for distribution: Distribution) -> [CatalogEntry] {
        (catalog + disk.imported).filter { $0.version == version && $0.distribution == distribution }
    }

    func extendCoverage(reading: ClockReading, seal: Bool) -> Coverage? {
        if let sealed = disk.sealed,
            let index = disk.stretches.firstIndex(where: {
                $0.bootID == sealed.bootID && $0.firstMonotonic == sealed.firstMonotonic
            })
        {
            disk.stretches.removeFirst(index + 1)
        }
        if var newest = disk.stretches.last, newest.bootID == reading.bootID,
            newest.lastMonotonic <= reading.monotonic
        {
            newest.longestGap = max(newest.longestGap, reading.monotonic - newest.lastMonotonic)
            newest.last = reading.now
            newest.lastMonotonic = reading.monotonic
            newest.ticks += 1
            disk.stretches[disk.stretches.count - 1] = newest
        } else {
            disk.stretches.append(
                Coverage(
                    bootID: reading.bootID, first: reading.now, last: reading.now,
                    firstMonotonic: reading.monotonic, lastMonotonic: reading.monotonic, ticks: 1,
                    longestGap: 0))
            if disk.stretches.count > 16 { disk.stretches.removeFirst() }
        }
        guard let oldest = disk.stretches.first else { return nil }
        let isOld = oldest.lastMonotonic - oldest.firstMonotonic >= 3_600_000_000_000
        return disk.stretches.count > 1 || seal || isOld ? oldest : nil
    }
}
