import CommandLine
import Testing

private let tool = Command(
    "tool", abstract: "A tool.",
    subcommands: [
        Command(
            "show", abstract: "Show a thing.",
            arguments: [Argument("thing", help: "What to show.", isOptional: true)],
            options: [
                Option(
                    "output", short: "o", value: "format", help: "How.", completion: .oneOf(["text", "json"])),
                Option("all", short: "a", help: "Everything."),
                Option("brief", short: "b", help: "Less."),
            ]),
        Command(
            "group", abstract: "A group.",
            subcommands: [
                Command(
                    "copy", abstract: "Copy.",
                    arguments: [
                        Argument("target", help: "Where to."),
                        Argument("file", help: "What.", isRepeating: true),
                    ])
            ]),
    ])

private struct Understood: Sendable, CustomTestStringConvertible {
    let words: [String]
    var path: [String] = ["tool", "show"]
    var flags: Set<String> = []
    var values: [String: String] = [:]
    var arguments: [String: [String]] = [:]
    var testDescription: String { words.joined(separator: " ") }
}

private struct Refused: Sendable, CustomTestStringConvertible {
    let words: [String]
    let message: String
    var testDescription: String { words.joined(separator: " ") }
}

@Suite("The parser")
struct ParserTests {
    @Test(
        "understands what users of other tools type",
        arguments: [
            Understood(words: ["show"]),
            Understood(words: ["show", "it"], arguments: ["thing": ["it"]]),
            Understood(words: ["show", "--output", "json"], values: ["output": "json"]),
            Understood(words: ["show", "--output=json"], values: ["output": "json"]),
            Understood(words: ["show", "-o", "json"], values: ["output": "json"]),
            Understood(words: ["show", "-ojson"], values: ["output": "json"]),
            Understood(words: ["show", "-ab"], flags: ["all", "brief"]),
            // A value may follow the last of bundled flags.
            Understood(
                words: ["show", "-abo", "json"], flags: ["all", "brief"], values: ["output": "json"]),
            // After -- nothing is an option.
            Understood(words: ["show", "--", "--all"], arguments: ["thing": ["--all"]]),
            // A lone dash is a value: standard input by custom.
            Understood(words: ["show", "-"], arguments: ["thing": ["-"]]),
            Understood(
                words: ["group", "copy", "there", "a", "b"], path: ["tool", "group", "copy"],
                arguments: ["target": ["there"], "file": ["a", "b"]]),
        ])
    private func understands(row: Understood) {
        let expected = Invocation(
            path: row.path, flags: row.flags, values: row.values, arguments: row.arguments)
        #expect(tool.parse(row.words) == .run(expected))
    }

    @Test(
        "refuses with what is wrong and what was probably meant",
        arguments: [
            Refused(words: ["shwo"], message: "Unknown command 'shwo'. Did you mean 'show'?"),
            Refused(
                words: ["show", "--outptu=json"],
                message: "Unknown option '--outptu'. Did you mean '--output'?"),
            Refused(words: ["show", "--zzz"], message: "Unknown option '--zzz'"),
            Refused(words: ["show", "-x"], message: "Unknown option '-x'"),
            Refused(words: ["show", "--output"], message: "Missing value for '--output <format>'"),
            // The next option is not taken for a value.
            Refused(words: ["show", "--output", "--all"], message: "Missing value for '--output <format>'"),
            Refused(words: ["show", "--all=yes"], message: "The option '--all' takes no value"),
            Refused(words: ["show", "-o", "json", "-o", "text"], message: "'-o' is given twice"),
            Refused(
                words: ["show", "-o", "jsn"],
                message: "The value 'jsn' is invalid for '-o <format>'. It must be one of text, json. "
                    + "Did you mean 'json'?"),
            Refused(words: ["show", "a", "b"], message: "Unexpected argument 'b'"),
            Refused(words: ["group"], message: "Missing command: one of copy"),
            Refused(words: ["group", "copy"], message: "Missing expected argument '<target>'"),
            Refused(words: ["group", "copy", "there"], message: "Missing expected argument '<file>'"),
            // Nothing of the command line reaches a terminal as an escape.
            Refused(words: ["\u{1b}[2J"], message: "Unknown command '?[2J'"),
        ])
    private func refuses(row: Refused) {
        guard case .failure(let error) = tool.parse(row.words) else {
            Issue.record("understood \(row.words)")
            return
        }
        #expect(error.message == row.message)
    }

    @Test("answers --help at each level and --version at the top only")
    func help() {
        #expect(tool.parse([]) == .help(path: ["tool"]))
        #expect(tool.parse(["--help"]) == .help(path: ["tool"]))
        #expect(tool.parse(["group", "copy", "-h"]) == .help(path: ["tool", "group", "copy"]))
        #expect(tool.parse(["help", "show"]) == .help(path: ["tool", "show"]))
        #expect(tool.parse(["--version"]) == .version)
        guard case .failure = tool.parse(["show", "--version"]) else {
            Issue.record("--version is an option of the program, not of its commands")
            return
        }
    }

    @Test("help names every option, argument and command of the table")
    func helpIsComplete() {
        let text = tool.help(path: ["tool", "show"])
        for part in [
            "USAGE: tool show", "<thing>", "-o, --output <format>", "values: text, json", "--all",
            "-h, --help",
        ] {
            #expect(text.contains(part), "missing: \(part)")
        }
        #expect(tool.help(path: ["tool"]).contains("SUBCOMMANDS:"))
        #expect(
            tool.help(path: ["tool", "show"], width: 60).split(separator: "\n").allSatisfy { $0.count <= 100 }
        )
    }
}
