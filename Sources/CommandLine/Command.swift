/// A command as a table: what the parser, `--help`, completions and man pages are made from.
public struct Command: Hashable, Sendable {
    /// As it is typed.
    public var name: String
    /// One sentence: what it does.
    public var abstract: String
    /// More than one sentence, for `--help`; empty where there is no more to say.
    public var discussion: String
    /// In the order in which they are typed.
    public var arguments: [Argument]
    /// In the order in which help lists them.
    public var options: [Option]
    /// Where there are any, one of them has to be named.
    public var subcommands: [Command]
    /// Whole command lines that a reader can try.
    public var examples: [String]
    /// Whether it is for programs alone: help, completions and man pages leave it out.
    public var isHidden: Bool

    /// Makes a command.
    public init(
        _ name: String, abstract: String, discussion: String = "", arguments: [Argument] = [],
        options: [Option] = [], subcommands: [Command] = [], examples: [String] = [], isHidden: Bool = false
    ) {
        self.name = name
        self.abstract = abstract
        self.discussion = discussion
        self.arguments = arguments
        self.options = options
        self.subcommands = subcommands
        self.examples = examples
        self.isHidden = isHidden
    }

    /// The subcommands that people are told of.
    var shownSubcommands: [Command] { subcommands.filter { !$0.isHidden } }
}

/// A value that is known by its place.
public struct Argument: Hashable, Sendable {
    /// What stands for it in help texts; by it the value is asked for.
    public var name: String
    /// What it is for, in a sentence.
    public var help: String
    /// Whether it may be left out.
    public var isOptional: Bool
    /// Whether it takes all values that are left.
    public var isRepeating: Bool
    /// What a shell offers for it.
    public var completion: Completion

    /// Makes an argument.
    public init(
        _ name: String, help: String, isOptional: Bool = false, isRepeating: Bool = false,
        completion: Completion = .none
    ) {
        self.name = name
        self.help = help
        self.isOptional = isOptional
        self.isRepeating = isRepeating
        self.completion = completion
    }
}

/// A value that is known by its name, or a flag.
public struct Option: Hashable, Sendable {
    /// Without the dashes: `output`.
    public var name: String
    /// The letter behind a single dash; nil where there is none.
    public var short: Character?
    /// What stands for the value in help texts; nil makes the option a flag.
    public var value: String?
    /// What it is for, in a sentence.
    public var help: String
    /// Said in help texts.
    public var defaultValue: String?
    /// What a shell offers for its value.
    public var completion: Completion

    /// Makes an option.
    public init(
        _ name: String, short: Character? = nil, value: String? = nil, help: String,
        defaultValue: String? = nil,
        completion: Completion = .none
    ) {
        self.name = name
        self.short = short
        self.value = value
        self.help = help
        self.defaultValue = defaultValue
        self.completion = completion
    }
}

/// What a shell may offer for a value.
public enum Completion: Hashable, Sendable {
    case none
    case file
    case directory
    /// One of these; anything else is a usage error.
    case oneOf([String])
    /// What the program itself answers when it is asked for words of this kind, such as `changes`.
    case asked(String)
}
