import Model
import Testing

@Suite("A date")
struct CivilDateTests {
    @Test("and its day number are the same thing, over 400 years and at the ends of the calendar")
    func roundTrip() throws {
        var expected = try #require(CivilDate(year: 1899, month: 12, day: 31))
        for day in expected.daysSinceEpoch...(expected.daysSinceEpoch + 146_097) {
            let date = CivilDate(daysSinceEpoch: day)
            #expect(date.daysSinceEpoch == day)
            #expect(CivilDate(date.description) == date)
            #expect(CivilDate(year: date.year, month: date.month, day: date.day) == date)
            #expect(date >= expected)
            expected = date
        }
        for text in ["0001-01-01", "9999-12-31"] {
            let date = try #require(CivilDate(text))
            #expect(CivilDate(daysSinceEpoch: date.daysSinceEpoch) == date)
        }
    }

    @Test(
        "falls on its day of the week",
        arguments: zip(
            ["1970-01-01", "2000-02-29", "2026-12-18", "2011-12-31", "1969-12-31"],
            [Weekday.thu, .tue, .fri, .sat, .wed]))
    func weekday(_ text: String, _ day: Weekday) {
        #expect(CivilDate(text)?.weekday == day)
    }

    @Test(
        "is not read from what the calendar does not have",
        arguments: [
            "2026-02-29", "2100-02-29", "2026-13-01", "2026-00-01", "2026-04-31", "2026-01-00", "0000-01-01",
            "2026-1-1", "26-01-01", "2026-01-01T00:00", "", "2026/01/01", "-026-01-01",
        ])
    func invalid(_ text: String) { #expect(CivilDate(text) == nil) }
}

@Suite("An instant")
struct InstantTests {
    @Test(
        "is written as RFC 3339 does",
        arguments: zip(
            [0, -1, 1_798_761_599, 253_402_300_799, 253_402_300_800],
            [
                "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-12-31T23:59:59Z",
                "9999-12-31T23:59:59Z", "@253402300800",
            ]))
    func text(_ seconds: Int64, _ text: String) {
        #expect(Instant(seconds: seconds).description == text)
    }

    @Test("does not trap at the ends of time")
    func saturates() {
        #expect(Instant(seconds: .max) + .days(1) == Instant(seconds: .max))
        #expect(Instant(seconds: .min) + TimeSpan(seconds: -1) == Instant(seconds: .min))
        #expect(Instant(seconds: .max) - Instant(seconds: -1) == TimeSpan(seconds: .max))
        #expect(Instant(seconds: .min) - Instant(seconds: 1) == TimeSpan(seconds: .min))
    }

    @Test(
        "is away by a span that is written in its largest unit",
        arguments: zip(
            [0, 90, 60, 3600, 86_400, 604_800, 90_000],
            ["0s", "90s", "1m", "1h", "1d", "1w", "25h"]))
    func spans(_ seconds: Int64, _ text: String) {
        #expect(TimeSpan(seconds: seconds).policyText == text)
    }
}
