import Model

extension ChronicleFold {
    /// Takes in what persons said, what was irregular, and what failed.
    mutating func takeNode(_ event: Event, _ entry: LedgerEntry) {
        let describe = describe
        func note(_ title: String, about: String = "", claim: String = "", _ text: String? = nil) -> Note {
            Note(
                entry.sequence, entry.at, title, about: about, claim: claim,
                text ?? describe(event) ?? event.kind)
        }
        switch event {
        case .approved(let approval):
            let waives =
                approval.waives.isEmpty
                ? "" : "; waives \(approval.waives.map(\.rawValue).joined(separator: ", "))"
            chronicle.words.append(
                note(
                    "approved", about: "\(approval.distribution.rawValue) \(approval.summary)",
                    claim: approval.claimedBy,
                    "\(approval.id) for \(approval.scope), until \(approval.expires)\(waives)"
                        + (approval.reason.isEmpty ? "" : ": \(approval.reason)")))
        case .denied(let denial):
            chronicle.words.append(
                note(
                    "denied", about: "\(denial.distribution.rawValue) \(denial.target.summary)",
                    claim: denial.claimedBy, "\(denial.id): \(denial.reason)"))
        case .revoked(let revocation):
            let (id, about) =
                switch revocation.revoked {
                case .approval(let approval):
                    ("the approval \(approval.id)", "\(approval.distribution.rawValue) \(approval.summary)")
                case .denial(let denial):
                    ("the denial \(denial.id)", "\(denial.distribution.rawValue) \(denial.target.summary)")
                }
            chronicle.words.append(
                note("revoked", about: about, claim: revocation.claimedBy, "took \(id) back"))
        case .approvalSpent(let spent):
            chronicle.words.append(
                note(
                    "spent", about: spent.artifact.summary,
                    "\(spent.approval) was used up by \(spent.node) in step \(spent.step)"))
        case .adopted(let adoption):
            chronicle.words.append(note("adopted", about: adoption.installation.description))
        case .released(let id): chronicle.words.append(note("released", about: id.description))
        case .paused: chronicle.words.append(note("paused"))
        case .resumed(let end): chronicle.words.append(note(end.isByTime ? "pause over" : "resumed"))
        case .catalogImported(let imported):
            chronicle.words.append(
                note("imported", about: imported.file, "\(imported.entries.count) checksums of releases"))
        case .rolloutSaid(let word):
            chronicle.rollouts.append(
                note(
                    "said", about: word.distribution.rawValue, claim: word.claimedBy,
                    word.summary + (word.reason.isEmpty ? "" : ": \(word.reason)")))
        case .seatTaken(let taking) where taking.isNews:
            chronicle.rollouts.append(note(taking.seat.phase.word, about: taking.distribution.rawValue))
            if case .failing(let reason) = taking.seat.phase {
                for id in stories.keys where id.distribution == taking.distribution {
                    fail(id, note("rollout failed", about: id.description, reason))
                }
            }
        case .stepBegan(let step):
            chronicle.rollouts.append(note("step began", about: step.change.installation.description))
        case .stepEnded(let end):
            let id = end.step.change.installation
            switch end.outcome {
            case .done: chronicle.rollouts.append(note("step done", about: id.description))
            case .abandoned: chronicle.rollouts.append(note("step left", about: id.description))
            case .putBack:
                let note = note("step put back", about: id.description)
                chronicle.rollouts.append(note)
                fail(id, note)
            case .needsPerson:
                let note = note("needs a person", about: id.description)
                chronicle.rollouts.append(note)
                fail(id, note)
            }
        case .quarantined(let entry):
            let note = note(
                "quarantined", about: entry.installation.description,
                "\(entry.artifact.summary): \(entry.reason)")
            chronicle.irregular.append(note)
            fail(entry.installation, note)
        case .gateActed(let act):
            chronicle.irregular.append(
                note(act.kind.rawValue, about: act.installation?.description ?? act.unit, act.text))
        case .guardBroken: chronicle.irregular.append(note("guard broken"))
        case .policyRejected: chronicle.irregular.append(note("policy rejected"))
        case .intended(let intent):
            switch intent.effect {
            case .replace, .abortRefresh:
                // One at a time while everything goes well.
                if begun.count < 64 { begun[intent.id] = intent.effect }
            default: break
            }
        case .effected(let end): takeEnd(end, note)
        default: break
        }
    }

    private mutating func takeEnd(
        _ end: EffectEnd, _ note: (String, String, String, String?) -> Note
    ) {
        guard let effect = begun[end.intent] else { return }
        switch end.outcome {
        case .failed, .unknown: break
        case .done, .reads, .undone, .takenBack: begun[end.intent] = nil
        }
        guard case .done = end.outcome else { return }
        switch effect {
        case .replace(let replacement) where replacement.purpose == .undo:
            chronicle.irregular.append(
                note("put back", replacement.installation.description, "", end.summary))
        case .abortRefresh(let refresh):
            chronicle.irregular.append(note("refused", refresh.snap, "", end.summary))
        default: break
        }
    }

    private mutating func fail(_ id: InstallationID, _ failure: Note) {
        note(id) { $0.failures.append(failure) }
    }
}
