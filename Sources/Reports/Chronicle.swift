public import Model

/// What a ledger's entries tell of a node over time, as a report shows it.
///
/// Its size is bounded whatever the ledger's: of each list the newest are kept, and how many are not is said.
public struct Chronicle: Hashable, Sendable {
    /// The node's name: that of its newest decision, else what the caller knew it by.
    public var node: String
    /// The ledger's name.
    public var ledger: String
    /// The stretch of time that is reported on; `end` is exclusive.
    public var start: Instant
    /// Where the report ends.
    public var end: Instant
    /// When the first and the newest entry were written; nil in an empty ledger.
    public var written: (first: Instant, last: Instant)? {
        get { firstWritten.flatMap { first in lastWritten.map { (first, $0) } } }
    }
    var firstWritten: Instant?
    var lastWritten: Instant?
    /// The number of the newest entry, and its hash.
    public var head: (sequence: Int64, hash: Digest) { (headSequence, headHash) }
    var headSequence: Int64 = 0
    var headHash = Digest.none

    /// Decisions in the stretch, by verdict.
    public var decisions: [Verdict: Int] = [:]
    /// One for each installation that was ever seen, in order of their ids.
    public var installations: [InstallationStory] = []
    /// Policies in force.
    public var policies = Bounded<Stretch>(200)
    /// When a person had lifted every guard.
    public var pauses = Bounded<Stretch>(500)
    /// What kept ticks from knowing everything.
    public var problems = Bounded<Stretch>(500)
    /// Approvals, denials and their ends, by whose claim.
    public var words = Bounded<Note>(1000)
    /// What was refused, put back, let through or came from nobody knows where, and guards that others broke.
    public var irregular = Bounded<Note>(1000)
    /// Steps, rollouts, and what persons said of them.
    public var rollouts = Bounded<Note>(1000)
    /// When nobody can say what happened, and why.
    public var gaps = Bounded<Gap>(1000)
    /// The state that the entries lead to.
    public var state = NodeState()
    /// When a tick last ran; nil where none did.
    public var lastTick: Instant?
    /// The part of the stretch that lies before its first tick; nil where none does.
    public var before: Gap?
    /// The first tick that the ledger proves; nil where none is.
    public var firstTick: Instant?

    /// Makes an empty one.
    init(node: String, ledger: String, start: Instant, end: Instant) {
        self.node = node
        self.ledger = ledger
        self.start = start
        self.end = end
    }

    /// Every gap that has an instant in common with the stretch, oldest first.
    public var allGaps: [Gap] {
        ([before].compactMap(\.self) + gaps.items).filter { $0.overlaps(start, end) }.sorted {
            ($0.start, $0.end, $0.text) < ($1.start, $1.end, $1.text)
        }
    }

    /// The story of the installation that a word names: its unit, its name, or its whole id.
    public func installation(named word: String) -> InstallationStory? {
        let name = word.hasSuffix(".service") ? String(word.dropLast(8)) : word
        return installations.first { story in
            story.id.name == name || story.id.description == word || story.units.contains(word)
        }
    }
}

/// What happened to one installation.
public struct InstallationStory: Hashable, Sendable {
    /// Which one.
    public var id: InstallationID
    /// Its units, as they were last seen.
    public var units: [String] = []
    /// What lasted, by lane.
    public var lanes: [Lane: Bounded<Stretch>] = [:]
    /// What failed.
    public var failures = Bounded<Note>(500)
    /// Starts that were seen, by systemd's name of each.
    public var starts = Bounded<SeenStart>(2000)
    /// What the gate told, with the time at which a tick took it.
    public var acts = Bounded<TakenAct>(2000)
    /// When what started cannot be told.
    public var doubts = Bounded<Gap>(1000)

    /// What can be shown side by side over time.
    public enum Lane: String, CaseIterable, Hashable, Sendable {
        case installed
        case running
        /// A change that was held or denied.
        case held
        /// The gate, or the veto, stood before every start.
        case gate
        /// The policy's windows.
        case windows
        /// A change was being carried out.
        case step
        /// This node had a part in a rollout.
        case rollout
        /// systemd was not asked of it.
        case unasked
    }

    /// Makes the story of one that was never seen.
    init(id: InstallationID) { self.id = id }

    /// The stretches of a lane.
    public func stretches(_ lane: Lane) -> [Stretch] { lanes[lane]?.items ?? [] }

    /// Ends the newest open stretch of a lane, and begins another where there is one.
    mutating func turn(
        _ lane: Lane, to next: (text: String, detail: String)?, at now: Instant, key: String = ""
    ) {
        var stretches = lanes[lane] ?? Bounded<Stretch>(500)
        if let open = stretches.items.last(where: { $0.end == nil && $0.key == key }) {
            if let next, open.text == next.text, open.detail == next.detail { return }
            stretches.change(last: { $0.end == nil && $0.key == key }, { $0.end = now })
        }
        if let next {
            stretches.append(Stretch(start: now, end: nil, text: next.text, detail: next.detail, key: key))
        }
        lanes[lane] = stretches
    }

    /// Ends whatever is open.
    mutating func endAll(at now: Instant) {
        for lane in Lane.allCases {
            let keys = Set(stretches(lane).filter { $0.end == nil }.map(\.key))
            for key in keys { turn(lane, to: nil, at: now, key: key) }
        }
    }
}

/// A stretch of time in which something was so.
public struct Stretch: Hashable, Sendable {
    /// Inclusive.
    public var start: Instant
    /// Exclusive; nil while it lasts.
    public var end: Instant?
    /// What was so, in a few words.
    public var text: String
    /// More of it, in a sentence; empty where there is no more.
    public var detail: String
    /// Tells stretches of one lane apart that can overlap.
    var key: String

    /// Makes a stretch.
    public init(start: Instant, end: Instant?, text: String, detail: String = "", key: String = "") {
        self.start = start
        self.end = end
        self.text = text
        self.detail = detail
        self.key = key
    }

    /// Whether it has an instant in common with another stretch of time, both ends of which belong to it.
    func overlaps(_ from: Instant, _ to: Instant) -> Bool { start <= to && (end.map { from < $0 } ?? true) }
}

/// Something that happened, with the entry that says so.
public struct Note: Hashable, Sendable {
    /// The entry's number.
    public var sequence: Int64
    /// When.
    public var at: Instant
    /// What it is, in a word or two.
    public var title: String
    /// What it is about.
    public var about: String
    /// By whose claim; empty where nobody claimed it.
    public var claim: String
    /// The whole of it, for a person.
    public var text: String

    /// Makes a note.
    init(
        _ sequence: Int64, _ at: Instant, _ title: String, about: String = "", claim: String = "",
        _ text: String
    ) {
        self.sequence = sequence
        self.at = at
        self.title = title
        self.about = about
        self.claim = claim
        self.text = text
    }
}

/// A stretch of time of which something cannot be said.
public struct Gap: Hashable, Sendable {
    /// Why not.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// Before the ledger's first tick.
        case notBegun = "not begun"
        /// No tick ran.
        case unwatched
        /// The node was restarted, and nobody can say that a tick looked often enough meanwhile.
        case restart
        /// The clock was set, or was not synchronised.
        case clock
        /// What the ledger said is gone, or cannot be read.
        case lost
        /// The gate did not stand before every start.
        case unguarded
        /// A person had lifted the guards.
        case paused
        /// What started cannot be told.
        case unknownStart = "unknown start"
    }

    /// Inclusive.
    public var start: Instant
    /// Inclusive too.
    public var end: Instant
    /// Why.
    public var kind: Kind
    /// The same for a person.
    public var text: String

    /// Makes a gap; its ends may be given either way round.
    init(_ start: Instant, _ end: Instant, _ kind: Kind, _ text: String) {
        self.start = min(start, end)
        self.end = max(start, end)
        self.kind = kind
        self.text = text
    }

    func overlaps(_ from: Instant, _ to: Instant) -> Bool { start <= to && from <= end }
}

/// A start of a unit that a look found.
public struct SeenStart: Hashable, Sendable {
    /// systemd's name of it.
    public var invocationID: String
    /// When a look first found it.
    public var seenAt: Instant
    /// The newest tick that is known to have run before that.
    public var after: Instant?
    /// What runs with it.
    public var artifact: String
    /// Whether that was approved then; nil where its bytes are not known.
    public var isApproved: Bool?
}

/// What the gate told of one start.
public struct TakenAct: Hashable, Sendable {
    /// What it told.
    public var act: GateAct
    /// The entry that holds it.
    public var sequence: Int64
    /// When the entry was written.
    public var takenAt: Instant
}
