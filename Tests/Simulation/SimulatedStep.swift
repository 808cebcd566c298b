import Agent
import Gate
import Model
import Ports

/// A simulated node under a step: its units start what lies at their binary, well or not.
extension World: StepPort {
    @discardableResult
    func step() -> StepRun.Report {
        return StepRun(
            tick: oneTick, clock: self, ledger: ledger, journal: self, label: fingerprint, port: guards,
            node: self, site: Self.site, care: care.care
        ).run()
    }

    func identify(_ path: String, distribution: Distribution) throws(EffectFailure) -> Artifact {
        guard guards.burn() else { throw EffectFailure("the process has died") }
        guard let digest = guards.files[path].flatMap({ Digest($0.text) }) else {
            throw EffectFailure("\(path): nothing is there")
        }
        return Artifact(version: versions[digest] ?? nil, sha256: digest)
    }

    func ask(_ check: HealthPolicy.Check, of installation: Installation, patience: TimeSpan) -> HealthAnswer {
        if let health { return health }
        guard let running = installation.running?.startedFrom else { return .notYet("nothing runs") }
        let isBroken =
            running.sha256.map(broken.contains) ?? running.revision.map(brokenRevisions.contains) ?? true
        guard !isBroken else { return .notYet("it is not ready") }
        return .well
    }

    func wait(_ span: TimeSpan) {
        clock.now = clock.now + span
        clock.monotonic += span.seconds * 1_000_000_000
        if let revision = guards.snapd.goOn() { refreshed(to: revision) }
        let hook = duringWait
        duringWait = nil
        hook?(self)
    }

    /// What bytes say of themselves, as far as the node has seen them.
    private var versions: [Digest: Version] {
        var known = known
        for installation in installations {
            let artifacts = [installation.installed?.artifact] + installation.offers.map(\.artifact)
            for case let artifact? in artifacts {
                if let digest = artifact.sha256 { known[digest] = artifact.version }
            }
        }
        return known
    }

    // MARK: What happens on the node

    func put(_ artifact: Artifact, inode: Int64, at path: String) {
        for index in installations.indices where installations[index].installed?.path == path {
            onPut?(installations[index].installed?.artifact, artifact)
            installations[index].installed?.artifact = artifact
            installations[index].installed?.unreadable = nil
            installations[index].installed?.identity = FileIdentity(
                device: 1, inode: inode, size: 60_000_000, modified: clock.now.seconds * 1_000_000_000,
                changed: clock.now.seconds * 1_000_000_000)
            let running = installations[index].running?.startedFrom?.sha256
            installations[index].running?.restartPending = running != artifact.sha256
            // What was kept and is in place now is no offer any longer to the look.
            installations[index].offers.removeAll { $0.artifact.sha256 == artifact.sha256 }
        }
        problems.removeAll { $0.code == Problem.binaryMissing }
    }

    func keep(_ artifact: Artifact, at path: String, of id: InstallationID) {
        for index in installations.indices where installations[index].id == id {
            installations[index].offers.removeAll { $0.artifact.sha256 == artifact.sha256 }
            installations[index].offers.append(
                Offer(
                    artifact: artifact, trigger: .fileReplaced, published: nil, origin: .claimed, path: path))
        }
    }

    /// What was kept there is no offer any longer to the look.
    func forget(keptAt path: String) {
        for index in installations.indices { installations[index].offers.removeAll { $0.path == path } }
    }

    func start(_ unit: String) {
        let dropIn = "/etc/systemd/system/\(unit).d/zz-holdfast.conf"
        let isSeen = !hasGate || guards.loaded.contains(dropIn)
        if hasGate, isSeen { passGate(unit) }
        for index in installations.indices {
            for place in installations[index].units.indices
            where installations[index].units[place].name == unit {
                starts += 1
                installations[index].units[place].invocationID = "start-\(starts)"
                installations[index].units[place].activeState = "active"
                let artifact = installations[index].installed?.artifact
                installations[index].running = Running(
                    version: artifact?.version,
                    sources: [.init(source: .processExecutable, version: artifact?.version)],
                    invocationID: "start-\(starts)", restartPending: false, startedFrom: artifact)
                if isSeen {
                    guards.recordStart(
                        "start-\(starts)", of: hasGate ? recognised : artifact?.version, unit: unit)
                }
                onStart?(artifact)
            }
        }
        standings[unit] = UnitStanding(isUp: true, lacksFile: false, isEnabled: true)
    }
}

extension World {
    /// The start gate, by its own decision over what lies on the node: what it puts back is a rename.
    fileprivate func passGate(_ unit: String) {
        recognised = nil
        guard let file = (guards.listing["guard"]).flatMap({ try? GuardFile.parse(Array($0.utf8)) }),
            let guarded = file.installation(ofUnit: unit),
            let installed = installations[0].installed, let identity = installed.identity
        else { return }
        let spare = guarded.spare.flatMap { guards.files[$0.path]?.identity }
        var seen = GateObservation(
            binary: .file(identity), spare: spare.map { .file($0) } ?? .missing,
            lastRan: guards.lastRan(dataDirectory: installations[0].dataDirectory ?? ""))
        var decision = decideStart(guarded, pausedUntil: file.pausedUntil, seen: seen, now: clock.now)
        if case .hash = decision {
            seen.hash = .taken(installed.artifact.sha256 ?? .none)
            decision = decideStart(guarded, pausedUntil: file.pausedUntil, seen: seen, now: clock.now)
        }
        switch decision {
        case .allow(_, let starting, _): recognised = starting?.version
        case .restore(let artifact, from: .spare(let path, _)):
            guards.remove(path)
            if let pending = guarded.pending {
                keep(
                    installed.artifact, at: "\(pending)/\(installed.artifact.sha256?.short ?? "")",
                    of: installations[0].id)
            }
            put(artifact, inode: identity.inode + 1_000_000, at: installed.path)
            recognised = artifact.version
        case .restore, .hash, .refuse: break
        }
    }
}

extension SimulatedGuards {
    fileprivate func lastRan(dataDirectory: String) -> LastRanFinding {
        let path = GatePlaces(state: World.site.state).lastRan(dataDirectory: dataDirectory)
        guard let text = files[path]?.text else { return .missing }
        return (try? LastRan.parse(Array(text.utf8))).map { .record($0) } ?? .unusable("it is damaged")
    }

    /// Records a start as the gate does.
    ///
    /// - Parameter version: nil where the gate did not recognise what starts.
    func recordStart(_ invocation: String, of version: Version?, unit: String) {
        let places = GatePlaces(state: World.site.state)
        let list = places.starts(unit: unit)
        let data = world.installations.first?.dataDirectory ?? ""
        let path = places.lastRan(dataDirectory: data)
        var version = version
        let finding = lastRan(dataDirectory: data)
        if bug == .recordsWhatRanBefore, case .record(let record) = finding { version = record.highest }
        // The newest are enough, as the gate keeps them.
        let lines =
            (files[list]?.text ?? "").split(separator: "\n").suffix(50)
            .map(String.init) + ["\(invocation) 0 \(version?.description ?? "-") - -", ""]
        put(list, lines.joined(separator: "\n"))
        guard case .record(let record) = finding else { return }
        let next = LastRanFinding.record(record).beforeStart(
            of: version, dataDirectory: record.dataDirectory,
            invocationID: invocation, now: record.at)
        if let next { put(path, next.text) }
    }
}
