/// A time zone as data: from when on which offset from UTC applies.
///
/// Windows and freezes are judged with it, so a zone is an input of a decision, never something looked up by a rule.
public struct Zone: Codable, Hashable, Sendable {
    /// From this instant on, local time is UTC plus `offset` seconds.
    public struct Transition: Codable, Hashable, Sendable {
        public var at: Instant
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
