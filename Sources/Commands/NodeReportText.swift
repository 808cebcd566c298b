import Agent
import Model
import Reports

/// A node's report as text for a person.
struct NodeReportText {
    let report: NodeReport
    let style: Style
    let now: Instant
    /// Columns to fold at; nil folds nothing.
    var width: Int?
    var age: Age
    /// Whether what was recorded before could be read, or be known from the guard file.
    var isPastKnown: Bool

    /// When a tick last ran, or why what is shown is none.
    enum Age {
        case now
        case checked(Instant)
        case never
        case dryRun
        case notRecorded
        case notKnown
    }

    /// The whole report, ending with what to do next where something waits.
    func text() -> String {
        var text = heading()
        if let paused = report.paused {
            let words =
                "until \(paused.until) (\(relative(paused.until, to: now))), every guard is lifted: \(paused.reason)"
            text += flowed(
                [("Paused", .waiting), (words.printable, nil)], hanging: 2, gap: " ", style: style,
                width: width)
        }
        for part in report.installations { text += "\n" + installation(part) }
        if report.installations.isEmpty {
            let isBlind = report.problems.contains { Problem.blinding.contains($0.code) }
            text += wrapped(
                isBlind
                    ? "\nNo K3s, MicroK8s or k0s was found, but not everything could be looked at.\n"
                    : "\nNo K3s, MicroK8s or k0s is installed here: no unit runs one, and snapd has no microk8s.\n",
                width: width)
        }
        text += standingText(
            approvals: report.approvals.map(\.approval), denials: report.denials.map(\.denial), style: style,
            width: width, now: now)
        // What is the matter with the ledger is the error that the verb ends with.
        let problems = report.problems.filter { !$0.code.hasPrefix("ledger-") }
        if !problems.isEmpty {
            text += "\n" + style("Problems", .strong) + "\n"
            text += aligned(
                problems.map { [("!", .waiting), ("\($0.text) (\($0.code))".printable, nil)] }, indent: 2,
                style: style, width: width)
        }
        return text + next()
    }

    private func heading() -> String {
        var parts: [Cell] = [(report.node.printable, .strong)]
        if let sha256 = report.policy.sha256 {
            parts.append(("· policy \(report.policy.path.printable) (\(sha256.short))", nil))
            if !report.policy.valid {
                let why = has("policy-missing") ? "has gone" : "is not valid"
                parts.append(("· the last valid one: the file \(why)", .bad))
            }
        } else {
            let name = report.policy.path.printable
            parts.append(
                has("policy-invalid")
                    ? ("· policy \(name) is not valid: observing only", .bad)
                    : ("· no policy: observing only", nil))
        }
        parts.append(("· \(ageText)", nil))
        return flowed(parts, hanging: 2, gap: " ", style: style, width: width)
    }

    private var ageText: String {
        switch age {
        case .now: "last check now"
        case .checked(let instant): "last check \(relative(instant, to: now))"
        case .never: "never checked before"
        case .dryRun: "dry run"
        case .notRecorded: "not recorded"
        case .notKnown: "last check not known"
        }
    }

    private func has(_ code: String) -> Bool { report.problems.contains { $0.code == code } }

    // MARK: Installations

    private func installation(_ part: NodeReport.InstallationPart) -> String {
        let installation = part.installation
        let role = installation.role.map { " \($0.rawValue)" } ?? ""
        let title = "\(installation.id.distribution.displayName)\(role)"
        var rows: [[Cell]] = []
        rows.append(row("installed", installed(installation), detail: installedDetail(installation)))
        rows.append(row("running", running(installation), detail: runningDetail(installation)))
        rows.append(approved(part))
        if let good = part.lastGood {
            rows.append(
                row(
                    "last good", good.version?.description ?? "unreadable",
                    detail: good.revision == nil ? "kept in the vault" : "kept by snapd"))
        }
        if let putBack = part.putBack { rows.append(putBackRow(putBack, part)) }
        if part.adopted || !part.guards.isEmpty {
            rows.append(
                row(
                    "guards", part.guards.isEmpty ? "none in place" : "\(part.guards.count) in place",
                    detail: (report.paused == nil || part.guards.isEmpty ? "" : "lifted by the pause: ")
                        + part.guards.joined(separator: ", ")))
        } else {
            rows.append(
                isPastKnown
                    ? row("guards", "none", detail: "not adopted") : row("guards", "not known", detail: ""))
        }
        for debt in part.debt.map(debtRows) ?? [] {
            rows.append(row(debt.label, debt.value, detail: debt.explanation))
        }
        if let hold = installation.hold { rows.append(row("snap hold", holdText(hold), detail: "")) }
        let units = installation.units.map { $0.name.printable }
        let unitText = units.count > 3 ? "\(units.count) units" : units.joined(separator: ", ")
        var text =
            flowed([(title, .strong), (unitText, .faint)], hanging: 2, style: style, width: width)
            + aligned(rows, indent: 2, style: style, width: width)
        for record in part.decisions { text += "\n" + change(record) }
        return text
    }

    private func approved(_ part: NodeReport.InstallationPart) -> [Cell] {
        guard let approved = part.approved else {
            return row("approved", isPastKnown ? "nothing yet" : "not known", detail: "")
        }
        return row(
            "approved", approved.version?.description ?? "unreadable",
            detail: part.confirmed ? "confirmed" : "first seen, not confirmed")
    }

    private func putBackRow(_ act: GateAct, _ part: NodeReport.InstallationPart) -> [Cell] {
        let kept = part.pending.first { $0.path == act.pending }?.artifact.version?.description
        let more = part.pending.count > 1 ? ", \(part.pending.count) are kept" : ""
        return [
            ("put back", .faint),
            (
                "\(act.restored?.version?.description ?? "what is approved") \(relative(act.at, to: now))"
                    .printable, .waiting
            ),
            (
                "\(kept ?? "an unreadable artifact") was turned away before \(act.unit) started\(more)"
                    .printable,
                .faint
            ),
        ]
    }

    private func row(_ name: String, _ value: String, detail: String) -> [Cell] {
        [(name, .faint), (value.printable, nil)] + (detail.isEmpty ? [] : [(detail.printable, .faint)])
    }

    private func installed(_ installation: Installation) -> String {
        guard let installed = installation.installed else { return "nothing" }
        if installed.isMissing { return "missing" }
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
        if installed.isMissing { return "there is no file at \(installed.path)" }
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
        var text = changeLine(record, style, width)
        let open = record.decision.reasons.filter { $0.result != .met }
        text += aligned(
            open.map { [($0.rule.rawValue, .waiting), ($0.cited, nil)] }, indent: 4, style: style,
            width: width)
        if let earliest = record.decision.earliest {
            text += wrapped(
                "    as things stand, allowed \(relative(earliest, to: now)) (\(earliest))\n", width: width)
        }
        return text
    }

    private func next() -> String {
        // Nothing that rests on the ledger is of use before that is mended; to adopt would confirm whatever is there.
        if has("ledger-corrupt") {
            return next([
                ("holdfast check", "put the damaged ledger aside, and begin one from the guard file")
            ])
        }
        guard isPastKnown else { return "" }
        var steps: [(String, String)] = []
        let waiting = report.installations.flatMap(\.decisions).filter { $0.decision.verdict != .allow }
        if let first = waiting.first {
            let id = waiting.count == 1 ? " \(first.subject.change.id)" : ""
            steps.append(("holdfast explain\(id)", "every rule, and what would change the answer"))
        }
        if waiting.contains(where: { $0.decision.verdict == .hold }) {
            steps.append(("holdfast approve", "what waits, byte for byte, and what an approval can release"))
        }
        // Of no use where the policy takes the bytes' word.
        let claimed = waiting.filter { record in
            record.decision.reasons.contains { $0.rule == .origin && $0.result != .met }
        }.map(\.subject.change).first { $0.origin == .claimed && $0.installation.distribution != .microk8s }
        if let claimed {
            // K3s's checksum file does not name its version.
            let version = claimed.installation.distribution == .k3s ? claimed.to.version : nil
            steps.append(
                (
                    "holdfast catalog import FILE" + (version.map { " --version \($0)" } ?? ""),
                    "verify the artifact by its release's checksum file"
                ))
        }
        if report.paused != nil { steps.append(("holdfast resume", "put the guards back now")) }
        if report.policy.sha256 != nil, report.installations.contains(where: { !$0.adopted }) {
            steps.append(("holdfast adopt", "confirm what is installed, and guard it"))
        }
        if has("policy-invalid") {
            let path = report.policy.path
            let file = path == "/etc/holdfast/policy.yaml" ? "" : " \(path.printable)"
            steps.append(("holdfast policy lint\(file)", "every error in the policy file, with its line"))
        } else if report.policy.sha256 == nil {
            steps.append(("holdfast init", "write a policy, by asking what this node is part of"))
        }
        return next(steps)
    }

    private func next(_ steps: [(String, String)]) -> String {
        guard !steps.isEmpty else { return "" }
        return "\n" + style("Next", .strong) + "\n"
            + nextSteps(steps, style, width)
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

extension NodeReport.InstallationPart {
    /// The newest artifact that was put back, while what it took the place of is kept.
    fileprivate var putBack: GateAct? {
        acts.last { act in act.kind == .putBack && pending.contains { $0.path == act.pending } }
    }
}
