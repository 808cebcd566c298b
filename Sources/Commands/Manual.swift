import CommandLine
import Model
import PolicyFile

/// The manual's pages, made from the tables by which command line and files are read.
enum Manual: String, CaseIterable {
    case program = "holdfast.1"
    case policy = "holdfast-policy.5"
    case node = "holdfast-node.5"
    /// The reference of both files in Markdown, for the documentation.
    case reference = "reference.md"

    /// The page.
    var content: String {
        switch self {
        case .program: Interface.program.manPage(source: Self.source, sections: Self.programSections)
        case .policy:
            Self.page(
                "holdfast-policy", "what may change on a node of K3s, MicroK8s or k0s", Self.policySections,
                keys: Schema.policy)
        case .node:
            Self.page(
                "holdfast-node", "what a node is, for holdfast", Self.nodeSections, keys: Schema.node)
        case .reference: referenceText()
        }
    }

    /// The lines of the example of a file; none where the page has none.
    var exampleLines: [String] {
        let sections = self == .policy ? Self.policySections : self == .node ? Self.nodeSections : []
        return sections.first { $0.title == "EXAMPLE" }?.lines ?? []
    }

    private static let source = "holdfast \(programVersion)"

    private static func page(
        _ name: String, _ abstract: String, _ sections: [ManSection], keys: [SchemaKey]
    ) -> String {
        var page = ManPage(name, section: 5, source: source, abstract: abstract)
        for section in sections.prefix(1) { page.add(section) }
        page.add(ManSection("KEYS", entries: entries(keys, path: "")))
        for section in sections.dropFirst() { page.add(section) }
        return page.content
    }

    private static func entries(_ keys: [SchemaKey], path: String) -> [ManSection.Entry] {
        keys.flatMap { key in
            [
                ManSection.Entry(
                    "\(path)\(key.name): \(key.form)",
                    [key.meaning, key.remark].filter { !$0.isEmpty }.joined(separator: " "))
            ]
                + entries(key.keysShown(below: path), path: "\(path)\(key.name).")
        }
    }

    private static let programSections = [
        ManSection(
            "EXIT STATUS",
            entries: [
                .init("0", "Done."),
                .init("1", "Failed, or something was found to be wrong; standard error says what to do."),
                .init("10", "With --exit-code: something is held."),
                .init("11", "With --exit-code: something is denied, or was undone."),
                .init("64", "The command line was not understood."),
                .init("75", "Somebody else is at work; try again."),
                .init("78", "The policy, the node file or another configuration is not valid."),
            ]),
        ManSection(
            "FILES",
            entries: [
                .init("/etc/holdfast/policy.yaml", "What may change: holdfast-policy(5)."),
                .init("/etc/holdfast/node.yaml", "What this node is: holdfast-node(5); it may be absent."),
                .init(
                    "/var/lib/holdfast",
                    "The ledger, the vault of artifacts, and the file that the gate reads."),
                .init(
                    "/usr/share/doc/holdfast",
                    "The documentation, or below /usr/local; recovery.md is for when something is broken."),
            ]),
        ManSection(
            "ENVIRONMENT",
            entries: [
                .init("NO_COLOR", "Where it is not empty, nothing is coloured (https://no-color.org)."),
                .init("COLUMNS", "Where the output is no terminal, how wide it is folded."),
            ]),
        ManSection(
            "SEE ALSO",
            paragraphs: ["holdfast-policy(5), holdfast-node(5), holdfast-gate(8), systemctl(1), snap(8)"]),
    ]

    private static let policySections = [
        ManSection(
            "DESCRIPTION",
            paragraphs: [
                """
                /etc/holdfast/policy.yaml is YAML and says what may change; it is the same on every node of a fleet. It \
                belongs to root, and nobody else can write it, else it is not valid. Every key but apiVersion may be left \
                out. A key that is not listed here, one that is there twice, an empty list and a value out of range are \
                errors: 'holdfast policy lint' reports them all at once. While the file is not valid, the last valid one \
                goes on forbidding as before and allows nothing new; a node that never had one observes only.
                """,
                """
                Durations are 90s, 15m, 24h, 3d, 2w. Dates are 2026-12-31. Ranges are ">=1.31.4 <1.33", "1.31 || 1.32"; a \
                version that starts with a part of itself, such as 1.33, is every version that begins so.
                """,
            ]),
        ManSection(
            "RULES",
            paragraphs: [
                "Decisions, 'holdfast explain', overrides and waivers name them so: "
                    + RuleName.allCases.map(\.rawValue).joined(separator: ", ") + "."
            ]),
        ManSection(
            "EXAMPLE",
            paragraphs: [
                "Patches that have been out for three days come by themselves; for a minor somebody is asked:"
            ],
            lines: [
                "apiVersion: holdfast/v1", "unattended: patch", "minimumReleaseAge: {patch: 3d}",
                "enforce: {gate: restore}",
            ]),
        ManSection("SEE ALSO", paragraphs: ["holdfast(1), holdfast-node(5)"]),
    ]

    private static let nodeSections = [
        ManSection(
            "DESCRIPTION",
            paragraphs: [
                """
                /etc/holdfast/node.yaml is YAML and says what this node is. It may be absent: the node is then alone, on a \
                store of its own. It belongs to root, and nobody else can write it.
                """
            ]),
        ManSection(
            "EXAMPLE", paragraphs: ["A worker of a fleet that meets in its own cluster:"],
            lines: [
                "cluster: shop-eu", "labels: {disk: ssd}", "kubeconfig: /etc/holdfast/kubeconfig",
                "fleet: {store: kubernetes, kubeconfig: /etc/holdfast/kubeconfig}",
            ]),
        ManSection("SEE ALSO", paragraphs: ["holdfast(1), holdfast-policy(5)"]),
    ]
}

extension SchemaKey {
    /// What is said behind the meaning: whether it has to be there, and what counts where it is not.
    var remark: String {
        if isRequired { return "Required." }
        return defaultValue.map { "Default: \($0)." } ?? ""
    }

    /// The keys below it, those that are listed above already left out.
    func keysShown(below path: String) -> [SchemaKey] {
        // A rule sets what the file as a whole can set.
        name == "rules" && path.isEmpty ? keys.prefix(1).map(\.self) : keys
    }
}

/// `holdfast manual PAGE`: prints a page of the manual, for the packages.
func manual(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    guard let page = Manual(rawValue: invocation.value("page") ?? "") else {
        throw Failure(
            code: .usage,
            message: "the pages are \(Manual.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    screen.data(page.content)
    return .done
}
