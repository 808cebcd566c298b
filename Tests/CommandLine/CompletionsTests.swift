import CommandLine
import Testing

private let tool = Command(
    "tool", abstract: "A tool.",
    subcommands: [
        Command(
            "show", abstract: "Show a thing.",
            arguments: [
                Argument("thing", help: "What.", completion: .asked("things")),
                Argument("file", help: "Which.", isRepeating: true, completion: .file),
            ],
            options: [
                Option(
                    "output", short: "o", value: "format", help: "How.", completion: .oneOf(["text", "json"])),
                Option("into", value: "directory", help: "Where to.", completion: .directory),
                Option("all", help: "Everything."),
            ]),
        Command("group", abstract: "A group.", subcommands: [Command("copy", abstract: "Copy.")]),
        Command("inner", abstract: "For programs.", isHidden: true),
    ])

@Suite("Completions")
struct CompletionsTests {
    private func words(_ typed: String...) -> [String] { tool.completions(of: typed).words.map(\.text) }

    @Test("offer the commands that people are told of, each with what it does")
    func commands() {
        #expect(
            tool.completions(of: [""]).words == [
                Completions.Word("show", help: "Show a thing."), Completions.Word("group", help: "A group."),
            ])
        #expect(words("group", "") == ["copy"])
        #expect(words() == ["show", "group"])
    }

    @Test("offer the options that were not given yet")
    func options() {
        #expect(words("show", "-") == ["--output", "--into", "--all", "--help"])
        #expect(words("show", "--all", "-o", "json", "--") == ["--into", "--help"])
        #expect(words("--") == ["--help", "--version"])
        #expect(words("group", "copy", "") == ["--help"], "a command without arguments has options alone")
    }

    @Test("offer the values of an option, typed behind it or behind an equals sign")
    func values() {
        #expect(words("show", "--output", "") == ["text", "json"])
        #expect(words("show", "-o", "j") == ["text", "json"])
        let behind = tool.completions(of: ["show", "--output=j"])
        #expect(behind.words.map(\.text) == ["text", "json"] && behind.prefix == "--output=")
        #expect(tool.completions(of: ["show", "--into", ""]).files == .directories)
        #expect(tool.completions(of: ["show", "--nothing=", ""]).asked == "things")
        #expect(tool.completions(of: ["show", "--nothing="]) == Completions())
    }

    @Test("offer what stands in an argument's place, the last one of many again and again")
    func arguments() {
        #expect(tool.completions(of: ["show", ""]).asked == "things")
        #expect(tool.completions(of: ["show", "--output", "json", "x", ""]).files == .files)
        #expect(tool.completions(of: ["show", "x", "a", "b", ""]).files == .files)
        #expect(tool.completions(of: ["show", "--", "-"]).asked == "things", "after -- nothing is an option")
    }
}
