import Testing
import YAML

private func text(_ yaml: some StringProtocol) -> [UInt8] { Array(yaml.utf8) }

/// A tree in one line: scalars as they are, quoted ones in quotation marks.
private func outline(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(let scalar): scalar.isQuoted ? "\"\(scalar.text)\"" : scalar.text
    case .sequence(let elements): "[" + elements.map(outline).joined(separator: " ") + "]"
    case .mapping(let pairs):
        "{" + pairs.map { "\(outline($0.key)): \(outline($0.value))" }.joined(separator: " ") + "}"
    }
}

@Suite("YAML: trees with places")
struct YAMLTrees {
    struct Tree: Sendable, CustomTestStringConvertible {
        var yaml: String
        var outline: String
        var testDescription: String { yaml }
    }

    @Test(
        "the text of a scalar is never guessed at and never changed",
        arguments: [
            // YAML 1.1 reads these as false, true, 420, 45045, 1000 and 1.3.
            Tree(yaml: "a: no", outline: "{a: no}"),
            Tree(yaml: "on: off", outline: "{on: off}"),
            Tree(yaml: "a: 0644", outline: "{a: 0644}"),
            Tree(yaml: "a: 12:30:45", outline: "{a: 12:30:45}"),
            Tree(yaml: "a: 1e3", outline: "{a: 1e3}"),
            Tree(yaml: "a: 1.30", outline: "{a: 1.30}"),
            Tree(yaml: "a: ~", outline: "{a: ~}"),
            Tree(yaml: "a: 'no'", outline: "{a: \"no\"}"),
            Tree(yaml: "a: |\n  one\n  two\n", outline: "{a: \"one\ntwo\n\"}"),
            Tree(yaml: "a:", outline: "{a: }"),
            Tree(yaml: "- a\n- [b, {c: d}]\n", outline: "[a [b {c: d}]]"),
            Tree(yaml: "a: 1\na: 2", outline: "{a: 1 a: 2}"),
            Tree(yaml: "\"<<\": a", outline: "{\"<<\": a}"),
            Tree(yaml: "", outline: ""),
            Tree(yaml: "# nothing\n", outline: ""),
            Tree(yaml: "---\na: b\n...\n", outline: "{a: b}"),
            Tree(
                yaml: "{\"kind\": \"Config\", \"users\": []}", outline: "{\"kind\": \"Config\" \"users\": []}"
            ),
        ])
    func scalars(_ tree: Tree) throws {
        #expect(outline(try parseYAML(text(tree.yaml))) == tree.outline)
    }

    @Test(
        "each node carries its line and column, counted in characters from 1, with or without a byte order mark"
    )
    func places() throws {
        let yaml = "# über\nkey: [x, \"é\", y]\nlist:\n  - a: 1\n"
        for bytes in [text(yaml), [0xEF, 0xBB, 0xBF] + text(yaml)] {
            let pairs = try #require(try parseYAML(bytes).mapping)
            let elements = try #require(pairs[0].value.sequence)
            #expect(pairs[0].key.position == YAMLPosition(line: 2, column: 1))
            #expect(elements.map(\.position.column) == [7, 10, 15])
            #expect(pairs[1].value.sequence?[0].position == YAMLPosition(line: 4, column: 5))
        }
    }

    @Test("an empty value is told from an empty text")
    func emptiness() throws {
        let pairs = try #require(try parseYAML(text("a:\nb: ''\nc: ~\n")).mapping)
        #expect(pairs.map(\.value.isEmpty) == [true, false, false])
        #expect(try parseYAML([]).isEmpty)
    }
}

@Suite("YAML: what is refused")
struct YAMLRefusals {
    struct Refusal: Sendable, CustomTestStringConvertible {
        var yaml: String
        var line: Int
        var column: Int
        var part: String
        var testDescription: String { String(yaml.prefix(40)) }
    }

    @Test(
        "with the place and what to write instead",
        arguments: [
            Refusal(yaml: "a: &x b\nc: *x", line: 1, column: 4, part: "anchors"),
            Refusal(yaml: "a: 1\nnodes: [*all]", line: 2, column: 9, part: "aliases"),
            Refusal(yaml: "nodes: [*]", line: 1, column: 10, part: "\"*\""),
            Refusal(yaml: "a: !!str b", line: 1, column: 4, part: "tags"),
            Refusal(yaml: "a: !=1.31 ", line: 1, column: 4, part: "tags"),
            Refusal(yaml: "a: {<<: {b: c}}", line: 1, column: 5, part: "merge keys"),
            Refusal(yaml: "? [a]\n: b", line: 1, column: 3, part: "a list cannot be a key"),
            Refusal(yaml: "? {a: b}\n: b", line: 1, column: 3, part: "a mapping cannot be a key"),
            Refusal(yaml: "a: 1\n---\nb: 2", line: 2, column: 1, part: "second document"),
            Refusal(yaml: "a: >=1.31 <1.33", line: 1, column: 5, part: "quote a text"),
            Refusal(yaml: "a:\n\t- b", line: 2, column: 1, part: "spaces, not tabs"),
            Refusal(yaml: "a: \"b\nc: d", line: 1, column: 4, part: "never closed"),
            Refusal(yaml: "a: [b\nc: d", line: 1, column: 4, part: "\"]\""),
            Refusal(yaml: "a: b: c", line: 1, column: 5, part: "a colon cannot stand here"),
            Refusal(yaml: "a: b\n  c: d", line: 2, column: 4, part: "indentation"),
            Refusal(yaml: "a: @b", line: 1, column: 4, part: "cannot begin"),
            Refusal(yaml: "a: b\u{0}", line: 1, column: 5, part: "NUL"),
            Refusal(yaml: "a: b\nc: \u{1B}[31m", line: 2, column: 4, part: "invisible character (U+001B)"),
            Refusal(yaml: "a\r\nb: \u{7}", line: 2, column: 4, part: "U+0007"),
        ])
    func refused(_ refusal: Refusal) throws {
        let error = try #require(throws: YAMLError.self) { try parseYAML(text(refusal.yaml)) }
        #expect(error.position == YAMLPosition(line: refusal.line, column: refusal.column))
        #expect(error.message.contains(refusal.part), "\(error)")
    }

    @Test(
        "bytes that are no UTF-8, by the place of the first",
        arguments: [
            [0xFF], [0xC3], [0xE2, 0x82], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
        ] as [[UInt8]])
    func notUTF8(_ wrong: [UInt8]) throws {
        let error = try #require(throws: YAMLError.self) { try parseYAML(text("a: 1\nb: ü") + wrong) }
        #expect(error.position == YAMLPosition(line: 2, column: 5))
        #expect(error.message.contains("not valid UTF-8"))
    }

    @Test("a text in UTF-16 is refused, not read")
    func utf16() throws {
        #expect(throws: YAMLError.self) { try parseYAML([0xFF, 0xFE] + text("a: b").flatMap { [$0, 0] }) }
    }

    @Test("an alias bomb stops at its first anchor")
    func bomb() throws {
        var yaml = "a: &a [lol, lol, lol]\n"
        for (name, before) in zip("bcdefghij", "abcdefghi") {
            yaml +=
                "\(name): &\(name) [*\(before), *\(before), *\(before), *\(before), *\(before), *\(before)]\n"
        }
        let error = try #require(throws: YAMLError.self) { try parseYAML(text(yaml)) }
        #expect(error.position == YAMLPosition(line: 1, column: 4))
    }

    @Test("nesting 10,000 deep is refused at the limit, in flow and in block style")
    func nesting() throws {
        let block = (0..<600).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        let unclosed = String(repeating: "[", count: 10_000)
        let closed = unclosed + String(repeating: "]", count: 10_000)
        let mappings = String(repeating: "{a: ", count: 10_000)
        let dashes = String(repeating: "- ", count: 10_000)
        for yaml in [unclosed, closed, mappings, dashes, block] {
            let error = try #require(throws: YAMLError.self) { try parseYAML(text(yaml)) }
            #expect(error.message.contains("too deep"), "\(error)")
        }
    }

    @Test("10 MB are refused before they are looked at")
    func size() throws {
        // Not even UTF-8: whoever looked would complain of that.
        let error = try #require(throws: YAMLError.self) {
            try parseYAML([UInt8](repeating: 0xFF, count: 10_000_000))
        }
        #expect(error.message == "10000000 bytes are too many; at most 1048576 are read")
    }

    @Test("directives are bounded, because each is compared with all before it")
    func directives() throws {
        #expect(outline(try parseYAML(text("%YAML 1.2\n---\na: b"))) == "{a: b}")
        let tags = (0..<70_000).map { "%TAG !a\($0)! b\n" }.joined()
        let error = try #require(throws: YAMLError.self) {
            try parseYAML(text(tags.prefix(1_000_000) + "---\na: b"))
        }
        #expect(error.position == YAMLPosition(line: 17, column: 1))
        #expect(error.message.contains("too many directives"))
    }

    @Test("more values than the limit are refused")
    func count() throws {
        let limits = YAMLLimits(nodes: 100)
        #expect(throws: Never.self) {
            try parseYAML(text(String(repeating: "- a\n", count: 99)), limits: limits)
        }
        let error = try #require(throws: YAMLError.self) {
            try parseYAML(text(String(repeating: "- a\n", count: 100)), limits: limits)
        }
        #expect(error.position.line == 100)
        #expect(throws: YAMLError.self) { try parseYAML(text("[" + String(repeating: ",a", count: 500_000))) }
    }

    @Test("no prefix of a document and no changed byte of it traps")
    func prefixes() {
        let whole = text(
            "# c\na: {b: [c, \"d\\u00e9\", 'e'], f: >-\n  g\n}\nh:\n  - |\n    i\n  - ? j\n    : k\n")
        for length in 0...whole.count { _ = try? parseYAML(Array(whole[..<length])) }
        for index in whole.indices {
            for byte in [0, 9, 10, 0x22, 0x26, 0x2A, 0x3F, 0x7B, 0x80, 0xFF] as [UInt8] {
                var changed = whole
                changed[index] = byte
                _ = try? parseYAML(changed)
            }
        }
    }
}
