import Model
import Testing

@Suite("The table of supported minors")
struct SupportTableTests {
    @Test("ships with every minor from 1.16 on, the newest first, each with its dates")
    func shipped() throws {
        let table = SupportTable.shipped
        #expect(table.dataVersion == "2026-08-22 shipped")
        #expect(table.rows.map(\.minor) == Array((16...36).reversed()))
        let version = try #require(Version("v1.31.4+k3s1"))
        let row = try #require(table.row(of: version))
        #expect(row.end == CivilDate("2025-11-11").map(SupportEnd.on))
        #expect(row.latest == Version("v1.31.14"))
        #expect(table.row(of: try #require(Version("v1.99.0"))) == nil)
        #expect(table.row(of: try #require(Version("v2.31.0"))) == nil)
    }

    @Test(
        "is read again from its own text, whatever its origin is called",
        arguments: ["a file", "a\nb\u{1b}[m"])
    func roundTrip(origin: String) throws {
        var table = SupportTable.shipped
        table.origin = origin
        let read = try SupportTable(text: table.text)
        #expect(read.rows == table.rows)
        #expect(read.asOf == table.asOf)
        #expect(read.origin == origin.printable)
        #expect(!read.text.contains("\u{1b}"))
    }

    struct Text: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
    }

    @Test(
        "is none where it lacks its day, its origin or a row, or a row is none",
        arguments: [
            Text(testDescription: "nothing", text: ""),
            Text(testDescription: "no day", text: "# from x\n1.31\t\t\ttrue\t\n"),
            Text(
                testDescription: "no such day", text: "# as of 2026-02-30\n# from x\n1.31\t\ttrue\ttrue\t\n"),
            Text(testDescription: "no origin", text: "# as of 2026-02-20\n1.31\t\ttrue\ttrue\t\n"),
            Text(testDescription: "no row", text: "# as of 2026-02-20\n# from x\n"),
            Text(testDescription: "a patch", text: "# as of 2026-02-20\n# from x\n1.31.4\t\ttrue\ttrue\t\n"),
            Text(testDescription: "no end", text: "# as of 2026-02-20\n# from x\n1.31\t\ttrue\tsoon\t\n"),
            Text(testDescription: "too few fields", text: "# as of 2026-02-20\n# from x\n1.31\ttrue\n"),
            Text(
                testDescription: "too many rows",
                text: "# as of 2026-02-20\n# from x\n"
                    + (0...400).map { "1.\($0)\t\ttrue\ttrue\t\n" }.joined()),
        ])
    func invalid(_ text: Text) {
        #expect(throws: SupportTableError.self) { try SupportTable(text: text.text) }
    }

    @Test("an end is the last day: it is over on the next one")
    func end() throws {
        let last = try #require(CivilDate("2026-02-28"))
        #expect(!SupportEnd.on(last).isOver(on: last))
        #expect(SupportEnd.on(last).isOver(on: CivilDate(daysSinceEpoch: last.daysSinceEpoch + 1)))
        #expect(SupportEnd.over.isOver(on: last))
        #expect(!SupportEnd.open.isOver(on: last))
    }
}
