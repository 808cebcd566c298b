import Model
import PolicyFile

/// Incidents as they came out, for a person.
struct IncidentText {
    let style: Style
    let width: Int?

    /// What there is.
    func list(_ played: [PlayedIncident]) -> String {
        aligned(
            played.map { [($0.name, .strong), ($0.incident.title.printable, nil)] }, indent: 0, style: style,
            width: width)
    }

    /// One line each, and what did not come out as it should.
    func summary(_ played: [PlayedIncident]) -> String {
        var text = aligned(
            played.map { one in
                let by = one.steps.filter(\.wasToBeStopped).map { step in
                    step.isStopped ? step.namingRule : "let through"
                }
                var seen: Set<String> = []
                let rules = by.filter { seen.insert($0).inserted }.joined(separator: ", ")
                let wanted = one.steps.filter { !$0.wasToBeStopped }
                let goesIn = wanted.filter { !$0.isStopped }.count
                return [
                    (one.name, nil),
                    (
                        one.letThrough.isEmpty ? "stopped" : "LET THROUGH",
                        one.letThrough.isEmpty ? .good : .bad
                    ),
                    (rules, nil),
                    (
                        goesIn == wanted.count ? "wanted change goes in" : "wanted change waits",
                        goesIn == wanted.count ? .good : .waiting
                    ), (file(one.policy), .faint),
                ]
            }, indent: 0, style: style)
        for one in played where !one.isGood { text += "\n" + whole(one) }
        let good = played.filter(\.isGood).count
        return text + "\n\(good) of \(played.count) stopped"
            + (played.allSatisfy(\.isOwnPolicy) ? ", with the wanted changes let in" : "") + ".\n"
    }

    /// One incident, step by step.
    func whole(_ played: PlayedIncident) -> String {
        let incident = played.incident
        var text =
            style(incident.title.printable, .strong) + "  " + style(played.name.printable, .faint) + "\n"
        text += aligned(
            [
                [("happened", .faint), (incident.happened.printable, nil)],
                [("told in", .faint), (incident.sources.joined(separator: ", ").printable, nil)],
                [("policy", .faint), (played.policy.printable, nil)],
            ], indent: 2, style: style, width: width)
        for step in played.steps { text += "\n" + self.step(step) }
        return text + "\n" + outcome(played) + "\n"
    }

    private func step(_ step: PlayedIncident.Step) -> String {
        let change = step.one.subject.change
        let head =
            style("\(step.one.now)", .faint) + "  " + step.one.name.printable + "\n  "
            + "\(change.installation.distribution.displayName) on \(step.one.subject.node.name): ".printable
            + "\(change.from.versionText) → \(change.to.versionText)".printable
            + ", \(change.updateType.rawValue), \(change.phase.spoken), by \(change.trigger.spoken)\n"
        let verdict = step.decision.verdict
        var rows: [[Cell]] = []
        for reason in step.decision.makers {
            rows.append([
                (rows.isEmpty ? verdict.rawValue.uppercased() : "", verdict.mark),
                (reason.rule.rawValue, nil),
                ("\(reason.text) (\(reason.source))".printable, nil),
            ])
        }
        if rows.isEmpty {
            rows = [[(verdict.rawValue.uppercased(), verdict.mark), ("every rule is met", nil)]]
        }
        for difference in step.differences { rows.append([("!", .bad), (difference.printable, .bad)]) }
        return head + aligned(rows, indent: 2, style: style, width: width)
    }

    private func outcome(_ played: PlayedIncident) -> String {
        let through = played.letThrough.map { "'\($0.one.name)'" }
        if !through.isEmpty {
            return style("Let through", .bad) + ": \(through.joined(separator: ", ").printable)."
        }
        let waiting = played.steps.filter { !$0.wasToBeStopped && $0.isStopped }.map { "'\($0.one.name)'" }
        if !waiting.isEmpty {
            return style("Stopped", .good) + ", and so is what was wanted: "
                + waiting.joined(separator: ", ").printable + "."
        }
        return played.isGood
            ? style("Stopped", .good) + ", and what was wanted goes in."
            : style("Stopped, but not as it is told", .bad) + "."
    }

    private func file(_ path: String) -> String { String(path.split(separator: "/").last ?? "").printable }
}

extension PlayedIncident.Step {
    /// The rule that is told to stop it where it does, else the first that does.
    fileprivate var namingRule: String {
        let makers = decision.makers.map(\.rule)
        let told = one.expected.by.flatMap { makers.contains($0) ? $0 : nil }
        return (told ?? makers.first)?.rawValue ?? "nothing"
    }
}
