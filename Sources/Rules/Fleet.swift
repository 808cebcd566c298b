import Model

// What is known of the other nodes of this node's cluster.
extension Question {
    /// The other members of this cluster.
    var otherMembers: [FleetSummary.Member] {
        fleet.members.filter { $0.cluster == node.cluster && $0.name != node.name }
    }

    /// The other nodes of this cluster that run an API server.
    var otherControlPlanes: [FleetSummary.Member] { otherMembers.filter(\.role.isControlPlane) }

    /// The nodes whose kubelet speaks to an API server of another node.
    var otherWorkers: [FleetSummary.Member] { otherMembers.filter { !$0.role.isControlPlane } }

    /// Whether this node is the whole control plane, as far as anyone can see.
    ///
    /// The embedded store means a single node (policy.md, "node.yaml"). A store that sees others must at least
    /// know this one, else its silence says nothing.
    var isOnlyControlPlane: Bool? {
        guard otherControlPlanes.isEmpty else { return false }
        if !fleet.seesOthers { return true }
        if fleet.unseen != nil { return nil }
        let knowsThisNode = fleet.members.contains { $0.cluster == node.cluster && $0.name == node.name }
        return knowsThisNode ? true : nil
    }

    /// What this node runs, else what it is meant to run.
    var running: Version? { subject.installation.running?.version ?? from }

    var storeLever: String {
        "set fleet.store in node.yaml to one that sees the other nodes (kubernetes or etcd)"
    }

    func storeSilent(_ rule: RuleName) -> Reason {
        unknown(
            rule, "the fleet's store does not answer", from: builtIn,
            lever: "see to the store that fleet in node.yaml names")
    }

    func roleUnknown(_ rule: RuleName) -> Reason {
        unknown(
            rule, "this node's role is not known", from: builtIn,
            lever: "name the unit in units of node.yaml, or see holdfast check")
    }
}

extension Version {
    /// Major and minor as one number, in which neighbouring minors are 1 apart.
    var minorNumber: Int { major * 1_000_000 + minor }
}

/// The names of members, for people.
func names(_ members: [FleetSummary.Member]) -> String {
    let shown = members.prefix(5).map(\.name).joined(separator: ", ")
    return members.count > 5 ? "\(shown) and \(members.count - 5) more" : shown
}
