public import Model
public import Ports
import SQLite

/// The ledger of a node: `ledger.db` in its state directory.
///
/// It is used by one thread. Other processes may have the same ledger open: they read without waiting, and write
/// one after another.
public final class Ledger: LedgerStore {
    let store: Store
    let directory: StateDirectory
    /// This ledger's 16 random bytes.
    let origin: [UInt8]
    /// That this opening began a new ledger, and why; nil where there was one.
    public let begun: Beginning?

    // What the entries up to `known.seq` add up to, so that an append need not read it again; nil once another
    // process has appended, since the caller goes on from a state without that.
    var known: (seq: Int64, fold: Fold)?

    init(store: Store, directory: StateDirectory, origin: [UInt8], begun: Beginning?) {
        self.store = store
        self.directory = directory
        self.origin = origin
        self.begun = begun
    }

    /// The database's file.
    public var file: String { directory.database }

    // MARK: LedgerStore

    public var originName: String { hexadecimal(origin) }

    public func load() throws(LedgerFailure) -> (state: NodeState, memory: ObserverMemory) {
        try guarded {
            try store.database.snapshot {
                let fold = try store.fold()
                known = try store.head().map { ($0.seq, fold) }
                return (fold.state, try memory())
            }
        }
    }

    private func memory() throws -> ObserverMemory {
        let kept = try store.database.prepare("SELECT content FROM memory").first { $0.text(0) ?? "" }
        // A cache: what cannot be read is learnt again.
        return kept.flatMap { text in try? EntryBody.decoded(text) } ?? ObserverMemory()
    }

    public func lastPolicy() throws(LedgerFailure) -> LoadedPolicy? {
        try guarded {
            let body = try store.database.prepare(
                "SELECT content FROM entry JOIN body USING(seq) WHERE kind = ? ORDER BY seq DESC LIMIT 1"
            ).first([.text(Event.policyLoadedKind)]) { $0.text(0) ?? "" }
            return try body.map { text in try EntryBody.decoded(text) }
        }
    }

    /// Appends events in one transaction, with the state that they lead to; all of them or none.
    ///
    /// - Parameter state: what the events lead to from what was loaded. Where another process appended since then,
    ///   it is left aside and made from the entries.
    public func append(
        _ events: [Event], reading: ClockReading, state: NodeState
    ) throws(LedgerFailure) {
        _ = try add(events, reading: reading, state: state, onlyIfCurrent: false)
    }

    public func appendIfCurrent(
        _ events: [Event], reading: ClockReading, state: NodeState
    ) throws(LedgerFailure) -> Bool {
        try add(events, reading: reading, state: state, onlyIfCurrent: true)
    }

    private func add(
        _ events: [Event], reading: ClockReading, state: NodeState, onlyIfCurrent: Bool
    ) throws(LedgerFailure) -> Bool {
        if events.isEmpty { return true }
        return try guarded {
            let bodies = try events.map { try EntryBody.text(of: $0) }
            var isAdded = true
            known = try store.database.transaction { () -> (seq: Int64, fold: Fold)? in
                guard var head = try store.head() else {
                    throw UnreadableBody(reason: "there is no origin entry")
                }
                let isCurrent = known?.seq == head.seq
                if onlyIfCurrent, !isCurrent {
                    isAdded = false
                    return nil
                }
                var fold = isCurrent ? known?.fold ?? Fold() : try store.fold()
                for (event, body) in zip(events, bodies) {
                    head = try store.add(
                        kind: event.kind, body: body, reading: reading, after: head, origin: origin)
                    try store.project(event, seq: head.seq, at: reading.now)
                    if isCurrent {
                        if case .coverage(let stretch) = event { fold.coverage = stretch }
                    } else {
                        fold.apply(event, at: reading.now)
                    }
                }
                if isCurrent { fold.state = state }
                try store.keep(fold, seq: head.seq)
                return isCurrent ? (head.seq, fold) : nil
            }
            return isAdded
        }
    }

    public func head() throws(LedgerFailure) -> (sequence: Int64, hash: Digest) {
        try guarded {
            guard let head = try store.head(), let hash = Digest(bytes: head.hash) else { return (0, .none) }
            return (head.seq, hash)
        }
    }

    public func hash(ofEntry sequence: Int64) throws(LedgerFailure) -> Digest? {
        try guarded {
            let hash = try store.database.prepare("SELECT hash FROM entry WHERE seq = ?")
                .first([.integer(sequence)]) { $0.blob(0) }
            return hash.flatMap { Digest(bytes: $0) }
        }
    }

    public func seed(from text: String) -> Seed? { Self.seed(from: text) }

    /// A seed from the text that a ledger writes; nil where it is none.
    public static func seed(from text: String) -> Seed? { try? EntryBody.decoded(text) }

    public func remember(_ change: (inout ObserverMemory) -> Void) throws(LedgerFailure) {
        try guarded {
            try store.database.transaction {
                var memory = try memory()
                change(&memory)
                try store.database.execute(
                    "INSERT OR REPLACE INTO memory(id, content) VALUES (1, ?)",
                    [.text(try CanonicalJSON.text(of: memory))])
            }
        }
    }

    public func catalogEntries(for digest: Digest) throws(LedgerFailure) -> [CatalogEntry] {
        try guarded {
            var entries: [CatalogEntry] = []
            try store.database.prepare("SELECT content FROM catalog WHERE sha256 = ? ORDER BY seq, position")
                .forEach([.text(digest.hex)]) { row in
                    let entry: CatalogEntry = try EntryBody.decoded(row.text(0) ?? "")
                    // The same file imported twice does not disagree with itself.
                    let isKnown = entries.contains {
                        $0.distribution == entry.distribution && $0.version == entry.version
                            && $0.architecture == entry.architecture
                    }
                    if !isKnown { entries.append(entry) }
                }
            return entries
        }
    }

    public func catalogEntries(
        of version: Version, for distribution: Distribution
    ) throws(LedgerFailure) -> [CatalogEntry] {
        try guarded {
            var entries: [CatalogEntry] = []
            // The table is a few hundred rows at most; the canonical text of a version has no quotes.
            let rows = try store.database.prepare(
                "SELECT content FROM catalog WHERE instr(content, ?) > 0 ORDER BY seq, position")
            try rows.forEach([.text("\"version\":\"\(version)\"")]) { row in
                let entry: CatalogEntry = try EntryBody.decoded(row.text(0) ?? "")
                if entry.distribution == distribution, entry.version == version { entries.append(entry) }
            }
            return entries
        }
    }

    public func extendCoverage(reading: ClockReading, seal: Bool) throws(LedgerFailure) -> Coverage? {
        let sealed = try guarded { try sealedCoverage() }
        var log = CoverageLog(bytes: readCoverage())
        let due = log.extend(reading: reading, seal: seal, sealed: sealed)
        try directory.replace(directory.coverage, with: try guarded { try log.bytes() })
        return due
    }

    // MARK: Beyond the tick

    /// Hands every imported checksum over, the oldest import first.
    ///
    /// - Throws: `LedgerFailure` for what the ledger refuses, and whatever the closure throws.
    public func catalog(_ handle: (CatalogEntry) throws -> Void) throws {
        let rows = try guarded {
            try store.database.prepare("SELECT content FROM catalog ORDER BY seq, position")
        }
        defer { rows.reset() }
        while try guarded({ try rows.step() }) {
            try handle(guarded { try EntryBody.decoded(rows.text(0) ?? "") })
        }
    }

    /// The newest record of a decision; nil where there is none with that id.
    public func decision(id: String) throws(LedgerFailure) -> DecisionRecord? {
        try guarded {
            let body = try store.database.prepare(
                """
                SELECT content FROM decision JOIN body USING(seq) WHERE decision.decision = ?
                ORDER BY seq DESC LIMIT 1
                """
            ).first([.text(id)]) { $0.text(0) ?? "" }
            return try body.map { text in try EntryBody.decoded(text) }
        }
    }

    /// When a tick last ran, by the coverage file and the newest entry; nil before the first one.
    public func lastTick() throws(LedgerFailure) -> Instant? {
        let recorded = try guarded {
            try store.database.prepare(
                """
                SELECT at FROM entry
                WHERE seq > 1 AND kind NOT IN ('approved', 'denied', 'revoked', 'catalog-imported')
                ORDER BY seq DESC LIMIT 1
                """
            ).first { Instant(seconds: $0.integer(0)) }
        }
        return [recorded, CoverageLog(bytes: readCoverage()).last].compactMap(\.self).max()
    }

    /// Stretches of ticks that the chain does not have yet, oldest first; whoever may write the directory can forge them.
    public func unsealedCoverage() throws(LedgerFailure) -> [Coverage] {
        let sealed = try guarded { try sealedCoverage() }
        return CoverageLog(bytes: readCoverage()).unsealed(after: sealed)
    }

    /// Makes every projection anew from the entries.
    public func rebuild() throws(LedgerFailure) {
        try guarded {
            known = try store.database.transaction {
                try store.database.execute(
                    script:
                        "DELETE FROM decision; DELETE FROM catalog; DELETE FROM snapshot; DELETE FROM retention"
                )
                var fold = Fold()
                if let dropped = try store.newestRetention() {
                    try store.project(
                        .bodiesDropped(dropped.retention), seq: dropped.seq, at: Instant(seconds: 0))
                }
                try store.events { seq, at, event in
                    try store.project(event, seq: seq, at: at)
                    fold.apply(event, at: at)
                }
                guard let head = try store.head() else { return nil }
                try store.keep(fold, seq: head.seq)
                return (head.seq, fold)
            }
        }
    }

    private func sealedCoverage() throws -> Coverage? {
        if let known, known.seq == (try store.head()?.seq) { return known.fold.coverage }
        return try store.database.snapshot { try store.fold().coverage }
    }
}

/// How a ledger came to be.
public struct Beginning: Hashable, Sendable {
    /// The damaged ledger that it takes the place of, kept beside it under this name; nil where there was none.
    public var replaces: String?
    /// What was wrong with that one.
    public var reason: String?
}
