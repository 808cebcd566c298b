import CommandLine

// The verbs that packages and shells call; people are not told of the last.
extension Interface {
    static let manual = Command(
        "manual", abstract: "Print a page of the manual.",
        arguments: [
            Argument(
                "page", help: "Which: holdfast.1, holdfast-policy.5, holdfast-node.5 or reference.md.",
                completion: KnownWords.pages.completion)
        ],
        examples: ["holdfast manual holdfast.1"])

    static let completions = Command(
        "completions", abstract: "Print the script by which a shell completes what is typed.",
        arguments: [Argument("shell", help: "bash, zsh or fish.", completion: KnownWords.shells.completion)],
        examples: ["holdfast completions bash"])

    static let complete = Command(
        "complete", abstract: "Print what may stand at the end of a command line.",
        arguments: [
            Argument(
                "word", help: "What is typed, the program's name left out.", isOptional: true,
                isRepeating: true)
        ],
        examples: ["holdfast complete -- status --"], isHidden: true)
}
