import Host
import Model
import Ports

/// What guards have snapd do that is no setting.
struct SnapdActs {
    let root: Root

    /// How a refresh stands, in snapd's word; nil where snapd has forgotten it.
    func status(of refresh: AbortedRefresh) throws(EffectFailure) -> String? {
        try change(refresh)?.status
    }

    /// Whether a refresh is over, or being undone.
    func isOver(_ refresh: AbortedRefresh) throws(EffectFailure) -> Bool {
        guard let status = try status(of: refresh) else { return true }
        return !["Do", "Doing"].contains(status)
    }

    /// Has a refresh given up, where that still costs nothing.
    func abort(_ refresh: AbortedRefresh) throws(EffectFailure) {
        guard let change = try change(refresh) else { return }
        guard let found = change.refresh(of: refresh.snap), found.isFree, found.revision == refresh.revision
        else {
            throw EffectFailure(
                "snapd's change \(refresh.change) stops services already, or has other snaps in it, so giving it up "
                    + "would be an outage: it goes on; a veto, or 'snap revert \(refresh.snap)', undoes it")
        }
        try asking(root) { client throws(SnapdError) in
            try client.abort(change: refresh.change)
            _ = try client.wait(for: refresh.change, within: 10_000)
        }
    }

    /// Starts services, enables them, and takes back what systemd holds against them.
    func start(_ units: [String]) throws(EffectFailure) {
        if root.isLive {
            do throws(HostError) { try resetFailed(units) } catch { throw EffectFailure(error.description) }
        }
        let end = try asking(root) { client throws(SnapdError) in
            try client.wait(for: client.start(services: units.compactMap(Self.app)), within: 60_000)
        }
        if let failure = end.failure { throw EffectFailure(failure) }
    }

    /// Whether all of them run.
    func run(_ units: [String]) throws(EffectFailure) -> Bool {
        try asking(root) { client throws(SnapdError) in
            let running = try client.snap(MicroK8sAdapter.snap)?.services.filter { $0.active == true } ?? []
            return units.allSatisfy { unit in
                running.contains { "\(MicroK8sAdapter.snap).\($0.name)" == Self.app(unit) }
            }
        }
    }

    /// `microk8s.daemon-kubelite` of `snap.microk8s.daemon-kubelite.service`.
    private static func app(_ unit: String) -> String? {
        guard unit.hasPrefix("snap."), unit.hasSuffix(".service") else { return nil }
        return String(unit.dropFirst("snap.".count).dropLast(".service".count))
    }

    private func change(_ refresh: AbortedRefresh) throws(EffectFailure) -> SnapdChange? {
        try asking(root) { client throws(SnapdError) in
            do throws(SnapdError) {
                return try client.change(refresh.change)
            } catch {
                if error.status == 404 { return nil }
                throw error
            }
        }
    }
}
