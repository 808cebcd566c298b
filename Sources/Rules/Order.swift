import Model

extension Question {
    /// Control plane before the workers of the same cluster.
    func order() -> Reason {
        guard let role else { return roleUnknown(.order) }
        guard !role.isControlPlane else {
            return met(
                .order, "the control plane goes before the workers, and this is part of it", from: builtIn)
        }
        guard fleet.answered else { return storeSilent(.order) }
        guard let target = to else {
            return unknown(
                .order, "the target's version is not known", from: builtIn,
                lever: "make the version known: holdfast catalog import FILE")
        }
        let servers = otherControlPlanes
        if servers.isEmpty, !fleet.seesOthers, staysInMinor(target) {
            return met(
                .order,
                "\(target.minorText) runs here already, and within a minor no API server needs to go first; "
                    + "the embedded store sees this node alone", from: builtIn)
        }
        guard !servers.isEmpty else { return clusterUnseen(.order) }
        let versions = servers.compactMap(\.running)
        guard versions.count == servers.count, let oldest = versions.min() else {
            let silent = servers.filter { $0.running == nil }
            return unknown(
                .order, "nobody knows what \(names(silent)) runs", from: builtIn,
                lever: "run holdfast check on \(names(silent))")
        }
        if target > oldest {
            let behind = servers.filter { ($0.running ?? target) < target }
            return hold(
                .order, "\(names(behind)) of the control plane is still behind \(target)", from: builtIn,
                lever: "upgrade the control plane of \(node.cluster) first")
        }
        return met(.order, "every API server of \(node.cluster) is at \(oldest) or newer", from: builtIn)
    }
    /// Version skew between a kubelet and its API server is counted in minors (version-skew policy).
    private func staysInMinor(_ target: Version) -> Bool {
        guard let running = subject.installation.running?.version ?? from else { return false }
        return running.major == target.major && running.minor == target.minor
    }
}
