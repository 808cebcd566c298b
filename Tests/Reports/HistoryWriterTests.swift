import FoundationEssentials
import Model
import Reports
import Testing

private let hasShell = output(of: "command -v sqlite3") != nil

func export(_ rows: [Row], as format: HistoryFormat) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let writer = HistoryWriter(format: format) { bytes += $0 }
    for row in rows { try row.withRow { try writer.write($0) } }
    try writer.finish()
    return bytes
}

func text(_ rows: [Row], as format: HistoryFormat) throws -> String {
    String(decoding: try export(rows, as: format), as: UTF8.self)
}

@Suite("History as csv")
struct HistoryCSVTests {
    /// What the shell writes for rows like these; the bytes reach it as hexadecimal, so that nothing is lost.
    func byTheShell(_ rows: [Row]) throws -> [UInt8] {
        let names = HistoryColumn.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        var script = "CREATE TABLE decision(\(names));\nBEGIN;\n"
        for row in rows {
            let values = row.texts.map { text in
                text.map { "CAST(x'" + $0.map { hex($0) }.joined() + "' AS TEXT)" } ?? "NULL"
            }
            script += "INSERT INTO decision VALUES (\(row.seq), \(values.joined(separator: ", ")));\n"
        }
        script += "COMMIT;\nSELECT \(names) FROM decision ORDER BY rowid;\n"
        return try #require(shell(script, options: "-batch -csv -header"))
    }

    private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    private func row(_ texts: [[UInt8]?], seq: Int64 = 1) -> Row {
        let count = HistoryColumn.allCases.count - 1
        return Row(seq: seq, texts: (0..<count).map { texts[$0 % texts.count] })
    }

    static let edges: [[UInt8]?] = [
        nil, [], Array("plain".utf8), Array("two words".utf8), Array("a,b".utf8), Array(",".utf8),
        Array("\"".utf8),
        Array("'".utf8), Array("say \"yes\", 'no'".utf8), Array("line\nbreak".utf8), Array("\r\n".utf8),
        Array("\"\"\"".utf8), [0], [65, 0, 66], [65, 32, 0, 34], [0xff, 0xfe], [0xc3], [0xed, 0xa0, 0x80],
        Array("e\u{301} é 日本 🦊".utf8), Array("\u{1b}[31m".utf8), [0x7f], Array("=1+1".utf8), Array("\\".utf8),
        Array("NULL".utf8),
    ]

    @Test(
        "is what the sqlite3 shell writes, whatever the columns hold",
        .enabled(if: hasShell, "SKIPPED: the sqlite3 shell is not installed"))
    func edges() throws {
        let rows = Self.edges.enumerated().map {
            row([$1, Self.edges[($0 + 5) % Self.edges.count]], seq: Int64($0))
        }
        #expect(try export(rows, as: .csv) == byTheShell(rows))
    }

    @Test(
        "is what the sqlite3 shell writes for every byte",
        .enabled(if: hasShell, "SKIPPED: the sqlite3 shell is not installed"))
    func everyByte() throws {
        let rows = (0...255).map { byte in
            row([[byte], [65, byte], [byte, 65], [65, byte, 66]], seq: Int64(byte))
        }
        #expect(try export(rows, as: .csv) == byTheShell(rows))
    }

    @Test(
        "is what the sqlite3 shell writes for texts longer than any buffer, and for numbers at their ends",
        .enabled(if: hasShell, "SKIPPED: the sqlite3 shell is not installed"))
    func long() throws {
        let texts: [[UInt8]] = [
            Array(repeating: 34, count: 100_000), Array(repeating: 65, count: 65_536),
            Array(repeating: 65, count: 65_535) + [32], Array(repeating: 65, count: 70_000),
        ]
        let rows = [Int64.min, -1, 0, 9, 10, Int64.max].map { row(texts.map { $0 }, seq: $0) }
        #expect(try export(rows, as: .csv) == byTheShell(rows))
    }

    @Test(
        "is what the sqlite3 shell writes where there is no row: nothing",
        .enabled(if: hasShell, "SKIPPED: the sqlite3 shell is not installed"))
    func none() throws {
        #expect(try export([], as: .csv) == byTheShell([]))
    }
}

@Suite("History as JSON")
struct HistoryJSONTests {
    struct Object: Decodable, Equatable {
        var seq: Int64
        var at: String?
        var node: String?
        var from: String?
        var unmet: [String]
        var updateType: String?
        var reason: String?
    }

    static let texts = [
        "plain", "", "quote \" back\\slash", "\n\r\t\u{8}\u{0}\u{1f}", "é e\u{301} 日本 🦊",
        "\u{1b}[31m\u{7f}\u{9b}",
        "\u{202e}\u{feff}\u{2028}", "/",
    ]

    @Test("gives every text back", arguments: texts)
    func roundTrip(text: String) throws {
        let rows = [Row(seq: .max, [.node: text, .reason: text]), Row(seq: 2, [.node: text])]
        let objects = try JSONDecoder().decode([Object].self, from: Data(try export(rows, as: .json)))
        #expect(objects.map(\.seq) == [.max, 2])
        #expect(objects.map { $0.node.map { Array($0.utf8) } } == [Array(text.utf8), Array(text.utf8)])
        #expect(objects.first?.reason.map { Array($0.utf8) } == Array(text.utf8))
    }

    @Test("writes the columns' names as keys, unmet rules as an array, NULL as null")
    func shape() throws {
        #expect(
            try text([Row(seq: 7, [.from: nil, .unmet: nil])], as: .jsonl)
                == """
                {"seq":7,"at":"2026-11-24T16:27:44Z","node":"one","distribution":"k3s","installation":"k3s",\
                "change":"3f9a1c22b0","trigger":"file-replaced","updateType":"minor","phase":"on-disk","from":null,\
                "to":"v1.32.0+k3s1","target":"sha256:00","verdict":"hold","unmet":[],"decision":"77","policy":"ab",\
                "reason":"the ceiling is patch, this is minor","rollout":null}

                """)
        let object = try JSONDecoder().decode(Object.self, from: Data(try export([Row()], as: .jsonl)))
        #expect(object.unmet == ["ceiling", "window"])
    }

    @Test("mends what is no UTF-8")
    func noUTF8() throws {
        var row = Row()
        row.texts[1] = [65, 0xff, 66]
        let object = try JSONDecoder().decode(Object.self, from: Data(try export([row], as: .jsonl)))
        #expect(object.node == "A\u{fffd}B")
    }

    @Test("is one array, or one object a line")
    func many() throws {
        let rows = (1...1000).map { Row(seq: Int64($0)) }
        let array = try JSONDecoder().decode([Object].self, from: Data(try export(rows, as: .json)))
        #expect(array.map(\.seq) == Array(1...1000))
        let lines = try export(rows, as: .jsonl).split(separator: 10)
        #expect(
            try lines.map { try JSONDecoder().decode(Object.self, from: Data($0)).seq } == Array(1...1000))
        #expect(try text([], as: .json) == "[]\n")
        #expect(try text([], as: .jsonl) == "")
    }

    @Test(
        "writes nothing that a terminal would act on",
        arguments: [HistoryFormat.json, .jsonl, .table, .markdown, .cloudevents])
    func harmless(format: HistoryFormat) throws {
        let hostile = "\u{1b}]0;x\u{7}\u{9b}31m\u{7f}\u{202e}\r\u{0}\u{8}"
        let shown = try text(
            [Row([.installation: hostile, .reason: hostile, .trigger: hostile])], as: format)
        #expect(shown.unicodeScalars.allSatisfy { $0 == "\n" || String($0).printable == String($0) })
    }
}

@Suite("History as a table")
struct HistoryTableTests {
    @Test("aligns its columns and leaves no space at the end of a line")
    func aligned() throws {
        let shown = try text(
            [Row(), Row([.installation: "k3s-agent", .from: nil, .verdict: "allow", .unmet: nil])], as: .table
        )
        #expect(
            shown == """
                WHEN                  INSTALLATION   CHANGE      FROM          TO            TYPE   PHASE    BY             VERDICT  NOT MET
                2026-11-24T16:27:44Z  k3s            3f9a1c22b0  v1.31.4+k3s1  v1.32.0+k3s1  minor  on-disk  file-replaced  hold     ceiling window
                2026-11-24T16:27:44Z  k3s/k3s-agent  3f9a1c22b0  ?             v1.32.0+k3s1  minor  on-disk  file-replaced  allow

                """)
    }

    @Test("aligns by what a terminal shows, not by bytes")
    func wide() throws {
        let lines = try text(
            [Row([.installation: "日本"]), Row([.installation: "e\u{301}"])], as: .table
        ).split(separator: "\n")
        #expect(lines[1].contains("k3s/日本      3f9a"))
        #expect(lines[2].contains("k3s/e\u{301}         3f9a"))
    }

    @Test("keeps no more than its first rows, and lets a later one be wider")
    func later() throws {
        let rows = (1...300).map {
            Row(seq: Int64($0), [.installation: $0 == 300 ? "a-much-longer-name" : "k3s"])
        }
        let lines = try text(rows, as: .table).split(separator: "\n")
        #expect(lines.count == 301)
        #expect(lines[1] == lines[299])
        #expect(lines[300].contains("k3s/a-much-longer-name  3f9a"))
    }

    @Test("cuts a cell that is longer than anybody would read")
    func long() throws {
        let line = try text([Row([.installation: String(repeating: "x", count: 100_000)])], as: .table)
        #expect(line.utf8.count < 2000)
        #expect(line.contains("…"))
    }

    @Test("says that there is nothing where there is nothing")
    func none() throws {
        #expect(try text([], as: .table) == "No decision is recorded that fits.\n")
    }
}

@Suite("A history that cannot be written")
struct HistorySinkTests {
    struct Full: Error {}

    @Test("ends where its sink throws", arguments: HistoryFormat.allCases)
    func refused(format: HistoryFormat) throws {
        let writer = HistoryWriter(format: format) { _ in throw Full() }
        #expect(throws: Full.self) {
            for seq in 0..<1000 as Range<Int64> { try Row(seq: seq).withRow { try writer.write($0) } }
        }
    }

    @Test("is handed on in pieces of at most 64 KiB", arguments: HistoryFormat.allCases)
    func pieces(format: HistoryFormat) throws {
        var longest = 0
        let writer = HistoryWriter(format: format) { longest = max(longest, $0.count) }
        let long = Row([.reason: String(repeating: "\"x", count: 50_000)])
        for _ in 0..<3 { try long.withRow { try writer.write($0) } }
        try writer.finish()
        #expect(longest > 0 && longest <= 65_536)
    }
}

@Suite("History as Markdown")
struct HistoryMarkdownTests {
    @Test("is a table with a row each, and one sentence where there is none")
    func shape() throws {
        let lines = try text([Row(), Row([.from: nil, .unmet: nil])], as: .markdown).split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("| When | Node |"))
        #expect(lines[1].allSatisfy { "|- ".contains($0) })
        let cells = lines.map { $0.split(separator: "|", omittingEmptySubsequences: false).count }
        #expect(Set(cells).count == 1)
        #expect(lines[2].contains("| v1.31.4+k3s1 | v1.32.0+k3s1 | minor |"))
        #expect(try text([], as: .markdown) == "No decision is recorded that fits.\n")
    }

    @Test(
        "lets nothing become markup",
        arguments: [
            ("a|b", "a\\|b"), ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"), ("`x`", "\\`x\\`"),
            ("[x](https://e.org)", "\\[x\\](https:\\//e.org)"), ("**b** _i_", "\\*\\*b\\*\\* \\_i\\_"),
            ("a\nb\r\n| c", "a?b??\\| c"), ("www.e.org @me #1", "www\\.e.org \\@me \\#1"), ("\\|", "\\\\\\|"),
            ("\u{1b}[31m\u{202e}x", "?\\[31m?x"), ("&lt;", "&amp;lt;"),
        ])
    func escaped(hostile: String, shown: String) throws {
        let line = try text([Row([.reason: hostile])], as: .markdown).split(separator: "\n")[2]
        #expect(line.contains("| \(shown) |"))
    }
}

@Suite("History as CloudEvents 1.0")
struct HistoryCloudEventsTests {
    struct Event: Decodable {
        var id: String
        var source: String
        var specversion: String
        var type: String
        var subject: String
        var time: String?
        var datacontenttype: String
        var data: HistoryJSONTests.Object
    }

    private static let ledger = "477a81eb33bde218dc217d03fa671c43"

    func lines(_ rows: [Row]) throws -> [[UInt8]] {
        var bytes: [UInt8] = []
        let writer = HistoryWriter(format: .cloudevents, ledger: Self.ledger) { bytes += $0 }
        for row in rows { try row.withRow { try writer.write($0) } }
        try writer.finish()
        return bytes.split(separator: 10).map(Array.init)
    }

    @Test("has the attributes that the specification requires, not empty, by names that it allows")
    func required() throws {
        let line = try #require(try lines([Row(seq: 12)]).first)
        let event = try JSONDecoder().decode(Event.self, from: Data(line))
        #expect(event.specversion == "1.0")
        #expect(event.id == "\(Self.ledger)-12")
        #expect(event.source == "urn:uuid:477a81eb-33bd-e218-dc21-7d03fa671c43")
        #expect(event.type == "dev.holdfast.decision.hold")
        #expect(event.subject == "one/k3s/k3s")
        #expect(event.time == "2026-11-24T16:27:44Z")
        #expect(event.datacontenttype == "application/json")
        #expect(event.data.seq == 12 && event.data.unmet == ["ceiling", "window"])
        // "MUST consist of lower-case letters ('a' to 'z') or digits ('0' to '9')".
        let object = try JSONDecoder().decode([String: Anything].self, from: Data(line))
        #expect(
            object.keys.allSatisfy {
                $0.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
            })
    }

    private struct Anything: Decodable { init(from decoder: any Decoder) throws {} }

    @Test(
        "gives each decision of a ledger an id of its own, and each verdict a type",
        arguments: Verdict.allCases)
    func types(verdict: Verdict) throws {
        let events = try lines((1...50).map { Row(seq: $0, [.verdict: verdict.rawValue]) }).map {
            try JSONDecoder().decode(Event.self, from: Data($0))
        }
        #expect(Set(events.map(\.id)).count == 50)
        #expect(Set(events.map(\.type)) == ["dev.holdfast.decision.\(verdict.rawValue)"])
    }

    @Test(
        "keeps its strings to the characters that the specification lets in",
        arguments: HistoryJSONTests.texts)
    func characters(hostile: String) throws {
        let noncharacters = [0xfffe, 0xfdd0].compactMap { Unicode.Scalar($0 as UInt32) }.map { String($0) }
            .joined()
        let rows = [
            Row([
                .node: hostile, .installation: hostile + noncharacters, .at: hostile, .verdict: hostile,
            ])
        ]
        let event = try JSONDecoder().decode(Event.self, from: Data(try #require(try lines(rows).first)))
        #expect(!event.subject.isEmpty)
        #expect(
            event.subject.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) && $0.value & 0xfffe != 0xfffe
                    && !(0xfdd0...0xfdef).contains($0.value)
            })
        #expect(event.time == nil)
        #expect(event.type == "dev.holdfast.decision")
        #expect(event.data.node == hostile)
    }
}
