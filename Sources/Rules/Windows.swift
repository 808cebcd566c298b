public import Model

extension Question {
    /// A step is begun only while a window is open.
    func window() -> Reason {
        let source = line("windows")
        guard let windows = policy.windows else {
            return met(.window, "no window is set: any time will do", from: source)
        }
        guard let zone else { return zoneUnknown(.window, from: source) }
        guard clockIsGood else { return clockUnknown(.window, "there are windows", from: source) }
        let calendar = Openings(windows: windows, zone: zone)
        if let open = calendar.open(at: now) {
            return met(
                .window, "the window of \(open.day) is open until \(open.end) (\(local(open.end, zone)))",
                from: source)
        }
        guard let next = calendar.next(after: now) else {
            return hold(.window, "no window ever opens", from: source, lever: "windows in the policy")
        }
        return hold(
            .window, "no window is open; the next opens \(next.start) (\(local(next.start, zone)))",
            from: source, notBefore: next.start, lever: waiveLever(.window, key: "windows"))
    }

    /// What a clock on the wall shows then: `2026-11-29 03:00 in Europe/Berlin`.
    private func local(_ instant: Instant, _ zone: Zone) -> String {
        let wall = zone.local(at: instant)
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        return "\(wall.date) \(two(wall.second / 3600)):\(two(wall.second / 60 % 60)) in \(policy.timezone)"
    }
}

/// A stretch of time in which a window is open.
public struct WindowOpening: Hashable, Sendable {
    /// Inclusive.
    public var start: Instant
    /// Exclusive.
    public var end: Instant
}

/// Every opening of windows that overlaps a stretch of time, in the order of their starts.
///
/// - Parameter most: no more are given; the rest of the stretch is then left out.
public func openings(
    of windows: [Window], in zone: Zone, from start: Instant, to end: Instant, most: Int
) -> [WindowOpening] {
    let calendar = Openings(windows: windows, zone: zone)
    var found: [WindowOpening] = []
    if let open = calendar.open(at: start) { found.append(WindowOpening(start: open.start, end: open.end)) }
    var last = start
    while found.count < most, let next = calendar.next(after: last), next.start < end {
        found.append(WindowOpening(start: next.start, end: next.end))
        last = next.start
    }
    return found
}

/// When windows are open.
///
/// A window belongs to the day it starts on, and lasts its duration on a clock that never jumps. Its start is
/// a time on the wall: one that does not exist begins at the next instant that does, one that occurs twice
/// begins once, at the first (policy.md, "Time").
struct Openings {
    let windows: [Window]
    let zone: Zone

    struct Opening {
        var day: CivilDate
        var start: Instant
        /// Exclusive.
        var end: Instant
    }

    /// The opening that an instant is in; of several the one that lasts longest.
    func open(at instant: Instant) -> Opening? {
        // Every weekday comes round in seven days: what began before that is only still open if a later one is.
        openings(around: instant, days: -9...1)
            .filter { $0.start <= instant && instant < $0.end }
            .max { $0.end < $1.end }
    }

    /// The first opening that begins after an instant.
    func next(after instant: Instant) -> Opening? {
        openings(around: instant, days: -1...9)
            .filter { instant < $0.start }
            .min { $0.start < $1.start }
    }

    private func openings(around instant: Instant, days: ClosedRange<Int64>) -> [Opening] {
        let today = zone.local(at: instant).date.daysSinceEpoch
        return days.flatMap { shift in
            let day = CivilDate(daysSinceEpoch: today + shift)
            return windows.filter { $0.days.contains(day.weekday) && $0.duration > .zero }.map { window in
                // A policy file has no other minutes; a record that somebody wrote by hand may.
                let minute = min(max(window.start, 0), 24 * 60 - 1)
                let start = zone.firstInstant(of: day, second: minute * 60)
                return Opening(day: day, start: start, end: start + window.duration)
            }
        }
    }
}
