public import Model

/// The waypoints that count for an installation: the policy's own, or those of the shipped table.
///
/// All of the table is about etcd, which only a control plane of these runs; where nobody knows what the state is kept
/// in it may be etcd.
public func waypoints(for installation: Installation, _ policy: Policy) -> [Waypoint] {
    switch policy.waypoints {
    case .none: return []
    case .listed(let waypoints): return waypoints
    case .shipped:
        let store = installation.dataStore
        guard installation.role?.isControlPlane != false, store == .etcd || store == .unknown else {
            return []
        }
        return ShippedWaypoint.all.filter { $0.distribution == installation.id.distribution }.map(\.waypoint)
    }
}

extension Question {
    /// Versions that must be passed through must not be jumped over.
    func waypoint() -> Reason {
        switch policy.waypoints {
        case .none:
            return met(.waypoint, "no waypoints are asked for", from: line("waypoints"))
        case .listed(let waypoints):
            return judge(waypoints, from: line("waypoints"))
        case .shipped:
            let store = subject.installation.dataStore
            guard role?.isControlPlane != false, store == .etcd || store == .unknown else {
                return met(.waypoint, "the shipped waypoints are for nodes that run etcd", from: builtIn)
            }
            return judge(waypoints(for: subject.installation, policy), from: builtIn)
        }
    }

    private func judge(_ waypoints: [Waypoint], from source: String) -> Reason {
        guard !waypoints.isEmpty else {
            return met(.waypoint, "no waypoint is known for \(distribution.displayName)", from: source)
        }
        guard let from, let to else {
            return unknown(
                .waypoint, "whether a waypoint is jumped over cannot be told: a version is not known",
                from: source, lever: "make the version known: holdfast catalog import FILE")
        }
        for waypoint in waypoints where waypoint.from.contains(from) && to > from {
            if waypoint.from.contains(to) || waypoint.through.contains(to) { continue }
            return deny(
                .waypoint,
                "from \(from), \(waypoint.through.text) must come before \(to): \(waypoint.reason)",
                from: source, lever: "go to \(waypoint.through.text) first, or waypoints in the policy")
        }
        return met(.waypoint, "no waypoint is jumped over", from: source)
    }
}
