import Model
import Reports
import Rules

/// Approvals and denials in force as a section of a report for a person; empty where there are none.
func standingText(
    approvals: [Approval], denials: [Denial], style: Style, width: Int?, now: Instant
) -> String {
    var text = ""
    if !approvals.isEmpty {
        text += "\n" + style("Approvals in force", .strong) + "\n"
        text += aligned(
            approvals.map { [($0.id.printable, .faint), ($0.sentence(now: now).printable, nil)] }, indent: 2,
            style: style, width: width)
    }
    if !denials.isEmpty {
        text += "\n" + style("Denials", .strong) + "\n"
        text += aligned(
            denials.map { [($0.id.printable, .faint), ($0.sentence.printable, nil)] }, indent: 2,
            style: style,
            width: width)
    }
    return text
}

extension Approval {
    /// What it lets through, for whom, until when, and who is said to have given it.
    func sentence(now: Instant) -> String {
        var parts = ["\(distribution.displayName) \(summary)"]
        if !from.isEmpty { parts.append("from \(from.map(\.description).joined(separator: " or "))") }
        parts.append("for \(scope)")
        if !waives.isEmpty { parts.append("waiving \(waives.map(\.rawValue).joined(separator: ", "))") }
        parts.append("until \(expires) (\(relative(expires, to: now)))")
        parts.append("given by \(claimedBy), as the system says")
        return parts.joined(separator: ", ") + (reason.isEmpty ? "" : ": \(reason)")
    }
}

extension Denial {
    /// What it keeps out, since when, and who is said to have given it.
    var sentence: String {
        "\(distribution.displayName) \(target.summary), since \(deniedAt), by \(claimedBy), as the system says: "
            + reason
    }
}

/// What waits, as `approve` lists it for a person.
struct WaitingText {
    let report: WaitingReport
    let style: Style
    /// Columns to fold at; nil folds nothing.
    let width: Int?
    let now: Instant

    /// The list, each change with its bytes, where they come from, what it waits for and how to approve it.
    func text() -> String {
        var text = report.waiting.map(waiting).joined(separator: "\n")
        if text.isEmpty { text = "Nothing waits on \(report.node.printable).\n" }
        return text
            + standingText(
                approvals: report.approvals.map(\.approval), denials: report.denials.map(\.denial),
                style: style, width: width, now: now)
    }

    private func waiting(_ part: WaitingReport.WaitingPart) -> String {
        let change = part.record.subject.change
        var rows: [[Cell]] = []
        if let revision = change.to.revision {
            rows.append([("revision", .faint), (revision.printable, nil)])
        }
        if let sha256 = change.to.sha256 { rows.append([("sha256", .faint), (sha256.hex, nil)]) }
        rows.append([("origin", .faint), (change.origin.rawValue, nil)])
        if let path = part.record.keptAs { rows.append([("kept as", .faint), (path.printable, nil)]) }
        for reason in part.record.decision.reasons where reason.result != .met {
            rows.append([(reason.rule.rawValue, .waiting), (reason.text.printable, nil)])
        }
        var command = ""
        if let refusal = part.refusal {
            rows.append([("no approval", .bad), (refusal.printable, nil)])
        } else if approvalsNotEnded(part.record).isEmpty {
            // Not a row, which may be folded.
            command = "    " + style("to approve", .faint) + "  holdfast approve \(change.id)\n"
        }
        return changeLine(part.record, style, width)
            + aligned(rows, indent: 4, style: style, width: width) + command
    }
}

/// What came of a person's word, for a person.
struct PersonsWordText {
    let report: PersonsWordReport
    let style: Style
    /// Columns to fold at; nil folds nothing.
    let width: Int?
    let now: Instant

    /// What was given or taken back, and how the change now stands.
    func text() -> String {
        var text = paragraph(headline)
        for record in report.decisions {
            text += "\n" + changeLine(record, style, width)
            let open = record.decision.reasons.filter { $0.result != .met }
            text += aligned(
                open.map { [($0.rule.rawValue, .waiting), ($0.text.printable, nil)] }, indent: 4,
                style: style, width: width)
        }
        return text
    }

    private var headline: String {
        switch report.word {
        case .approved(let approval): "Approval \(approval.id): \(approval.sentence(now: now))"
        case .denied(let denial): "Denial \(denial.id): \(denial.sentence)"
        case .revoked(let revocation):
            switch revocation.revoked {
            case .approval(let approval): "Revoked approval \(approval.id) of \(approval.summary)"
            case .denial(let denial): "Revoked denial \(denial.id) of \(denial.target.summary)"
            }
        }
    }

    private func paragraph(_ text: String) -> String {
        folded(text.printable, width: width).joined(separator: "\n") + "\n"
    }
}

/// One line of what a change is and what was decided of it.
func changeLine(_ record: DecisionRecord, _ style: Style, _ width: Int?) -> String {
    let change = record.subject.change
    let skips = change.skipsMinor ? ", skips a minor" : ""
    let verdict = record.decision.verdict
    return flowed(
        [
            (verdict.rawValue.uppercased(), verdict.mark),
            ("\(change.from.versionText) → \(change.to.versionText)".printable, .strong),
            (
                "\(change.updateType.rawValue)\(skips), \(change.phase.spoken), by \(change.trigger.spoken)",
                nil
            ),
            (change.id, .faint),
        ], indent: 2, hanging: 4, style: style, width: width)
}

/// Commands to give next, each with what it is for; a command stays on one line, however long, so that it can be copied.
func nextSteps(_ steps: [(command: String, purpose: String)], _ style: Style, _ width: Int?) -> String {
    let longest = steps.map(\.command.count).max() ?? 0
    if width.map({ $0 - longest - 4 >= 20 }) ?? true {
        return aligned(
            steps.map { [($0.command, nil), ($0.purpose, .faint)] }, indent: 2, style: style, width: width)
    }
    return steps.map { step in
        "  \(step.command)\n"
            + aligned([[(step.purpose, .faint)]], indent: 6, style: style, width: width)
    }.joined()
}
