import Model
import Testing

@testable import Rules

@Suite("Whether a hold is in effect")
struct HoldStateTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var until: Instant? = Instant(seconds: 11_000_000_000)
        var reading: String? = "2319-03-06T14:36:37.287485771Z"
        var placement: HoldPlacement? = HoldPlacement(at: HoldStateTests.placed, wasInhibited: false)
        var inhibit = false
        var snapd: SnapdFacts? = SnapdFacts(version: "2.68.3")
        var last: Instant?
        var expected: String
    }

    static let placed = Instant(seconds: 1_790_000_000)
    static let before = Instant(seconds: 1_789_999_980)
    static let since = Instant(seconds: 1_790_010_000)

    static let rows = [
        Row(testDescription: "placed while nothing waited", expected: "held"),
        Row(testDescription: "and snapd has looked since", last: since, expected: "held"),
        Row(
            testDescription: "placed while a refresh waited",
            placement: HoldPlacement(at: placed, wasInhibited: true), expected: "not proven"),
        Row(
            testDescription: "and snapd looked before, in the same minute",
            placement: HoldPlacement(at: placed, wasInhibited: true), last: before, expected: "not proven"),
        Row(
            testDescription: "and snapd has looked since, though it goes on telling of it",
            placement: HoldPlacement(at: placed, wasInhibited: true), inhibit: true, last: since,
            expected: "held"),
        Row(
            testDescription: "a refresh waits now and snapd has not looked", inhibit: true,
            expected: "not proven"),
        Row(
            testDescription: "a snapd that does not tell of waiting refreshes",
            snapd: SnapdFacts(version: "2.60", tellsInhibition: false), expected: "not proven"),
        Row(
            testDescription: "and has looked since",
            snapd: SnapdFacts(version: "2.60", tellsInhibition: false),
            last: since, expected: "held"),
        Row(testDescription: "somebody else's hold", reading: "2319-01-01T00:00:00Z", expected: "not proven"),
        Row(testDescription: "a hold that we have no record of", placement: nil, expected: "not proven"),
        Row(testDescription: "none", until: nil, reading: nil, expected: "not held"),
        Row(testDescription: "one that is over", until: before, expected: "not held"),
        Row(testDescription: "snapd is silent", snapd: nil, expected: "not proven"),
    ]

    @Test(
        "a hold is proven only where no refresh waited, or snapd has looked since (finding 1)",
        arguments: rows)
    func state(_ row: Row) {
        var seen = Installation(
            id: InstallationID(distribution: .microk8s, name: "microk8s"), role: .node, units: [],
            installed: nil,
            running: nil)
        seen.hold = SnapHold(until: row.until, inhibitProceed: row.inhibit ? Self.since : nil)
        var known = InstallationState(installation: seen, reference: nil, since: Self.before)
        known.hold = row.placement
        var snapd = row.snapd
        snapd?.lastRefresh = row.last
        let setting = Setting(.snapHold, "microk8s")
        let state = holdState(
            of: known, seen: seen, snapd: snapd,
            placed: [
                PlacedSetting(setting: setting, value: "forever", seen: "2319-03-06T14:36:37.287485771Z")
            ],
            readings: [setting: .value(row.reading)], now: Self.placed + .minutes(1))
        switch state {
        case .held: #expect(row.expected == "held")
        case .notProven(let why, let proof):
            #expect(row.expected == "not proven")
            #expect(!why.isEmpty && !proof.isEmpty)
        case .notHeld: #expect(row.expected == "not held")
        }
    }
}
