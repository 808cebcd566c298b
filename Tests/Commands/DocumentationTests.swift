import CommandLine
import FoundationEssentials
import PolicyFile
import Testing

@testable import Commands

/// What is written for people, held against the program.
///
/// A comment before a fenced block says what becomes of it: `run: KIND` types its commands on a node of that kind
/// (`DocumentedNode`), `not run: REASON` only reads them, `policy` and `node` parse a part of such a file.
@Suite("The documentation")
struct DocumentationTests {
    /// Blocks that nobody runs; each says why, and a new one has to be counted here.
    static let notRun = 15

    static let files: [MarkdownFile] = {
        let top = DocumentedNode.repository
        let below = ["Docs", "Policies", "Packaging"].flatMap { folder in
            ((try? FileManager.default.subpathsOfDirectory(atPath: "\(top)/\(folder)")) ?? []).map {
                "\(folder)/\($0)"
            }
        }
        let paths = ["README.md", "CONTRIBUTING.md"] + below.filter { $0.hasSuffix(".md") }.sorted()
        return paths.map { path in
            let text = (try? String(contentsOf: URL(filePath: "\(top)/\(path)"), encoding: .utf8)) ?? ""
            return MarkdownFile(path: path, text: text)
        }
    }()

    static let blocks = files.flatMap(\.blocks)
    static let yaml = blocks.filter { $0.language == "yaml" }
    static let run = blocks.filter { $0.marked("run") != nil }

    @Test("every block says what becomes of it")
    func marks() {
        #expect(Self.files.count > 10 && Self.run.count > 10 && Self.yaml.count > 5)
        #expect(Self.files.flatMap(\.faults) == [])
        for block in Self.blocks {
            if let kind = block.marked("run") {
                #expect(block.isCommands && DocumentedNode.Kind(rawValue: kind) != nil, "\(block.place)")
                #expect(!block.commands.isEmpty, "\(block.place): nothing is typed here")
            } else if block.isCommands {
                #expect(
                    block.marked("not run") != nil,
                    "\(block.place): say <!-- run: KIND --> or <!-- not run: REASON --> before it")
            } else {
                #expect(
                    ["yaml", "text"].contains(block.language), "\(block.place): what is \(block.language)?")
            }
        }
    }

    @Test("every command exits as the document says", arguments: run)
    func runs(_ block: MarkdownFile.Block) throws {
        let kind = try #require(block.marked("run").flatMap(DocumentedNode.Kind.init))
        let node = try DocumentedNode(kind)
        for (command, output) in block.calls {
            let parts = command.split(separator: "# exits with ")
            let expected = parts.count == 2 ? Int32(parts[1].prefix { $0.isNumber }) : 0
            let answer = try node.type(command)
            #expect(
                answer.code == expected,
                "\(block.place): \(command)\nexits with \(answer.code)\n\(answer.output)\(answer.errors)")
            guard output.contains(where: { !$0.isEmpty }) else { continue }
            let (shown, printed) = (RecordedText(output), RecordedText(node.printed(answer.output)))
            #expect(
                shown.fits(printed),
                "\(block.place): \(command)\nprints \(printed.words)\nbut is shown to print \(shown.words)")
        }
    }

    @Test(
        "output that is shown is compared but for ids, digests, times and ages",
        arguments: [
            ("guards  2 in place", true), ("guards  3 in place", false),
            ("guards 2 in place\nand more", false),
            ("change 71803413ed (sha256 9d9c016ea1ef)", true), ("change 71803413ed", false),
            ("checked 2 s ago, at 2026-11-28T10:00:00Z", true), ("checked at 2026-11-28T10:00:00Z", false),
            ("… in place", true), ("guards …", true), ("guards … place", true), ("guards … approved", false),
        ])
    func recorded(_ shown: String, _ fits: Bool) {
        let printed = [
            "guards 2 in place", "change 3f9a1c22b0 (sha256 0123456789ab)",
            "checked 3 h 20 min ago, at 2025-01-02T03:04:05Z",
        ]
        #expect(printed.contains { RecordedText([shown]).fits(RecordedText([$0])) } == fits)
    }

    @Test("blocks that are not run are few, each for a reason, and call nothing that is not there")
    func unrun() {
        let blocks = Self.blocks.filter { $0.marked("not run") != nil }
        for block in blocks { print("not run: \(block.place): \(block.marked("not run") ?? "")") }
        #expect(blocks.count == Self.notRun)
        for block in blocks where block.isCommands {
            for command in block.commands {
                for call in command.split(whereSeparator: { ";|&\n".contains($0) }) {
                    let words = call.drop { $0 == " " }
                    guard words.hasPrefix("holdfast ") else { continue }
                    expectCall(String(words), at: block.place)
                }
            }
        }
    }

    @Test("calls that are quoted between the words are calls")
    func quoted() {
        let quoted = Self.files.flatMap(\.quotedCalls)
        #expect(quoted.count > 30)
        for (place, call) in quoted {
            // Or the name of a group of verbs.
            let words = call.split(separator: " ").map(String.init)
            if Interface.program.find(path: words) == nil { expectCall(call, at: place) }
        }
    }

    private func expectCall(_ text: String, at place: String) {
        let call = text.split(separator: " #").first.map(String.init) ?? text
        let words = call.split(separator: "'", omittingEmptySubsequences: false).enumerated().flatMap {
            $0 % 2 == 1 ? [String($1)] : $1.split(separator: " ").map(String.init)
        }
        if case .failure(let error) = Interface.program.parse(Array(words.dropFirst())) {
            Issue.record("\(place): \(call): \(error.message)")
        }
    }

    @Test("every policy, node file, table of cases and incident is valid", arguments: yaml)
    func parses(_ block: MarkdownFile.Block) {
        let text = block.lines.joined(separator: "\n") + "\n"
        func faults<Value>(_ parsed: ParsedFile<Value>) -> [FileFault] {
            if case .invalid(let faults) = parsed { faults } else { [] }
        }
        func policy(_ text: String) -> [FileFault] {
            faults(parsePolicy(Array(text.utf8), file: block.place, isZone: { _ in true }, hash: digest))
        }
        let version = "apiVersion: holdfast/v1\n"
        switch block.mark {
        case "policy": #expect(policy(version + text) == [])
        case "node": #expect(faults(parseNodeFile(Array(text.utf8), file: block.place)) == [])
        case nil where !text.hasPrefix(version.dropLast()):
            Issue.record("\(block.place): say <!-- policy --> or <!-- node --> before it")
        case nil where text.contains("\ncases:"):
            #expect(faults(parsePolicyCases(Array(text.utf8), file: block.place)) == [])
        case nil where text.contains("\nsteps:"):
            #expect(faults(parseIncident(Array(text.utf8), file: block.place)) == [])
        case nil: #expect(policy(text) == [])
        default: #expect(block.marked("not run") != nil, "\(block.place): \(block.mark ?? "")")
        }
    }

    @Test("every link leads to a file and a heading that are there")
    func links() throws {
        let links = Self.files.flatMap(\.links)
        #expect(links.count > 40)
        for (place, target) in links {
            let path = place.prefix { $0 != ":" }
            let parts = target.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
            var names = parts[0].isEmpty ? [] : path.split(separator: "/").dropLast().map(String.init)
            for name in (parts[0].isEmpty ? String(path) : parts[0]).split(separator: "/") {
                if name == ".." { _ = names.popLast() } else if name != "." { names.append(String(name)) }
            }
            let file = names.joined(separator: "/")
            #expect(
                FileManager.default.fileExists(atPath: "\(DocumentedNode.repository)/\(file)"),
                "\(place): there is no \(file)")
            guard parts.count > 1 else { continue }
            let named = try #require(Self.files.first { $0.path == file }, "\(place): \(target)")
            #expect(named.anchors.contains(parts[1]), "\(place): \(file) has no heading #\(parts[1])")
        }
    }

    @Test("what is not marked, by indentation, or never closed is found")
    func planted() {
        let file = MarkdownFile(
            path: "a.md",
            text: """
                # A word, or `two`
                <!-- run: k3s -->
                ```console
                $ holdfast approve \\
                    3f9a1c22b0
                and what it says
                ```

                ```sh
                # only a comment
                holdfast status   # exits with 1
                ```

                    make deb

                See [it](b.md#c) and `holdfast check`.
                ```yaml
                unattended: patch
                """)
        #expect(file.anchors == ["a-word-or-two"])
        #expect(file.blocks.map(\.mark) == ["run: k3s", nil])
        #expect(file.blocks[0].commands == ["holdfast approve \\\n    3f9a1c22b0"])
        #expect(file.blocks[1].commands == ["holdfast status   # exits with 1"])
        #expect(
            file.faults == [
                "a.md:14: a block by indentation alone; give it a fence",
                "a.md:17: this fence is never closed",
            ])
        #expect(file.links.map(\.target) == ["b.md#c"])
        #expect(file.quotedCalls.map(\.call) == ["holdfast check"])
    }
}
