import Model

// The keys of the mappings in a policy.
extension Schema {
    static let approval = [
        SchemaKey(
            "required", "number", default: "1",
            "How many people; more than one is an error until approvals are signed."),
        SchemaKey(
            "expires", "duration", default: "7d", "How long an approval is good for where it does not say so."
        ),
        SchemaKey(
            "mayWaive", "list of: window, freeze, release-age, soak, quorum",
            "Rules that an approval may set aside, by name and with a reason."),
    ]

    static let pin = [
        SchemaKey("version", "version", "The version."),
        SchemaKey("channel", "channel", "The snap channel that is followed, such as 1.32/stable."),
        SchemaKey("revision", "number", "The snap revision."),
        SchemaKey(
            "digest", "mapping", "The SHA-256 of the binary, by architecture.",
            keys: Architecture.allCases.map {
                SchemaKey($0.rawValue, #""sha256:…""#, "For this architecture.")
            }),
    ]

    static let deniedVersions = [
        SchemaKey("versions", "range", required: true, "Which."),
        SchemaKey("reason", "text", required: true, "Why, for whoever is held by it."),
        SchemaKey("url", "URL", "Where to read more."),
    ]

    static let waypoint = [
        SchemaKey("from", "range", required: true, "Coming from which versions."),
        SchemaKey("through", "range", required: true, "Which versions have to be passed through."),
        SchemaKey("reason", "text", "Why."),
    ]

    static let override = [
        SchemaKey("rule", "rule", required: true, "The rule's name; identity and clock cannot be set aside."),
        SchemaKey("reason", "text", required: true, "Why; it is shown wherever it takes effect."),
        SchemaKey("until", "date", required: true, "The day on which it is over, in the policy's zone."),
        SchemaKey("match", "mapping", "For which installations; all without it.", keys: match),
    ]

    static let match = [
        SchemaKey(
            "distribution", "list of: " + SchemaKey.words(Distribution.self), "Of these distributions."),
        SchemaKey("role", "list of: " + SchemaKey.words(Role.self), "In these roles."),
        SchemaKey("node", "list of patterns", "On nodes of these names; * and ? stand for anything."),
        SchemaKey("cluster", "list of patterns", "In clusters of these names."),
        SchemaKey("labels", "mapping of texts", "On nodes with all of these labels in node.yaml."),
        SchemaKey("arch", "list of: " + SchemaKey.words(Architecture.self), "On these architectures."),
    ]

    static let window = [
        SchemaKey(
            "days", "list of: " + SchemaKey.words(Weekday.self), required: true, "On which days it opens."),
        SchemaKey("start", #""HH:MM""#, required: true, "When it opens, in the policy's zone."),
        SchemaKey(
            "duration", "duration", required: true, "How long it is open; it may reach into the next day."),
    ]

    static let freeze = [
        SchemaKey("from", "date", required: true, "The first day."),
        SchemaKey("until", "date", required: true, "The day on which it is over."),
        SchemaKey(
            "scope", SchemaKey.words(Freeze.Scope.self), default: "all", "Everything, or minors alone."),
        SchemaKey("reason", "text", required: true, "Why, for whoever is held by it."),
    ]

    static let health = [
        SchemaKey(
            "checks",
            "list of: unit, running, readyz, nodeReady, etcdVoter, dqliteVoters, {http: URL}, {command: [argv…]}",
            default: "[unit, running, readyz, nodeReady]",
            "What has to be well: the unit active with no restart since, the version that runs, /readyz of the API "
                + "server, our own Node Ready, our vote in etcd or dqlite, an address that answers 200, a command "
                + "that exits with 0. Checks that a role cannot perform are left out for it."),
        SchemaKey("interval", "duration", default: "30s", "The time between two looks."),
        SchemaKey("timeout", "duration", default: "10s", "How long one check may take."),
        SchemaKey("failureLimit", "number", default: "3", "So many failures in a row are a failure."),
        SchemaKey("consecutiveSuccesses", "number", default: "3", "So many successes in a row are health."),
        SchemaKey("deadline", "duration", default: "15m", "From the restart to the last of them."),
    ]

    static let gate = [
        SchemaKey(
            "deprecatedAPIs", "mapping",
            "Nobody has called an API that the next minor does not serve any more.",
            keys: [
                SchemaKey(
                    "coverage", "duration", default: "24h",
                    "For how long every API server must have been watched.")
            ]),
        SchemaKey("command", "list of texts", "A program and its arguments that exits with 0."),
        SchemaKey("timeout", "duration", "How long the command may take; a minute without it."),
    ]

    static let drain = [
        SchemaKey("enabled", "auto | true | false", default: "auto", "auto: before minors on k0s workers."),
        SchemaKey("timeout", "duration", default: "5m", "How long pods may take to go."),
    ]

    static let backup = [
        SchemaKey(
            "mode", SchemaKey.words(Backup.Mode.self), default: "auto",
            "auto: required before minors on control-plane nodes."),
        SchemaKey("command", "list of texts", "For stores that Holdfast cannot back up itself."),
        SchemaKey("verify", "list of texts", "Checks what the command has made; exits with 0."),
        SchemaKey("keep", "number", default: "3", "How many are kept."),
    ]

    static let enforcement = [
        SchemaKey(
            "hold", SchemaKey.words(Enforcement.Hold.self), default: "none",
            "snapd's hold on refreshes of MicroK8s."),
        SchemaKey(
            "gate", SchemaKey.words(Enforcement.GateMode.self), default: "off",
            "What stands before each start of a K3s or k0s unit: restore puts the approved binary back, refuse does "
                + "not let another start, warn only tells."),
        SchemaKey(
            "veto", "true | false", default: "false", "Undoes a refresh of MicroK8s while snapd is at it."),
        SchemaKey(
            "plans", SchemaKey.words(Enforcement.Plans.self), default: "off",
            "Labels our Node so that plans of the system-upgrade-controller leave it alone."),
        SchemaKey(
            "seal", "true | false", default: "false",
            "Makes the binary immutable; upgraders then cordon the node first and fail after."),
    ]

    static let source = [
        SchemaKey(
            "releases", "URL template or directory", default: #""""#,
            "Where releases are: {version} and {arch} are filled in. Empty is the distribution's own."),
        SchemaKey(
            "channel", "channel or URL", default: #""""#,
            "Which releases are looked for, such as v1.33; empty is none."),
        SchemaKey("poll", "duration", default: "6h", "How often."),
        SchemaKey("caFile", "path", default: #""""#, "Whom to trust; empty is what the system trusts."),
        SchemaKey("proxy", "URL", default: #""""#, "Through whom to ask; empty is directly."),
    ]

    static let stage = [
        SchemaKey("name", "text", required: true, "What it is called; each once."),
        SchemaKey("nodes", "list of patterns", default: #"["*"]"#, "Nodes of these names."),
        SchemaKey("labels", "mapping of texts", "And with all of these labels in node.yaml."),
        SchemaKey("clusters", "list of patterns", default: #"["*"]"#, "And in clusters of these names."),
        SchemaKey("maxConcurrent", "number", default: "1", "How many nodes are at it at once."),
        SchemaKey("need", "all | number", default: "all", "How many nodes must prove the artifact."),
        SchemaKey("soak", "duration", default: "0s", "How long it must have run well on each."),
        SchemaKey("deadline", "duration", default: "24h", "When the rollout pauses for want of proof."),
    ]

    static let ledger = [
        SchemaKey(
            "keep", "duration", default: "400d",
            "How long the bodies of entries are kept; the chain itself is kept for ever.")
    ]

    static let notification = [
        SchemaKey(
            "webhook", "URL", "Gets a CloudEvent as JSON; it is shown nowhere, since it may hold a secret."),
        SchemaKey(
            "command", "list of texts", "A program and its arguments, which gets the same on standard input."),
        SchemaKey(
            "on", "list of: " + SchemaKey.words(Notification.Occasion.self), required: true, "Of what."),
    ]
}
