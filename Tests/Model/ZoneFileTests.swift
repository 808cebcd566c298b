import Model
import Testing

/// Asia/Kathmandu of the zone database 2025b as `zic` compiled it: local mean time, +05:30, then +05:45.
private let kathmandu: [UInt8] =
    header(times: 3, types: 3, characters: 16)
    + [
        0xa1, 0xf2, 0x7d, 0x84, 0x1e, 0x18, 0x30, 0xa8, 0x7f, 0xff, 0xff, 0xff, 0x01, 0x02, 0x02,
        0x00, 0x00, 0x4f, 0xfc, 0x00, 0x00, 0x00, 0x00, 0x4d, 0x58, 0x00, 0x04, 0x00, 0x00, 0x50,
        0xdc, 0x00, 0x0a, 0x4c, 0x4d, 0x54, 0x00, 0x2b, 0x30, 0x35, 0x33, 0x30, 0x00, 0x2b, 0x30,
        0x35, 0x34, 0x35, 0x00,
    ]
    + header(times: 3, types: 3, characters: 16)
    + [
        0xff, 0xff, 0xff, 0xff, 0xa1, 0xf2, 0x7d, 0x84, 0x00, 0x00, 0x00, 0x00, 0x1e, 0x18, 0x30,
        0xa8, 0x00, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0x01, 0x02, 0x02, 0x00, 0x00, 0x4f,
        0xfc, 0x00, 0x00, 0x00, 0x00, 0x4d, 0x58, 0x00, 0x04, 0x00, 0x00, 0x50, 0xdc, 0x00, 0x0a,
        0x4c, 0x4d, 0x54, 0x00, 0x2b, 0x30, 0x35, 0x33, 0x30, 0x00, 0x2b, 0x30, 0x35, 0x34, 0x35,
        0x00,
    ]
    + Array("\n<+0545>-5:45\n".utf8)

private func header(
    version: UInt8 = 0x32, leaps: UInt8 = 0, times: UInt8 = 0, types: UInt8 = 1, characters: UInt8 = 4
) -> [UInt8] {
    Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
        + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, leaps, 0, 0, 0, times, 0, 0, 0, types, 0, 0, 0, characters]
}

/// A file without transitions, in which the footer says everything.
private func file(footer: String, version: UInt8 = 0x33) -> [UInt8] {
    let type: [UInt8] = [0, 0, 0, 0, 0, 0] + Array("UTC\0".utf8)
    return header(version: version) + type + header(version: version) + type + Array("\n\(footer)\n".utf8)
}

private struct Rule: Sendable, CustomTestStringConvertible {
    let footer: String
    /// An instant, and the offset that must apply then.
    let at: Int64
    let offset: Int
    var testDescription: String { "\(footer) at \(Instant(seconds: at))" }
}

@Suite("A zone file")
struct ZoneFileTests {
    @Test("is read from version 2's 64-bit block, and its footer that changes nothing adds nothing")
    func readsKathmandu() throws {
        let zone = try Zone(name: "Asia/Kathmandu", tzif: kathmandu)
        #expect(zone.initialOffset == 20_476)
        #expect(
            zone.transitions == [
                .init(at: Instant(seconds: -1_577_943_676), offset: 19_800),
                .init(at: Instant(seconds: 504_901_800), offset: 20_700),
            ])
    }

    @Test("of version 1 is read from its only block")
    func readsVersionOne() throws {
        var bytes = Array(kathmandu[..<93])
        bytes[4] = 0
        let zone = try Zone(name: "Asia/Kathmandu", tzif: bytes)
        #expect(zone.offset(at: Instant(seconds: 0)) == 19_800)
        #expect(zone.offset(at: Instant(seconds: 504_901_800)) == 20_700)
    }

    @Test(
        "says by its footer's rule what applies in years to come",
        arguments: [
            Rule(footer: "CET-1CEST,M3.5.0,M10.5.0/3", at: 1_806_195_599, offset: 3600),
            Rule(footer: "CET-1CEST,M3.5.0,M10.5.0/3", at: 1_806_195_600, offset: 7200),
            Rule(footer: "CET-1CEST,M3.5.0,M10.5.0/3", at: 4_086_806_400, offset: 7200),
            // The southern summer reaches over New Year.
            Rule(footer: "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", at: 1_798_761_600, offset: 39_600),
            Rule(footer: "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", at: 1_782_864_000, offset: 37_800),
            // Ireland's winter is its exception: daylight time goes backwards.
            Rule(footer: "IST-1GMT0,M10.5.0,M3.5.0/1", at: 1_798_761_600, offset: 0),
            Rule(footer: "IST-1GMT0,M10.5.0,M3.5.0/1", at: 1_782_864_000, offset: 3600),
            // Version 3: hours of day beyond a day, and negative ones (Nuuk changes on the Saturday before).
            Rule(footer: "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", at: 1_806_195_599, offset: -7200),
            Rule(footer: "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", at: 1_806_195_600, offset: -3600),
            Rule(footer: "IST-2IDT,M3.4.4/26,M10.5.0", at: 1_806_019_200, offset: 10_800),
            // Daylight time all year long, RFC 8536's own example.
            Rule(footer: "XXX3EDT4,0/0,J365/23", at: 1_798_761_600, offset: -14_400),
            Rule(footer: "XXX3EDT4,0/0,J365/23", at: 1_782_864_000, offset: -14_400),
            // J60 is 1 March in every year, 59 is 29 February in a leap year.
            Rule(footer: "AAA0BBB,J60/0,J300/0", at: 1_835_481_599, offset: 0),
            Rule(footer: "AAA0BBB,J60/0,J300/0", at: 1_835_481_600, offset: 3600),
            Rule(footer: "AAA0BBB,59/0,J300/0", at: 1_835_395_200, offset: 3600),
        ])
    private func footer(_ rule: Rule) throws {
        let zone = try Zone(name: "Test", tzif: file(footer: rule.footer))
        #expect(zone.offset(at: Instant(seconds: rule.at)) == rule.offset)
    }

    @Test(
        "with a footer that is no rule is refused",
        arguments: [
            "C-1", "CET", "CET-", "CET-25", "CET-1:60", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0",
            "CET-1CEST,M3.5.0,M10.5.0/3,", "CET-1CEST,M0.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
            "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J365", "CET-1CEST,366,J365", "<CET-1",
            "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1 ", ":Europe/Berlin",
            "CET-99999999999999999999CEST,M3.5.0,M10.5.0",
        ])
    func badFooter(_ footer: String) {
        #expect(throws: ZoneFileError.self) { try Zone(name: "Test", tzif: file(footer: footer)) }
    }

    @Test("that counts leap seconds is refused, and the error says which zone to take")
    func leapSeconds() {
        let bytes = header(version: 0, leaps: 1) + [UInt8](repeating: 0, count: 18)
        let error = #expect(throws: ZoneFileError.self) { try Zone(name: "right/UTC", tzif: bytes) }
        #expect(error?.description.contains("right/") == true)
    }

    @Test("of an impossible shape is refused: other magic, no types, types out of range, times out of order")
    func impossible() {
        var magic = kathmandu
        magic[0] = 0x50
        var version = kathmandu
        version[4] = 0x39
        var noTypes = kathmandu
        noTypes[39] = 0
        var wrongType = kathmandu
        wrongType[93 + 44 + 24] = 3
        var order = kathmandu
        order[93 + 44] = 0x7f
        let offset = header(version: 0) + [0x7f, 0, 0, 0, 0, 0] + Array("UTC\0".utf8)
        for bytes in [[], magic, version, noTypes, wrongType, order, offset] {
            #expect(throws: ZoneFileError.self) { try Zone(name: "Test", tzif: bytes) }
        }
        #expect(throws: ZoneFileError.self) {
            try Zone(name: "Test", tzif: kathmandu + [UInt8](repeating: 0, count: 65_536))
        }
    }

    @Test("that is cut off anywhere is refused")
    func truncations() {
        for length in kathmandu.indices {
            #expect(throws: ZoneFileError.self, "cut to \(length) bytes") {
                try Zone(name: "Test", tzif: Array(kathmandu[..<length]))
            }
        }
    }

    @Test(
        "of this machine, cut off anywhere or with any byte changed, gives a zone or an error, never a trap",
        .enabled(if: SystemZones.areInstalled, Comment(rawValue: SystemZones.missing)),
        arguments: ["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])
    func hostile(_ name: String) throws {
        let bytes = try #require(SystemZones.bytes(name))
        var refused = 0
        for length in bytes.indices where (try? Zone(name: name, tzif: Array(bytes[..<length]))) == nil {
            refused += 1
        }
        #expect(refused == bytes.count)
        for index in bytes.indices {
            for flip: UInt8 in [0x01, 0x80, 0xff] {
                var changed = bytes
                changed[index] ^= flip
                guard let zone = try? Zone(name: name, tzif: changed) else { continue }
                // What is accepted must be safe to ask.
                for seconds in [Int64.min, -62_135_596_800, 0, 1_798_761_600, Int64.max] {
                    _ = zone.local(at: Instant(seconds: seconds))
                }
                _ = zone.trimmed(around: Instant(seconds: .max), by: .days(1))
                let date = try #require(CivilDate(year: 2026, month: 10, day: 25))
                _ = zone.firstInstant(of: date, second: 7200)
            }
        }
    }
}
