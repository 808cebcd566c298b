import Host
import Model
import Ports

/// A refresh to exactly one revision, which snapd goes on with by itself once it has taken it.
extension SnapdActs {
    /// How long snapd may take to answer that it has taken one, in milliseconds: it asks the store first.
    private static let taking = 60_000
    /// How long it is waited for here; the effect lock is held meanwhile, so the rest is waited for outside.
    private static let waiting = 2000

    /// The installed revision; nil where the snap is not installed.
    func revision(of snap: String) throws(EffectFailure) -> String? {
        try asking(root) { client throws(SnapdError) in try client.snap(snap)?.revision }
    }

    /// Asks for the revision, unless it is there or snapd is at something with the snap already.
    func refresh(_ refresh: RevisionRefresh) throws(EffectFailure) {
        let present = try revision(of: refresh.snap)
        if present == refresh.revision { return }
        guard present == refresh.from else {
            throw EffectFailure(
                "revision \(present ?? "none") of \(refresh.snap) is installed, and not \(refresh.from) any longer, so "
                    + "it is left alone")
        }
        guard try !isBusy(with: refresh.snap) else { return }
        try asking(root) { client throws(SnapdError) in
            var patient = client
            patient.patience = Self.taking
            let change = try patient.refresh(
                refresh.snap, revision: refresh.revision, channel: refresh.channel)
            // Whatever becomes of it, a probe finds out.
            _ = try? client.wait(for: change, within: Self.waiting)
        }
    }

    /// How it stands: the revisions are compared, since the status of a change is no proof (`facts/snapd.md`).
    func probe(_ refresh: RevisionRefresh) throws(EffectFailure) -> EffectProbe {
        // Before the revision is asked for: a change that ends in between has put it where it stays.
        if try isBusy(with: refresh.snap) { return .underWay }
        let present = try revision(of: refresh.snap)
        if present == refresh.revision { return .done(nil) }
        guard let change = try change(of: refresh) else { return .notDone }
        let failure = try asking(root) { client throws(SnapdError) in
            try client.progress(of: change.id).failure
        }
        let stops = (change.tasks ?? []).filter { $0.kind == "stop-snap-services" }
        return .takenBack(
            SnapdUndo(
                reason: failure
                    ?? "snapd's change \(change.id) is done, and revision \(present ?? "none") of \(refresh.snap) is "
                    + "installed; see 'snap change \(change.id)'",
                // Without that task nobody knows.
                hadStopped: stops.isEmpty || stops.contains { !["Do", "Hold"].contains($0.status) }))
    }

    private func isBusy(with snap: String) throws(EffectFailure) -> Bool {
        try asking(root) { client throws(SnapdError) in try !client.changesUnderWay(for: snap).isEmpty }
    }

    /// The newest change that came of it; nil where snapd knows of none.
    private func change(of refresh: RevisionRefresh) throws(EffectFailure) -> SnapdChange? {
        let changes = try asking(root) { client throws(SnapdError) in
            try client.changes(for: refresh.snap)
        }
        return changes.filter { change in
            guard change.kind == "refresh-snap", let found = change.refresh(of: refresh.snap),
                let spawned = change.spawnTime.flatMap({ Instant(snapd: $0) }), spawned >= refresh.since
            else { return false }
            // Sentences may be translated, and then name no revision.
            return found.revision == nil || found.revision == refresh.revision
        }
        .max { (Int($0.id) ?? 0) < (Int($1.id) ?? 0) }
    }
}
