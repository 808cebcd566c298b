import CommandLine

// The verbs that look at past decisions again.
extension Interface {
    private static let since = Option(
        "since", value: "time",
        help: "From this time on: 2026-11-24, 2026-11-24T16:00:00Z, or 36h, 7d ago.")
    private static let until = Option("until", value: "time", help: "Before this time; as --since.")

    static let simulate = Command(
        "simulate", abstract: "Try another policy on past decisions, or on what happened to others.",
        discussion: """
            With --policy alone every decision of the ledger is judged again, each alone: its own change, fleet, \
            approvals and time; those that come out otherwise are listed, with the rules that make the difference. With \
            --incident a shipped incident is played, against the shipped policy of a team like the one that it hit, or \
            against --policy; it exits with 1 where something gets through that was to be stopped.
            """,
        options: [
            Option("policy", value: "file", help: "The policy to try.", completion: .file), since, until,
            Option(
                "incident", value: "name", help: "An incident's name, the path of its file, all, or list.",
                completion: KnownWords.incidents.completion),
            Option(
                "corpus", value: "directory",
                help:
                    "Where the incidents are; else where this program was installed, in share/holdfast/incidents.",
                completion: .directory),
            Option(
                "output", short: "o", value: "format", help: "How to print.", defaultValue: "table",
                completion: .oneOf(["table", "json"])),
            rootOption, state,
        ],
        examples: [
            "holdfast simulate --policy new.yaml --since 90d", "holdfast simulate --incident list",
            "holdfast simulate --incident all --policy /etc/holdfast/policy.yaml",
        ])

    static let replay = Command(
        "replay", abstract: "Prove past decisions: make them again from what is stored with them.",
        discussion: """
            The same rules give the same bytes, in any process: each decision is made again here, and by other processes \
            of this program that read the ledger themselves. Other rules give the same verdict and the same result of \
            every rule, or each difference is named. Exits with 1 where the rules that made a decision do not make it \
            again, and where one cannot be read.
            """,
        arguments: [
            Argument(
                "decision", help: "A decision's id, or the start of one ('holdfast history').",
                isOptional: true, completion: KnownWords.decisions.completion)
        ],
        options: [
            Option("all", help: "Every decision."), since, until,
            Option(
                "processes", value: "number",
                help: "How many other processes make them too; 3 for one id, 1 for more, at most 9."),
            Option("through", value: "entry", help: "Up to this entry of the ledger."),
            Option(
                "digest", help: "Print the digest of what comes out, and nothing else: what the others do."),
            output, rootOption, state,
        ],
        examples: ["holdfast replay 81d2c07e44", "holdfast replay --all --since 30d"])
}
