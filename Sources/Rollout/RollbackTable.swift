public import Model

/// What is done where an artifact has failed on a node (`rollout.md`, "Rollback").
public enum RollbackAction: Hashable, Sendable {
    /// The old artifact is put back, restarted and probed.
    case automatic
    /// snapd goes back by itself, and that is recognised.
    case leftToSnapd
    /// A person has to act; nothing is touched (invariant 12).
    case person(PersonsRollback)
}

/// What a person has to do, as far as it depends on the node.
public enum PersonsRollback: String, Codable, CaseIterable, Hashable, Sendable {
    /// Stop, restore the backup, old binary.
    case restoreSQLite = "restore-sqlite"
    /// The other members stay as they are: remove this one and join it again.
    case rejoinMember = "rejoin-member"
    /// Restore the store's snapshot on the first member, and join the others again.
    case restoreEtcd = "restore-etcd"
    /// The store beside the nodes is restored by whoever runs it.
    case restoreExternal = "restore-external"
    /// Nobody knows what the state is kept in.
    case findOutStore = "find-out-store"
}

/// What failed, as far as the table asks.
public struct FailedStep: Hashable, Sendable {
    /// Whose artifact it was.
    public var distribution: Distribution
    /// What the node does in its cluster; nil where that is not known, which is treated like a server.
    public var role: Role?
    /// What it keeps its cluster state in.
    public var dataStore: DataStore
    /// From the old artifact to the one that failed.
    public var type: UpdateType
    /// Whether the new one's API server or data store may have started; only a proof makes it false.
    public var mayHaveStarted: Bool
    /// Whether other control-plane nodes of the cluster hold the state too.
    public var hasOtherMembers: Bool

    /// Describes a failure.
    public init(
        distribution: Distribution, role: Role?, dataStore: DataStore, type: UpdateType, mayHaveStarted: Bool,
        hasOtherMembers: Bool
    ) {
        self.distribution = distribution
        self.role = role
        self.dataStore = dataStore
        self.type = type
        self.mayHaveStarted = mayHaveStarted
        self.hasOtherMembers = hasOtherMembers
    }
}

/// The rollback table.
public func rollback(of failed: FailedStep) -> RollbackAction {
    if failed.distribution == .microk8s {
        guard failed.mayHaveStarted else { return .leftToSnapd }
        return .person(failed.hasOtherMembers ? .rejoinMember : advice(for: failed))
    }
    // Agents and workers keep no cluster state.
    if let role = failed.role, !role.isControlPlane { return .automatic }
    switch failed.type {
    case .build, .patch: return .automatic
    case .minor, .major, .downgrade, .unknown: break
    }
    guard failed.mayHaveStarted else { return .automatic }
    return .person(advice(for: failed))
}

private func advice(for failed: FailedStep) -> PersonsRollback {
    switch failed.dataStore {
    case .sqlite: .restoreSQLite
    case .etcd, .dqlite: failed.hasOtherMembers ? .rejoinMember : .restoreEtcd
    case .external: .restoreExternal
    case .none, .unknown: .findOutStore
    }
}
