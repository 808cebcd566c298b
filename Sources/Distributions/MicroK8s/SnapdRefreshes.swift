import Model

extension SnapdChange {
    /// Kinds of changes that put another revision in place.
    static let refreshing: Set<String> = ["auto-refresh", "refresh-snap"]

    /// What it does to a snap, where it is a refresh of it.
    ///
    /// Tasks are matched by kind, never by position.
    func refresh(of snap: String) -> SnapRefresh? {
        guard Self.refreshing.contains(kind), data?.names?.contains(snap) == true else { return nil }
        let tasks = tasks ?? []
        let stops = tasks.filter { $0.kind == "stop-snap-services" }
        // A change that has no such task yet may be anything.
        let isFree =
            data?.names == [snap] && ["Do", "Doing"].contains(status ?? "") && !stops.isEmpty
            && stops.allSatisfy { $0.status == "Do" }
            && tasks.allSatisfy { ["Do", "Doing", "Done"].contains($0.status) }
        return SnapRefresh(
            change: id, kind: kind, snap: snap,
            revision: tasks.lazy.filter { Self.naming.contains($0.kind) }.compactMap {
                Self.revision(of: snap, in: $0.summary)
            }.first, isFree: isFree)
    }

    /// Tasks whose sentence names the revision that is put in place.
    private static let naming: Set<String> = [
        "download-snap", "validate-snap", "mount-snap", "setup-profiles", "link-snap", "start-snap-services",
    ]

    /// Of `Download snap "microk8s" (12) from channel "1.31/stable"` the 12; sentences may be translated.
    private static func revision(of snap: String, in summary: String) -> String? {
        let parts = summary.split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[1] == snap, parts[2].hasPrefix(" (") else { return nil }
        let revision = String(parts[2].dropFirst(2).prefix { $0 != ")" })
        return SnapFiles.isRevision(revision) ? revision : nil
    }
}
