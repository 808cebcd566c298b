import Model
import Reports

/// A node's report as text for a person.
struct NodeReportText {
    let report: NodeReport
    let style: Style
    let now: Instant
    /// Columns to fold at; nil folds nothing.
    var width: Int?
    /// When a tick last ran; nil where none has.
    var lastCheck: Instant?

    /// The whole report, ending with what to do next where something waits.
    func text() -> String {
        var text = heading()
        for part in report.installations { text += "\n" + installation(part) }
        if report.installations.isEmpty {
            text +=
                "\nNo K3s, MicroK8s or k0s is installed here: no unit runs one, and snapd has no microk8s.\n"
        }
        text += standingText(
            approvals: report.approvals.map(\.approval), denials: report.denials.map(\.denial), style: style,
            width: width, now: now)
        if !report.problems.isEmpty {
            text += "\n" + style("Problems", .strong) + "\n"
            text += report.problems.map {
                "  " + style("!", .waiting) + " \($0.text.printable) (\($0.code))\n"
            }.joined()
        }
        return text + next()
    }

    private func heading() -> String {
        var parts = [style(report.node.printable, .strong)]
        if let sha256 = report.policy.sha256 {
            let state =
                report.policy.valid
                ? "" : ", " + style("the file is not valid: this is the last valid one", .bad)
            parts.append("policy \(report.policy.path.printable) (\(sha256.short)\(state))")
        } else {
            parts.append("no policy: observing only")
        }
        parts.append(lastCheck.map { "last check \(relative($0, to: now))" } ?? "never checked before")
        return parts.joined(separator: " · ") + "\n"
    }

    // MARK: Installations

    private func installation(_ part: NodeReport.InstallationPart) -> String {
        let installation = part.installation
        let role = installation.role.map { " \($0.rawValue)" } ?? ""
        let title = "\(installation.id.distribution.displayName)\(role)"
        var rows: [[Cell]] = []
        rows.append(row("installed", installed(installation), detail: installedDetail(installation)))
        rows.append(row("running", running(installation), detail: runningDetail(installation)))
        rows.append(
            row(
                "approved", part.approved?.version?.description ?? "nothing yet",
                detail: part.approved == nil ? "" : part.confirmed ? "confirmed" : "first seen, not confirmed"
            ))
        if let hold = installation.hold { rows.append(row("snap hold", holdText(hold), detail: "")) }
        let units = installation.units.map { $0.name.printable }
        let unitText = units.count > 3 ? "\(units.count) units" : units.joined(separator: ", ")
        var text =
            style(title, .strong) + "  " + style(unitText, .faint) + "\n"
            + aligned(rows, indent: 2, style: style, width: width)
        for record in part.decisions { text += "\n" + change(record) }
        return text
    }

    private func row(
        _ name: String, _ value: String, detail: String
    ) -> [Cell] {
        [(name, .faint), (value.printable, nil)] + (detail.isEmpty ? [] : [(detail.printable, .faint)])
    }

    private func installed(_ installation: Installation) -> String {
        guard let installed = installation.installed else { return "nothing" }
        let version = installed.artifact.version?.description ?? "unreadable"
        return version + (installed.artifact.revision.map { " (revision \($0))" } ?? "")
    }

    private func installedDetail(_ installation: Installation) -> String {
        guard let installed = installation.installed else { return "" }
        let origin =
            switch installed.origin {
            case .verified:
                installed.evidence == .approval ? "version stated by an approval" : "verified"
            case .claimed: "claimed by its bytes"
            case .unknown: "origin unknown"
            }
        let channel = installed.artifact.channel.map { "channel \($0), " } ?? ""
        return "\(installed.path), \(channel)\(installed.unreadable ?? origin)"
    }

    private func running(_ installation: Installation) -> String {
        installation.running.map { $0.version?.description ?? "unknown version" } ?? "nothing known"
    }

    private func runningDetail(_ installation: Installation) -> String {
        guard let running = installation.running else { return "" }
        var parts: [String] = []
        if running.restartPending == true {
            parts.append("restart pending: the file was replaced since it started")
        }
        let versions = Set(running.sources.compactMap(\.version))
        parts.append(
            versions.count > 1
                ? "sources disagree: "
                    + running.sources.map { "\($0.source.rawValue) \($0.version?.description ?? "unknown")" }
                    .joined(separator: ", ")
                : running.sources.map(\.source.rawValue).joined(separator: ", "))
        return parts.joined(separator: ", ")
    }

    private func holdText(_ hold: SnapHold) -> String {
        var parts: [String] = []
        if let until = hold.until {
            // snapd writes "forever" as a time in 2319.
            let isForever = until - now > .days(36_500)
            parts.append(
                until <= now
                    ? "expired" : isForever ? "forever" : "until \(until) (\(relative(until, to: now)))")
        }
        if let proceed = hold.inhibitProceed {
            parts.append(
                "a refresh waits for running commands, and goes on \(relative(proceed, to: now)) whatever is held"
            )
        }
        return parts.joined(separator: "; ")
    }

    // MARK: Changes

    private func change(_ record: DecisionRecord) -> String {
        var text = changeLine(record, style)
        let open = record.decision.reasons.filter { $0.result != .met }
        text += aligned(
            open.map { [($0.rule.rawValue, .waiting), ($0.cited, nil)] }, indent: 4, style: style,
            width: width)
        if let earliest = record.decision.earliest {
            text += "    as things stand, allowed \(relative(earliest, to: now)) (\(earliest))\n"
        }
        return text
    }

    private func next() -> String {
        var steps: [(String, String)] = []
        let waiting = report.installations.flatMap(\.decisions).filter { $0.decision.verdict != .allow }
        if let first = waiting.first {
            let id = waiting.count == 1 ? " \(first.subject.change.id)" : ""
            steps.append(("holdfast explain\(id)", "every rule, and what would change the answer"))
        }
        if waiting.contains(where: { $0.decision.verdict == .hold }) {
            steps.append(("holdfast approve", "what waits, byte for byte, and what an approval can release"))
        }
        if waiting.contains(where: { $0.subject.change.origin == .claimed }) {
            steps.append(
                ("holdfast catalog import FILE", "verify an artifact by its release's checksum file"))
        }
        if report.policy.sha256 == nil {
            steps.append(("holdfast policy lint FILE", "check a policy before you install it"))
        }
        if !report.policy.valid, report.policy.sha256 != nil {
            steps.append(("holdfast policy lint", "every error in the policy file, with its line"))
        }
        guard !steps.isEmpty else { return "" }
        return "\n" + style("Next", .strong) + "\n"
            + aligned(steps.map { [($0.0, nil), ($0.1, .faint)] }, indent: 2, style: style)
    }
}

extension Reason {
    /// The text, with the line of the policy that it comes from where it comes from one.
    fileprivate var cited: String {
        let isBuiltIn = source == "default" || source == "built-in"
        return text.printable + (isBuiltIn ? "" : " (\(source.printable))")
    }
}

extension Verdict {
    /// How a verdict is coloured.
    var mark: Style.Mark {
        switch self {
        case .allow: .good
        case .hold: .waiting
        case .deny: .bad
        }
    }
}

extension Phase {
    /// The phase in a sentence.
    var spoken: String {
        switch self {
        case .offered: "offered"
        case .onDisk: "on disk, not running"
        case .running: "running"
        }
    }
}

extension Trigger {
    /// The trigger in a sentence that begins "by …".
    var spoken: String {
        switch self {
        case .autoRefresh: "snapd itself (auto-refresh)"
        case .namedRefresh: "a refresh that named the snap"
        case .fileReplaced: "a replaced file"
        case .sucPlan: "a system-upgrade-controller plan"
        case .autopilotPlan: "a k0s autopilot plan"
        case .rollout: "a rollout"
        case .unknown: "an unknown hand"
        }
    }
}

extension Artifact {
    /// The version and the revision where there is one.
    var versionText: String {
        (version?.description ?? "unreadable") + (revision.map { " (\($0))" } ?? "")
    }
}
