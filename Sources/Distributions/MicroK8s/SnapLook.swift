import Host
import Model
import Ports

/// One look at MicroK8s, as it adds up.
struct SnapLook {
    let site: Site
    let client: SnapdClient
    let now: Instant
    private var problems: [Problem] = []
    /// Whether snapd has left a question unanswered; one wait for it is enough in a look.
    private var isSilent = false

    init(site: Site, client: SnapdClient, now: Instant) {
        self.site = site
        self.client = client
        self.now = now
    }

    /// Without snapd: what is on disk, and what it said of that revision before.
    mutating func withoutSnapd(_ error: SnapdError, files: SnapFiles?, memory: ObserverMemory) -> Findings {
        guard let files else {
            // Not `snapd-absent`: nobody knows whether MicroK8s is there, so that it must not be taken for gone.
            var error = error
            if error.code == .absent { error.code = .answer }
            note(error, unknown: "whether MicroK8s is installed is unknown")
            return Findings(problems: problems)
        }
        note(
            error,
            unknown:
                "whether MicroK8s is held is unknown, and refreshes that wait are those of an earlier look"
        )
        let key = MicroK8sAdapter.id.description
        let known = memory.snaps[key]?.revision == files.revision
        let data = data()
        let units = unitsWithoutSnapd()
        let artifact = Artifact(version: files.version, revision: files.revision, channel: files.channel)
        let installed = Installed(
            artifact: artifact, path: files.path, evidence: files.version == nil ? .unreadable : .snapd,
            origin: files.isFromStore ? .verified : .claimed, unreadable: files.unreadable,
            cause: known ? memory.causes[key] ?? .unknown : .unknown)
        let running = SnapRunning.observe(
            artifact: artifact, main: SnapRunning.main(of: units), snapd: nil, root: site.root)
        return Findings(
            installations: [
                Installation(
                    id: MicroK8sAdapter.id, role: data.role, units: units,
                    dataDirectory: MicroK8sData.directory, dataStore: data.store, installed: installed,
                    running: running,
                    // An offer that cannot be asked for is not withdrawn: its change, and its age, go on.
                    offers: known ? memory.offers[key]?.offers ?? [] : [])
            ], problems: problems)
    }

    /// With snapd's answer about the snap.
    mutating func findings(for snap: InstalledSnap, memory: inout ObserverMemory) -> Findings {
        guard SnapFiles.isRevision(snap.revision) else {
            problems.append(
                Problem(
                    code: "snapd-error",
                    text:
                        "snapd says that MicroK8s is at revision \"\(snap.revision.cut(to: 40).printable)\", "
                        + "which is none; see 'snap list microk8s'"))
            return Findings(problems: problems)
        }
        let information = information()
        let hold = hold(of: snap, information)
        let cause = cause(of: snap, memory: &memory)
        let offers = offers(beside: snap, memory: &memory)
        let data = data()
        let units = units(of: snap)
        var facts: SnapdFacts?
        if let information { facts = self.facts(of: information, units: units, memory: &memory) }
        let version = Version(snap.version)
        let artifact = Artifact(
            version: version, revision: snap.revision, channel: snap.followed.map { $0.cut(to: 200) })
        let isFromStore = !snap.revision.hasPrefix("x")
        let installed = Installed(
            artifact: artifact,
            path: SnapFiles.path(of: MicroK8sAdapter.snap, revision: snap.revision, root: site.root),
            evidence: version == nil ? .unreadable : .snapd,
            // snapd checks the assertion of what comes from the store, and there is none for what was sideloaded.
            origin: isFromStore ? .verified : .claimed,
            unreadable: version == nil
                ? "snapd gives the version \"\(snap.version.cut(to: 64).printable)\", which is not of the shape v1.31.4"
                : nil,
            cause: cause)
        let main = SnapRunning.main(of: units)
        let running = SnapRunning.observe(
            artifact: artifact, main: main,
            snapd: snap.status == "installed" ? nil : main?.activeState == "active",
            root: site.root)
        return Findings(
            installations: [
                Installation(
                    id: MicroK8sAdapter.id, role: data.role, units: units,
                    dataDirectory: MicroK8sData.directory, dataStore: data.store, installed: installed,
                    running: running, offers: offers, hold: hold)
            ], problems: problems, settings: settings(of: snap, information), snapd: facts)
    }

    // MARK: Holds

    /// What keeps snapd from refreshing the snap by itself: its own hold, or one over all snaps.
    ///
    /// A hold that is over is still told by snapd. How far a hold reaches (its level) is never told.
    private mutating func hold(of snap: InstalledSnap, _ information: SnapdInformation?) -> SnapHold? {
        let ends = [time(snap.hold, "hold"), time(information?.refresh?.hold, "refresh.hold")].compactMap {
            $0
        }
        let until = ends.filter { $0 > now }.max()
        let proceed = time(snap.refreshInhibit?.proceedTime, "refresh-inhibit")
        return until == nil && proceed == nil ? nil : SnapHold(until: until, inhibitProceed: proceed)
    }

    private mutating func information() -> SnapdInformation? {
        guard let information = asked({ client throws(SnapdError) in try client.information() }) else {
            return nil
        }
        if let version = information.version.flatMap(SnapdVersion.init), !version.knowsInhibition {
            let gap =
                version.knowsHolds
                ? "does not tell of refreshes that wait for running commands and that a later hold would not stop"
                : "can neither hold MicroK8s alone nor tell of a hold, nor of refreshes that wait for running commands"
            problems.append(
                Problem(
                    code: "snapd-old",
                    text: "snapd \(version) \(gap); update snapd to 2.62 or newer ('snap install snapd')"))
        }
        return information
    }

    mutating func time(_ text: String?, _ field: String) -> Instant? {
        guard let text else { return nil }
        if let instant = Instant(snapd: text) { return instant }
        problems.append(
            Problem(
                code: "snapd-time",
                text: "snapd gives \"\(text.cut(to: 40).printable)\" as the time of \(field), which is none; "
                    + "it is taken as not there"))
        return nil
    }

    // MARK: Changes and offers

    /// What brought the revision that is there.
    ///
    /// snapd's changes are asked for only when another revision is there than at the last look.
    private mutating func cause(of snap: InstalledSnap, memory: inout ObserverMemory) -> Trigger {
        let key = MicroK8sAdapter.id.description
        if memory.snaps[key]?.revision == snap.revision, let cause = memory.causes[key] { return cause }
        // Where snapd does not tell now, the next look asks again.
        memory.causes[key] = nil
        guard
            let changes = asked({ client throws(SnapdError) in try client.changes(for: MicroK8sAdapter.snap) }
            )
        else { return .unknown }
        let cause = Trigger(of: snap.revision, snap: MicroK8sAdapter.snap, in: changes)
        memory.causes[key] = cause
        memory.snapChanges[key] = changes.max { $0.number < $1.number }?.id
        return cause
    }

    /// What a refresh would bring, asked for at an interval, or when snapd has another revision or follows another channel.
    private mutating func offers(beside snap: InstalledSnap, memory: inout ObserverMemory) -> [Offer] {
        let key = MicroK8sAdapter.id.description
        let seen = ObserverMemory.KnownSnap(revision: snap.revision, channel: snap.followed)
        let isSame = memory.snaps[key] == seen
        let remembered = memory.offers[key]
        if isSilent { return remembered?.offers ?? [] }
        memory.snaps[key] = seen
        // No store knows a sideloaded snap.
        guard !snap.revision.hasPrefix("x") else {
            memory.offers[key] = nil
            return []
        }
        var current = remembered ?? ObserverMemory.RememberedOffers(offers: [], askedAt: now)
        let age = now - current.askedAt
        if remembered == nil || !isSame || age < .zero || age >= site.offerInterval {
            current.askedAt = now
            do throws(SnapdError) {
                current.offers = try client.pendingRefreshes().compactMap(offer)
                current.failure = nil
            } catch {
                // Asked again after the interval: every failing question keeps snapd busy for half a minute.
                current.failure = Problem(
                    code: "snapd-store",
                    text: "snapd could not learn from the store what a refresh would bring "
                        + "(\(error.description)); the offers are those of an earlier look")
            }
            current.offers.removeAll { $0.artifact.revision == snap.revision }
            memory.offers[key] = current
        }
        if let failure = current.failure { problems.append(failure) }
        return current.offers
    }

    private func offer(_ refresh: PendingRefresh) -> Offer? {
        guard refresh.name == MicroK8sAdapter.snap, SnapFiles.isRevision(refresh.revision) else { return nil }
        return Offer(
            artifact: Artifact(
                version: Version(refresh.version), revision: refresh.revision,
                channel: refresh.channel.flatMap { $0.isEmpty ? nil : $0.cut(to: 200) }),
            // The store says no date, and snapd would bring it by itself if nothing stopped it.
            trigger: .autoRefresh, published: nil, origin: .verified)
    }

    // MARK: Units and data

    private func units(of snap: InstalledSnap) -> [UnitObservation] {
        snap.services.filter { isUnitName($0.name) }.map { app in
            var unit = site.units.state(of: unitName(app.name))
            // Where systemd cannot be asked, snapd has asked it.
            if unit.activeState == nil { unit.activeState = app.active == true ? "active" : "inactive" }
            if unit.fileState == nil { unit.fileState = app.enabled == true ? "enabled" : "disabled" }
            return unit
        }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    private mutating func unitsWithoutSnapd() -> [UnitObservation] {
        let prefix = unitName("daemon-").dropLast(".service".utf8.count)
        do throws(HostError) {
            let services = try site.units.servicesAnew { $0.name.hasPrefix(prefix) }
            if let unread = site.units.unread {
                problems.append(Problem(code: Problem.unitsUnreadable, text: unread.description))
            }
            return services.map { site.units.state(of: $0.name) }
        } catch {
            problems.append(Problem(code: Problem.unitsUnreadable, text: error.description))
            return []
        }
    }

    private func unitName(_ app: String) -> String { "snap.\(MicroK8sAdapter.snap).\(app).service" }

    private func isUnitName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte == UInt8(ascii: "-")
            }
    }

    mutating func data() -> MicroK8sData {
        do throws(HostError) {
            return try MicroK8sData(root: site.root)
        } catch {
            problems.append(
                Problem(
                    code: "microk8s-data-unreadable",
                    text: "\(error.description); the role of this MicroK8s node is unknown, run as root"))
            return .unknown
        }
    }

    // MARK: Asking

    mutating func asked<Answer>(
        _ question: (SnapdClient) throws(SnapdError) -> Answer
    ) -> Answer? {
        if isSilent { return nil }
        do throws(SnapdError) {
            return try question(client)
        } catch {
            note(error, unknown: "some of what snapd knows is missing")
            return nil
        }
    }

    private mutating func note(_ error: SnapdError, unknown: String) {
        let code: String
        switch error.code {
        case .absent: code = "snapd-absent"
        case .silent:
            code = "snapd-silent"
            isSilent = true
        case .answer: code = "snapd-error"
        }
        guard !problems.contains(where: { $0.code == code }) else { return }
        let advice = site.root.isLive ? "; see 'systemctl status snapd'" : ""
        problems.append(Problem(code: code, text: "\(error.description): \(unknown)\(advice)"))
    }
}
