import Model

extension Question {
    /// The version-skew policy, judged for the cluster as it would be after this step (invariant 9).
    ///
    /// Rules 1, 2, 8, 11 and 12 of the skew table; rule 6 is `skip-minor`, rule 13 `downgrade`. A combined node
    /// moves its API server and kubelet together, and its kubelet is judged against its own local API server;
    /// only kubelets on nodes without one are compared with the others (rollout.md, "Who may move next").
    func skew() -> Reason {
        guard let role else { return roleUnknown(.skew) }
        guard let target = to, let running else {
            return unknown(
                .skew, "the versions of this step are not known", from: builtIn,
                lever: "make the version known: holdfast catalog import FILE")
        }
        guard fleet.answered else { return storeSilent(.skew) }
        // What runs already has grown whatever skew it has; else both have to stay.
        let stays = starts.allSatisfy { $0?.minorNumber == target.minorNumber }
        if stays || (change.phase == .running && target.minorNumber == running.minorNumber) {
            return met(.skew, "the minor stays \(target.minorText), so no skew grows", from: builtIn)
        }
        return role.isControlPlane
            ? skewOfControlPlane(from: running, to: target) : skewOfWorker(to: target)
    }

    private func skewOfControlPlane(from running: Version, to target: Version) -> Reason {
        guard let isAlone = isOnlyControlPlane else { return clusterUnseen(.skew) }
        if fleet.unseen != nil { return clusterUnseen(.skew) }
        let others = otherControlPlanes
        let silent = (others + otherWorkers).filter { $0.running == nil }
        guard silent.isEmpty else {
            return unknown(
                .skew, "nobody knows what \(names(silent)) runs", from: builtIn,
                lever: "run holdfast check on \(names(silent))")
        }
        let otherMinors = others.compactMap { $0.running?.minorNumber }
        let newest = max(otherMinors.max() ?? target.minorNumber, target.minorNumber)
        let oldest = min(otherMinors.min() ?? target.minorNumber, target.minorNumber)
        // Rule 1, which also keeps a further step back until the oldest API server has caught up.
        if newest - oldest > 1 {
            let behind = others.filter { ($0.running?.minorNumber ?? 0) < target.minorNumber - 1 }
            let who = behind.isEmpty ? "the other API servers" : names(behind)
            return hold(
                .skew,
                "API servers may be one minor apart, and \(who) would be further from "
                    + "\(target.minorText)", from: builtIn,
                lever: "bring \(who) to a neighbouring minor first")
        }
        for worker in otherWorkers {
            guard let kubelet = worker.running else { continue }
            if kubelet.minorNumber > oldest {
                return hold(
                    .skew,
                    "the kubelet of \(worker.name) (\(kubelet.minorText)) would be newer than the "
                        + "oldest API server", from: builtIn, lever: "upgrade the control plane first")
            }
            let allowed = kubeletMayTrail(kubelet)
            if newest - kubelet.minorNumber > allowed {
                return hold(
                    .skew,
                    "the kubelet of \(worker.name) (\(kubelet.minorText)) would be more than "
                        + "\(allowed) minor\(allowed == 1 ? "" : "s") behind \(target.minorText)",
                    from: builtIn, lever: "upgrade \(worker.name) first")
            }
        }
        if isAlone, !fleet.seesOthers {
            return met(
                .skew,
                "from \(running.minorText) to \(target.minorText); the embedded store sees this node "
                    + "alone, so no other is compared", from: builtIn)
        }
        return met(
            .skew,
            "from \(running.minorText) to \(target.minorText) keeps all API servers and kubelets of "
                + "\(node.cluster) within their skew", from: builtIn)
    }

    private func skewOfWorker(to target: Version) -> Reason {
        let servers = otherControlPlanes
        guard !servers.isEmpty else { return clusterUnseen(.skew) }
        let minors = servers.compactMap { $0.running?.minorNumber }
        guard minors.count == servers.count, let oldest = minors.min(), let newest = minors.max() else {
            let silent = servers.filter { $0.running == nil }
            return unknown(
                .skew, "nobody knows what \(names(silent)) runs", from: builtIn,
                lever: "run holdfast check on \(names(silent))")
        }
        if target.minorNumber > oldest {
            return hold(
                .skew, "a kubelet of \(target.minorText) would be newer than the oldest API server",
                from: builtIn, lever: "upgrade the control plane of \(node.cluster) first")
        }
        let allowed = kubeletMayTrail(target)
        if newest - target.minorNumber > allowed {
            return hold(
                .skew,
                "a kubelet of \(target.minorText) would be more than \(allowed) "
                    + "minor\(allowed == 1 ? "" : "s") behind the newest API server", from: builtIn,
                lever: "choose a newer target")
        }
        return met(
            .skew, "a kubelet of \(target.minorText) is within the skew of \(node.cluster)'s API servers",
            from: builtIn)
    }

    /// How many minors a kubelet may be behind the newest API server.
    private func kubeletMayTrail(_ kubelet: Version) -> Int {
        // k0s supports less than Kubernetes does (k0sproject/k0s#8195).
        if distribution == .k0s { return 1 }
        // Kubelets older than 1.25 were given two.
        return (kubelet.major, kubelet.minor) < (1, 25) ? 2 : 3
    }

    func clusterUnseen(_ rule: RuleName) -> Reason {
        guard role?.isControlPlane == true, let unseen = fleet.unseen else {
            return unknown(
                rule, "no control-plane node of cluster \(node.cluster) can be seen from here",
                from: builtIn, lever: storeLever)
        }
        let text = "nobody knows who else is of the control plane of \(node.cluster): \(unseen)"
        let lever = "let this node ask its API server (kubeconfig in node.yaml)"
        return unknown(
            rule, text, from: builtIn, lever: rule == .quorum ? quorumLever(lever) : lever)
    }
}
