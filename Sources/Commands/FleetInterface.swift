import CommandLine

// The verbs that go from one release to another, here and in a fleet.
extension Interface {
    private static let distributionOfRollout = Option(
        "distribution", value: "name", help: "Whose rollout, where several are under way.",
        completion: .oneOf(["k3s", "k0s", "microk8s"]))
    private static let recordedReason = Option("reason", value: "text", help: "Why; it is recorded.")
    private static let shownReason = Option("reason", value: "text", help: "Why; it is shown everywhere.")

    static let upgrade = Command(
        "upgrade", abstract: "Go to a release: a canary first, then the rest, one minor at a time.",
        discussion: """
            Plans the way from what the nodes run: the latest patch of a minor before the next one, no minor skipped, \
            and every version that must be passed through. It then begins the rollout of the first step; each node \
            carries it out when its stage has come, and goes back by itself where that is safe and it does not become \
            well. Nothing is touched that the policy wants approved before it is. Give it again for the next step.
            """,
        arguments: [
            Argument(
                "distribution", help: "k3s, k0s or microk8s.", completion: KnownWords.distributions.completion
            ),
            Argument(
                "target", help: "A version, a channel, or a revision of a snap.", isOptional: true,
                completion: KnownWords.versions.completion),
        ],
        options: [
            Option("plan", help: "Show the steps, the order of nodes, and why; begin nothing."),
            Option(
                "from", value: "source",
                help: "A file, a directory or a URL template in place of the policy's source.releases.",
                completion: .file),
            Option("through", value: "versions", help: "Releases to pass through, with commas between."),
            recordedReason, output,
        ] + place,
        examples: [
            "holdfast upgrade k3s v1.32.1+k3s1 --plan", "holdfast upgrade k3s v1.32.1+k3s1",
            "holdfast upgrade microk8s 1.33/stable",
        ])

    static let rollout = Command(
        "rollout", abstract: "Show or change the rollout that is under way.",
        subcommands: [
            Command(
                "status", abstract: "Show how far it is, and who is at it.", options: [output] + place,
                examples: ["holdfast rollout status"]),
            Command(
                "pause", abstract: "Let no node begin until it is resumed.",
                options: [shownReason, distributionOfRollout, output] + place,
                examples: ["holdfast rollout pause --reason 'the canary is slow'"]),
            Command(
                "resume", abstract: "Go on: after a pause, a failure, or a store that went back in time.",
                options: [distributionOfRollout, output] + place, examples: ["holdfast rollout resume"]),
            Command(
                "abort", abstract: "End it: who has begun finishes or goes back, nobody else begins.",
                options: [shownReason, distributionOfRollout, output] + place,
                examples: ["holdfast rollout abort --reason 'CVE in it'"]),
            Command(
                "evict", abstract: "Free the grant of a node that is gone, and wait for it no longer.",
                arguments: [
                    Argument("node", help: "Its name, or its id.", completion: KnownWords.nodes.completion)
                ],
                options: [distributionOfRollout, output] + place, examples: ["holdfast rollout evict edge-7"]),
        ],
        examples: ["holdfast rollout status", "holdfast rollout pause --reason 'the canary is slow'"])

    static let rollback = Command(
        "rollback", abstract: "Go back to what ran well before, as far as that is safe.",
        discussion: """
            Within a minor, and where no cluster state is kept, the old artifact is put back, restarted and watched. \
            Across a minor on a server it is not put back over data that the newer one may have written: the command \
            then says what a person has to do. What is gone back from is kept out until it is approved anew.
            """,
        arguments: [
            Argument(
                "name", help: "The installation, where there are several.", isOptional: true,
                completion: KnownWords.installations.completion)
        ],
        options: [
            recordedReason,
            Option("dry-run", short: "n", help: "Say what would be done, and do nothing."),
        ] + place, examples: ["holdfast rollback --reason 'the CNI does not come up'"])

    static let quarantine = Command(
        "quarantine", abstract: "What failed somewhere, and is begun with nowhere.",
        subcommands: [
            Command(
                "list", abstract: "List it.", options: [output] + place,
                examples: ["holdfast quarantine list"]),
            Command(
                "clear", abstract: "Let an artifact be rolled out again.",
                arguments: [
                    Argument(
                        "bytes", help: "Its digest or revision, or the start of one; or its version.",
                        completion: KnownWords.quarantined.completion)
                ],
                options: [recordedReason] + place,
                examples: ["holdfast quarantine clear 3f9a1c22b0"]),
        ],
        examples: ["holdfast quarantine list", "holdfast quarantine clear 3f9a1c22b0"])

    static let fleet = Command(
        "fleet", abstract: "The nodes that share a store.",
        subcommands: [
            Command(
                "join", abstract: "Print what another node needs to be part of this fleet.", options: place,
                examples: ["holdfast fleet join"]),
            Command(
                "forget", abstract: "Take the record of a node away that is gone for good.",
                arguments: [
                    Argument("node", help: "Its name, or its id.", completion: KnownWords.nodes.completion)
                ], options: place,
                examples: ["holdfast fleet forget edge-7"]),
        ],
        examples: ["holdfast fleet join", "holdfast fleet forget edge-7"])
}
