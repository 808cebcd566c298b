import FoundationEssentials
import Model
import Testing

/// A time on the wall, and the instant at which the wall first shows it.
private struct WallTime: Sendable, CustomTestStringConvertible {
    let zone: String
    let date: String
    let time: String
    let instant: String
    let why: String
    var testDescription: String { "\(zone) \(date) \(time): \(why)" }

    var second: Int {
        let parts = time.split(separator: ":").compactMap { Int($0) }
        return parts[0] * 3600 + parts[1] * 60
    }
}

@Suite("A zone", .enabled(if: SystemZones.areInstalled, Comment(rawValue: SystemZones.missing)))
struct ZoneTests {
    @Test(
        "finds the first instant of a local time: one that does not exist begins at the next that does",
        arguments: [
            WallTime(
                zone: "Europe/Berlin", date: "2026-12-24", time: "02:00", instant: "2026-12-24T01:00:00Z",
                why: "plain"),
            WallTime(
                zone: "Europe/Berlin", date: "2027-03-28", time: "01:59", instant: "2027-03-28T00:59:00Z",
                why: "just before the gap"),
            WallTime(
                zone: "Europe/Berlin", date: "2027-03-28", time: "02:30", instant: "2027-03-28T01:00:00Z",
                why: "in the gap"),
            WallTime(
                zone: "Europe/Berlin", date: "2027-03-28", time: "03:00", instant: "2027-03-28T01:00:00Z",
                why: "the gap's end"),
            WallTime(
                zone: "Europe/Berlin", date: "2026-10-25", time: "02:30", instant: "2026-10-25T00:30:00Z",
                why: "occurs twice"),
            WallTime(
                zone: "Europe/Berlin", date: "2026-10-25", time: "03:00", instant: "2026-10-25T02:00:00Z",
                why: "after the repeat"),
            WallTime(
                zone: "Europe/Berlin", date: "2077-07-01", time: "12:00", instant: "2077-07-01T10:00:00Z",
                why: "known from the footer alone"),
            WallTime(
                zone: "America/New_York", date: "2027-03-14", time: "02:30",
                instant: "2027-03-14T07:00:00Z", why: "in the gap"),
            WallTime(
                zone: "America/New_York", date: "2026-11-01", time: "01:30",
                instant: "2026-11-01T05:30:00Z", why: "occurs twice"),
            WallTime(
                zone: "Australia/Lord_Howe", date: "2026-10-04", time: "02:15",
                instant: "2026-10-03T15:30:00Z", why: "in a gap of half an hour"),
            WallTime(
                zone: "Australia/Lord_Howe", date: "2026-10-04", time: "02:30",
                instant: "2026-10-03T15:30:00Z", why: "the end of that gap"),
            WallTime(
                zone: "Australia/Lord_Howe", date: "2027-04-04", time: "01:45",
                instant: "2027-04-03T14:45:00Z", why: "half an hour that occurs twice"),
            WallTime(
                zone: "Asia/Kathmandu", date: "2026-12-24", time: "02:00", instant: "2026-12-23T20:15:00Z",
                why: "45 minutes off the hour"),
            // Of 2026: newer data has Morocco without daylight time from that autumn on.
            WallTime(
                zone: "Africa/Casablanca", date: "2026-02-15", time: "02:30",
                instant: "2026-02-15T01:30:00Z", why: "Ramadan begins: negative daylight time, a repeat"),
            WallTime(
                zone: "Africa/Casablanca", date: "2026-03-22", time: "02:30",
                instant: "2026-03-22T02:00:00Z", why: "Ramadan is over: a gap"),
            WallTime(
                zone: "Pacific/Apia", date: "2011-12-30", time: "00:00", instant: "2011-12-30T10:00:00Z",
                why: "a day that was left out"),
            WallTime(
                zone: "Pacific/Apia", date: "2011-12-30", time: "13:00", instant: "2011-12-30T10:00:00Z",
                why: "noon of a day that was left out"),
            WallTime(
                zone: "Pacific/Apia", date: "2011-12-31", time: "01:00", instant: "2011-12-30T11:00:00Z",
                why: "the day after"),
        ])
    private func firstInstant(_ row: WallTime) throws {
        let zone = try SystemZones.zone(row.zone)
        let date = try #require(CivilDate(row.date))
        #expect(zone.firstInstant(of: date, second: row.second).description == row.instant)
    }

    @Test("shows at the first instant of a local time that time, or a later one where there was a gap")
    func roundTrip() throws {
        for name in ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"] {
            let zone = try SystemZones.zone(name)
            let first = try #require(CivilDate(year: 2011, month: 12, day: 20)).daysSinceEpoch
            for day in stride(from: first, to: first + 365 * 18, by: 1) {
                let date = CivilDate(daysSinceEpoch: day)
                for second in [0, 3600, 5400, 9000, 86_399] {
                    let instant = zone.firstInstant(of: date, second: second)
                    let shown = zone.local(at: instant)
                    let isExact = shown.date == date && shown.second == second
                    let isLater = (shown.date, shown.second) > (date, second)
                    #expect(isExact || isLater, "\(name) \(date) \(second)")
                    guard isLater else { continue }
                    // A gap: a second before, the wall must have shown an earlier time.
                    let before = zone.local(at: Instant(seconds: instant.seconds - 1))
                    #expect((before.date, before.second) < (date, second), "\(name) \(date) \(second)")
                }
            }
        }
    }

    @Test("that was trimmed gives the same answers in its range")
    func trimmed() throws {
        for name in ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"] {
            let zone = try SystemZones.zone(name)
            // 2011-12-30, in the middle of Apia's missing day, and three times in 2026.
            for middle: Int64 in [1_325_239_200, 1_767_225_600, 1_782_864_000, 1_792_886_400] {
                let trimmed = zone.trimmed(around: Instant(seconds: middle), by: .days(40))
                #expect(trimmed.transitions.count <= 4)
                for seconds in stride(from: middle - 40 * 86_400, through: middle + 40 * 86_400, by: 1800) {
                    let instant = Instant(seconds: seconds)
                    #expect(trimmed.offset(at: instant) == zone.offset(at: instant))
                    let local = zone.local(at: instant)
                    let first = zone.firstInstant(of: local.date, second: local.second)
                    #expect(trimmed.firstInstant(of: local.date, second: local.second) == first)
                }
            }
        }
    }

    @Test("of every name on this machine can be read, and has no transition that changes nothing")
    func everyZone() throws {
        let names = try #require(FileManager.default.contents(atPath: "\(SystemZones.directory)/tzdata.zi"))
            .split(separator: UInt8(ascii: "\n"))
            .compactMap { line -> String? in
                let words = String(decoding: line, as: UTF8.self).split(separator: " ")
                guard words.count > 1, words[0] == "Z" || words[0] == "L" else { return nil }
                return String(words[0] == "Z" ? words[1] : words[words.count - 1])
            }
        #expect(names.count > 300)
        for name in names where SystemZones.bytes(name) != nil {
            let zone = try SystemZones.zone(name)
            var offset = zone.initialOffset
            for transition in zone.transitions {
                #expect(transition.offset != offset, "\(name)")
                offset = transition.offset
            }
        }
    }

    @Test("survives being stored, and one that was tampered with is refused")
    func stored() throws {
        let zone = try SystemZones.zone("Europe/Berlin")
        let data = try JSONEncoder().encode(zone)
        #expect(try JSONDecoder().decode(Zone.self, from: data) == zone)
        for text in [
            #"{"name":"X","initialOffset":9223372036854775807,"transitions":[]}"#,
            #"{"name":"X","initialOffset":0,"transitions":[{"at":5,"offset":0},{"at":5,"offset":1}]}"#,
        ] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(Zone.self, from: Data(text.utf8))
            }
        }
    }
}
