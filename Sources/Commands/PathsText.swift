import Agent
import CommandLine
import Model
import Reports
import Rules

/// `holdfast status --paths`: every way by which the versions of this node can change.
func statusPaths(
    _ outcome: Tick.Outcome, at place: Place, _ invocation: Invocation, on screen: Screen
) throws(Failure) {
    let judgement = outcome.judgement
    let facts = place.guardFacts(outcome, isDeep: false)
    let report = PathsReport(
        node: judgement.observation.node.name,
        installations: judgement.observation.installations.map { installation in
            let enforce = judgement.policy.map { policy in
                resolve(
                    policy, isCurrent: judgement.policyIsCurrent, node: judgement.observation.node,
                    distribution: installation.id.distribution, role: installation.role
                ).policy.enforce
            }
            let known = judgement.state.installations[installation.id.description]
            let hold = known.flatMap { known in
                installation.id.distribution == .microk8s
                    ? holdState(
                        of: known, seen: installation, snapd: judgement.observation.snapd,
                        placed: judgement.state.guards?.settings ?? [],
                        readings: judgement.observation.settings, now: judgement.observation.clock.now) : nil
            }
            let question = PathsQuestion(
                installation: installation, known: known, enforce: enforce,
                records: judgement.state.guards ?? GuardRecords(), pause: judgement.state.pause, facts: facts,
                cluster: judgement.observation.cluster, hold: hold, now: judgement.observation.clock.now)
            return InstallationPaths(installation.id, paths(question))
        })
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        screen.out(report.text(screen.style, width: screen.width))
    }
}

private struct PathsReport: Encodable {
    let node: String
    let installations: [InstallationPaths]

    func text(_ style: Style, width: Int?) -> String {
        guard !installations.isEmpty else { return "\(node.printable): no distribution was found here\n" }
        return installations.map { installation in
            var rows: [[Cell]] = []
            for path in installation.paths {
                rows.append([
                    (path.path.rawValue, nil), (path.state.spoken, path.state.mark),
                    (path.evidence.printable, nil),
                ])
                if let lever = path.lever {
                    rows.append([("", nil), ("", nil), ("change it: " + lever.printable, .faint)])
                }
            }
            return style(installation.distribution.displayName, .strong)
                + "  \(installation.name.printable)\n"
                + aligned(rows, indent: 2, style: style, width: width)
        }.joined(separator: "\n")
    }
}

extension ChangePath.State {
    fileprivate var spoken: String {
        switch self {
        case .held: "held"
        case .notHeld: "not held"
        case .notProven: "not proven"
        case .cannotBeHeld: "cannot be held"
        }
    }

    fileprivate var mark: Style.Mark {
        switch self {
        case .held: .good
        case .notHeld: .bad
        case .notProven, .cannotBeHeld: .waiting
        }
    }
}
