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

        /// Makes a failure.
        public init(reason: String, at: Instant, count: Int) {
            self.reason = reason
            self.at = at
            self.count = count
        }

        /// When it is tried again: after ten minutes, then twice as long each time, a day at most.
        public var nextTry: Instant {
            at + TimeSpan(seconds: min(86_400, 600 << Int64(min(count - 1, 8))))
        }
    }
}
