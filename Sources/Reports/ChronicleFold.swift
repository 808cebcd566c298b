public import Model

/// Makes a chronicle from a ledger in one pass over its entries, after one over its decisions; in bounded memory.
///
/// Decisions come as rows rather than as entries, since to read a record whole takes many times as long.
public struct ChronicleFold {
    var chronicle: Chronicle
    var evidence = TickEvidence()
    /// What the entries so far add up to.
    var state = NodeState()
    private var isPastEnd = false
    /// By id, in no order.
    var stories: [InstallationID: InstallationStory] = [:]
    private var marks = Bounded<DecisionMark>(20_000)
    private var nextMark = 0
    let describe: (Event) -> String?
    /// Effects that were begun, by their intents' ids, as far as a report tells of them.
    var begun: [String: Effect] = [:]

    /// The kinds of entries that it wants: all but decisions.
    public static let leavesOut: Set<String> = ["decided"]

    /// Makes a fold over nothing yet.
    ///
    /// - Parameters:
    ///   - node: what the node is called where no decision says it.
    ///   - ledger: the ledger's name.
    ///   - start: where the report begins; nil for the first entry.
    ///   - end: where it ends; what was recorded later still tells of the time before.
    ///   - describe: says an event in one line for a person.
    public init(
        node: String, ledger: String, start: Instant?, end: Instant,
        describe: @escaping (Event) -> String?
    ) {
        chronicle = Chronicle(
            node: node, ledger: ledger, start: start ?? Instant(seconds: .min), end: end)
        self.describe = describe
    }

    // MARK: Decisions

    /// Takes one decision in; all of them come before the first entry, oldest first.
    public mutating func take(_ row: HistoryRow) {
        guard let mark = DecisionMark(row) else { return }
        if chronicle.start <= mark.at, mark.at < chronicle.end {
            chronicle.decisions[mark.verdict, default: 0] += 1
        }
        if !mark.node.isEmpty { chronicle.node = mark.node }
        marks.append(mark)
    }

    private mutating func takeMarks(before sequence: Int64) {
        while nextMark < marks.items.count, marks.items[nextMark].sequence < sequence {
            take(marks.items[nextMark])
            nextMark += 1
        }
    }

    private mutating func take(_ mark: DecisionMark) {
        let change = "\(mark.from) → \(mark.to)"
        if mark.trigger == Trigger.unknown.rawValue, mark.phase != Phase.offered.rawValue {
            chronicle.irregular.append(
                Note(
                    mark.sequence, mark.at, "unattributed", about: mark.installation.description,
                    "\(change) is \(mark.phase), and nobody knows what brought it: \(mark.verdict.rawValue)"))
        }
        let isKept = mark.verdict != .allow
        note(mark.installation) { story in
            story.turn(
                .held,
                to: isKept
                    ? (
                        mark.verdict == .deny ? "denied \(mark.to)" : "held \(mark.to)",
                        "\(change) (\(mark.change)): \(mark.unmet)"
                    ) : nil,
                at: mark.at, key: mark.change)
        }
    }

    // MARK: Entries

    /// Takes one entry in, oldest first.
    public mutating func take(_ entry: LedgerEntry) {
        takeMarks(before: entry.sequence)
        if chronicle.firstWritten == nil {
            chronicle.firstWritten = entry.at
            if chronicle.start.seconds == .min { chronicle.start = min(entry.at, chronicle.end) }
        }
        if entry.at >= chronicle.end, !isPastEnd {
            isPastEnd = true
            chronicle.state = state
        }
        chronicle.lastWritten = entry.at
        chronicle.headSequence = entry.sequence
        chronicle.headHash = entry.hash
        evidence.take(entry)
        guard let event = entry.event else { return }
        if case .coverage(let stretch) = event { evidence.take(stretch) }
        // What a look found before this event changes what is approved.
        takeStart(event, entry)
        state.apply(event, at: entry.at)
        takeStory(event, entry)
        takeNode(event, entry)
        turnGates(event, entry)
    }

    /// Ends the fold.
    ///
    /// - Parameters:
    ///   - unsealed: stretches of ticks that the ledger's chain does not have yet.
    ///   - now: until when the gaps are told.
    public mutating func finish(unsealed: [Coverage], now: Instant) -> Chronicle {
        takeMarks(before: .max)
        for stretch in unsealed { evidence.take(stretch) }
        evidence.finish(at: now)
        if !isPastEnd { chronicle.state = state }
        chronicle.gaps = evidence.gaps
        chronicle.lastTick = evidence.last?.last
        chronicle.firstTick = evidence.first
        let first = evidence.first ?? now
        if chronicle.start < first {
            chronicle.before = Gap(
                chronicle.start, first, .notBegun,
                "before the first tick that this ledger proves: nothing is known")
        }
        chronicle.installations = stories.values.sorted { $0.id < $1.id }
        return chronicle
    }

    mutating func note(_ id: InstallationID, _ body: (inout InstallationStory) -> Void) {
        // As many as a hostile ledger likes to name.
        guard stories[id] != nil || stories.count < 32 else { return }
        body(&stories[id, default: InstallationStory(id: id)])
    }

    // MARK: What lasts

    private mutating func takeStory(_ event: Event, _ entry: LedgerEntry) {
        switch event {
        case .installationFound(let installation), .installationObserved(let installation):
            note(installation.id) { story in
                story.units = installation.units.map(\.name)
                story.turn(.installed, to: Self.words(installation.installed?.artifact), at: entry.at)
                story.turn(.running, to: Self.words(installation.running?.artifact), at: entry.at)
                let isAsked = installation.units.first?.activeState != nil
                story.turn(.unasked, to: isAsked ? nil : ("systemd not asked", ""), at: entry.at)
            }
        case .installationGone(let id): note(id) { $0.endAll(at: entry.at) }
        case .changeEnded(let end):
            note(end.change.installation) { $0.turn(.held, to: nil, at: entry.at, key: end.change.id) }
        case .stepBegan(let step):
            note(step.change.installation) {
                $0.turn(
                    .step, to: ("\(step.change.to.versionWord)", step.summary), at: entry.at, key: step.id)
            }
        case .stepEnded(let end):
            note(end.step.change.installation) { $0.turn(.step, to: nil, at: entry.at, key: end.step.id) }
        case .seatTaken(let taking):
            for id in stories.keys where id.distribution == taking.distribution {
                let seat = taking.seat
                let isIn = seat.phase != .idle
                note(id) {
                    $0.turn(
                        .rollout,
                        to: isIn
                            ? (
                                "\(seat.phase.word)",
                                "rollout \(seat.rollout ?? "?") of \(taking.version?.description ?? "?")"
                            )
                            : nil, at: entry.at)
                }
            }
        case .policyLoaded(let policy):
            turn(
                \.policies, to: (policy.sha256.short, policy.sources.file), at: entry.at)
        case .paused(let pause):
            turn(\.pauses, to: ("until \(pause.until)", pause.reason), at: entry.at)
        case .resumed(let end):
            turn(\.pauses, to: nil, at: end.isByTime ? min(end.pause.until, entry.at) : entry.at)
        case .problemBegan(let problem):
            turn(\.problems, to: (problem.code, problem.text), at: entry.at, key: problem.key)
        case .problemEnded(let problem):
            turn(\.problems, to: nil, at: entry.at, key: problem.key)
        case .seeded:
            evidence.lost(
                evidence.tick(before: entry.at) ?? entry.at, entry.at,
                "the ledger was lost or had fallen behind, and was begun anew from the guard file")
        default: break
        }
    }

    private mutating func turn(
        _ list: WritableKeyPath<Chronicle, Bounded<Stretch>>, to next: (text: String, detail: String)?,
        at now: Instant, key: String = ""
    ) {
        chronicle[keyPath: list].change(
            last: { $0.end == nil && $0.key == key },
            { $0.end = now })
        if let next {
            chronicle[keyPath: list].append(
                Stretch(start: now, end: nil, text: next.text, detail: next.detail, key: key))
        }
    }

    private static func words(_ artifact: Artifact?) -> (text: String, detail: String)? {
        guard let artifact, artifact.isKnown else { return nil }
        return (artifact.versionWord, artifact.summary)
    }
}

/// A decision as far as a timeline needs it.
struct DecisionMark: Hashable, Sendable {
    var sequence: Int64
    var at: Instant
    var node: String
    var installation: InstallationID
    var change: String
    var from: String
    var to: String
    var trigger: String
    var phase: String
    var verdict: Verdict
    var unmet: String

    /// Reads a row; nil for one that no tick wrote.
    init?(_ row: HistoryRow) {
        func text(_ column: HistoryColumn) -> String { row.text(column, longest: 300) ?? "" }
        guard let at = Instant(entryTime: text(.at)), let verdict = Verdict(rawValue: text(.verdict)),
            let distribution = Distribution(rawValue: text(.distribution))
        else { return nil }
        sequence = row.seq
        self.at = at
        self.verdict = verdict
        node = text(.node)
        installation = InstallationID(distribution: distribution, name: text(.installation))
        change = text(.change)
        from = row.text(.from, longest: 300) ?? "unreadable"
        to = row.text(.to, longest: 300) ?? "unreadable"
        trigger = text(.trigger)
        phase = text(.phase)
        unmet = text(.unmet)
    }
}

extension Artifact {
    /// The version, else what pins the bytes.
    var versionWord: String {
        version?.description ?? revision.map { "revision \($0)" } ?? sha256.map { "sha256 \($0.short)" }
            ?? "unreadable"
    }
}

extension Problem {
    var key: String { "\(code) \(about ?? "")" }
}

extension Seat.Phase {
    /// What it is called.
    var word: String {
        switch self {
        case .idle: "idle"
        case .asking: "asking"
        case .granted: "granted"
        case .stepping: "stepping"
        case .soaking: "soaking"
        case .proving: "proving"
        case .failing: "failed"
        }
    }
}
