import Agent
import CommandLine
import Host
import Ledger
import Model
import PolicyFile
import Ports
import Reports
import Rules

extension Place {
    /// Gathers what `doctor` goes by; nothing is changed.
    ///
    /// - Parameters:
    ///   - outcome: a look at the node that was just made.
    ///   - lastTick: when a tick last ran.
    ///   - isDeep: whether artifacts are hashed, and a long ledger is walked.
    func examine(_ outcome: Tick.Outcome, lastTick: Instant?, isDeep: Bool) -> Examination {
        let judgement = outcome.judgement
        var examination = Examination(
            isLive: root.isLive, observation: judgement.observation, state: judgement.state,
            guards: guardFacts(outcome, isDeep: isDeep), stateDirectory: nodeState)
        examination.isDeep = isDeep
        examination.lastTick = lastTick
        if let policy = judgement.policy {
            let node = judgement.observation.node
            for known in judgement.state.installations.values {
                let installation = known.installation
                let resolved = resolve(
                    policy, isCurrent: true, node: node, distribution: installation.id.distribution,
                    role: installation.role
                ).policy
                examination.enforcement[installation.id.description] = resolved.enforce
            }
            examination.trustsClock = policy.document.base.clock == .trusted
            examination.stages = policy.document.stages.map {
                StageFacts(name: $0.name, takesThisNode: $0.matches(node))
            }
        }
        // Below another root no store is asked; what the node has learnt is there all the same.
        examination.controlPlane = (try? readLedger().load().memory.fleet)?.controlPlane
        if case .sqlite = self.node.fleet { examination.isAlone = true } else { examination.isAlone = false }
        examination.ownUnits = ownUnitFiles()
        checkLedger(&examination, outcome, isDeep: isDeep)
        examination.disks = disks(judgement.state)
        examination.ownership = ownershipFacts()
        examination.updaters = updaters(judgement.observation)
        examination.chrony = chronyConfiguration(in: root)
        return examination
    }

    private func ownUnitFiles() -> [String: OwnUnitFiles] {
        var found: [String: OwnUnitFiles] = [:]
        for unit in ownUnits {
            let section = unit.hasSuffix(".path") ? "Path" : "Service"
            let keys: Set<String> = [
                "ReadWritePaths", "StateDirectory", "PathChanged", "PathModified", "PathExists",
            ]
            guard let settings = unitSettings(unit, section: section, keys: keys, in: root) else { continue }
            var files = OwnUnitFiles()
            files.writable = settings["ReadWritePaths", default: []].flatMap(unquoted)
            files.writable += settings["StateDirectory", default: []].map { "/var/lib/\($0)" }
            for key in ["PathChanged", "PathModified", "PathExists"] {
                files.watched += settings[key, default: []]
            }
            found[unit] = files
        }
        return found
    }

    /// A ledger that is no longer than this is walked from end to end at each call, in bytes.
    private static let quickLedger: Int64 = 8 << 20

    private func checkLedger(_ examination: inout Examination, _ outcome: Tick.Outcome, isDeep: Bool) {
        if let failure = outcome.failure {
            examination.ledgerTrouble = failure.description
            examination.ledgerIsReplaced = failure.code == .corrupt
            return
        }
        let size = (try? identity(ofFile: stateDirectory + "/ledger.db").size) ?? 0
        guard size > 0 else { return }
        guard isDeep || size <= Self.quickLedger else {
            examination.ledgerUnchecked = true
            return
        }
        do throws(LedgerFailure) {
            let report = try readLedger().verify(against: try ownCheckpoints())
            if let first = report.findings.first {
                examination.ledgerTrouble = "its chain is not intact: entry \(first.seq): \(first.text)"
            }
        } catch {
            examination.ledgerTrouble = error.description
            examination.ledgerIsReplaced = error.code == .corrupt
        }
    }

    private func disks(_ state: NodeState) -> [DiskFacts] {
        var paths = [stateDirectory]
        for known in state.installations.values.sorted(by: { $0.installation.id < $1.installation.id })
        where known.adoption != nil && known.installation.id.distribution != .microk8s {
            if let binary = known.installation.installed?.path { paths.append(root.prefix + binary) }
        }
        return paths.compactMap { path in
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            let place = isDirectory(path) ? path : String(path[..<slash])
            guard let space = try? FileSystemSpace(of: place) else { return nil }
            return DiskFacts(
                path: place, free: space.free, size: space.size, freeInodes: space.freeInodes,
                inodes: space.inodes, isReadOnly: space.isReadOnly)
        }
    }

    private func ownershipFacts() -> [(file: String, problem: String)] {
        let files = (asksOwnership ? [policyPath] : []) + [root.prefix + "/etc/holdfast/node.yaml"]
        return files.compactMap { file in
            guard (try? identity(ofFile: file)) != nil,
                let problem = Host.ownershipProblem(of: file, below: root)
            else { return nil }
            return (file, problem)
        }
    }

    private func updaters(_ observation: Observation) -> UpdaterFacts {
        var facts = UpdaterFacts()
        facts.unattendedUpgrades = unattendedUpgrades(in: root)
        facts.lines = cronLines(in: root).compactMap { line in
            installer(in: line.text).map { (line.place, $0) }
        }
        let ours = Set(observation.installations.flatMap { $0.units.map(\.name) })
        let services =
            (try? UnitFiles(root: root).services { installer(in: $0.command.joined(separator: " ")) != nil })
            ?? []
        facts.services = services.filter { !ours.contains($0.name) }.compactMap { service in
            installer(in: service.command.joined(separator: " ")).map { (service.name, $0) }
        }
        return facts
    }
}

/// Paths of a setting that takes several: quotes and the prefixes `-` and `+` taken off, `%%` made one.
private func unquoted(_ value: String) -> [String] {
    var paths: [String] = []
    var current = ""
    var isQuoted = false
    for character in value + " " {
        if character == "\"" {
            isQuoted.toggle()
        } else if character == " ", !isQuoted {
            if !current.isEmpty { paths.append(current) }
            current = ""
        } else {
            current.append(character)
        }
    }
    return paths.map { path in
        let plain = String(path.drop { $0 == "-" || $0 == "+" })
        return plain.split(separator: "%%", omittingEmptySubsequences: false).joined(separator: "%")
    }
}
