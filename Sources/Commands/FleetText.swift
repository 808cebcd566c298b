import Model
import Reports

/// What is said of a fleet and its rollouts.
struct FleetText {
    let report: FleetReport
    let style: Style
    let width: Int?
    let now: Instant
    /// What this node waits for in the rollouts, by distribution: each node knows that of itself alone.
    let waits: [String: String]
    /// Why it begins no rollout of what its policy lets in, by distribution.
    let unbegun: [String: String]

    /// The rollouts, each with its stages, and those that do not begin.
    func rollouts() -> String {
        let text =
            report.rollouts.isEmpty
            ? "No rollout has been begun; 'holdfast upgrade --plan' shows what one would do.\n"
            : report.rollouts.map(rollout).joined(separator: "\n")
        let rows: [[Cell]] = unbegun.sorted { $0.key < $1.key }.map { distribution, reason in
            [(distribution.printable, .strong), (reason.printable, .waiting)]
        }
        return rows.isEmpty ? text : text + "\n" + aligned(rows, indent: 0, style: style, width: width)
    }

    private func rollout(_ part: FleetReport.RolloutPart) -> String {
        let document = part.document
        var text =
            style("\(document.distribution.displayName) \(document.artifact.version)", .strong)
            + " · rollout \(document.id.printable) · " + style(document.state.rawValue, mark(document.state))
            + "\n"
        if let reason = document.reason {
            text += aligned([[("why", nil), (reason.printable, nil)]], indent: 2, style: style, width: width)
        }
        var rows: [[Cell]] = [
            [
                ("cluster", .faint), ("nodes", .faint), ("stage", .faint), ("proven", .faint),
                ("under way", .faint),
            ]
        ]
        for track in document.tracks {
            for stage in track.stages {
                let holders = stage.granted.map { part.names[$0.node] ?? $0.node }
                let evicted = stage.evicted.map { "\(part.names[$0] ?? $0) evicted" }
                rows.append([
                    (track.cluster.printable, nil), (track.kind.rawValue, nil), (stage.name.printable, nil),
                    ("\(stage.provenCount) of \(stage.effectiveNeed)", stage.met ? .good : nil),
                    ((holders + evicted).joined(separator: ", ").printable, .waiting),
                ])
            }
        }
        text += aligned(rows, indent: 2, style: style, width: width)
        for (cluster, answer) in (document.gates ?? [:]).sorted(by: { $0.key < $1.key }) {
            text += aligned(
                [[("gates of \(cluster.printable)", nil), (answer.text.printable, nil)]], indent: 2,
                style: style,
                width: width)
        }
        if !document.state.hasEnded, let reason = waits[document.distribution.rawValue] {
            text += aligned(
                [[("this node waits", nil), (reason.printable, .waiting)]], indent: 2, style: style,
                width: width)
        }
        if let then = document.then, !then.isEmpty {
            text +=
                "  then  \(then.map(\.description).joined(separator: ", ")): give 'holdfast upgrade' again\n"
        }
        return text
    }

    private func mark(_ state: RolloutDocument.State) -> Style.Mark {
        switch state {
        case .running, .done: .good
        case .paused: .waiting
        case .halted, .aborted: .bad
        }
    }

    /// Every node, and what a person should look at.
    func nodes() -> String {
        var rows: [[Cell]] = [
            ["node", "cluster", "role", "stage", "running", "seen", "policy", "under way"].map {
                ($0, .faint)
            }
        ]
        for node in report.nodes {
            let soak = node.soakLeft.map { ", \(rough(TimeSpan(seconds: $0))) of its soak left" } ?? ""
            rows.append([
                (node.name.printable, nil), (node.cluster.printable, nil), (node.role ?? "?", nil),
                (node.stage?.printable ?? "none", node.stage == nil ? .bad : nil),
                (node.running ?? "?", nil), (relative(node.seen, to: now), nil),
                (node.policy?.short ?? "none", node.hasSamePolicy ? nil : .bad),
                ((node.phase ?? "").printable + soak, .waiting),
            ])
        }
        var text =
            report.nodes.isEmpty
            ? "No node has told of itself yet; one does within the hour of 'holdfast adopt'.\n"
            : aligned(rows, indent: 0, style: style, width: width)
        if !report.quarantine.isEmpty { text += "\n" + quarantine() }
        for finding in report.findings {
            text += "\n" + style("LOOK", .waiting) + "\n"
            text += aligned([[(finding.printable, nil)]], indent: 2, style: style, width: width)
        }
        return text
    }

    /// What failed somewhere.
    func quarantine() -> String {
        guard !report.quarantine.isEmpty else { return "Nothing is quarantined.\n" }
        let rows: [[Cell]] = report.quarantine.map { part in
            let entry = part.entry
            let version = entry.version.map { " \($0)" } ?? ""
            return [
                (
                    entry.bytes.hasPrefix("revision:")
                        ? entry.bytes.printable : String(entry.bytes.prefix(12)), .bad
                ),
                (entry.distribution.displayName + version, nil),
                (
                    "\(entry.reason.printable) (on \(entry.node.printable), \(relative(entry.at, to: now)))",
                    nil
                ),
            ]
        }
        return style("Quarantined", .strong) + "\n" + aligned(rows, indent: 2, style: style, width: width)
    }
}
