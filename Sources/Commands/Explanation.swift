import Model
import Reports

/// Why a change got its verdict: every requirement, met or not, and one lever for each that is not.
struct Explanation {
    let record: DecisionRecord
    /// What the gate did last at starts of its installation.
    var acts: [GateAct] = []
    let style: Style
    /// Columns to fold at; nil folds nothing.
    let width: Int?

    /// The explanation as text for a person.
    func text() -> String {
        let change = record.subject.change
        let decision = record.decision
        let name = "\(change.installation.distribution.displayName) \(change.installation.name):"
        var text = flowed(
            [
                (change.id, .strong), (name.printable, nil),
                ("\(change.from.versionText) → \(change.to.versionText)".printable, .strong),
            ], hanging: 2, style: style, width: width)
        text +=
            flowed(
                [(decision.verdict.rawValue.uppercased(), decision.verdict.mark), (headline, nil)], indent: 2,
                hanging: 4, style: style, width: width) + "\n"
        text += aligned(
            decision.reasons.map { reason in
                [
                    (reason.result.rawValue, reason.mark), (reason.rule.rawValue, nil),
                    ("\(reason.text) (\(reason.source))".printable, reason.result == .met ? .faint : nil),
                ]
            }, indent: 2, style: style, width: width)
        let levers = decision.reasons.compactMap { reason in reason.lever.map { (reason.rule.rawValue, $0) } }
        if !levers.isEmpty {
            text += "\n" + style("What would change that", .strong) + "\n"
            text += aligned(
                levers.map { [($0.0, nil), ($0.1.printable, nil)] }, indent: 2, style: style, width: width)
        }
        text += gateText(record.acts(among: acts), style, width)
        if let path = record.keptAs {
            text +=
                "\n"
                + folded(
                    "Its bytes are kept as \(path) until it is approved and in, or newer ones need the room."
                        .printable, width: width
                ).joined(separator: "\n") + "\n"
        }
        text += standingText(
            approvals: record.approvals.filter(concerns), denials: record.denials, style: style, width: width,
            now: record.now)
        text += "\n" + wrapped(earliest, width: width) + "\n"
        return text
    }

    // In force, and for these bytes or this version: the others are in 'holdfast approve'.
    private func concerns(_ approval: Approval) -> Bool {
        let target = record.subject.change.to
        let names =
            target.revision.map { $0 == approval.revision }
            ?? approval.digests.values.contains { $0 == target.sha256 }
        return record.now < approval.expires && !approval.isSpent(on: record.subject.node.name)
            && (names || approval.version == target.version)
    }

    private var headline: String {
        let change = record.subject.change
        let skips = change.skipsMinor ? ", which skips a minor" : ""
        return "\(change.updateType.rawValue)\(skips), \(change.phase.spoken), by \(change.trigger.spoken)"
    }

    private var earliest: String {
        switch record.decision.verdict {
        case .allow: "Nothing stands in its way."
        case .deny: "Never under this policy."
        case .hold:
            record.decision.earliest.map {
                "As things stand, allowed from \($0) on (\(relative($0, to: record.now)))."
            } ?? atLeast
        }
    }

    /// What can be said of the time where a rule waits for something else than time.
    private var atLeast: String {
        let times = record.decision.reasons.compactMap { $0.result == .met ? nil : $0.notBefore }
        guard let latest = times.max() else { return "Waiting alone does not release it: see above." }
        return "Waiting alone does not release it (see above), and nothing does before \(latest) "
            + "(\(relative(latest, to: record.now)))."
    }
}

extension Reason {
    /// How a rule's result is coloured.
    var mark: Style.Mark {
        switch result {
        case .met: .good
        case .unmet: consequence == .deny ? .bad : .waiting
        case .unknown: .waiting
        }
    }
}

/// What the gate did, start by start, as a section for a person; empty where it did nothing that is told.
func gateText(_ acts: [GateAct], _ style: Style, _ width: Int?) -> String {
    guard !acts.isEmpty else { return "" }
    return "\n" + style("What the start gate did", .strong) + "\n"
        + aligned(
            acts.map { act in
                let start = act.invocationID.map { ", start \($0)" } ?? ""
                return [
                    (act.at.description, .faint),
                    (act.kind.spoken, act.kind == .putBack ? .good : .waiting),
                    (
                        "\(act.text) (\(act.unit.isEmpty ? "no unit" : act.unit)\(start), \(act.reason))"
                            .printable,
                        nil
                    ),
                ]
            }, indent: 2, style: style, width: width)
}
