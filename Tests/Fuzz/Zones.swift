import FoundationEssentials
import Model

/// Compiled time zones.
let zones = [Target(name: "zone", look: lookAtZone, seeds: realZones)]

private func lookAtZone(_ bytes: [UInt8]) {
    do throws(ZoneFileError) {
        let zone = try Zone(name: "Europe/Berlin", tzif: bytes)
        for (first, second) in zip(zone.transitions, zone.transitions.dropFirst()) {
            expect(first.at < second.at && first.offset != second.offset, "transitions that change nothing")
        }
        var instants = [0, 1_795_000_000, 253_402_300_799, -62_135_596_800].map { Instant(seconds: $0) }
        instants += zone.transitions.prefix(8).map(\.at)
        for instant in instants {
            let local = zone.local(at: instant)
            _ = zone.firstInstant(of: local.date, second: 7200)
            _ = zone.trimmed(around: instant, by: .days(400))
        }
        guard let text = try? CanonicalJSON.text(of: zone),
            let read = try? JSONDecoder().decode(Zone.self, from: Data(text.utf8))
        else { fatalError("a zone that cannot be kept") }
        expect(read == zone, "a zone that reads back as another one")
    } catch { expectShowable(error.description) }
}

/// Of this machine, where it has them.
private func realZones() -> [[UInt8]] {
    ["Europe/Berlin", "America/St_Johns", "UTC", "Asia/Kolkata"].compactMap { name in
        (try? Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/\(name)"))).map(Array.init)
    }
}
