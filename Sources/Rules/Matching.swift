public import Model

extension Match {
    /// Whether an installation on a node is meant; what is not known about it never matches.
    public func applies(to node: NodeFacts, distribution: Distribution, role: Role?) -> Bool {
        if !self.distribution.isEmpty, !self.distribution.contains(distribution) { return false }
        if !self.role.isEmpty {
            guard let role, self.role.contains(role) else { return false }
        }
        if !arch.isEmpty {
            guard let architecture = node.architecture, arch.contains(architecture) else { return false }
        }
        if !self.node.isEmpty, !matchesAny(of: self.node, node.name) { return false }
        if !cluster.isEmpty, !matchesAny(of: cluster, node.cluster) { return false }
        return labels.allSatisfy { node.labels[$0.key] == $0.value }
    }
}

extension Stage {
    /// Whether a node is in this stage, unless one before it takes it.
    public func matches(_ node: NodeFacts) -> Bool {
        matchesAny(of: nodes, node.name) && matchesAny(of: clusters, node.cluster)
            && labels.allSatisfy { node.labels[$0.key] == $0.value }
    }
}
