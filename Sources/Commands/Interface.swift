import CommandLine
import PolicyFile

/// The whole command line as a table.
///
/// A verb that is listed here has a file of its own in this module, and a case in `run`.
enum Interface {
    static let program = Command(
        "holdfast",
        abstract: "Keep K3s, MicroK8s and k0s at the versions that their owners chose.",
        discussion: """
            Holdfast looks at what is installed and what runs on this node, judges every change by the policy in \
            /etc/holdfast/policy.yaml, and records each decision.
            """,
        subcommands: [
            initialise, check, status, explain, approve, deny, revoke, adopt, release, pause, resume, upgrade,
            rollout,
            rollback,
            quarantine, fleet, step, history, verify, merge, replay, simulate,
            policy,
            catalog, doctor, manual, completions, complete,
        ],
        examples: ["holdfast check", "holdfast status", "holdfast policy lint"])

    private static let initialise = Command(
        "init", abstract: "Write a first policy, by asking what this node is part of.",
        discussion: """
            Asks on a terminal what is not given by an option, writes the policy, and shows what it would say on this \
            node of changes that may come and of those that came before. A policy that is there already is left alone \
            unless --replace is given, which keeps it beside the new one.
            """,
        options: [
            Option(
                "team", value: "kind", help: "What the node is part of.",
                completion: .oneOf(PolicyOutline.Team.allCases.map(\.rawValue))),
            Option(
                "timezone", value: "zone", help: "The zone of windows; the machine's without it.",
                completion: KnownWords.zones.completion),
            Option("canary", value: "node", help: "The node that goes first; this one without it."),
            Option("observe", help: "Tell what is not allowed, rather than keep it out."),
            Option("replace", help: "Write a new policy where there is one."),
            Option("dry-run", short: "n", help: "Show the policy and what it would do; write nothing."),
        ] + place,
        examples: ["holdfast init", "holdfast init --team small-team --canary app-1 --dry-run"])

    private static let check = Command(
        "check", abstract: "Look at this node once, decide, and record what is new.",
        discussion: "This is what the timer runs. Without --dry-run it needs to be root.",
        options: [
            Option("dry-run", short: "n", help: "Decide, but record and tell nothing."),
            Option("fleet", help: "Ask the fleet's store now, rather than within the hour."), exitCode,
            output,
        ] + place,
        examples: ["holdfast check --dry-run", "holdfast check --output json"])

    private static let status = Command(
        "status", abstract: "Show what is installed, what runs, what is approved and what waits.",
        options: [
            Option("paths", help: "Show every way by which a version can change, and whether it is held."),
            Option("fleet", help: "Show every node of the fleet, from its store."),
            exitCode,
            Option(
                "output", short: "o", value: "format",
                help: "How to print; prometheus: what node_exporter is given after each tick.",
                defaultValue: "text", completion: .oneOf(["text", "json", "prometheus"])),
        ] + place,
        examples: [
            "holdfast status", "holdfast status --paths", "holdfast status --fleet",
            "holdfast status --output prometheus",
        ])

    private static let explain = Command(
        "explain", abstract: "Say why a change is held, denied or allowed, and what would change that.",
        arguments: [
            Argument(
                "change",
                help: "A change's id or version, or a past decision's id; all changes of now without it.",
                isOptional: true, completion: KnownWords.changes.completion)
        ],
        options: [output] + place,
        examples: ["holdfast explain", "holdfast explain 3f9a1c22b0", "holdfast explain v1.33.11+k3s1"])

    private static let approve = Command(
        "approve", abstract: "Let exactly these bytes pass the ceiling; without a change, list what waits.",
        discussion: """
            An approval is for the target's digest or revision, for this node (or a stage, or a rollout), and for the version that it is meant \
            to run now; it ends when the policy says, and it answers the ceiling alone: windows, freezes and ages \
            still apply unless they are waived by name.
            """,
        arguments: [
            Argument(
                "change", help: "A change's id, or the start of one; without it, what waits is listed.",
                isOptional: true, completion: KnownWords.changes.completion)
        ],
        options: [
            Option("node", value: "name", help: "For this node; the default, and the only one known here."),
            Option("stage", value: "name", help: "For the stage of this name."),
            Option("rollout", help: "For every node of the rollout that is under way."),
            Option(
                "expires", value: "duration",
                help: "For no longer than that: 12h, 3d; never longer than approval.expires."),
            Option(
                "from", value: "versions",
                help: "The versions that it may start from, with commas between; else what is approved now."),
            Option(
                "waive", value: "rules",
                help: "Rules that it waives as well, with commas between; as approval.mayWaive lets it."),
            Option("reason", value: "text", help: "Why; a waiver needs one."),
            Option(
                "version", value: "version",
                help: "The version of bytes that do not tell it: approving their digest makes it known."),
            output,
        ] + place,
        examples: [
            "holdfast approve", "holdfast approve 3f9a1c22b0",
            "holdfast approve 3f9a1c22b0 --waive window --reason 'CVE-2026-1234'",
        ])

    private static let deny = Command(
        "deny", abstract: "Say no to exactly these bytes, until it is revoked.",
        discussion: "It outweighs every approval, and no override of the policy sets it aside.",
        arguments: [
            Argument(
                "change", help: "A change's id, or the start of one.",
                completion: KnownWords.changes.completion)
        ],
        options: [Option("reason", value: "text", help: "Why; it is asked for."), output] + place,
        examples: ["holdfast deny 3f9a1c22b0 --reason 'loses etcd members'"])

    private static let revoke = Command(
        "revoke", abstract: "Take an approval or a denial back.",
        arguments: [
            Argument(
                "id", help: "An approval's or a denial's id, or the start of one ('holdfast approve').",
                completion: KnownWords.approvals.completion)
        ],
        options: [output] + place, examples: ["holdfast revoke 81d2c07e44"])

    private static let adopt = Command(
        "adopt", abstract: "Confirm what is installed, and put the guards in place that the policy asks for.",
        discussion: """
            What is installed now becomes what this node is meant to run. For K3s and k0s the policy's enforce.gate \
            decides whether a gate stands before every start of the unit. Run it again and nothing changes.
            """,
        options: [dryRun, output] + place, examples: ["holdfast adopt --dry-run", "holdfast adopt"])

    private static let release = Command(
        "release", abstract: "Take every guard away, and leave the node as it was before.",
        discussion: "What is recorded stays, and so does what runs; nothing is kept out any longer.",
        options: [dryRun, output] + place, examples: ["holdfast release --dry-run", "holdfast release"])

    private static let pause = Command(
        "pause", abstract: "Lift every guard for a while; they come back by themselves.",
        options: [
            Option("for", value: "duration", help: "How long: 30m, 2h, 1d; at most 30d."),
            Option("reason", value: "text", help: "Why; it is recorded and shown."), output,
        ] + place,
        examples: ["holdfast pause --for 2h --reason 'upgrade by hand'"])

    private static let resume = Command(
        "resume", abstract: "End a pause now.", options: [output] + place, examples: ["holdfast resume"])

    private static let step = Command(
        "step", abstract: "Carry out one change that is allowed, or finish one that was begun.",
        discussion: """
            This is what holdfast-step.service runs, which a tick starts where a change is allowed and its bytes are on \
            this node: they are verified and put into the vault, the rules asked once more, the binary replaced, the \
            unit restarted, and the node watched until it is well by the policy's health; where it is not, the old \
            artifact is put back as far as that is safe. Run it again and it goes on where it was. It exits with 1 where \
            the change was taken back or a person is needed, with 75 where another one is at work.
            """,
        options: [Option("dry-run", short: "n", help: "Say what would be carried out, and do nothing.")]
            + place,
        examples: ["holdfast step --dry-run", "holdfast step"])

    private static let dryRun = Option(
        "dry-run", short: "n", help: "Show what would be done, and do nothing.")

    private static let history = Command(
        "history", abstract: "List decisions from the ledger, oldest first; or write a report of it.",
        discussion: """
            html is one file that needs nothing else, for a person to read and to keep; cloudevents is one CloudEvents 1.0 \
            event a line. With --absence it says instead whether the ledger shows that no unapproved artifact was \
            started in the time from --since to --until, and names what is not covered; it exits with 0 only where that \
            is shown for the whole time.
            """,
        options: [
            Option(
                "output", short: "o", value: "format", help: "How to print.", defaultValue: "table",
                completion: .oneOf(["table", "json", "jsonl", "csv", "markdown", "html", "cloudevents"]))
        ] + decisions + [
            Option(
                "absence", value: "unit",
                help: "Say whether nothing unapproved was started by this unit, rather than list decisions.",
                completion: KnownWords.units.completion),
            rootOption, state,
        ],
        examples: [
            "holdfast history --since 7d", "holdfast history --verdict hold --output csv",
            "holdfast history --since 30d --output html", "holdfast history --absence k3s.service --since 7d",
        ])

    /// Which decisions are listed.
    private static let decisions = [
        Option(
            "since", value: "time",
            help: "From this time on: 2026-11-24, 2026-11-24T16:00:00Z, or 36h, 7d ago."),
        Option("until", value: "time", help: "Before this time; as --since."),
        Option(
            "distribution", value: "name", help: "Of this distribution only.",
            completion: .oneOf(["k3s", "microk8s", "k0s"])),
        Option(
            "verdict", value: "verdict", help: "With this verdict only.",
            completion: .oneOf(["allow", "hold", "deny"])),
        Option("node", value: "name", help: "About this node only."),
        Option("rollout", value: "id", help: "Made while this rollout was under way."),
    ]

    private static let verify = Command(
        "verify", abstract: "Check the ledger's chain from its first entry to its last.",
        discussion: """
            Finds an edit, a removal and a cut inside the chain, and by checkpoints a cut tail and a chain that was \
            rewritten as a whole. Without options it goes by the checkpoints beside the ledger and by the keys that the \
            ledger names; whoever audits a node brings both from elsewhere. Exits with 1 where it finds something.
            """,
        options: [
            Option(
                "checkpoint", value: "file", help: "Compare with the checkpoints of this file.",
                completion: .file),
            Option(
                "key", value: "key",
                help: "Only checkpoints by this key count: a verifier key, NAME+ID+BASE64."),
            output, rootOption, state,
        ],
        examples: ["holdfast verify", "holdfast verify --checkpoint checkpoints --key holdfast/…+…+…"])

    private static let merge = Command(
        "merge", abstract: "List decisions from the ledgers of many nodes, oldest first.",
        discussion: """
            Takes copies of ledger.db (with ledger.db-wal where there is one), or directories of them, and checks each \
            with the checkpoints beside it. One that is not intact is named and left out. Of two copies of one ledger the \
            longer one counts, and the other has what retention dropped in it since; where they say different things, \
            neither counts. Every line names its ledger, and says \
            whether the node's clock was synchronised; html is one report of all of them, in which a clock that was not \
            is a gap. Exits with 1 where a ledger was left out.
            """,
        arguments: [
            Argument(
                "path", help: "A copy of a ledger, or a directory of them.", isRepeating: true,
                completion: .file)
        ],
        options: [
            Option(
                "output", short: "o", value: "format", help: "How to print.", defaultValue: "table",
                completion: .oneOf(["table", "json", "jsonl", "csv", "html"]))
        ] + decisions + [
            Option("include-broken", help: "List what is not intact too, marked as broken.")
        ],
        examples: ["holdfast merge ledgers/", "holdfast merge a/ledger.db b/ledger.db --output csv"])

    private static let policy = Command(
        "policy", abstract: "Check, show and test policy files.",
        subcommands: [
            Command(
                "lint", abstract: "Check a policy file and report every error at once.",
                arguments: [policyFile], options: [output, rootOption],
                examples: ["holdfast policy lint", "holdfast policy lint Policies/homelab.yaml"]),
            Command(
                "show", abstract: "Show what applies to this node, and from which line.",
                arguments: [policyFile],
                options: [
                    Option(
                        "distribution", value: "name", help: "As for an installation of this distribution.",
                        completion: .oneOf(["k3s", "microk8s", "k0s"])),
                    Option(
                        "role", value: "role",
                        help: "As for this role: server, agent, node, controller, worker …"),
                    output,
                ] + place.filter { $0.name != "policy" },
                examples: ["holdfast policy show"]),
            Command(
                "test", abstract: "Run a table of cases against a policy file.",
                arguments: [
                    Argument(
                        "cases", help: "A file of cases: change, node, time → verdict.", completion: .file)
                ],
                options: [
                    Option(
                        "policy", value: "file",
                        help:
                            "The policy to test; else the one that the file of cases names, or lies beside.",
                        completion: .file), output, rootOption,
                ],
                examples: ["holdfast policy test Policies/homelab.cases.yaml"]),
        ],
        examples: ["holdfast policy lint", "holdfast policy show --distribution k3s"])

    private static let catalog = Command(
        "catalog",
        abstract:
            "Import and list release checksums, which verify where an artifact comes from, and support's ends.",
        subcommands: [
            Command(
                "import", abstract: "Tie the digests of a release's checksum file to its version.",
                discussion: """
                    The file is the release's own: sha256sum-amd64.txt of K3s, sha256sums.txt of k0s. K3s's does not \
                    name its version, so say it. Or it is what https://endoflife.date/api/kubernetes.json says: it \
                    then takes the place of the shipped table of supported minors, which nothing is decided by.
                    """,
                arguments: [
                    Argument("file", help: "The checksum file, or the table of support.", completion: .file)
                ],
                options: [
                    Option(
                        "distribution", value: "name",
                        help: "What it is a release of; else told from its lines.",
                        completion: .oneOf(["k3s", "k0s"])),
                    Option(
                        "version", value: "version",
                        help: "The release's version, where the file does not say it."),
                    output, rootOption, state,
                ],
                examples: [
                    "holdfast catalog import sha256sum-amd64.txt --version v1.31.4+k3s1",
                    "holdfast catalog import kubernetes.json",
                ]),
            Command(
                "list", abstract: "List the digests that are known.",
                options: [output, rootOption, state],
                examples: ["holdfast catalog list"]),
        ],
        examples: [
            "holdfast catalog import sha256sum-amd64.txt --version v1.31.4+k3s1", "holdfast catalog list",
        ])

    private static let doctor = Command(
        "doctor", abstract: "Find what keeps guards from being in force, and the command that mends each.",
        discussion: """
            Looks at Holdfast's units, its guards, the ledger, clock and disks, at who may write the policy, and at \
            what else may bring another version. It changes nothing and, without --deep, hashes nothing. Exits with 1 \
            where something is wrong; warnings alone leave it at 0. A script that a line of cron calls is not followed.
            """,
        options: [
            Option(
                "deep", help: "Hash the spares and the vault, and walk the ledger's chain however long it is."
            ),
            output,
        ] + place,
        examples: ["holdfast doctor", "holdfast doctor --deep"])

    private static let policyFile = Argument(
        "file", help: "The policy file; /etc/holdfast/policy.yaml without it.", isOptional: true,
        completion: .file)
    static let output = Option(
        "output", short: "o", value: "format", help: "How to print.", defaultValue: "text",
        completion: .oneOf(["text", "json"]))
    private static let exitCode = Option(
        "exit-code", help: "Exit with 10 where something is held, 11 where something is denied.")
    static let rootOption = Option(
        "root", value: "directory",
        help: "Look at the node below this directory, without touching this machine.",
        defaultValue: "/", completion: .directory)
    static let state = Option(
        "state", value: "directory", help: "Where the ledger is.", defaultValue: "/var/lib/holdfast",
        completion: .directory)
    static let place = [
        rootOption,
        Option(
            "policy", value: "file", help: "The policy file.", defaultValue: "/etc/holdfast/policy.yaml",
            completion: .file), state,
    ]
}
