import Model

// What bears on the question whether something unapproved was started.
extension ChronicleFold {
    /// Takes in a start that a look found, and what the gate told.
    mutating func takeStart(_ event: Event, _ entry: LedgerEntry) {
        switch event {
        // What ran when it was first looked at was started before that.
        case .installationObserved(let installation):
            guard let running = installation.running, let invocation = running.invocationID else { return }
            let known = state.installations[installation.id.description]
            guard known?.installation.running?.invocationID != invocation else { return }
            let start = SeenStart(
                invocationID: invocation, seenAt: entry.at, after: evidence.tick(before: entry.at),
                artifact: running.artifact?.summary ?? "unreadable",
                isApproved: isApproved(running.artifact, known))
            note(installation.id) { $0.starts.append(start) }
        case .gateActed(let act):
            let taken = TakenAct(act: act, sequence: entry.sequence, takenAt: entry.at)
            if let id = act.installation {
                note(id) { $0.acts.append(taken) }
            } else {
                // It may have been any of them.
                for id in stories.keys { note(id) { $0.acts.append(taken) } }
            }
        case .intended(let intent):
            guard case .writeLastRan(let record) = intent.effect, let doubt = Self.doubt(record.text) else {
                return
            }
            let from = evidence.tick(before: entry.at) ?? entry.at
            let concerned = stories.keys.filter { id in
                let directory = state.installations[id.description]?.installation.dataDirectory
                return directory == nil || directory == doubt.directory
            }
            for id in concerned {
                note(id) { $0.doubts.append(Gap(from, entry.at, .unknownStart, doubt.reason)) }
            }
        default: break
        }
    }

    /// By its bytes; while a step carries a change out, what it brings is approved too.
    private func isApproved(_ artifact: Artifact?, _ known: InstallationState?) -> Bool? {
        guard let artifact, let reference = known?.reference else { return nil }
        var meant = [reference]
        if let step = state.step, step.change.installation == known?.installation.id, step.isForward {
            meant.append(step.change.to)
        }
        let answers = meant.map { $0.isSameBytes(as: artifact) }
        if answers.contains(true) { return true }
        // Another version is another artifact, whatever its bytes.
        if let version = artifact.version, meant.allSatisfy({ $0.version != nil && $0.version != version }) {
            return false
        }
        return answers.contains(nil) ? nil : false
    }

    /// The data directory of a record of what last ran, and why it proves nothing; nil where it does prove.
    ///
    /// The text is the gate's own, as the module Gate writes it (`LastRan`).
    private static func doubt(_ text: String) -> (directory: String, reason: String)? {
        guard
            let lines = try? SealedLines.read(
                Array(text.utf8), title: "holdfast-last-ran 1", largest: 16_384),
            lines.map(\.key) == ["data", "highest", "unproven", "start"],
            let directory = try? lines[0].text(0), let reason = try? lines[2].optional(0)
        else { return nil }
        return (directory, reason)
    }

    /// Notes from when to when the gate stood before every start of an installation.
    mutating func turnGates(_ event: Event, _ entry: LedgerEntry) {
        for id in stories.keys {
            let isOpen = stories[id]?.stretches(.gate).last.map { $0.end == nil } ?? false
            let stands = gateStands(id)
            guard isOpen != stands else { continue }
            if isOpen, case .intended(let intent) = event, case .placeDropIn(let path, _) = intent.effect {
                // It is placed again because it was not there as it was placed.
                let from = evidence.tick(before: entry.at) ?? entry.at
                note(id) {
                    $0.doubts.append(
                        Gap(
                            from, entry.at, .unguarded,
                            "\(path) was not as it had been placed, so a start may have gone by it"))
                }
            }
            note(id) { $0.turn(.gate, to: stands ? ("in force", "") : nil, at: entry.at) }
        }
    }

    /// Adopted, a drop-in of ours beside every unit, read by systemd, and no pause.
    private func gateStands(_ id: InstallationID) -> Bool {
        guard let known = state.installations[id.description], known.adoption != nil, state.pause == nil,
            let guards = state.guards, !guards.needsReload, !known.installation.units.isEmpty
        else { return false }
        let placing = guards.intents.compactMap { intent in
            if case .placeDropIn(let path, _) = intent.effect { path } else { nil }
        }
        let placed = guards.dropIns.keys.filter { !placing.contains($0) }
        if id.distribution == .microk8s {
            return placed.contains { $0.contains("/snap.\(id.name).") }
        }
        return known.installation.units.allSatisfy { unit in
            placed.contains { $0.contains("/\(unit.name).d/") }
        }
    }
}
