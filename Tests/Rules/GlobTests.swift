import Testing

@testable import Rules

private struct Row: Sendable, CustomTestStringConvertible {
    let pattern: String
    let matching: [String]
    let other: [String]
    var testDescription: String { pattern }
}

@Suite("A glob")
struct GlobTests {
    @Test(
        "matches whole names",
        arguments: [
            Row(pattern: "*", matching: ["", "a", "edge-1"], other: []),
            Row(pattern: "", matching: [""], other: ["a"]),
            Row(pattern: "edge-*", matching: ["edge-", "edge-1", "edge-*"], other: ["edge", "xedge-1"]),
            Row(pattern: "*-1", matching: ["a-1", "-1", "a-1-1"], other: ["a-12", "a"]),
            Row(pattern: "a*b*c", matching: ["abc", "aXbYc", "abbcc"], other: ["acb", "ab"]),
            Row(pattern: "node-?", matching: ["node-1", "node-ä"], other: ["node-", "node-12"]),
            Row(pattern: "?*", matching: ["a", "ab"], other: [""]),
            Row(pattern: "**", matching: ["", "a"], other: []),
            // No other character means anything but itself.
            Row(pattern: "a.b[1]", matching: ["a.b[1]"], other: ["axb1", "a.b1"]),
            Row(pattern: "Edge", matching: ["Edge"], other: ["edge"]),
        ])
    private func matches(_ row: Row) {
        for name in row.matching { #expect(Glob(row.pattern).matches(name), "\(name)") }
        for name in row.other { #expect(!Glob(row.pattern).matches(name), "\(name)") }
    }

    @Test("of many stars against a long name that nearly fits comes to an end")
    func hostile() {
        // A matcher that tries every split of every star would not end in the age of the universe.
        let pattern = String(repeating: "*a", count: 200) + "b"
        #expect(!Glob(pattern).matches(String(repeating: "a", count: 2000)))
        #expect(Glob(pattern).matches(String(repeating: "a", count: 2000) + "b"))
    }
}
