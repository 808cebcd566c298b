import Gate
import Model

/// Why a node may not go back from a new artifact by itself, and what a person is to do; nil where it may.
///
/// The table of `rollout.md`, "Rollback": within one minor either way, and where no data is kept; across a minor only
/// where the new one is proven never to have started on the data (invariant 12).
func goingBackNeedsPerson(
    _ step: Step, _ installation: Installation, _ rollback: RollbackMode, _ lastRan: LastRanFinding,
    vault: String
) -> String? {
    let change = step.change
    if change.installation.distribution == .microk8s { return snapAdvice(step, installation) }
    let unit = installation.units.first?.name ?? "\(installation.id.name).service"
    let swap = "install -m 755 \(vault) \(step.binary)"
    if rollback == .manual {
        return
            "the policy leaves going back to a person (rollback: manual): systemctl stop \(unit); \(swap); "
            + "systemctl start \(unit)"
    }
    if installation.keepsNoData { return nil }
    if let from = change.from.version, let to = change.to.version,
        (from.major, from.minor) == (to.major, to.minor)
    {
        return nil
    }
    guard let reason = lastRan.objection(toStarting: change.from.version) else { return nil }
    return "the old minor is not put back over data that the new one may have written (\(reason)): "
        + advice(installation, unit: unit, swap: swap)
}

/// Why the artifact of a step may not be started on the data that is there (invariant 12); nil where it may.
///
/// Nobody knows better than the record of starts: a newer minor may have run in between, whatever runs now. snapd keeps
/// the data of each revision of a snap by itself.
func dataObjection(
    toStarting step: Step, on installation: Installation, _ lastRan: LastRanFinding
) -> String? {
    guard !step.isProofOnly, step.change.installation.distribution != .microk8s, !installation.keepsNoData,
        // Nothing is started where it runs.
        !installation.runs(step.change.to),
        let reason = lastRan.objection(
            toStarting: step.change.to.version, over: installation.running?.version)
    else { return nil }
    return "\(step.change.to.summary) is not started on the data that is there: \(reason)"
}

extension Installation {
    /// Whether it surely keeps no cluster state; an unknown role is treated like a server, as by the gate.
    var keepsNoData: Bool { role.map { !$0.isControlPlane } ?? false }
}

private func advice(_ installation: Installation, unit: String, swap: String) -> String {
    let data = installation.dataDirectory ?? "its data directory"
    let restore: String
    switch (installation.id.distribution, installation.dataStore) {
    case (.k3s, .sqlite):
        restore = "put the copy of \(data)/server/db that was made before the upgrade in its place"
    case (.k3s, .etcd):
        restore =
            "with more than one server leave the others as they are and join this one anew; alone: "
            + "\(swap), then k3s server --cluster-reset --cluster-reset-restore-path=SNAPSHOT"
    case (.k0s, .sqlite), (.k0s, .etcd):
        restore =
            "with more than one controller leave the others as they are and join this one anew; alone: "
            + "k0s restore ARCHIVE on an empty \(data)"
    default: restore = "restore the data store as it was before the upgrade, by its own means"
    }
    return
        "mend it with the new version where that can be done ('journalctl -u \(unit)'); else systemctl stop \(unit); "
        + "\(restore); \(swap); systemctl start \(unit); holdfast adopt. Without a backup there is no way back"
}
