import Model
import Rules
import Testing

private struct WindowRow: Sendable, CustomTestStringConvertible {
    let name: String
    let zone: String
    var days: [Weekday] = Weekday.allCases
    var start = "02:00"
    var hours: Int64 = 3
    let now: String
    /// Nil where the window is open.
    let next: String?
    var testDescription: String { "\(zone) \(start)+\(hours)h at \(now): \(name)" }

    var window: Window {
        let parts = start.split(separator: ":").compactMap { Int($0) }
        return Window(days: days, start: parts[0] * 60 + parts[1], duration: .hours(hours))
    }
}

private let rows: [WindowRow] = [
    WindowRow(
        name: "before", zone: "Europe/Berlin", now: "2026-12-01T00:59:59Z",
        next: "2026-12-01T01:00:00Z"),
    WindowRow(name: "begins", zone: "Europe/Berlin", now: "2026-12-01T01:00:00Z", next: nil),
    WindowRow(name: "its last second", zone: "Europe/Berlin", now: "2026-12-01T03:59:59Z", next: nil),
    WindowRow(
        name: "over", zone: "Europe/Berlin", now: "2026-12-01T04:00:00Z", next: "2026-12-02T01:00:00Z"
    ),
    WindowRow(name: "summer", zone: "Europe/Berlin", now: "2026-07-01T00:00:00Z", next: nil),
    // The start is in the gap: it begins when the gap ends, and lasts its three hours from there.
    WindowRow(
        name: "gap", zone: "Europe/Berlin", start: "02:30", now: "2027-03-28T00:59:59Z",
        next: "2027-03-28T01:00:00Z"),
    WindowRow(
        name: "gap, open", zone: "Europe/Berlin", start: "02:30", now: "2027-03-28T03:59:59Z",
        next: nil),
    WindowRow(
        name: "gap, over", zone: "Europe/Berlin", start: "02:30", now: "2027-03-28T04:00:00Z",
        next: "2027-03-29T00:30:00Z"),
    // The start occurs twice: it begins once, at the first.
    WindowRow(
        name: "repeat, first", zone: "Europe/Berlin", start: "02:30", hours: 1,
        now: "2026-10-25T00:30:00Z", next: nil),
    WindowRow(
        name: "repeat, second", zone: "Europe/Berlin", start: "02:30", hours: 1,
        now: "2026-10-25T01:30:00Z", next: "2026-10-26T01:30:00Z"),
    WindowRow(
        name: "gap", zone: "America/New_York", start: "02:30", now: "2027-03-14T06:59:59Z",
        next: "2027-03-14T07:00:00Z"),
    WindowRow(
        name: "repeat", zone: "America/New_York", start: "01:30", hours: 1,
        now: "2026-11-01T06:30:00Z", next: "2026-11-02T06:30:00Z"),
    WindowRow(
        name: "half an hour's gap", zone: "Australia/Lord_Howe", start: "02:15", hours: 1,
        now: "2026-10-03T15:29:59Z", next: "2026-10-03T15:30:00Z"),
    WindowRow(
        name: "half an hour's repeat", zone: "Australia/Lord_Howe", start: "01:45", hours: 1,
        now: "2027-04-03T15:45:00Z", next: "2027-04-04T15:15:00Z"),
    WindowRow(
        name: "quarter hours", zone: "Asia/Kathmandu", now: "2026-12-01T20:14:59Z",
        next: "2026-12-01T20:15:00Z"),
    WindowRow(
        name: "Ramadan begins", zone: "Africa/Casablanca", start: "02:30", hours: 1,
        now: "2026-02-15T02:30:00Z", next: "2026-02-16T02:30:00Z"),
    WindowRow(
        name: "Ramadan ends", zone: "Africa/Casablanca", start: "02:30", hours: 1,
        now: "2026-03-22T01:59:59Z", next: "2026-03-22T02:00:00Z"),
    // 2011-12-30 was left out: the window of that day begins where the next day does.
    WindowRow(
        name: "a day that was left out", zone: "Pacific/Apia", days: [.fri], start: "13:00",
        now: "2011-12-30T09:59:59Z", next: "2011-12-30T10:00:00Z"),
    // A window belongs to the day it starts on.
    WindowRow(
        name: "over midnight", zone: "Europe/Berlin", days: [.fri], start: "23:00",
        now: "2026-12-05T00:59:59Z", next: nil),
    WindowRow(
        name: "over midnight, over", zone: "Europe/Berlin", days: [.fri], start: "23:00",
        now: "2026-12-05T01:00:00Z", next: "2026-12-11T22:00:00Z"),
    WindowRow(
        name: "not on Thursday's night", zone: "Europe/Berlin", days: [.fri], start: "23:00",
        now: "2026-12-04T00:30:00Z", next: "2026-12-04T22:00:00Z"),
    // The local weekday counts, not the one in UTC.
    WindowRow(
        name: "local Friday", zone: "Asia/Kathmandu", days: [.fri], start: "02:00",
        now: "2026-12-03T21:00:00Z", next: nil),
    // Longer than a day, and longer than a week.
    WindowRow(
        name: "a weekend", zone: "UTC", days: [.sat], start: "00:00", hours: 48,
        now: "2026-12-06T23:59:59Z", next: nil),
    WindowRow(
        name: "always", zone: "UTC", days: [.sat], start: "00:00", hours: 24 * 14,
        now: "2026-12-04T12:00:00Z", next: nil),
]

@Suite("A window", .enabled(if: SystemZones.areInstalled, Comment(rawValue: SystemZones.missing)))
struct WindowTests {
    @Test(
        "is open from its local start for its duration, daylight time or not",
        arguments: rows)
    private func openings(_ row: WindowRow) throws {
        var scene = Scene.patching()
        scene.policy.timezone = row.zone
        scene.zone = row.zone == "UTC" ? nil : try SystemZones.zone(row.zone)
        scene.policy.windows = [row.window]
        scene.now = try instant(row.now)
        let reason = try scene.reason(.window)
        #expect((reason.result == .met) == (row.next == nil), "\(reason.text)")
        #expect(reason.notBefore?.description == row.next)
        #expect(scene.decision.earliest?.description == row.next)
        // What is stored with a decision gives the same one.
        scene.zone = scene.zone?.trimmed(around: scene.now, by: .days(30))
        #expect(try scene.reason(.window) == reason)
    }

    @Test("of several is open when one is, and the next is the first of all that opens")
    func several() throws {
        var scene = Scene.patching()
        scene.policy.windows = [
            Window(days: [.sat], start: 60, duration: .hours(1)),
            Window(days: [.wed], start: 22 * 60, duration: .hours(4)),
            Window(days: [.wed], start: 23 * 60, duration: .hours(1)),
        ]
        #expect(try scene.reason(.window).notBefore?.description == "2026-12-02T22:00:00Z")
        scene.now = try instant("2026-12-03T01:59:59Z")
        #expect(try scene.reason(.window).result == .met)
        scene.now = try instant("2026-12-03T02:00:00Z")
        #expect(try scene.reason(.window).notBefore?.description == "2026-12-05T01:00:00Z")
        scene.policy.windows = []
        #expect(try scene.reason(.window).result == .unmet)
    }

    @Test("of another zone than the policy's is no evidence")
    func wrongZone() throws {
        var scene = Scene.patching()
        scene.policy.timezone = "Europe/Berlin"
        scene.policy.windows = [Window(days: Weekday.allCases, start: 0, duration: .hours(24))]
        scene.zone = try SystemZones.zone("Asia/Kathmandu")
        #expect(try scene.reason(.window).result == .unknown)
    }
}

@Suite("Rules that read the time")
struct TimeTests {
    private func freeze(_ from: String, _ until: String, _ scope: Freeze.Scope = .all) throws -> Freeze {
        Freeze(
            from: try #require(CivilDate(from)), until: try #require(CivilDate(until)), scope: scope,
            reason: "holidays")
    }

    @Test(
        "freeze from local midnight, inclusive, until local midnight, exclusive",
        .enabled(if: SystemZones.areInstalled, Comment(rawValue: SystemZones.missing)),
        arguments: [
            ("2026-12-17T22:59:59Z", true), ("2026-12-17T23:00:00Z", false), ("2027-01-03T22:59:59Z", false),
            ("2027-01-03T23:00:00Z", true),
        ])
    func freezes(_ now: String, _ isMet: Bool) throws {
        var scene = Scene.patching()
        scene.policy.timezone = "Europe/Berlin"
        scene.zone = try SystemZones.zone("Europe/Berlin")
        scene.policy.freezes = [try freeze("2026-12-18", "2027-01-04")]
        scene.now = try instant(now)
        let reason = try scene.reason(.freeze)
        #expect((reason.result == .met) == isMet)
        if !isMet { #expect(reason.notBefore?.description == "2027-01-03T23:00:00Z") }
    }

    @Test("freeze minors alone where the scope says so, and follow one freeze into the next")
    func scopes() throws {
        var scene = Scene.patching()
        scene.policy.unattended = .minor
        scene.policy.freezes = [
            try freeze("2026-11-01", "2026-12-10", .minor), try freeze("2026-12-05", "2026-12-20", .minor),
            try freeze("2026-12-21", "2026-12-22", .minor),
        ]
        #expect(scene.decision.verdict == .allow)
        scene.to = Version("v1.32.0+k3s1")
        #expect(scene.open == [.freeze])
        #expect(scene.decision.earliest?.description == "2026-12-20T00:00:00Z")
    }

    @Test("name as the earliest time one at which all of them are met")
    func earliest() throws {
        var scene = Scene.patching()
        scene.policy.windows = [Window(days: [.sat], start: 120, duration: .hours(3))]
        scene.policy.freezes = [
            try freeze("2026-11-01", "2026-12-04"), try freeze("2026-12-05", "2026-12-06"),
        ]
        // Frozen now; thawed on the 4th, but the window of the 5th is frozen again; open on the 12th.
        #expect(scene.decision.earliest?.description == "2026-12-12T02:00:00Z")
        // Something else is open that names no time: then none can be known.
        scene.origin = .claimed
        #expect(scene.decision.earliest == nil)
        #expect(scene.decision.verdict == .hold)
    }

    @Test(
        "count a release's age from the later of publication and first sight, and wait where that is unknown")
    func releaseAge() throws {
        var scene = Scene.patching()
        scene.policy.minimumReleaseAge.patch = .days(3)
        #expect(try scene.reason(.releaseAge).result == .unknown)
        scene.published = try instant("2026-11-01T00:00:00Z")
        // A publisher's date alone is only the publisher's word.
        #expect(try scene.reason(.releaseAge).result == .unknown)
        scene.firstSeen = try instant("2026-11-30T12:00:00Z")
        #expect(scene.decision.earliest?.description == "2026-12-03T12:00:00Z")
        scene.now = try instant("2026-12-03T12:00:00Z")
        #expect(scene.decision.verdict == .allow)
        scene.published = try instant("2026-12-02T00:00:00Z")
        #expect(scene.decision.earliest?.description == "2026-12-05T00:00:00Z")
        scene.published = nil
        #expect(scene.decision.verdict == .allow)
        scene.to = Version("v1.31.4+k3s2")
        scene.firstSeen = nil
        #expect(scene.decision.verdict == .allow)
    }

    @Test("hold while the clock is not synchronised; other rules do not care")
    func clock() throws {
        var scene = Scene.patching { $0.clockSynchronised = false }
        #expect(scene.decision.verdict == .allow)
        #expect(try scene.reason(.clock).result == .met)
        scene.policy.windows = [Window(days: Weekday.allCases, start: 0, duration: .hours(24))]
        #expect(scene.open == [.window, .clock])
        scene.policy.clock = .trusted
        #expect(scene.decision.verdict == .allow)
        #expect(try scene.reason(.clock).text.contains("clock: trusted takes effect"))
    }

    @Test("do not let an approval through whose end no clock can judge")
    func approvalEnd() {
        var scene = Scene()
        scene.approvals = [.of(scene)]
        #expect(scene.decision.verdict == .allow)
        scene.clockSynchronised = false
        #expect(scene.open == [.ceiling, .clock])
        // An approval that nothing leans on is no reason to ask for the time.
        scene.policy.unattended = .patch
        #expect(scene.decision.verdict == .allow)
    }
}
