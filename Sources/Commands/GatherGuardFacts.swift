import Agent
import Distributions
import Gate
import Host
import Ledger
import Model
import Ports
import Reports
import Rules

/// Units of ours that are looked at, whether they are installed or not.
let ownUnits = [
    "holdfast.service", "holdfast-step.service", "holdfast.timer", "holdfast.path", "holdfast-settle.path",
    "holdfast-settle.timer",
]

extension Place {
    /// Where our state is, as the node has it.
    var nodeState: String { guards?.site.state ?? stateDirectory }

    /// Looks at everything that guards rest on; nothing is changed.
    ///
    /// - Parameters:
    ///   - outcome: a look at the node that was just made.
    ///   - isDeep: whether spares and the vault are hashed.
    func guardFacts(_ outcome: Tick.Outcome, isDeep: Bool) -> GuardFacts {
        let state = outcome.judgement.state
        let records = state.guards ?? GuardRecords()
        var facts = GuardFacts(gateProgram: gateProgram, units: unitsFinding(outcome))
        facts.gateIsExecutable = (try? root.resolve(gateProgram)).map(isExecutable) ?? false
        facts.ledgerSequence = (try? readLedger()).flatMap { try? $0.head().sequence }
        let adopted = state.installations.values.filter { $0.adoption != nil }.map(\.installation)
        let gatePlaces = GatePlaces(state: nodeState)
        let lastRan = adopted.compactMap(\.dataDirectory).map(gatePlaces.lastRan)
        guard let port = guards?.port else { return facts }
        let presence = port.look(
            at: GuardedPlaces(
                identities: Set(records.spares.keys).union(records.vault.keys),
                contents: Set(records.dropIns.keys).union(lastRan)))
        for (path, dropIn) in records.dropIns {
            facts.dropIns[path] = placed(presence.contents[path], dropIn.text)
        }
        for (path, spare) in records.spares {
            var found = PlacedFile.gone
            if let identity = presence.identities[path] {
                found = identity == spare.identity ? .asPlaced : .changed("it is another file")
                if isDeep { found = hashed(path, spare.artifact.sha256) ?? found }
            }
            facts.spares[path] = found
        }
        for (path, digest) in records.vault {
            let isThere = presence.identities[path] != nil
            facts.vault[path] = isThere ? (isDeep ? hashed(path, digest) : nil) ?? .asPlaced : .gone
        }
        facts.guardFile = guardFile(presence.guardFile)
        for known in state.installations.values where known.adoption != nil {
            let id = known.installation.id.description
            facts.objections[id] = objection(known, presence, gatePlaces)
        }
        for installation in outcome.judgement.observation.installations
        where installation.id.distribution != .microk8s {
            if let path = installation.installed?.path {
                facts.owners[installation.id.description] = packageOwning(path, in: root)
            }
        }
        facts.withoutAutopilot = withoutAutopilot(outcome.judgement.observation)
        return facts
    }

    private func unitsFinding(_ outcome: Tick.Outcome) -> UnitsFinding {
        guard root.isLive else {
            return .unknown("files below another root do not tell what systemd has read")
        }
        let guarded = outcome.judgement.state.installations.values.flatMap {
            $0.installation.units.map(\.name)
        }
        return askUnits(ownUnits + Set(guarded).sorted())
    }

    private func placed(_ content: GuardPresence.FileContent?, _ text: String) -> PlacedFile {
        switch content {
        case nil: .gone
        case .unusable(let reason): .changed(reason)
        case .bytes(let bytes): bytes == Array(text.utf8) ? .asPlaced : .changed("somebody wrote to it")
        }
    }

    /// Whether a file has other bytes than it should; nil where it has the right ones.
    private func hashed(_ path: String, _ digest: Digest?) -> PlacedFile? {
        do throws(HostError) {
            let found = try hashFile(try root.resolve(path))
            return found == digest ? nil : .changed("its bytes are sha256 \(found.short)")
        } catch {
            return .changed(error.description)
        }
    }

    private func guardFile(_ content: GuardPresence.FileContent?) -> GuardFileFinding {
        switch content {
        case nil: return .missing
        case .unusable(let reason): return .unusable(reason)
        case .bytes(let bytes):
            do throws(GuardFileError) {
                let file = try GuardFile.parse(bytes)
                var modes: [String: Enforcement.GateMode] = [:]
                for installation in file.installations {
                    for unit in installation.units { modes[unit] = installation.mode }
                }
                return .read(sequence: file.ledgerSequence, modes: modes)
            } catch {
                return .unusable(error.description)
            }
        }
    }

    /// Why the gate would not put the approved artifact back over the data; by the gate's own words.
    private func objection(
        _ known: InstallationState, _ presence: GuardPresence, _ places: GatePlaces
    ) -> String? {
        let installation = known.installation
        if let role = installation.role, !role.isControlPlane { return nil }
        guard let data = installation.dataDirectory else { return nil }
        var finding = LastRanFinding.missing
        switch presence.contents[places.lastRan(dataDirectory: data)] {
        case nil: break
        case .unusable(let reason): finding = .unusable(reason)
        case .bytes(let bytes):
            do throws(GuardFileError) {
                finding = .record(try LastRan.parse(bytes))
            } catch {
                finding = .unusable(error.description)
            }
        }
        return finding.objection(toStarting: known.reference?.version)
    }

    /// Installations of k0s whose unit switches autopilot off; only a controller's does, a worker follows it.
    private func withoutAutopilot(_ observation: Observation) -> Set<String> {
        let k0s = observation.installations.filter { $0.id.distribution == .k0s }
        guard !k0s.isEmpty else { return [] }
        // What the look itself told goes before the unit's file.
        if let isOff = observation.access?.autopilotIsDisabled {
            return isOff ? Set(k0s.map(\.id.description)) : []
        }
        let services = (try? UnitFiles(root: root).services { switchesAutopilotOff($0.command) }) ?? []
        let names = Set(services.map(\.name))
        return Set(
            k0s.filter { $0.units.contains { names.contains($0.name) } }.map(\.id.description))
    }
}

/// Whether the arguments of `k0s controller` leave autopilot out.
func switchesAutopilotOff(_ command: [String]) -> Bool {
    let flag = "--disable-components"
    for (index, word) in command.enumerated() {
        var value: Substring?
        if word.hasPrefix(flag + "=") { value = word.dropFirst(flag.count + 1) }
        if word == flag { value = command.dropFirst(index + 1).first.map { $0[...] } }
        if value?.split(separator: ",").contains("autopilot") == true { return true }
    }
    return false
}
