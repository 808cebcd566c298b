import Gate
public import Model
import Ports
import Rules

/// What a plan of guards is made from, all of it values.
struct GuardSituation {
    var state: NodeState
    /// Its origins settled or not: only bytes count here.
    var observation: Observation
    /// The policy in force, or the last valid one, which goes on guarding.
    ///
    /// Nil on a node that never had one.
    var policy: LoadedPolicy?
    var site: GuardSite
    /// What settings were last known to be: what the look read, and what was set since.
    var readings: [Setting: SettingReading]

    /// What this run has done that no look would show to be done.
    var performed: Set<Effect> = []
    /// Settings that are asked about now; of the others the last answer counts.
    var asks: Set<Setting> = []

    /// Makes a situation as a look found it.
    init(state: NodeState, observation: Observation, policy: LoadedPolicy?, site: GuardSite) {
        self.state = state
        self.observation = observation
        self.policy = policy
        self.site = site
        readings = observation.settings
    }

    var records: GuardRecords { state.guards ?? GuardRecords() }
}

/// What is still to be done so that what is in place is what is desired.
public struct GuardPlan: Hashable, Sendable {
    /// In the order in which they are to be performed; empty where all is as it should be.
    public var effects: [Effect] = []
    /// What keeps a guard from being in place, and what to do about it.
    public var problems: [Problem] = []
    /// What was found broken, by the effect that mends it.
    var broken: [Effect: BrokenGuard] = [:]
}

/// An adopted installation in front of which the policy wants the gate.
struct WantedGate: Gated {
    /// As it is now where this look saw it, else as it was last recorded.
    var installation: Installation
    var known: InstallationState
    var adoption: Adoption
    var mode: Enforcement.GateMode
    var binary: String
    var meant: Artifact
    var digest: Digest
    /// Whether this look saw it.
    var isSeen: Bool
}

/// What the policy has the gate do for an installation; off for a snap, which has a guard of another kind.
public func gateMode(
    of installation: Installation, policy: LoadedPolicy, node: NodeFacts
) -> Enforcement.GateMode {
    guard installation.id.distribution != .microk8s else { return .off }
    return resolve(
        policy, isCurrent: true, node: node, distribution: installation.id.distribution,
        role: installation.role
    ).policy.enforce.gate
}

extension GuardSituation {
    /// Installations that are to be guarded by a gate.
    ///
    /// One that could not be looked at stays as guarded as it was; MicroK8s has a guard of another kind.
    var wantedGates: [WantedGate] {
        state.installations.sorted { $0.key < $1.key }.compactMap { _, known in
            let id = known.installation.id
            guard let adoption = known.adoption, let meant = known.reference,
                let digest = meant.sha256
            else { return nil }
            let seen = observation.installations.first { $0.id == id }
            let installation = seen ?? known.installation
            guard let binary = installation.installed?.path else { return nil }
            // After a lost ledger nobody knows the last policy: until there is one, all stays as it was.
            let mode =
                policy.map { gateMode(of: installation, policy: $0, node: observation.node) }
                ?? known.seededMode ?? .off
            guard mode != .off else { return nil }
            return WantedGate(
                installation: installation, known: known, adoption: adoption, mode: mode, binary: binary,
                meant: meant, digest: digest, isSeen: seen != nil)
        }
    }

    /// What has to be looked at before a plan can be made.
    var places: GuardedPlaces {
        var places = GuardedPlaces(
            identities: Set(records.vault.keys).union(records.spares.keys),
            contents: Set(records.dropIns.keys).union(records.lastRan.keys),
            settings: Set(
                (wantedSeals.map(\.setting) + records.settings.map(\.setting)).filter { $0.kind == .seal }
            ).union(asks)
        )
        places.identities.formUnion(ownUnitPlaces)
        places.contents.formUnion(ownUnitPlaces.isEmpty ? [] : OwnUnit.allCases.map(\.dropIn))
        places.pending = releasedBinaries
        for wanted in wantedVetoes { places.contents.formUnion(placesOf(wanted)) }
        for wanted in wantedGates {
            places.pending.insert(wanted.binary)
            places.identities.insert(site.vaultPath(of: wanted.digest))
            places.identities.insert(site.sparePath(of: wanted.binary))
            if let good = wanted.known.lastGood?.sha256 { places.identities.insert(site.vaultPath(of: good)) }
            if wanted.installation.installed?.artifact.sha256 != wanted.digest {
                places.identities.insert(wanted.binary)
            }
            for unit in wanted.installation.units {
                places.contents.insert(site.dropInPath(unit: unit.name))
                places.contents.insert(site.places.starts(unit: unit.name))
                places.contents.insert(GatePlaces.startsMeanwhile(unit: unit.name))
                places.contents.formUnion(site.places.missed(unit: unit.name))
            }
            if let data = wanted.installation.dataDirectory {
                places.contents.insert(site.places.lastRan(dataDirectory: data))
            }
        }
        places.units = unitsInQuestion
        places.identities.formUnion(stepPlaces)
        return places
    }
}

/// Plans what is to be done, from what is desired and what is there.
///
/// Pure, and at rest once it was performed: what it planned it does not plan again.
func planGuards(_ situation: GuardSituation, _ presence: GuardPresence) -> GuardPlan {
    var planning = Planning(situation: situation, presence: presence)
    planning.plan()
    return planning.result
}

private struct Planning {
    let situation: GuardSituation
    let presence: GuardPresence
    var result = GuardPlan()
    // What of ours is to stay.
    private var keptVault: Set<String> = []
    private var keptSpares: Set<String> = []
    private var keptDropIns: Set<String> = []
    private var keptLastRan: Set<String> = []

    init(situation: GuardSituation, presence: GuardPresence) {
        self.situation = situation
        self.presence = presence
    }

    private var site: GuardSite { situation.site }
    private var records: GuardRecords { situation.records }

    mutating func plan() {
        // What cannot be placed must never keep a guard from being lifted (invariant 3), so that comes first.
        if records.needsReload {
            result.effects.append(.reloadUnits)
        } else if records.needsWatch == true {
            result.effects.append(.restartWatch)
        }
        // A refresh can be given up only for some seconds.
        result.effects += situation.refreshesToAbort.map { .abortRefresh($0) }
        let wanted = situation.wantedGates
        let vetoes = situation.wantedVetoes
        for gate in wanted { keep(gate) }
        for veto in vetoes { keep(veto) }
        let ownDropIns = situation.wantedUnitDropIns(presence)
        keptDropIns.formUnion(ownDropIns.map(\.path))
        let settings = SettingPlan(situation, presence)
        let pending = PendingPlan(situation, presence)
        result.effects += settings.restores
        takeAway(pending.ofReleased)
        for gate in wanted { place(gate) }
        for veto in vetoes { place(veto) }
        for dropIn in ownDropIns { placeDropIn(dropIn.path, dropIn.text, of: nil) }
        result.effects += settings.sets
        result.problems += settings.problems
        for case .set(let setting, let value) in settings.sets {
            result.broken[.set(setting, to: value)] = settings.broken[setting]
        }
        // Room is no reason to leave a guard out of place.
        result.effects += pending.beyondBounds
        if let stopped = situation.servicesToStart { result.effects.append(.startServices(stopped)) }
        result.effects.removeAll(where: situation.performed.contains)
        result.problems += situation.snapProblems
        for path in presence.guardFilesAside { tell(aside: path) }
    }

    // MARK: Placing

    private mutating func place(_ wanted: WantedGate) {
        // What could not be looked at stays as it is.
        guard wanted.isSeen else { return }
        let vaultPath = site.vaultPath(of: wanted.digest)
        if presence.identities[vaultPath] == nil {
            guard let source = source(of: wanted) else {
                problem(
                    "artifact-missing", about: wanted.binary,
                    "\(wanted.binary): nothing on this node has the bytes of \(wanted.meant.summary), which \(wanted.installation.id.name) "
                        + "is meant to run, so nothing could be put back; install it again, or 'holdfast adopt' what is there"
                )
                return
            }
            result.effects.append(
                .storeInVault(
                    ArtifactCopy(
                        installation: wanted.installation.id, artifact: wanted.meant.pinned, from: source,
                        to: vaultPath)))
        }
        if !isStaged(wanted) {
            result.effects.append(
                .stageSpare(
                    ArtifactCopy(
                        installation: wanted.installation.id, artifact: wanted.meant.pinned, from: vaultPath,
                        to: site.sparePath(of: wanted.binary), like: wanted.binary,
                        pending: isTurnedAway(at: site.sparePath(of: wanted.binary))
                            ? site.pendingPath(of: wanted.binary) : nil)))
        }
        recordStart(of: wanted)
        for unit in wanted.installation.units {
            placeDropIn(site.dropInPath(unit: unit.name), site.dropInText(), of: unit.name)
        }
        // Only what is staged can be put back.
        guard isStaged(wanted) else { return }
        var replace = ReplacePlan(situation, presence)
        replace.plan(wanted)
        result.effects += replace.effects
    }

    private mutating func place(_ veto: WantedVeto) {
        guard veto.isSeen else { return }
        recordStart(of: veto)
        placeDropIn(site.dropInPath(unit: veto.unit), site.dropInText(isSnap: true), of: veto.services)
    }

    private mutating func recordStart(of gated: some Gated) {
        if let record = LastRanPlan(situation: situation, presence: presence).effect(of: gated) {
            result.effects.append(record)
        }
    }

    private mutating func keep(_ veto: WantedVeto) {
        keptDropIns.insert(site.dropInPath(unit: veto.unit))
        if let data = veto.installation.dataDirectory {
            keptLastRan.insert(site.places.lastRan(dataDirectory: data))
        }
    }

    private mutating func keep(_ wanted: WantedGate) {
        keptVault.insert(site.vaultPath(of: wanted.digest))
        if let good = wanted.known.lastGood?.sha256 { keptVault.insert(site.vaultPath(of: good)) }
        keptVault.formUnion(situation.vaultPathsOfStep(on: wanted.installation.id))
        keptSpares.insert(site.sparePath(of: wanted.binary))
        for unit in wanted.installation.units { keptDropIns.insert(site.dropInPath(unit: unit.name)) }
        if let data = wanted.installation.dataDirectory {
            keptLastRan.insert(site.places.lastRan(dataDirectory: data))
        }
    }

    private func source(of wanted: WantedGate) -> String? {
        if wanted.installation.installed?.artifact.sha256 == wanted.digest { return wanted.binary }
        let spare = site.sparePath(of: wanted.binary)
        return isStaged(wanted) ? spare : nil
    }

    /// Whether the spare is the very file that was staged, and of the right artifact.
    private func isStaged(_ wanted: WantedGate) -> Bool {
        let path = site.sparePath(of: wanted.binary)
        guard let spare = records.spares[path] else { return false }
        return spare.artifact.sha256 == wanted.digest && presence.identities[path] == spare.identity
    }

    /// Whether what lies in a spare's place is none that we staged: the gate leaves there what it had no room to keep.
    private func isTurnedAway(at path: String) -> Bool {
        guard let present = presence.identities[path] else { return false }
        return present != records.spares[path]?.identity
    }

    /// - Parameter unit: before which the gate is to stand; nil for a drop-in of a unit of ours.
    private mutating func placeDropIn(_ path: String, _ text: String, of unit: String?) {
        switch presence.contents[path] {
        case nil: result.effects.append(.placeDropIn(path: path, text: text))
        case .some(let found):
            if found.text == text, records.dropIns[path] != nil { return }
            // Our very text without a record is what a lost ledger left.
            guard found.text == text || found.text == records.dropIns[path]?.text else {
                let consequence =
                    unit.map { "so no gate stands before \($0)" }
                    ?? "so Holdfast's own unit is not told of this node's places"
                problem(
                    "drop-in-foreign", about: path,
                    "\(path): somebody else's drop-in has the name of ours, \(consequence); "
                        + "it is left alone: move it away, and 'holdfast check' puts ours in place")
                return
            }
            result.effects.append(.placeDropIn(path: path, text: text))
        }
    }

    // MARK: Taking away

    /// Only what is recorded as ours, and the drop-in first: what the gate relies on goes after the gate.
    private mutating func takeAway(_ pending: [Effect]) {
        takeDropInsAway { !OwnUnit.isDropIn($0) }
        for path in records.lastRan.keys.sorted() where !keptLastRan.contains(path) {
            result.effects.append(.removeLastRan(path: path))
        }
        // The record of the spare is what tells where to look for it.
        result.effects += pending
        for (path, spare) in records.spares.sorted(by: { $0.key < $1.key }) where !keptSpares.contains(path) {
            result.effects.append(.removeSpare(spare))
        }
        for (path, digest) in records.vault.sorted(by: { $0.key < $1.key }) where !keptVault.contains(path) {
            result.effects.append(.removeFromVault(path: path, digest: digest))
        }
        // By these our own units reach what was to be taken away.
        takeDropInsAway(OwnUnit.isDropIn)
    }

    private mutating func takeDropInsAway(_ isMeant: (String) -> Bool) {
        for (path, dropIn) in records.dropIns.sorted(by: { $0.key < $1.key })
        where !keptDropIns.contains(path) && isMeant(path) {
            let found = presence.contents[path]
            guard found == nil || found?.text == dropIn.text else {
                problem(
                    "drop-in-changed", about: path,
                    "\(path): somebody changed it since we placed it, so it is left alone; it does nothing "
                        + "without a guard file: take it away yourself, and run 'systemctl daemon-reload'")
                continue
            }
            result.effects.append(.removeDropIn(dropIn))
        }
    }

    private mutating func tell(aside path: String) {
        problem(
            Problem.guardFileAside, about: path,
            "\(path): a guard file that could not be trusted or read, and tells of guards that this ledger does not "
                + "know, so they are not tended or lifted; read it, and where it is as you know the node, give it to "
                + "root alone (chown root:root, chmod 600), move it to \(site.places.guardFile), and run 'holdfast "
                + "check'; else take it away")
    }

    private mutating func problem(_ code: String, about: String, _ text: String) {
        result.problems.append(Problem(code: code, text: text, about: about))
    }
}

extension Artifact {
    /// Version and bytes, without what a channel says.
    var pinned: Artifact { Artifact(version: version, sha256: sha256, revision: revision) }
}
