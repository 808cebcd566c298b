public import Model

/// What was fetched, and what could not be.
public struct KnownDownloads: Codable, Hashable, Sendable {
    /// Where proven bytes lie, by the digits of their digest.
    public var done: [String: String] = [:]
    /// What could not be fetched, by the digits of its digest.
    public var failed: [String: Failure] = [:]

    /// Nothing was fetched.
    public init() {}

    /// Why something could not be fetched.
    public struct Failure: Codable, Hashable, Sendable {
        /// For a person.
        public var reason: String
        /// When it was tried last.
        public var at: Instant
        /// How often in a row.
        public var count: Int
        /// Whether there was too little room for it; nil, where an earlier version wrote it, says no.
        public var lacksRoom: Bool?

        /// Makes a failure.
        public init(reason: String, at: Instant, count: Int, lacksRoom: Bool = false) {
            self.reason = reason
            self.at = at
            self.count = count
            self.lacksRoom = lacksRoom
        }

        /// When it is tried again: after ten minutes, then twice as long each time, a day at most.
        ///
        /// Where room is lacking the next tick tries: who has made some does not wait for it, and no server is asked
        /// for more than what it has.
        public var nextTry: Instant {
            if lacksRoom == true { return at + .minutes(1) }
            return at + TimeSpan(seconds: min(86_400, 600 << Int64(min(count - 1, 8))))
        }
    }
}
