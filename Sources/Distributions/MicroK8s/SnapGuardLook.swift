import Host
import Model
import Ports

/// What guards want to know of a snap besides what it is: what is set, what snapd is at, what it has left stopped.
extension SnapLook {
    /// What settings are, as far as the answers tell that are asked for anyway.
    func settings(of snap: InstalledSnap, _ information: SnapdInformation?) -> [Setting: SettingReading] {
        var settings: [Setting: SettingReading] = [
            Setting(.snapChannel, MicroK8sAdapter.snap): reading(snap.followed)
        ]
        if let information {
            settings[Setting(.systemHold, "system")] = reading(information.refresh?.hold)
            settings[Setting(.snapHold, MicroK8sAdapter.snap)] = reading(snap.hold)
        }
        return settings
    }

    /// What is no channel and no time either is not compared with one.
    private func reading(_ text: String?) -> SettingReading {
        guard let text else { return .value(nil) }
        return text.utf8.count <= 200 && text.printable == text ? .value(text) : .unknown
    }

    /// What snapd says of itself, what it is at, and what it has left behind.
    mutating func facts(
        of information: SnapdInformation, units: [UnitObservation], memory: inout ObserverMemory
    ) -> SnapdFacts {
        let version = information.version.flatMap(SnapdVersion.init)
        let refreshes = refreshesUnderWay(&memory)
        return SnapdFacts(
            version: version?.description, holdsSnaps: version?.knowsHolds ?? true,
            tellsInhibition: version?.knowsInhibition ?? false,
            lastRefresh: information.refresh?.last.flatMap { Instant(snapd: $0) },
            nextRefresh: information.refresh?.next.flatMap { Instant(snapd: $0) }, refreshes: refreshes.found,
            leftStopped: refreshes.isQuiet
                ? leftStopped(units, hasMoved: refreshes.hasMoved, memory: &memory) : [])
    }

    /// The refreshes that snapd is at; asked for only where its state on disk has moved since it was at none.
    private mutating func refreshesUnderWay(
        _ memory: inout ObserverMemory
    ) -> (found: [SnapRefresh], isQuiet: Bool, hasMoved: Bool) {
        let state = (try? site.root.resolve("/var/lib/snapd/state.json")).flatMap {
            try? identity(ofFile: $0)
        }
        guard state != memory.snapdState else { return ([], true, false) }
        guard
            let changes = asked({ client throws(SnapdError) in
                try client.changesUnderWay(for: MicroK8sAdapter.snap)
            })
        else { return ([], false, true) }
        // What is under way moves on by itself, so the next look asks again.
        if changes.isEmpty { memory.snapdState = state }
        return (changes.compactMap { $0.refresh(of: MicroK8sAdapter.snap) }, changes.isEmpty, true)
    }

    /// Services that ran before snapd did something and do not run after it, unless a person stopped them.
    ///
    /// A refresh whose undoing fails leaves every service stopped and disabled (`facts/snapd.md`); one that went well
    /// leaves only what failed.
    private mutating func leftStopped(
        _ units: [UnitObservation], hasMoved: Bool, memory: inout ObserverMemory
    ) -> [String] {
        let key = MicroK8sAdapter.id.description
        let running = units.filter(\.isRunning).map(\.name)
        var all = memory.ranServices ?? [:]
        defer { if memory.ranServices != all { memory.ranServices = all } }
        guard let ran = all[key] else {
            if !running.isEmpty { all[key] = .init(units: running, at: now) }
            return []
        }
        // What the revision that is there now does not have is not missed.
        let missing = units.filter { ran.units.contains($0.name) && !$0.isRunning }
        if missing.isEmpty || isStopped {
            if hasMoved || running != ran.units { all[key] = .init(units: running, at: now) }
            return []
        }
        guard
            let changes = asked({ client throws(SnapdError) in try client.changes(for: MicroK8sAdapter.snap) }
            )
        else { return [] }
        let since = changes.filter {
            $0.spawnTime.flatMap { Instant(snapd: $0) }.map { $0 >= ran.at } ?? false
        }
        guard
            let refresh = since.filter({ Self.moving.contains($0.kind) }).max(by: { $0.number < $1.number }),
            // Whoever stops a service by snapd after it knows what it is doing.
            !since.contains(where: { $0.kind == "service-control" && $0.number > refresh.number })
        else {
            // Somebody else stopped them.
            all[key] = .init(units: running, at: now)
            return []
        }
        return missing.filter { unit in
            refresh.status != "Done" || unit.activeState == "failed" || unit.fileState == "disabled"
        }.map(\.name)
    }

    private static let moving = SnapdChange.refreshing.union(["revert-snap"])

    /// Whether a person has stopped MicroK8s as a whole (`microk8s stop`).
    private var isStopped: Bool {
        guard let path = try? site.root.resolve("\(MicroK8sData.directory)/var/lock/stopped.lock") else {
            return false
        }
        return (try? identity(ofFile: path)) != nil
    }
}

extension UnitObservation {
    /// Whether it runs, or is on its way up.
    fileprivate var isRunning: Bool {
        ["active", "activating", "reloading"].contains(activeState) && subState != "auto-restart"
    }
}
