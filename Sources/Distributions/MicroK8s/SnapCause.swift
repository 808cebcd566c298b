import Model

extension Trigger {
    /// What put a revision of a snap in place, by snapd's changes; `unknown` where none of them did.
    ///
    /// A change's own status is no proof: one that ended in `Error` had refreshed the snap all the same. What counts is
    /// its task `link-snap`, which names the revision and is `Done` as long as it was not undone. Changes come in no
    /// order; their numbers grow.
    init(of revision: String, snap: String, in changes: [SnapdChange]) {
        // A file's revision is given when it is there, and the task's sentence was made before.
        let names = revision.hasPrefix("x") ? ["(\(revision))", "(unset)"] : ["(\(revision))"]
        let linked = changes.filter { change in
            (change.tasks ?? []).contains { task in
                // The sentence may be translated; names and revisions are not.
                task.kind == "link-snap" && task.status == "Done" && task.summary.contains("\"\(snap)\"")
                    && names.contains { task.summary.contains($0) }
            }
        }
        switch linked.max(by: { $0.number < $1.number })?.kind {
        case "auto-refresh": self = .autoRefresh
        // A person or a tool named the snap, or all snaps at once.
        case "refresh-snap", "revert-snap", "install-snap", "try-snap", "enable-snap": self = .namedRefresh
        default: self = .unknown
        }
    }
}

extension SnapdChange {
    /// Its place in the order; anything that is no number comes first.
    var number: Int { Int(id) ?? -1 }
}
