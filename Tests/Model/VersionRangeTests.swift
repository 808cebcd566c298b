import Model
import Testing

private struct Membership: Sendable, CustomTestStringConvertible {
    let range: String
    let inside: [String]
    let outside: [String]
    var testDescription: String { range.isEmpty ? "(empty)" : range }
}

@Suite("A version range")
struct VersionRangeTests {
    @Test(
        "takes in what its words mean",
        arguments: [
            Membership(range: "", inside: ["v1.31.4+k3s1", "v0.0.0-rc1"], outside: []),
            Membership(
                range: ">=1.31.4 <1.33",
                inside: ["v1.31.4", "v1.31.4+k3s1", "v1.31.10+k0s.0", "v1.32.99"],
                // A candidate of 1.33.0 is no 1.32, and one of 1.31.4 is older than it.
                outside: ["v1.31.3+k3s9", "v1.31.4-rc1+k3s1", "v1.33.0", "v1.33.0-rc1+k3s1", "v2.0.0"]),
            Membership(
                range: "1.31.x", inside: ["v1.31.0+k3s1", "v1.31.14", "v1.31.5-rc1+k3s1"],
                outside: ["v1.30.9", "v1.32.0", "v1.32.0-rc1"]),
            Membership(range: "1.31.*", inside: ["v1.31.0"], outside: ["v1.32.0"]),
            Membership(range: "1.31", inside: ["v1.31.0"], outside: ["v1.32.0", "v1.3.1"]),
            Membership(range: "1", inside: ["v1.31.0"], outside: ["v2.0.0"]),
            Membership(range: "1.x", inside: ["v1.31.0"], outside: ["v2.0.0"]),
            Membership(
                range: "1.31.4", inside: ["v1.31.4", "v1.31.4+k3s1", "v1.31.4+k3s2"],
                outside: ["v1.31.4-rc1+k3s1", "v1.31.5"]),
            Membership(
                range: "v1.31.4+k3s1", inside: ["v1.31.4+k3s1"],
                outside: ["v1.31.4+k3s2", "v1.31.4", "v1.31.4+k0s.1"]),
            Membership(
                range: "v1.31.4-rc1", inside: ["v1.31.4-rc1", "v1.31.4-rc1+k3s1"],
                outside: ["v1.31.4", "v1.31.4-rc2+k3s1"]),
            Membership(
                range: "<=1.31.4", inside: ["v1.31.4+k3s2", "v1.31.4-rc1", "v1.30.0"], outside: ["v1.31.5"]),
            Membership(
                range: ">1.31.4", inside: ["v1.31.5", "v1.31.5-rc1"],
                outside: ["v1.31.4+k3s9", "v1.31.4-rc1"]
            ),
            Membership(
                range: ">=v1.31.4+k3s2", inside: ["v1.31.4+k3s2", "v1.31.4+k3s10"], outside: ["v1.31.4+k3s1"]),
            Membership(range: "!=1.31.4", inside: ["v1.31.5"], outside: ["v1.31.4+k3s1"]),
            Membership(
                range: ">= 1.31, < 1.32 || 1.29.x", inside: ["v1.31.2", "v1.29.1"],
                outside: ["v1.30.0", "v1.32.0"]),
            Membership(range: ">2", inside: ["v3.0.0"], outside: ["v2.9.9", "v1.0.0"]),
        ])
    private func membership(_ row: Membership) throws {
        let range = try VersionRange(row.range)
        for text in row.inside {
            #expect(range.contains(try #require(Version(text))), "\(text) is inside")
        }
        for text in row.outside {
            #expect(!range.contains(try #require(Version(text))), "\(text) is outside")
        }
    }

    @Test(
        "that cannot be read says which part is wrong",
        arguments: [
            (">=", ">="), ("1.31 <", "<"), ("> > 1.31", ">"), ("=>1.31", "=>1.31"), ("~1.31", "~1.31"),
            ("^1.31", "^1.31"), ("1.31.4.5", "1.31.4.5"), ("|| 1.31", "||"), ("1.31 ||", "||"),
            ("1.31 || || 1.32", "||"), ("latest", "latest"), ("1.x.4", "1.x.4"), ("v1.31.4+", "v1.31.4+"),
            ("1.31.9999999", "1.31.9999999"), ("x", "x"), ("1..2", "1..2"), (">= || 1.31", "||"),
        ])
    func invalid(_ text: String, _ part: String) {
        let error = #expect(throws: VersionRangeError.self) { try VersionRange(text) }
        #expect(error?.description.contains(part) == true)
    }

    @Test("that cannot be read is shown without control characters")
    func shown() {
        let error = #expect(throws: VersionRangeError.self) { try VersionRange("1.\u{0}\u{1b}[2J.x") }
        #expect(error?.description.hasPrefix(#""1.??[2J.x": not a version"#) == true)
    }

    @Test("longer than 512 bytes is refused before it is looked at")
    func tooLong() {
        let text = String(repeating: ">=1.31 ", count: 100)
        let error = #expect(throws: VersionRangeError.self) { try VersionRange(text) }
        #expect(error?.part.isEmpty == true)
    }

    @Test("is the same whatever white space it was written with")
    func folded() throws {
        #expect(try VersionRange("  >=1.31.4\t<1.33\n") == VersionRange(">=1.31.4 <1.33"))
        #expect(try VersionRange("   ") == .any)
    }
}
