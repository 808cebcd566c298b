import Model

extension Question {
    /// A control plane must stay able to decide while this node is away (rollout.md, "Who may move next").
    func quorum() -> Reason {
        guard let role else { return roleUnknown(.quorum) }
        guard role.isControlPlane else {
            return met(.quorum, "\(role.withArticle) is no member of the control plane", from: builtIn)
        }
        guard fleet.answered else { return storeSilent(.quorum) }
        guard let isAlone = isOnlyControlPlane else { return clusterUnseen(.quorum) }
        if isAlone {
            let text =
                fleet.seesOthers
                ? "a control plane of one has no quorum to lose; its API is away during the step"
                : "the embedded store sees this node alone: as a control plane of one it has no quorum to lose"
            return met(.quorum, text, from: builtIn)
        }
        let others = otherControlPlanes
        if let reason = healthOf(others) { return reason }
        if fleet.unseen != nil { return clusterUnseen(.quorum) }
        // With the state in a store beside the nodes there is no vote among them.
        if subject.installation.dataStore == .external {
            return met(.quorum, "\(names(others)) answer; the data store is beside the nodes", from: builtIn)
        }
        return votesOf(others)
    }

    private func healthOf(_ others: [FleetSummary.Member]) -> Reason? {
        let sick = others.filter { $0.healthy == false }
        if !sick.isEmpty {
            return hold(
                .quorum, "\(names(sick)) of the control plane is not healthy", from: builtIn,
                lever: quorumLever("mend \(names(sick))"))
        }
        let silent = others.filter { $0.healthy == nil }
        guard !silent.isEmpty else { return nil }
        return unknown(
            .quorum,
            "nobody knows whether \(names(silent)) is healthy"
                + (silent.lazy.compactMap(\.doubt).first.map { ": \($0)" } ?? ""), from: builtIn,
            lever: quorumLever("run holdfast check on \(names(silent))"))
    }

    private func votesOf(_ others: [FleetSummary.Member]) -> Reason {
        let silent = others.filter { $0.votes == nil }
        guard silent.isEmpty else {
            return unknown(
                .quorum, "nobody knows whether \(names(silent)) votes in the data store", from: builtIn,
                lever: quorumLever("run holdfast check on \(names(silent))"))
        }
        let voters = others.filter { $0.votes == true }
        let mute = others.filter { $0.votes == false }
        // dqlite keeps members beyond its three voters as stand-bys on purpose; in etcd one that does not vote
        // is still catching up, or broken.
        if !mute.isEmpty, distribution != .microk8s {
            return hold(
                .quorum, "\(names(mute)) does not vote in the data store", from: builtIn,
                lever: quorumLever("wait until \(names(mute)) votes"))
        }
        // This node may be a voter: without it more than half of all voters must be left.
        guard voters.count > (voters.count + 1) / 2 else {
            return hold(
                .quorum, "with \(voters.count + 1) voters none may be away: the API stops during the step",
                from: builtIn, lever: quorumLever("add a third control-plane node"))
        }
        return met(.quorum, "\(names(voters)) answer and vote, and keep the quorum", from: builtIn)
    }

    func quorumLever(_ first: String) -> String {
        policy.approval.mayWaive.contains(.quorum)
            ? "\(first), or holdfast approve \(change.id) --waive quorum --reason TEXT"
            : "\(first), or \(overrideLever(.quorum))"
    }
}
