import Gate
import Model

/// An adopted snap before whose services the policy wants the gate.
struct WantedVeto: Gated {
    var installation: Installation
    var known: InstallationState
    var adoption: Adoption
    /// Whether this look saw it.
    var isSeen: Bool

    /// Stands for every service whose name begins with it (`facts/replacement-experiments.md`, 17).
    var unit: String { "snap.\(installation.id.name).daemon-.service" }
    /// The services, as the guard file names them.
    var services: String { "snap.\(installation.id.name).daemon-*" }
}

extension GuardSituation {
    /// Snaps whose refreshes are vetoed; one of which no revision is known has nothing to go back to.
    var wantedVetoes: [WantedVeto] {
        guardedSnaps.filter { $0.enforce.veto && $0.known.reference?.revision != nil }.map { snap in
            WantedVeto(
                installation: snap.installation, known: snap.known, adoption: snap.adoption,
                isSeen: snap.isSeen)
        }
    }

    /// The small files that a plan for it looks at.
    func placesOf(_ wanted: WantedVeto) -> Set<String> {
        var contents: Set = [site.dropInPath(unit: wanted.unit)]
        for unit in wanted.installation.units {
            contents.insert(site.places.starts(unit: unit.name))
            contents.insert(GatePlaces.startsMeanwhile(unit: unit.name))
            contents.formUnion(site.places.missed(unit: unit.name))
        }
        if let data = wanted.installation.dataDirectory {
            contents.insert(site.places.lastRan(dataDirectory: data))
        }
        return contents
    }

    /// What the gate is to know of it.
    ///
    /// - Parameter present: what the guard file says of it now; while services restart, what ran is what it says.
    func guarded(_ wanted: WantedVeto, present: GuardedInstallation?) -> GuardedInstallation {
        let installation = wanted.installation
        var guarded = GuardedInstallation(
            id: installation.id, units: [wanted.services], role: installation.role, mode: .refuse,
            binary: link(beside: installation.installed?.path), dataDirectory: installation.dataDirectory)
        if let reference = wanted.known.reference { guarded.approved = [GuardedArtifact(reference.forGate)] }
        // While snapd brings one in place of the other both may start; where it took it back the old one alone.
        if let step = state.step, step.change.installation == installation.id, step.hasBegun, step.isForward {
            guarded.approved.append(GuardedArtifact(step.change.to.forGate))
        }
        guarded.lastGood = wanted.known.lastGood.map { GuardedArtifact($0.forGate) }
        guarded.ran = present?.ran.flatMap { $0.bootID == observation.clock.bootID ? $0 : nil }
        if let revision = installation.running?.startedFrom?.revision {
            guarded.ran = SeenRunning(
                revision: revision, bootID: observation.clock.bootID, since: wanted.adoption.at)
        }
        return guarded
    }

    /// The link `current` beside a mounted revision.
    private func link(beside mount: String?) -> String? {
        guard let mount, let slash = mount.lastIndex(of: "/") else { return nil }
        return mount[...slash] + "current"
    }
}
