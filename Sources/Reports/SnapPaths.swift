import Model

extension PathsQuestion {
    /// The paths of a snap: what snapd does by itself, and what somebody has it do.
    var snapPaths: [ChangePath] {
        let veto = veto
        return [autoRefresh(veto), namedRefresh(veto)]
    }

    /// The gate on the snap's services, which refuses a refresh to what is not approved.
    private var veto: GuardStanding {
        if let lifted { return lifted }
        guard enforce?.veto == true else {
            return GuardStanding(
                state: .notHeld, evidence: "the policy's enforce.veto is off",
                lever: "enforce: {veto: true} in the policy")
        }
        let prefix = "/snap.\(installation.id.name).daemon-.service.d/"
        guard let path = records.dropIns.keys.first(where: { $0.contains(prefix) }) else {
            return GuardStanding(
                state: .notHeld, evidence: "no veto was placed before the snap's services",
                lever: "holdfast check")
        }
        if !facts.gateIsExecutable {
            return GuardStanding(
                state: .notHeld,
                evidence: "\(facts.gateProgram): the gate is not there or cannot be executed",
                lever: installAgain)
        }
        if facts.dropIns[path] != .asPlaced {
            return GuardStanding(
                state: .notHeld, evidence: "\(path): the veto's drop-in is not there as it was placed",
                lever: "holdfast check")
        }
        guard case .told(let units, let readAt) = facts.units else {
            return GuardStanding(
                state: .notProven,
                evidence: "the veto's drop-in lies on disk; whether systemd has read it is not known",
                lever: "holdfast status --paths, on the node itself")
        }
        let services = units.filter { $0.key.hasPrefix("snap.\(installation.id.name).daemon-") }
        guard !services.isEmpty else {
            return GuardStanding(
                state: .notProven, evidence: "systemd told of none of the snap's services",
                lever: "systemctl list-units 'snap.\(installation.id.name).*'")
        }
        for (unit, told) in services.sorted(by: { $0.key < $1.key })
        where told.needsReload || !told.dropIns.contains(path) {
            return GuardStanding(
                state: .notHeld, evidence: "\(path): systemd has not read it for \(unit)",
                lever: "systemctl daemon-reload")
        }
        let since = readAt.map { " since \($0)" } ?? ""
        return GuardStanding(
            state: .held,
            evidence:
                "the veto stands before \(services.count) of the snap's services, read by systemd\(since): a "
                + "refresh to a revision that is not approved fails there, and snapd undoes it",
            lever: "holdfast pause --for 2h --reason …")
    }

    private func autoRefresh(_ veto: GuardStanding) -> ChangePath {
        guard let hold = installation.hold, let until = hold.until, now < until else {
            let lever =
                enforce?.hold == .general
                ? "holdfast check"
                : "enforce: {hold: general} in the policy, or 'snap refresh --hold \(installation.id.name)'"
            return ChangePath(
                .autoRefresh, veto.state == .held ? .held : .notHeld,
                veto.state == .held
                    ? "snapd holds nothing, but \(veto.evidence)"
                    : "snapd does not hold the snap, and \(veto.evidence)",
                lever: lever)
        }
        if case .held(let evidence)? = self.hold {
            return ChangePath(.autoRefresh, .held, evidence, lever: "holdfast pause --for 2h --reason …")
        }
        let end = until - now > .days(36_500) ? "forever" : "until \(until)"
        var doubt = "that no refresh was waiting when it was placed is not known"
        var proof = "a scheduled refresh check after the hold proves it: 'snap refresh --time' says when"
        if case .notProven(let why, let what)? = self.hold {
            doubt = why
            proof = "\(what) proves it"
        }
        if let proceed = hold.inhibitProceed {
            doubt += "; a refresh that waits for running commands goes on by \(proceed) at the latest"
        }
        return ChangePath(
            .autoRefresh, veto.state == .held ? .held : .notProven,
            "snapd's hold is in force (\(end)); \(doubt); \(veto.evidence)", lever: proof)
    }

    private func namedRefresh(_ veto: GuardStanding) -> ChangePath {
        ChangePath(
            .namedRefresh, veto.state,
            "no hold stops a refresh that names the snap; \(veto.evidence)", lever: veto.lever)
    }
}
