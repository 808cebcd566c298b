import Gate
import Model
import Ports

extension GuardSituation {
    /// The guard file as it should be now; nil where nothing is guarded and nothing of ours is left.
    ///
    /// - Parameters:
    ///   - head: the ledger's newest entry.
    ///   - present: what the file says now, which counts for what this look did not see.
    func guardFile(head: (sequence: Int64, hash: Digest), present: GuardFile?) -> GuardFile? {
        let now = observation.clock.now
        var file = GuardFile(ledgerSequence: head.sequence, ledgerHash: head.hash)
        if let pause = state.pause, now < pause.until { file.pausedUntil = pause.until }
        file.intent = records.intents.first.flatMap { try? CanonicalJSON.text(of: $0) }
        file.guards = records.dropIns.values.sorted { $0.path < $1.path }.map {
            PlacedGuard(kind: .dropIn, subject: $0.path, before: $0.madeDirectory ? "no-directory" : nil)
        }
        file.guards += records.settings.map {
            PlacedGuard(kind: .init($0.setting.kind), subject: $0.setting.subject, before: $0.before)
        }
        let wantedGates = wantedGates
        // What has not moved since is not written out anew at every quiet tick.
        if let present, present.ledgerSequence == head.sequence, present.ledgerHash == head.hash {
            file.seed = present.seed
        }
        if file.seed == nil {
            let modes = Dictionary(
                wantedGates.map { ($0.installation.id, $0.mode) }, uniquingKeysWith: { first, _ in first })
            let seed = seed(modes: modes)
            file.seed = seed.isEmpty ? nil : try? CanonicalJSON.text(of: seed)
        }
        file.installations = wantedGates.map { wanted in
            if !wanted.isSeen,
                let known = present?.installations.first(where: { $0.id == wanted.installation.id })
            {
                return known
            }
            return guarded(wanted, now: now)
        }
        file.installations += wantedVetoes.map { wanted in
            let known = present?.installations.first { $0.id == wanted.installation.id }
            return wanted.isSeen ? guarded(wanted, present: known) : known ?? guarded(wanted, present: nil)
        }
        // A node that was adopted and has no gate yet needs to be known again as well.
        guard !file.installations.isEmpty || !file.guards.isEmpty || file.seed != nil else { return nil }
        // The gate must be able to read it: what only a lost ledger would need goes first.
        if file.text.utf8.count > GuardFile.largest { file.seed = nil }
        return file
    }

    /// An installation as the gate is told of it.
    func guarded(_ wanted: WantedGate, now: Instant) -> GuardedInstallation {
        let installation = wanted.installation
        var guarded = GuardedInstallation(
            id: installation.id, units: installation.units.map(\.name), role: installation.role,
            mode: wanted.mode, binary: wanted.binary, dataDirectory: installation.dataDirectory,
            vault: site.vault, pending: site.pendingPath(of: wanted.binary))
        guarded.approved = [known(wanted.meant, in: installation, now: now)]
        // While one replaces the other both may start; going back narrows it first.
        if let step = state.step, step.change.installation == installation.id, step.hasBegun, step.isForward {
            guarded.approved.append(known(step.change.to, in: installation, now: now))
        }
        if let good = wanted.known.lastGood { guarded.lastGood = known(good, in: installation, now: now) }
        let path = site.sparePath(of: wanted.binary)
        if let spare = records.spares[path], spare.artifact.sha256 == wanted.digest {
            guarded.spare = Spare(path: path, artifact: spare.artifact.forGate, identity: spare.identity)
        }
        return guarded
    }

    /// An artifact with the identity of the installed file, where that was hashed and found to be it.
    private func known(_ artifact: Artifact, in installation: Installation, now: Instant) -> GuardedArtifact {
        var known = GuardedArtifact(artifact.forGate)
        if let installed = installation.installed, let identity = installed.identity,
            let digest = installed.artifact.sha256, digest == artifact.sha256,
            // The kernel's times are coarse: a younger file could change again without another time.
            identity.changed / 1_000_000_000 < now.seconds - 2
        {
            known.identities = [identity]
        }
        return known
    }
}

extension PlacedGuard.Kind {
    fileprivate init(_ kind: Setting.Kind) {
        self =
            switch kind {
            case .snapHold: .hold
            case .snapRetain: .retain
            case .snapChannel: .channel
            case .systemHold: .systemHold
            case .planLabel: .planLabel
            case .cordon: .cordon
            case .seal: .seal
            }
    }
}

extension Artifact {
    /// Without the channel, which the gate does not keep.
    var forGate: Artifact { Artifact(version: version, sha256: sha256, revision: revision) }
}
