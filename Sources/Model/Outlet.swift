/// Somebody outside who is told what the ledger records, how far they were told, and what is wrong with them.
///
/// The ledger's entries are the queue: they are told in their order, and `told` moves over one once it was delivered,
/// so that nothing is lost where a process dies, and at most the last one is told twice.
public struct Outlet: Codable, Hashable, Sendable {
    /// Names it and no other; without what is secret about it.
    public var id: String
    /// What people call it: its place in the policy and its host or program, without what is secret (invariant 13).
    public var name: String
    /// The last entry that was delivered, given up, or is none of its concern.
    public var told: Int64
    /// Failures in a row.
    public var failures = 0
    /// When they began; nil where there are none.
    public var failingSince: Instant?
    /// Before this it is left alone; nil where it is not.
    public var notBefore: Instant?
    /// Why the last try failed.
    public var failure: String?
    /// What was given up since it was last told that something was.
    public var lost = 0
    /// When something was given up last; nil where nothing was.
    public var lostAt: Instant?
    /// Why.
    public var lostBecause: String?

    /// Why something is given up that retention was faster with; what it said stands nowhere any longer.
    public static let dropped =
        "ledger.keep dropped what was to be told first, so that nobody can say whether all of it was for this receiver"
    /// The id of the file of metrics.
    public static let metrics = "metrics"

    /// How long something is tried, and how long what was given up is a problem.
    public static let patience = TimeSpan.days(1)
    private static let firstRest: Int64 = 60
    private static let longestRest: Int64 = 3600
    /// Failures from which on a person should know; one is a server that was just restarted.
    private static let worthTelling = 3
    /// A clock that jumps by a day must not have everything given up at once.
    private static let leastTries = 8

    /// Makes an outlet that is told of what comes after an entry.
    public init(id: String, name: String, told: Int64) {
        self.id = id
        self.name = name
        self.told = told
    }

    /// Whether it may be tried.
    public func isDue(at now: Instant) -> Bool {
        guard let notBefore else { return true }
        // A clock that was set back must not keep it waiting.
        return notBefore <= now || notBefore - now > TimeSpan(seconds: Self.longestRest * 2)
    }

    /// Whether what was recorded at an instant is tried no longer.
    ///
    /// Both what is told and the trouble have to be old: a node that was off for a week tells late rather than never.
    public func isGivenUp(recordedAt at: Instant, now: Instant) -> Bool {
        guard failures >= Self.leastTries, let failingSince else { return false }
        return now - failingSince >= Self.patience && now - at >= Self.patience
    }

    /// An entry was delivered.
    public mutating func deliver(_ sequence: Int64) {
        told = sequence
        recover()
    }

    /// It does what it should, whatever was before.
    public mutating func recover() {
        failures = 0
        failingSince = nil
        notBefore = nil
        failure = nil
    }

    /// An entry is given up.
    public mutating func giveUp(_ sequence: Int64, because reason: String, at now: Instant) {
        if let lostAt, now - lostAt >= Self.patience { lost = 0 }
        told = sequence
        lost += 1
        lostAt = now
        lostBecause = reason
    }

    /// A try failed, and is made again later: after one minute, then twice as long each time, at most an hour.
    public mutating func fail(because reason: String, at now: Instant) {
        failures += 1
        failingSince = failingSince ?? now
        failure = reason
        let rest = min(Self.firstRest << Int64(min(failures - 1, 10)), Self.longestRest)
        // Three quarters to five quarters, by what is tried: nodes that failed together do not come back together.
        var mixed: UInt64 = 14_695_981_039_346_656_037
        for byte in "\(id) \(told) \(failures)".utf8 { mixed = (mixed ^ UInt64(byte)) &* 1_099_511_628_211 }
        notBefore = now + TimeSpan(seconds: rest * 3 / 4 + Int64((mixed >> 16) % 1000) * rest / 2000)
    }

    /// What a person should know of it; nil where all is well.
    public func problem(at now: Instant) -> Problem? {
        if id == Self.metrics {
            guard failures >= Self.worthTelling, let failure else { return nil }
            return Problem(
                code: "metrics-unwritten",
                text: "\(failure), so the metrics of this node are not what it is; alerts rest on them")
        }
        let isLost = lostAt.map { now - $0 < Self.patience } ?? false
        guard isLost || failures >= Self.worthTelling else { return nil }
        var text = "\(name) is not told"
        if failures >= Self.worthTelling, let failure { text += ", and is tried again: \(failure)" }
        if isLost, let lostBecause {
            text += "; \(lost) message\(lost == 1 ? " was" : "s were") given up: \(lostBecause)"
        }
        if !isLost || lostBecause != Self.dropped { text += "; 'holdfast history' has what was to be told" }
        return Problem(code: "notify-undelivered", text: text, about: id)
    }
}
