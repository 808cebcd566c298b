extension Command {
    /// The text of `--help` for the command at a path.
    ///
    /// - Parameter width: columns to fold at.
    public func help(path: [String], width: Int = 80) -> String {
        guard let command = find(path: path) else { return usageLine(path: [name]) + "\n" }
        var text = fold("OVERVIEW: \(command.abstract)", indent: 0, width: width)
        if !command.discussion.isEmpty { text += "\n" + fold(command.discussion, indent: 0, width: width) }
        text += "\n" + usageLine(path: path, width: width) + "\n"
        let sections: [(title: String, rows: [(String, String)])] = [
            ("ARGUMENTS", command.arguments.map { ("<\($0.name)>", $0.help) }),
            ("OPTIONS", command.optionRows(isRoot: path.count == 1)),
            ("SUBCOMMANDS", command.shownSubcommands.map { ($0.name, $0.abstract) }),
        ]
        for section in sections where !section.rows.isEmpty {
            text += "\n\(section.title):\n" + rows(section.rows, width: width)
        }
        if !command.examples.isEmpty {
            text += "\nEXAMPLES:\n" + command.examples.map { "  \($0)\n" }.joined()
        }
        if !command.subcommands.isEmpty {
            text +=
                "\n"
                + fold(
                    "See '\(path.joined(separator: " ")) <subcommand> --help' for detailed help.", indent: 2,
                    width: width)
        }
        return text
    }

    /// `USAGE: holdfast check [--dry-run] …` for the command at a path.
    ///
    /// - Parameter width: columns to fold at; nil leaves it on one line.
    public func usageLine(path: [String], width: Int? = nil) -> String {
        let words = find(path: path)?.synopsisWords(path: path) ?? [name, "<subcommand>"]
        let start = "USAGE: "
        guard let width else { return start + words.joined(separator: " ") }
        let lines = folded(words, width: width - start.count)
        return start + lines.joined(separator: "\n" + indent(start.count))
    }

    /// The command as it is typed, where it stands at a path.
    func synopsis(path: [String]) -> String { synopsisWords(path: path).joined(separator: " ") }

    /// The same, in parts that belong on one line.
    private func synopsisWords(path: [String]) -> [String] {
        var words = path
        for option in options {
            words.append(option.value.map { "[--\(option.name) <\($0)>]" } ?? "[--\(option.name)]")
        }
        for argument in arguments {
            let shown = "<\(argument.name)>" + (argument.isRepeating ? " ..." : "")
            words.append(argument.isOptional ? "[\(shown)]" : shown)
        }
        if !subcommands.isEmpty { words.append("<subcommand>") }
        return words
    }

    func optionRows(isRoot: Bool) -> [(String, String)] {
        var rows = options.map { option in
            let short = option.short.map { "-\($0), " } ?? ""
            let value = option.value.map { " <\($0)>" } ?? ""
            var help = option.help
            if case .oneOf(let choices) = option.completion {
                help += " (values: \(choices.joined(separator: ", ")))"
            }
            if let defaultValue = option.defaultValue { help += " (default: \(defaultValue))" }
            return ("\(short)--\(option.name)\(value)", help)
        }
        if isRoot { rows.append(("--version", "Show the version.")) }
        rows.append(("-h, --help", "Show help information."))
        return rows
    }
}

private let helpColumn = 26

private func rows(_ rows: [(String, String)], width: Int) -> String {
    // In a narrow terminal the help stands below the names.
    let helpColumn = width - helpColumn < 20 ? 6 : helpColumn
    return rows.map { name, help in
        let lines = folded(help, width: width - helpColumn)
        let first = "  " + name
        let pad = helpColumn - first.count
        // A name that reaches into the help's column gets a line of its own.
        let head = pad > 0 ? first + String(repeating: " ", count: pad) : first + "\n" + indent(helpColumn)
        return head + lines.joined(separator: "\n" + indent(helpColumn)) + "\n"
    }.joined()
}

private func fold(_ text: String, indent columns: Int, width: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
        .flatMap { folded(String($0), width: width - columns) }
        .map { indent(columns) + $0 + "\n" }.joined()
}

private func folded(_ text: String, width: Int) -> [String] {
    folded(text.split(separator: " ").map(String.init), width: width)
}

private func folded(_ words: [String], width: Int) -> [String] {
    var lines: [String] = [""]
    for word in words {
        let last = lines[lines.count - 1]
        if last.isEmpty {
            lines[lines.count - 1] = word
        } else if last.count + 1 + word.count <= width {
            lines[lines.count - 1] += " " + word
        } else {
            lines.append(word)
        }
    }
    return lines
}

private func indent(_ columns: Int) -> String { String(repeating: " ", count: columns) }
