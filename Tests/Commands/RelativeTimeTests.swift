import Model
import Testing

@testable import Commands

@Suite("Relative times")
struct RelativeTimeTests {
    private struct Row: Sendable, CustomTestStringConvertible {
        let seconds: Int64
        let text: String
        var testDescription: String { text }
    }

    @Test(
        "say what a person would say",
        arguments: [
            Row(seconds: 0, text: "now"), Row(seconds: 59, text: "in 59 s"),
            Row(seconds: -60, text: "1 min ago"),
            Row(seconds: 3600, text: "in 1 h"), Row(seconds: 5400, text: "in 1 h 30 min"),
            // From six hours on the minutes are noise.
            Row(seconds: 6 * 3600 + 1800, text: "in 6 h"), Row(seconds: -90_000, text: "1 d 1 h ago"),
            Row(seconds: 8 * 86_400 + 3600, text: "in 8 d"), Row(seconds: .max, text: "in 106751991167300 d"),
            Row(seconds: .min, text: "106751991167300 d ago"),
        ])
    private func says(row: Row) {
        #expect(relative(Instant(seconds: row.seconds), to: Instant(seconds: 0)) == row.text)
    }
}

@Suite("Aligned columns")
struct AlignedTests {
    @Test("are padded before they are coloured, and the last one is not padded")
    func columns() {
        let rows: [[Cell]] = [[("a", .good), ("1", nil)], [("long", nil), ("22", nil)]]
        #expect(aligned(rows, indent: 1, style: Style(isColoured: false)) == " a     1\n long  22\n")
        #expect(
            aligned(rows, indent: 0, style: Style(isColoured: true)).hasPrefix("\u{1b}[32ma\u{1b}[0m     1\n")
        )
    }

    @Test("fold the last cell under itself, and leave a word that is too long whole")
    func folding() {
        let rows: [[Cell]] = [[("rule", nil), ("one two three four five six seven", nil)]]
        #expect(
            aligned(rows, indent: 2, style: Style(isColoured: false), width: 30)
                == "  rule  one two three four\n        five six seven\n")
        #expect(folded("short", width: nil) == ["short"])
        #expect(
            folded("a verylongwordthatdoesnotfit b", width: 10) == ["a", "verylongwordthatdoesnotfit", "b"])
    }
}
