import Artifacts
import Model
import Testing

/// As https://endoflife.date/api/kubernetes.json has it, cut to what tells something.
private let older = """
    [{"cycle":"1.36","releaseDate":"2026-04-22","support":"2027-04-28","eol":"2027-06-28","latest":"1.36.7",
      "latestReleaseDate":"2026-11-10","lts":false},
     {"cycle":"1.35","releaseDate":"2025-12-17","support":true,"eol":false,"latest":"1.35.11",
      "latestReleaseDate":"2026-11-12","lts":false},
     {"cycle":"1.16","releaseDate":"2019-09-18","eol":true,"latest":"1.15.15","lts":false}]
    """

/// As https://endoflife.date/api/v1/products/kubernetes has it.
private let newer = """
    {"schema_version":"1.2.0","result":{"name":"kubernetes","releases":[
     {"name":"1.36","releaseDate":"2026-04-22","isEoas":false,"eoasFrom":"2027-04-28","isEol":false,
      "eolFrom":"2027-06-28","latest":{"name":"1.36.7","date":"2026-11-10","link":"https://example.org"}},
     {"name":"1.35","releaseDate":"2025-12-17","isEoas":true,"isEol":false,"eolFrom":null,
      "latest":{"name":"1.35.11","date":"2026-11-12"}},
     {"name":"1.16","releaseDate":"2019-09-18","isEol":true,"eolFrom":null,"latest":null}]}}
    """

@Suite("What endoflife.date says of Kubernetes")
struct EndOfLifeDocumentTests {
    private func read(_ text: String, today: String = "2026-11-28") throws -> SupportTable? {
        let today = try #require(CivilDate(today))
        return try readEndOfLifeDocument(Array(text.utf8), file: "kubernetes.json", today: today)
    }

    @Test("is read in both of its forms, as of its newest release", arguments: [older, newer])
    func forms(text: String) throws {
        let table = try #require(try read(text))
        #expect(table.dataVersion == "2026-11-12 kubernetes.json")
        #expect(table.rows.map(\.minor) == [36, 35, 16])
        #expect(table.rows[0].end == CivilDate("2027-06-28").map(SupportEnd.on))
        #expect(table.rows[0].maintenance == CivilDate("2027-04-28").map(SupportEnd.on))
        #expect(table.rows[0].latest == Version("v1.36.7"))
        #expect(table.rows[1].maintenance == .over)
        #expect(table.rows[1].end == .open)
        #expect(table.rows[2].end == .over)
        // A patch of another minor is none.
        #expect(table.rows[2].latest == nil)
        #expect(try SupportTable(text: table.text) == table)
    }

    @Test("a release of a day that has not come does not make the table newer than it is")
    func future() throws {
        #expect(try read(older, today: "2026-11-11")?.asOf == CivilDate("2026-11-10"))
    }

    @Test(
        "what is no JSON may be something else",
        arguments: ["", "0123456789abcdef  k3s\n", "\u{0}\u{1}", "apiVersion: 1"])
    func other(text: String) throws { #expect(try read(text) == nil) }

    @Test(
        "another product's, another shape and what is too much are refused",
        arguments: [
            "[]", "{}", "[1]", #"[{"cycle":"1.36"}]"#, #"[{"cycle":"1.36","eol":"soon"}]"#,
            // PostgreSQL's: numbers, but no minors of ours.
            #"[{"cycle":"17","releaseDate":"2024-09-26","eol":"2029-11-08","latest":"17.6"}]"#,
            #"[{"cycle":"1.36","releaseDate":"9999-01-01","eol":true,"latest":"1.36.0"}]"#,
            "[" + String(repeating: "[", count: 100_000),
            "[" + Array(repeating: #"{"cycle":"1.36","eol":true}"#, count: 401).joined(separator: ",") + "]",
        ])
    func refused(text: String) { #expect(throws: SupportTableError.self) { try read(text) } }
}
