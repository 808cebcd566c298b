/// A time zone as data: from when on which offset from UTC applies.
///
/// Windows and freezes are judged with it, so a zone is an input of a decision, never something looked up by a rule.
public struct Zone: Codable, Hashable, Sendable {
    /// From this instant on, local time is UTC plus `offset` seconds.
    public struct Transition: Codable, Hashable, Sendable {
        /// The first second of the new offset.
        public var at: Instant
        /// Seconds east of UTC from then on.
        public var offset: Int

        /// Makes a transition.
        public init(at: Instant, offset: Int) {
            self.at = at
            self.offset = offset
        }
    }

    /// The IANA name.
    public var name: String
    /// The offset before the first transition, in seconds east of UTC.
    public var initialOffset: Int
    /// In order of time.
    public var transitions: [Transition]

    /// Makes a zone.
    public init(name: String, initialOffset: Int, transitions: [Transition]) {
        self.name = name
        self.initialOffset = initialOffset
        self.transitions = transitions
    }

    /// Coordinated universal time, which needs no file.
    public static let utc = Zone(name: "UTC", initialOffset: 0, transitions: [])
}

extension Zone {
    /// The offset from UTC that applies at an instant, in seconds east.
    public func offset(at instant: Instant) -> Int {
        // The number of transitions that have happened: a binary search, since there can be some hundreds.
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= instant { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? initialOffset : transitions[low - 1].offset
    }

    /// What a clock on the wall shows at an instant: the date, and seconds counted from 00:00:00.
    ///
    /// Instants outside the years 1 to 9999 are taken for the nearest one inside.
    public func local(at instant: Instant) -> (date: CivilDate, second: Int) {
        let inside = min(max(instant.seconds, Self.firstSecond), Self.lastSecond)
        let local = inside + Int64(offset(at: Instant(seconds: inside)))
        let clamped = min(max(local, Self.firstSecond), Self.lastSecond)
        let day = clamped >= 0 ? clamped / 86_400 : (clamped - 86_399) / 86_400
        return (CivilDate(daysSinceEpoch: day), Int(clamped - day * 86_400))
    }

    /// When a wall clock first shows a time on a date.
    ///
    /// A time that occurs twice is the first of the two; one that does not exist (a clock put forward, a day
    /// left out) begins at the next instant that does exist.
    ///
    /// - Parameter second: seconds counted from 00:00:00.
    public func firstInstant(of date: CivilDate, second: Int) -> Instant {
        let local = date.daysSinceEpoch * 86_400 + Int64(second)
        var start = Int64.min
        var offset = initialOffset
        for transition in transitions {
            let instant = local - Int64(offset)
            if instant < start { return Instant(seconds: start) }
            if instant < transition.at.seconds { return Instant(seconds: instant) }
            start = transition.at.seconds
            offset = transition.offset
        }
        return Instant(seconds: max(local - Int64(offset), start))
    }

    /// The same zone as far as it matters near an instant, which is what is stored with a decision.
    ///
    /// Both give the same answers for whatever lies at most `span` before or after `instant`.
    public func trimmed(around instant: Instant, by span: TimeSpan) -> Zone {
        // Two days more on either side: a local time is looked for among the offsets around it, and no offset
        // or jump is longer than 26 hours.
        let margin = TimeSpan(seconds: 2 * 86_400)
        let first = instant + TimeSpan(seconds: -max(0, span.seconds)) + TimeSpan(seconds: -margin.seconds)
        let last = instant + TimeSpan(seconds: max(0, span.seconds)) + margin
        return Zone(
            name: name, initialOffset: offset(at: first),
            transitions: transitions.filter { first < $0.at && $0.at <= last })
    }

    /// 0001-01-01T00:00:00Z.
    private static var firstSecond: Int64 { -62_135_596_800 }
    /// 9999-12-31T23:59:59Z.
    private static var lastSecond: Int64 { 253_402_300_799 }
}

extension Zone {
    /// Reads a stored zone back; one that arithmetic could trap on is refused.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        initialOffset = try container.decode(Int.self, forKey: .initialOffset)
        transitions = try container.decode([Transition].self, forKey: .transitions)
        let offsets = [initialOffset] + transitions.map(\.offset)
        guard offsets.allSatisfy({ (-100_000...100_000).contains($0) }),
            zip(transitions, transitions.dropFirst()).allSatisfy({ $0.at < $1.at })
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .transitions, in: container, debugDescription: "not a zone's transitions")
        }
    }
}
