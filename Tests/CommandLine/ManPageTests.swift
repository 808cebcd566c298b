import CommandLine
import Testing

private let tool = Command(
    "tool", abstract: "Do a thing.", discussion: "It's \"the\" tool.\n.hidden request",
    subcommands: [
        Command(
            "show", abstract: "Show a thing.",
            arguments: [Argument("thing", help: "What to show, such as C:\\x.")],
            options: [
                Option(
                    "output", short: "o", value: "format", help: "How.", defaultValue: "text",
                    completion: .oneOf(["text", "json"]))
            ], examples: ["tool show it --output json"]),
        Command("group", abstract: "A group.", subcommands: [Command("copy", abstract: "Copy.")]),
        Command("inner", abstract: "For programs.", isHidden: true),
    ])

@Suite("A man page")
struct ManPageTests {
    private let lines = tool.manPage(
        source: "tool 1.0",
        sections: [
            ManSection("EXIT STATUS", entries: [ManSection.Entry("0", "Done.")]),
            ManSection("FILES", paragraphs: ["None."]),
        ]
    ).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)

    @Test("names the program, and every command that people are told of with its options and examples")
    func whole() {
        #expect(lines.first == ".TH TOOL 1 \"\" \"tool 1.0\"")
        #expect(lines[1...2] == [".SH NAME", "tool \\- Do a thing"])
        #expect(lines.filter { $0.hasPrefix(".SS") } == [".SS show", ".SS group copy"])
        for line in [
            "tool show [\\-\\-output <format>] <thing>", ".B \\-o, \\-\\-output <format>",
            "How. (values: text, json) (default: text)", "tool show it \\-\\-output json", ".SH EXIT STATUS",
            ".B 0", ".SH FILES",
        ] { #expect(lines.contains(line), "missing: \(line)") }
        #expect(!lines.contains { $0.contains("inner") || $0.contains("For programs") })
    }

    @Test("takes no text for a request of roff")
    func escaped() {
        #expect(lines.contains("It\\(aqs \\(dqthe\\(dq tool."))
        #expect(lines.contains("\\&.hidden request"))
        #expect(lines.contains("What to show, such as C:\\(rsx."))
        let requests: Set<String> = [".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".nf", ".fi", ".RS", ".RE"]
        for line in lines where line.hasPrefix(".") {
            #expect(requests.contains(String(line.split(separator: " ")[0])), "\(line)")
        }
    }
}
