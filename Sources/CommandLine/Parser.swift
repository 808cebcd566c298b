/// A command line that was understood.
public struct Invocation: Hashable, Sendable {
    /// The names of the command and its subcommands, the program's own first.
    public var path: [String]
    /// The options without a value that were given, by long name.
    public var flags: Set<String>
    /// By long name, the defaults not filled in.
    public var values: [String: String]
    /// By argument name; only a repeating one has more than one value.
    public var arguments: [String: [String]]

    /// Makes an invocation.
    public init(path: [String], flags: Set<String>, values: [String: String], arguments: [String: [String]]) {
        self.path = path
        self.flags = flags
        self.values = values
        self.arguments = arguments
    }

    /// Whether a flag was given.
    public func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// The value of an option or of a single argument.
    public func value(_ name: String) -> String? { values[name] ?? arguments[name]?.first }
}

/// What a command line asks for.
public enum ParseResult: Hashable, Sendable {
    case run(Invocation)
    /// `--help` of the command with that path.
    case help(path: [String])
    case version
    case failure(UsageError)
}

/// A command line that was not understood.
public struct UsageError: Error, Hashable, Sendable {
    /// One line, with what was probably meant.
    public var message: String
    /// The command whose usage helps.
    public var path: [String]
}

extension Command {
    /// Reads the words after the program's name.
    ///
    /// Follows swift-argument-parser: `--name value`, `--name=value`, bundled short flags, `--` ends the options,
    /// `-h` and `--help` anywhere, `--version` at the top.
    public func parse(_ words: [String]) -> ParseResult {
        var parse = Parse(root: self)
        return parse.run(words)
    }

    /// The command at a path that starts with this command's own name.
    public func find(path: [String]) -> Command? {
        guard path.first == name else { return nil }
        guard path.count > 1 else { return self }
        return subcommands.first { $0.name == path[1] }?.find(path: Array(path.dropFirst()))
    }
}

/// One run over the words.
private struct Parse {
    let root: Command
    var command: Command
    var path: [String]
    var invocation: Invocation
    var positional: [String] = []

    init(root: Command) {
        self.root = root
        command = root
        path = [root.name]
        invocation = Invocation(path: [root.name], flags: [], values: [:], arguments: [:])
    }

    mutating func run(_ words: [String]) -> ParseResult {
        var rest = words[...]
        var optionsEnded = false
        while let word = rest.popFirst() {
            if optionsEnded {
                positional.append(word)
            } else if word == "--" {
                optionsEnded = true
            } else if word == "--help" || word == "-h" {
                return .help(path: path)
            } else if word == "--version", path.count == 1, positional.isEmpty {
                return .version
            } else if word.hasPrefix("--") {
                if let error = takeLong(word.dropFirst(2), &rest) { return .failure(error) }
            } else if word.hasPrefix("-"), word != "-" {
                if let error = takeShort(word.dropFirst(), &rest) { return .failure(error) }
            } else if !command.subcommands.isEmpty {
                guard let next = command.subcommands.first(where: { $0.name == word }) else {
                    if word == "help", path.count == 1 { return help(for: Array(rest)) }
                    return .failure(
                        usage(
                            "Unknown command '\(printable(word))'"
                                + suggestion(word, among: command.subcommands.map(\.name))))
                }
                command = next
                path.append(next.name)
            } else {
                positional.append(word)
            }
        }
        return finish()
    }

    private func help(for words: [String]) -> ParseResult {
        let wanted = [root.name] + words
        guard root.find(path: wanted) != nil else {
            return .failure(usage("Unknown command '\(printable(words.joined(separator: " ")))'"))
        }
        return .help(path: wanted)
    }

    private mutating func takeLong(_ text: Substring, _ rest: inout ArraySlice<String>) -> UsageError? {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = command.options.first(where: { $0.name == name }) else {
            let names = command.options.map { "--\($0.name)" } + ["--help"]
            return usage("Unknown option '--\(printable(name))'" + suggestion("--\(name)", among: names))
        }
        return take(option, shown: "--\(name)", inline: parts.count == 2 ? String(parts[1]) : nil, &rest)
    }

    private mutating func takeShort(_ text: Substring, _ rest: inout ArraySlice<String>) -> UsageError? {
        var letters = text
        while let letter = letters.popFirst() {
            guard let option = command.options.first(where: { $0.short == letter }) else {
                return usage("Unknown option '-\(printable(String(letter)))'")
            }
            if option.value == nil {
                if let error = take(option, shown: "-\(letter)", inline: nil, &rest) { return error }
            } else {
                // What follows in the same word is the value: -o json, -ojson, -o=json.
                let inline =
                    letters.isEmpty ? nil : String(letters.first == "=" ? letters.dropFirst() : letters)
                return take(option, shown: "-\(letter)", inline: inline, &rest)
            }
        }
        return nil
    }

    private mutating func take(
        _ option: Option, shown: String, inline: String?, _ rest: inout ArraySlice<String>
    ) -> UsageError? {
        guard let placeholder = option.value else {
            guard inline == nil else { return usage("The option '\(shown)' takes no value") }
            invocation.flags.insert(option.name)
            return nil
        }
        guard invocation.values[option.name] == nil else { return usage("'\(shown)' is given twice") }
        guard
            let value = inline
                ?? (rest.first.map { $0.hasPrefix("-") && $0 != "-" } == false ? rest.popFirst() : nil)
        else { return usage("Missing value for '\(shown) <\(placeholder)>'") }
        if let error = check(value, option.completion, named: "\(shown) <\(placeholder)>") { return error }
        invocation.values[option.name] = value
        return nil
    }

    private func check(_ value: String, _ completion: Completion, named name: String) -> UsageError? {
        guard case .oneOf(let choices) = completion, !choices.contains(value) else { return nil }
        return usage(
            "The value '\(printable(value))' is invalid for '\(name)'. It must be one of "
                + choices.joined(separator: ", ") + suggestion(value, among: choices))
    }

    private mutating func finish() -> ParseResult {
        if !command.subcommands.isEmpty {
            // The program alone is a question for help; a group of commands needs one of them.
            return path.count == 1 && invocation.flags.isEmpty && invocation.values.isEmpty
                ? .help(path: path)
                : .failure(
                    usage(
                        "Missing command: one of " + command.subcommands.map(\.name).joined(separator: ", ")))
        }
        var left = positional[...]
        for argument in command.arguments {
            if argument.isRepeating {
                if left.isEmpty, !argument.isOptional { return missing(argument) }
                invocation.arguments[argument.name] = Array(left)
                left = []
            } else if let value = left.popFirst() {
                if let error = check(value, argument.completion, named: "<\(argument.name)>") {
                    return .failure(error)
                }
                invocation.arguments[argument.name] = [value]
            } else if !argument.isOptional {
                return missing(argument)
            }
        }
        if let extra = left.first { return .failure(usage("Unexpected argument '\(printable(extra))'")) }
        invocation.path = path
        return .run(invocation)
    }

    private func missing(_ argument: Argument) -> ParseResult {
        .failure(usage("Missing expected argument '<\(argument.name)>'"))
    }

    private func usage(_ message: String) -> UsageError { UsageError(message: message, path: path) }
}

/// A word of the command line without what could move a terminal's cursor or hide other text, and not too long to read.
private func printable(_ word: String) -> String {
    let hidden: Set<Unicode.GeneralCategory> = [.control, .format, .lineSeparator, .paragraphSeparator]
    let shown = String(
        String.UnicodeScalarView(
            word.unicodeScalars.prefix(80).map { hidden.contains($0.properties.generalCategory) ? "?" : $0 }))
    return word.unicodeScalars.count > 80 ? shown + "…" : shown
}

private func suggestion(_ word: String, among known: [String]) -> String {
    nearest(to: word, among: known).map { ". Did you mean '\($0)'?" } ?? ""
}
