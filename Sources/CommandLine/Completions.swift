/// What may stand at the end of a command line that is being typed.
public struct Completions: Hashable, Sendable {
    /// One word that may stand there.
    public struct Word: Hashable, Sendable {
        /// As it is to be typed.
        public var text: String
        /// What it is for; empty where nothing is known to say.
        public var help: String

        /// Makes a word.
        public init(_ text: String, help: String = "") {
            self.text = text
            self.help = help
        }
    }

    /// Names of files or directories, which the shell knows best.
    public enum Files: String, Hashable, Sendable {
        case files, directories
    }

    /// Words that are known, not yet narrowed down to what has been typed.
    public var words: [Word] = []
    /// Whether files are wanted; nil where not.
    public var files: Files?
    /// What the program has to be asked for, as `Completion.asked` names it; nil where there is nothing.
    public var asked: String?
    /// What stands before the part that is completed: `--output=` where the value is typed behind the equals sign.
    public var prefix = ""

    /// Nothing.
    public init() {}
}

extension Command {
    /// What may stand at the end of a command line.
    ///
    /// - Parameter words: those after the program's name; the last one is being typed, and may be empty.
    public func completions(of words: [String]) -> Completions {
        var walk = CompletionWalk(command: self)
        for word in words.dropLast() { walk.take(word) }
        return walk.completions(of: words.last ?? "", isRoot: walk.command == self)
    }
}

/// The words before the one that is being typed.
private struct CompletionWalk {
    var command: Command
    private var optionsEnded = false
    /// The option whose value comes next.
    private var pending: Option?
    /// How many arguments there are already.
    private var position = 0
    private var given: Set<String> = []

    init(command: Command) { self.command = command }

    mutating func take(_ word: String) {
        if pending != nil {
            pending = nil
        } else if !optionsEnded, word == "--" {
            optionsEnded = true
        } else if !optionsEnded, word.hasPrefix("-"), word != "-" {
            takeOption(word)
        } else if let next = command.subcommands.first(where: { $0.name == word }) {
            command = next
            given = []
        } else {
            position += 1
        }
    }

    private mutating func takeOption(_ word: String) {
        let name = word.split(separator: "=", omittingEmptySubsequences: false).first ?? ""
        let option = command.options.first { option in
            word.hasPrefix("--") ? "--\(option.name)" == name : option.short.map { "-\($0)" == word } ?? false
        }
        guard let option else { return }
        given.insert(option.name)
        if option.value != nil, !word.contains("=") { pending = option }
    }

    func completions(of word: String, isRoot: Bool) -> Completions {
        if let pending { return completions(pending.completion) }
        if !optionsEnded, word.hasPrefix("--"), let equals = word.firstIndex(of: "=") {
            let name = word[..<equals].dropFirst(2)
            guard let option = command.options.first(where: { $0.name == name && $0.value != nil }) else {
                return Completions()
            }
            var values = completions(option.completion)
            values.prefix = String(word[...equals])
            return values
        }
        if !optionsEnded, word.hasPrefix("-") { return options(isRoot: isRoot) }
        guard command.subcommands.isEmpty else {
            var words = Completions()
            words.words = command.shownSubcommands.map { Completions.Word($0.name, help: $0.abstract) }
            return words
        }
        let arguments = command.arguments
        if position < arguments.count { return completions(arguments[position].completion) }
        if let last = arguments.last, last.isRepeating { return completions(last.completion) }
        return options(isRoot: isRoot)
    }

    private func options(isRoot: Bool) -> Completions {
        var words = Completions()
        words.words = command.options.filter { !given.contains($0.name) }.map {
            Completions.Word("--\($0.name)", help: $0.help)
        }
        words.words.append(Completions.Word("--help", help: "Show help information."))
        if isRoot { words.words.append(Completions.Word("--version", help: "Show the version.")) }
        return words
    }

    private func completions(_ completion: Completion) -> Completions {
        var result = Completions()
        switch completion {
        case .none: break
        case .file: result.files = .files
        case .directory: result.files = .directories
        case .oneOf(let choices): result.words = choices.map { Completions.Word($0) }
        case .asked(let kind): result.asked = kind
        }
        return result
    }
}
