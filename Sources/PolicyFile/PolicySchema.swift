import Model

extension Schema {
    /// The keys of `policy.yaml`, in the order in which the manual lists them.
    public static let policy =
        [
            SchemaKey("apiVersion", apiVersion, required: true, "The schema that the file is written in.")
        ] + settings + [
            SchemaKey(
                "stages", "list of mappings",
                "The order in which a fleet's nodes are upgraded; the first stage that matches a node is its own. "
                    + "Without it, all nodes are one stage.", keys: stage),
            SchemaKey("ledger", "mapping", "What the ledger keeps.", keys: ledger),
            SchemaKey("notify", "list of mappings", "Who is told of what.", keys: notification),
            SchemaKey(
                "rules", "list of mappings",
                "Settings for some installations only. Every matching rule applies, in order: deny, freezes and "
                    + "overrides accumulate, and every other key takes the place of what was before, as a whole.",
                keys: rule),
        ]

    /// The keys of a rule.
    static let rule =
        [SchemaKey("match", "mapping", "Which installations; all without it.", keys: match)] + settings

    /// The keys that a rule can set as well as the file as a whole.
    static let settings = permission + timing + proof + means

    /// What may run at all, and who says so.
    private static let permission = [
        SchemaKey(
            "unattended", SchemaKey.words(Ceiling.self), default: "none",
            "The widest update type that goes ahead with nobody asked."),
        SchemaKey(
            "approvable", SchemaKey.words(Ceiling.self), default: "minor",
            "The widest update type that an approval can release."),
        SchemaKey("approval", "mapping", "What an approval has to be.", keys: approval),
        SchemaKey(
            "allowedVersions", "range", default: #""""#,
            #"The only versions that may run: ">=1.31.4 <1.33". Empty is any."#),
        SchemaKey(
            "pin", "mapping", "The only artifact that may run; each key that is set must match.", keys: pin),
        SchemaKey("deny", "list of mappings", "Versions that must not run.", keys: deniedVersions),
        SchemaKey(
            "origin", SchemaKey.words(OriginRequirement.self), default: "verified",
            "Whether bytes must be proven to be the release that they say they are; claimed is warned about."),
        SchemaKey(
            "waypoints", "shipped | none | list of mappings", default: "shipped",
            "Versions that may not be jumped over; shipped is the table that comes with Holdfast.",
            keys: waypoint
        ),
        SchemaKey(
            "overrides", "list of mappings", "Rules that are set aside for a while, by name.", keys: override),
    ]

    /// When something may move.
    private static let timing = [
        SchemaKey("timezone", "IANA name", default: "UTC", "The zone of windows, freezes and overrides."),
        SchemaKey(
            "minimumReleaseAge", "mapping",
            "How long a release must have been out, counted from the later of its publication and our first sight "
                + "of it.",
            keys: ["build", "patch", "minor"].map {
                SchemaKey($0, "duration", default: "0s", "For this update type.")
            }
        ),
        SchemaKey(
            "windows", "list of mappings", "When a change may be begun; always without it.", keys: window),
        SchemaKey("freezes", "list of mappings", "When nothing is begun.", keys: freeze),
        SchemaKey(
            "clock", SchemaKey.words(ClockRequirement.self), default: "synchronised",
            "Whether rules that read the time hold while the clock is not known to be synchronised."),
    ]

    /// How a change is proven to be good.
    private static let proof = [
        SchemaKey("health", "mapping", "How a node is judged after a step.", keys: health),
        SchemaKey(
            "gates", "none | list of mappings", default: "[{deprecatedAPIs: {coverage: 24h}}]",
            "What is asked once in a rollout before its first node of each cluster, for minors.", keys: gate),
    ]

    /// By what means a change is kept out, or carried out.
    private static let means = [
        SchemaKey("drain", "mapping", "Whether a node is emptied before its step.", keys: drain),
        SchemaKey("backup", "mapping", "What is saved before a step.", keys: backup),
        SchemaKey(
            "rollback", SchemaKey.words(RollbackMode.self), default: "automatic",
            "Who puts a failed artifact back, as far as that is safe: Holdfast, or a person."),
        SchemaKey("enforce", "mapping", "Which ways of keeping a change out are used.", keys: enforcement),
        SchemaKey("source", "mapping", "Where artifacts come from.", keys: source),
    ]
}
