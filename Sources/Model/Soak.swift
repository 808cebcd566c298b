/// The time that an artifact has been seen to run well on this node (`rollout.md`, "A node's step").
///
/// Kept as seconds that were earned, never as an instant, so that no clock that jumps can end it.
public struct Soak: Codable, Hashable, Sendable {
    /// What was earned.
    public var credit: TimeSpan
    /// The last healthy sample; nil before the first, and after a failure.
    public var last: Sample?

    /// One look at the node while it soaks.
    public struct Sample: Codable, Hashable, Sendable {
        /// The kernel's boot id.
        public var bootID: String
        /// The unit's InvocationID: another one is a restart.
        public var invocationID: String
        /// The artifact that runs: a digest's digits, or `revision:N`.
        public var bytes: String
        /// Nanoseconds since boot.
        public var monotonic: Int64

        /// Makes a sample.
        public init(bootID: String, invocationID: String, bytes: String, monotonic: Int64) {
            self.bootID = bootID
            self.invocationID = invocationID
            self.bytes = bytes
            self.monotonic = monotonic
        }
    }

    /// Nothing earned yet.
    public init() { credit = .zero }

    /// Takes a healthy sample in.
    ///
    /// Credit is added between two healthy samples of the same boot and the same start, at most twice the interval
    /// apart. A reboot or a longer gap earns nothing and loses nothing; a restart that nobody asked for and another
    /// artifact begin again.
    ///
    /// - Parameter interval: how often samples are meant to be taken.
    public func taking(_ sample: Sample, interval: TimeSpan) -> Soak {
        var next = self
        next.last = sample
        guard let last else { return next }
        if last.bytes != sample.bytes {
            next.credit = .zero
            return next
        }
        guard last.bootID == sample.bootID else { return next }
        if last.invocationID != sample.invocationID {
            next.credit = .zero
            return next
        }
        let elapsed = sample.monotonic - last.monotonic
        guard elapsed > 0, elapsed <= interval.seconds * 2 * 1_000_000_000 else { return next }
        // Whole seconds; what is left over is earned with the next sample.
        let seconds = elapsed / 1_000_000_000
        next.credit = TimeSpan(seconds: credit.seconds + seconds)
        next.last?.monotonic = last.monotonic + seconds * 1_000_000_000
        return next
    }

    /// After a sample that was not healthy.
    public func failing() -> Soak { Soak() }

    /// Whether as much was earned as was asked for, with at least one healthy sample.
    public func isOver(_ needed: TimeSpan) -> Bool { last != nil && credit >= needed }
}
