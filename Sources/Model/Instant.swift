/// A point in time: whole seconds since 1970-01-01T00:00:00Z.
///
/// An integer, so that what is stored is what was compared (a `Date` is a `Double`).
public struct Instant: Hashable, Comparable, Sendable {
    /// Seconds since the epoch, UTC.
    public let seconds: Int64

    /// Makes an instant from seconds since the epoch, UTC.
    public init(seconds: Int64) { self.seconds = seconds }

    public static func < (left: Instant, right: Instant) -> Bool { left.seconds < right.seconds }

    /// The instant a span later; stays at the first or last one that can be written instead of trapping.
    public static func + (instant: Instant, span: TimeSpan) -> Instant {
        let (sum, overflow) = instant.seconds.addingReportingOverflow(span.seconds)
        return Instant(seconds: overflow ? (span.seconds < 0 ? .min : .max) : sum)
    }

    /// The span between two instants; the longest one where it would overflow.
    public static func - (later: Instant, earlier: Instant) -> TimeSpan {
        let (difference, overflow) = later.seconds.subtractingReportingOverflow(earlier.seconds)
        return TimeSpan(seconds: overflow ? (earlier.seconds < 0 ? .max : .min) : difference)
    }
}

extension Instant: Codable {
    public init(from decoder: any Decoder) throws {
        seconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(seconds)
    }
}

/// A length of time in whole seconds.
public struct TimeSpan: Hashable, Comparable, Sendable {
    /// The length in seconds; negative where the end is before the start.
    public let seconds: Int64

    /// Makes a span from seconds.
    public init(seconds: Int64) { self.seconds = seconds }

    /// No time at all.
    public static let zero = TimeSpan(seconds: 0)

    /// That many minutes.
    public static func minutes(_ count: Int64) -> TimeSpan { TimeSpan(seconds: count * 60) }
    /// That many hours of 3600 seconds.
    public static func hours(_ count: Int64) -> TimeSpan { TimeSpan(seconds: count * 3600) }
    /// That many days of 24 hours, whatever a zone does in between.
    public static func days(_ count: Int64) -> TimeSpan { TimeSpan(seconds: count * 86_400) }

    public static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.seconds < right.seconds }

    /// The span as the policy file writes it, in the largest unit that divides it: `90s`, `15m`, `24h`, `3d`.
    public var policyText: String {
        for (unit, length) in [("w", Int64(604_800)), ("d", 86_400), ("h", 3600), ("m", 60)]
        where seconds != 0 && seconds % length == 0 {
            return "\(seconds / length)\(unit)"
        }
        return "\(seconds)s"
    }
}

extension TimeSpan: Codable {
    public init(from decoder: any Decoder) throws {
        seconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(seconds)
    }
}
