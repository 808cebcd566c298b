import Model

/// Whether a step has to save the state of its cluster first, and how.
enum BackupNeed: Hashable {
    /// - isRequired: whether the step waits for it; else it goes on without where that fails.
    case make(BackupMethod, isRequired: Bool)
    /// Why not, for a person.
    case notNeeded(String)
    /// It is needed and cannot be made; why, and what to do about it.
    case noMethod(String)
}

/// What a policy asks to be saved before a change (policy.md, `backup`; rollout.md, "A node's step").
///
/// `auto` is before minors, and whatever is wider, on nodes of the control plane. A command that the owner names goes
/// first; else each distribution has one way for each store that it keeps itself.
func backupNeed(of installation: Installation, _ policy: Backup, before type: UpdateType) -> BackupNeed {
    if policy.mode == .off { return .notNeeded("the policy wants no backup (backup.mode)") }
    if policy.mode == .auto, type == .build || type == .patch {
        return .notNeeded("a backup is made before minors")
    }
    guard let role = installation.role else {
        return orNone(policy, "nobody knows what this node does in its cluster")
    }
    guard role.isControlPlane else { return .notNeeded("no state of the cluster is kept here") }
    if installation.dataStore == .none { return .notNeeded("no state of the cluster is kept here") }
    let isRequired = policy.mode != .ifPossible
    if !policy.command.isEmpty {
        guard !policy.verify.isEmpty else {
            return orNone(
                policy,
                "backup.command has no backup.verify, which shows that what it makes can be read")
        }
        return .make(.command(policy.command, verify: policy.verify), isRequired: isRequired)
    }
    guard let method = ownMethod(installation) else {
        return orNone(policy, whyNone(installation) + "; name backup.command and backup.verify")
    }
    return .make(method, isRequired: isRequired)
}

/// Where a backup is merely wished for, none that can be made is none.
private func orNone(_ policy: Backup, _ reason: String) -> BackupNeed {
    policy.mode == .ifPossible ? .notNeeded("no backup is possible: \(reason)") : .noMethod(reason)
}

private func ownMethod(_ installation: Installation) -> BackupMethod? {
    switch (installation.id.distribution, installation.dataStore) {
    case (.k3s, .sqlite): .sqlite
    case (.k3s, .etcd): .etcdSnapshot
    case (.k0s, .sqlite), (.k0s, .etcd): .k0sBackup
    case (.microk8s, .dqlite): .dbctl
    default: nil
    }
}

private func whyNone(_ installation: Installation) -> String {
    let name = installation.id.distribution.displayName
    return switch installation.dataStore {
    case .external: "the state is in a store beside the nodes, which Holdfast cannot back up itself"
    case .unknown: "nobody knows what the state is kept in"
    // `microk8s dbctl` refuses without HA.
    default: "\(name) has no way of its own to back up \(installation.dataStore.rawValue)"
    }
}

/// The effect that makes a backup; nil where it is not known what has to be in the binary's place.
///
/// - Parameters:
///   - artifact: what this node is meant to run now: nothing else is executed (invariant 11).
///   - step: its id, which is the backup's label as well.
func backUp(
    _ installation: Installation, by method: BackupMethod, artifact: Artifact, step: String, at now: Instant,
    site: GuardSite
) -> Effect? {
    guard let binary = installation.installed?.path else { return nil }
    return .backUp(
        BackUp(
            installation: installation.id, method: method, store: installation.dataStore,
            dataDirectory: installation.dataDirectory ?? "", binary: binary, artifact: artifact,
            directory: "\(site.state)/backups/\(installation.id.name)/\(step)", step: step, at: now))
}

/// Backups that are let go once a newer one is there, the oldest first.
///
/// - Parameters:
///   - backups: whole and verified ones, the oldest first.
///   - keep: how many are kept; the newest always is.
func surplus(of backups: [KeptBackup], keep: Int) -> [KeptBackup] {
    Array(backups.dropLast(max(1, keep)))
}
