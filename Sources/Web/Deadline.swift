import Glibc

/// A point on the monotonic clock by which something has to be over.
///
/// `poll(2)` wants what is left of a wait, and several exchanges can share one; this is the one use that Web makes of
/// a clock.
public struct Deadline: Sendable {
    private let nanoseconds: Int64

    /// So many milliseconds from now.
    public init(afterMilliseconds count: Int) {
        let (span, tooLong) = Int64(max(0, count)).multipliedReportingOverflow(by: 1_000_000)
        let (sum, tooLate) = Self.now.addingReportingOverflow(tooLong ? .max : span)
        nanoseconds = tooLate ? .max : sum
    }

    /// The earlier of two.
    static func earlier(_ left: Deadline, _ right: Deadline) -> Deadline {
        left.nanoseconds < right.nanoseconds ? left : right
    }

    /// What is left, rounded up, so that a wait of it ends after the deadline and never just before; 0 when over.
    public var millisecondsLeft: Int {
        let left = nanoseconds.subtractingReportingOverflow(Self.now).partialValue
        return left <= 0 ? 0 : Int(clamping: (left - 1) / 1_000_000 + 1)
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
