/// A section of a man page that no option table holds: files, exit codes, what else to read.
public struct ManSection: Hashable, Sendable {
    /// What is listed, with what is said of it.
    public struct Entry: Hashable, Sendable {
        /// As it is typed or named.
        public var term: String
        /// In sentences.
        public var text: String

        /// Makes an entry.
        public init(_ term: String, _ text: String) {
            self.term = term
            self.text = text
        }
    }

    /// As it is shown: `EXIT STATUS`.
    public var title: String
    /// Paragraphs before the entries.
    public var paragraphs: [String]
    /// Lines behind the paragraphs that are shown as they are.
    public var lines: [String]
    /// In the order in which they are listed.
    public var entries: [Entry]

    /// Makes a section.
    public init(
        _ title: String, paragraphs: [String] = [], lines: [String] = [], entries: [Entry] = []
    ) {
        self.title = title
        self.paragraphs = paragraphs
        self.lines = lines
        self.entries = entries
    }
}

/// A page in the man(7) macros, which groff and mandoc both read.
public struct ManPage {
    private var text: String

    /// Begins a page.
    ///
    /// - Parameters:
    ///   - section: of the manual: 1 for commands, 5 for files.
    ///   - source: whose page it is, with its version.
    public init(_ name: String, section: Int, source: String, abstract: String) {
        text = ".TH \(roff(name.uppercased())) \(section) \"\" \"\(roff(source))\"\n"
        heading("NAME")
        text += "\(roff(name)) \\- \(roff(plain(abstract)))\n"
    }

    /// The page.
    public var content: String { text }

    mutating func heading(_ title: String) { text += ".SH \(roff(title))\n" }
    mutating func subheading(_ title: String) { text += ".SS \(roff(title))\n" }

    mutating func paragraph(_ words: String) {
        guard !words.isEmpty else { return }
        text += paragraphBreak + line(words)
    }

    mutating func entry(_ term: String, _ words: String) {
        text += ".TP\n.B \(roff(term))\n" + line(words)
    }

    mutating func example(_ lines: [String]) {
        guard !lines.isEmpty else { return }
        text += paragraphBreak + ".nf\n" + lines.map { ".RS 4\n" + line($0) + ".RE\n" }.joined() + ".fi\n"
    }

    /// Appends a section.
    public mutating func add(_ section: ManSection) {
        heading(section.title)
        for words in section.paragraphs { paragraph(words) }
        example(section.lines)
        for item in section.entries { entry(item.term, item.text) }
    }

    /// A heading begins a paragraph already.
    private var paragraphBreak: String {
        let last = text.split(separator: "\n").last ?? ""
        return last.hasPrefix(".SH ") || last.hasPrefix(".SS ") ? "" : ".PP\n"
    }

    private func line(_ words: String) -> String {
        let lines = words.split(separator: "\n", omittingEmptySubsequences: true).map { roff(String($0)) }
        // A line that begins with a dot or a quote would be taken for a request.
        return (lines.isEmpty ? [""] : lines).map { line in
            line.hasPrefix(".") || line.hasPrefix("'") ? "\\&\(line)\n" : "\(line)\n"
        }.joined()
    }
}

extension Command {
    /// The page of a program: every command with its options, from the same table that parses them.
    public func manPage(source: String, sections: [ManSection]) -> String {
        var page = ManPage(name, section: 1, source: source, abstract: abstract)
        page.heading("SYNOPSIS")
        page.paragraph("\(name) COMMAND [OPTION]... [ARGUMENT]...")
        page.heading("DESCRIPTION")
        page.paragraph(discussion)
        page.heading("COMMANDS")
        for command in shownSubcommands { command.describe(in: &page, path: [name]) }
        page.heading("OPTIONS OF EVERY COMMAND")
        page.entry("-h, --help", "Show help information.")
        page.entry("--version", "Show the version; before any command.")
        for section in sections { page.add(section) }
        return page.content
    }

    private func describe(in page: inout ManPage, path: [String]) {
        let path = path + [name]
        guard subcommands.isEmpty else {
            for command in shownSubcommands { command.describe(in: &page, path: path) }
            return
        }
        page.subheading(path.dropFirst().joined(separator: " "))
        page.paragraph(abstract)
        page.paragraph(discussion)
        page.paragraph(synopsis(path: path))
        for argument in arguments { page.entry("<\(argument.name)>", argument.help) }
        for (term, help) in optionRows(isRoot: false) where term != "-h, --help" { page.entry(term, help) }
        page.example(examples)
    }
}

/// Text as roff takes it literally.
private func roff(_ text: String) -> String {
    var result = ""
    for character in text {
        switch character {
        case "\\": result += "\\(rs"
        case "-": result += "\\-"
        case "\"": result += "\\(dq"
        case "'": result += "\\(aq"
        case "`": result += "\\(ga"
        case "^": result += "\\(ha"
        case "~": result += "\\(ti"
        default: result.append(character)
        }
    }
    return result
}

/// Without the full stop, as `whatis` lists it.
private func plain(_ abstract: String) -> String {
    abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract
}
