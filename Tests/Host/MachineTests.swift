import Glibc
import Model
import Testing

@testable import Host

@Suite struct MachineTests {
    @Test("the clocks run, and the boot id is the kernel's")
    func clock() throws {
        let first = SystemClock().read()
        let second = SystemClock().read()
        #expect(first.now.seconds > 1_700_000_000)
        #expect(first.monotonic > 0 && second.monotonic > first.monotonic)
        #expect(first.bootID == second.bootID)
        #expect(first.bootID.split(separator: "-").map(\.utf8.count) == [8, 4, 4, 4, 12])
    }

    @Test(
        "the clock counts as synchronised where timedated says so",
        arguments: [
            (-1, nil), (0, true), (15_999_999, true), (16_000_000, false),
        ] as [(Int, Bool?)])
    func synchronised(maxError: Int, expected: Bool?) {
        #expect(isSynchronised(maxError: maxError) == expected)
    }

    @Test("a node's name is the kernel's here and /etc/hostname's under another root")
    func hostName() throws {
        #expect(Machine.hostName(root: Root("/"))?.isEmpty == false)
        let scratch = try Scratch()
        #expect(Machine.hostName(root: Root(scratch.path)) == nil)
        try scratch.makeDirectory("etc")
        try scratch.write("etc/hostname", "# the name\n\n edge-1 \n")
        #expect(Machine.hostName(root: Root(scratch.path)) == "edge-1")
        try scratch.write("etc/hostname", "=edge-7_a.b|x\u{1b}]0;\u{7}\u{202e}<b>")
        #expect(Machine.hostName(root: Root(scratch.path)) == "?edge-7_a.b?x??0????b?")
    }

    @Test("this machine is of an architecture that we know")
    func architecture() { #expect(Machine.architecture != nil) }
}

@Suite struct ZoneFilesTests {
    static var live: ZoneFiles { ZoneFiles(root: Root("/")) }

    @Test(
        "a zone is read from tzdata with its release",
        .enabled(
            if: access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0, "NOT TESTED: tzdata is not installed")
    )
    func berlin() throws {
        let (zone, version) = try #require(Self.live.zone(named: "Europe/Berlin"))
        #expect(zone.name == "Europe/Berlin")
        // 2026-01-15 and 2026-07-15.
        #expect(zone.offset(at: Instant(seconds: 1_768_435_200)) == 3600)
        #expect(zone.offset(at: Instant(seconds: 1_784_073_600)) == 7200)
        #expect(version.hasPrefix("20") || version.hasPrefix("sha256:"))
        #expect(Self.live.zone(named: "America/Argentina/Buenos_Aires") != nil)
        #expect(Self.live.zone(named: "Etc/GMT+5") != nil)
    }

    @Test("UTC needs no file")
    func utc() throws {
        let scratch = try Scratch()
        #expect(ZoneFiles(root: Root(scratch.path)).zone(named: "UTC")?.zone == .utc)
        #expect(ZoneFiles(root: Root(scratch.path)).zone(named: "Europe/Berlin") == nil)
    }

    @Test(
        "a name is never a way to another file",
        arguments: [
            "", "/etc/localtime", "../../../etc/passwd", "Europe/../Europe/Berlin", "Europe//Berlin",
            "Europe/Berlin/",
            "Europe/Berlin\0", ".", "localtime", "posixrules", "tzdata.zi", "Europe", "right/Europe/Berlin",
            String(repeating: "a", count: 5000),
        ])
    func names(name: String) { #expect(Self.live.zone(named: name) == nil) }

    @Test(
        "without a release the file's own digest tells the data apart, and links stay inside the root",
        .enabled(
            if: access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0, "NOT TESTED: tzdata is not installed")
    )
    func foreignRoot() throws {
        let scratch = try Scratch()
        try scratch.makeDirectory("usr/share/zoneinfo/Europe")
        let bytes = try readFile("/usr/share/zoneinfo/Europe/Berlin", limit: 65_536)
        try scratch.write("usr/share/zoneinfo/berlin-2024", bytes)
        try scratch.link("usr/share/zoneinfo/Europe/Berlin", to: "/usr/share/zoneinfo/berlin-2024")
        var zones: ZoneFiles { ZoneFiles(root: Root(scratch.path)) }
        let plain = try #require(zones.zone(named: "Europe/Berlin"))
        #expect(plain.dataVersion.utf8.count == 71 && plain.dataVersion.hasPrefix("sha256:"))
        try scratch.write("usr/share/zoneinfo/tzdata.zi", "# version 2024a\n# This zic input file is\n")
        #expect(zones.zone(named: "Europe/Berlin")?.dataVersion == "2024a")
        try scratch.write("usr/share/zoneinfo/tzdata.zi", "# version \u{1b}[2J\n")
        #expect(zones.zone(named: "Europe/Berlin")?.dataVersion == plain.dataVersion)
    }
}
