import Model

/// What a person should know of what the cluster told.
func clusterProblems(
    _ seen: ClusterObservation, _ access: ClusterAccess, on concerned: [Installation]
) -> [Problem] {
    guard !concerned.isEmpty else { return [] }
    var problems: [Problem] = []
    if seen.node == nil, concerned.contains(where: { $0.role?.hasKubelet != false }) {
        problems.append(
            Problem(
                code: "cluster-node",
                text:
                    "\(access.kubeconfig): the cluster has no Node that is this machine, so no plan can be kept "
                    + "away from it; check that the kubeconfig is of this node's cluster ('kubectl get nodes -o wide')"
            ))
    }
    for plan in seen.plans where plan.selectsNode {
        guard let distrust = plan.distrust else { continue }
        problems.append(
            Problem(
                code: "plan-distrusted",
                text:
                    "the channel \((plan.channel ?? "").cut(to: 200).printable) of plan \(plan.path) is not relied on: "
                    + "\(distrust); name a version in the plan (spec.version), or look at who serves the channel",
                about: plan.path))
    }
    if let autopilot = seen.autopilot, concerned.contains(where: { $0.id.distribution == .k0s }) {
        problems += autopilotProblems(autopilot, isDisabled: access.autopilotIsDisabled)
    }
    return problems
}

/// What a person should know of k0s's autopilot.
///
/// It downloads, drains and restarts by itself, and no label keeps it away from a node. Its windows compare days by
/// their full English names, and end at midnight (k0s, `IsWithinPeriod`).
func autopilotProblems(_ autopilot: Autopilot, isDisabled: Bool?) -> [Problem] {
    guard isDisabled != true else { return [] }
    var problems: [Problem] = []
    var what: [String] = []
    if let plan = autopilot.plan, plan.takesNodeIn, !plan.isOver {
        let state = plan.state.map { " (\($0))" } ?? ""
        let here = plan.nodeStates.isEmpty ? "" : ", here \(plan.nodeStates.joined(separator: ", "))"
        what.append("its Plan is on the way to \(plan.version ?? "other images")\(state)\(here)")
    }
    for config in autopilot.configs {
        let window = config.window.map { window in
            "\(window.days.isEmpty ? "every day" : window.days.joined(separator: ", ")) from \(window.start) for \(window.length)"
        }
        what.append(
            "UpdateConfig \(config.name) follows channel \(config.channel) of \(config.server), \(window ?? "at any time")"
        )
        for trap in config.window?.traps ?? [] {
            problems.append(
                Problem(
                    code: "autopilot-window", text: "UpdateConfig \(config.name): \(trap)",
                    about: config.name))
        }
    }
    guard !what.isEmpty else { return problems }
    problems.append(
        Problem(
            code: "autopilot-active",
            text: "k0s's autopilot can change this node's version, and cannot be held without a drain: "
                + what.map(\.printable).joined(separator: "; ")
                + "; disable it: start the controllers with --disable-components autopilot"))
    return problems
}

extension Autopilot.Window {
    /// In what ways the window is not what it seems to be.
    var traps: [String] {
        var traps: [String] = []
        let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        let strange = days.filter { !names.contains($0) }
        if !strange.isEmpty {
            traps.append(
                "its days \(strange.map { "\"\($0.cut(to: 32).printable)\"" }.joined(separator: ", ")) never match: autopilot "
                    + "knows full English names alone, such as Tuesday")
        }
        if let start = minutes(ofClock: start), let length = minutes(ofDuration: length),
            start + length > 1440
        {
            traps.append(
                "its window \(self.start) for \(self.length) crosses midnight, and autopilot does not go on after it"
            )
        }
        return traps
    }
}

/// Minutes since midnight of `02:00`; nil where it is no time of day.
private func minutes(ofClock text: String) -> Int? {
    let parts = text.split(separator: ":").map { Int($0) }
    guard parts.count == 2, let hours = parts[0], let minutes = parts[1], (0...23).contains(hours),
        (0...59).contains(minutes)
    else { return nil }
    return hours * 60 + minutes
}

/// Minutes of a duration as Go writes it, `1h30m`, rounded down; nil where it is none.
private func minutes(ofDuration text: String) -> Int? {
    var seconds = 0
    var number = ""
    for character in text {
        if character.isASCII, character.isNumber, number.utf8.count < 6 {
            number.append(character)
            continue
        }
        guard let count = Int(number), let unit = ["h": 3600, "m": 60, "s": 1][String(character)] else {
            return nil
        }
        seconds += count * unit
        number = ""
    }
    return number.isEmpty && !text.isEmpty ? seconds / 60 : nil
}
