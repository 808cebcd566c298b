public import Model

/// What the journal is told of an event, one line for a person and fields for a search.
public func journalEntries(for event: Event) -> [JournalEntry] {
    switch event {
    case .policyLoaded(let policy):
        return [
            JournalEntry(
                message: .policyLoaded, priority: .notice,
                text: "policy \(policy.sources.file) is in force (sha256 \(policy.sha256.short))",
                fields: ["HOLDFAST_POLICY": policy.sha256.hex])
        ]
    case .policyRejected(let rejection):
        return [
            JournalEntry(
                message: .policyRejected, priority: .error,
                text:
                    "policy is not valid, nothing new is allowed: \(rejection.errors.first ?? rejection.file)",
                fields: [
                    "HOLDFAST_POLICY_FILE": rejection.file, "HOLDFAST_ERRORS": String(rejection.errors.count),
                ])
        ]
    case .installationFound(let installation):
        let artifact = installation.installed?.artifact.summary ?? "nothing installed"
        return [
            JournalEntry(
                message: .installationFound, priority: .notice,
                text:
                    "found \(installation.id.distribution.displayName) \(installation.id.name): \(artifact)",
                fields: fields(of: installation.id, artifact: installation.installed?.artifact))
        ]
    case .installationGone(let id):
        return [
            JournalEntry(
                message: .installationGone, priority: .notice,
                text: "\(id.distribution.displayName) \(id.name) is no longer installed",
                fields: fields(of: id))
        ]
    case .installationObserved(let installation):
        let installed = installation.installed?.artifact.summary ?? "nothing"
        let running = installation.running?.version?.description ?? "nothing known"
        return [
            JournalEntry(
                message: .artifactChanged, priority: .info,
                text:
                    "\(installation.id.distribution.displayName) \(installation.id.name): installed \(installed), "
                    + "running \(running)",
                fields: fields(of: installation.id, artifact: installation.installed?.artifact))
        ]
    case .decided(let record): return [entry(for: record)]
    case .changeEnded(let end):
        return [
            JournalEntry(
                message: .changeEnded, priority: .notice,
                text:
                    "\(end.change.installation.name): change \(end.change.id) to \(end.change.to.summary) is over",
                fields: fields(of: end.change))
        ]
    case .problemBegan(let problem):
        return [
            JournalEntry(
                message: .problem, priority: .warning, text: problem.text,
                fields: ["HOLDFAST_PROBLEM": problem.code])
        ]
    case .problemEnded(let problem):
        return [
            JournalEntry(
                message: .problemEnded, priority: .notice, text: "over: \(problem.text)",
                fields: ["HOLDFAST_PROBLEM": problem.code])
        ]
    case .catalogImported(let catalog):
        return [
            JournalEntry(
                message: .catalogImported, priority: .notice,
                text: catalog.entries.isEmpty
                    ? "imported the table of supported minors from \(catalog.file)"
                    : "imported \(catalog.entries.count) checksum\(catalog.entries.count == 1 ? "" : "s") from \(catalog.file)",
                fields: ["HOLDFAST_CATALOG": catalog.sha256.hex])
        ]
    case .approved(let approval): return [entry(for: approval)]
    case .denied(let denial):
        return [
            JournalEntry(
                message: .denied, priority: .notice,
                text: "\(denial.distribution.displayName) \(denial.target.summary) is denied by "
                    + "\(denial.claimedBy): \(denial.reason)",
                fields: fields(of: denial))
        ]
    case .revoked(let revocation): return [entry(for: revocation)]
    case .adopted, .released, .paused, .resumed, .effected, .guardBroken: return [guardEntry(for: event)]
    case .stepBegan, .stepMoved, .stepEnded, .approvalSpent, .quarantined: return [stepEntry(for: event)]
    case .seatTaken(let taking): return [seatEntry(for: taking)].compactMap(\.self)
    case .rolloutSaid(let word): return [wordEntry(for: word)]
    case .gateActed(let act): return [gateEntry(for: act)]
    case .seeded(let seeding): return [seedEntry(for: seeding)]
    case .checkpointKey(let key): return [keyEntry(for: key)]
    case .bodiesDropped(let retention): return [retentionEntry(for: retention)]
    // Its end is told.
    case .intended: return []
    // Proof that ticks ran is for the ledger; a line each hour would only be noise.
    case .coverage: return []
    }
}

private func entry(for record: DecisionRecord) -> JournalEntry {
    let change = record.subject.change
    let open = record.decision.reasons.filter { $0.result != .met }
    let because = open.isEmpty ? "" : ": " + open.map(\.text).joined(separator: "; ")
    var fields = fields(of: change)
    fields["HOLDFAST_DECISION"] = record.id
    fields["HOLDFAST_VERDICT"] = record.decision.verdict.rawValue
    fields["HOLDFAST_RULES"] = open.map(\.rule.rawValue).joined(separator: " ")
    fields["HOLDFAST_POLICY"] = record.policy.sha256.hex
    return JournalEntry(
        message: .decided, priority: record.decision.verdict == .allow ? .notice : .warning,
        text: "\(change.installation.name): \(record.decision.verdict.rawValue) \(change.from.summary) → "
            + "\(change.to.summary) (\(change.updateType.rawValue), \(change.phase.rawValue))\(because)",
        fields: fields)
}

private func entry(for approval: Approval) -> JournalEntry {
    let waives =
        approval.waives.isEmpty ? "" : ", waiving " + approval.waives.map(\.rawValue).joined(separator: ", ")
    let why = approval.reason.isEmpty ? "" : ": \(approval.reason)"
    return JournalEntry(
        message: .approved, priority: .notice,
        text: "\(approval.distribution.displayName) \(approval.summary) is approved by \(approval.claimedBy) "
            + "until \(approval.expires)\(waives)\(why)",
        fields: fields(of: approval))
}

private func entry(for revocation: Revocation) -> JournalEntry {
    let (what, fields) =
        switch revocation.revoked {
        case .approval(let approval):
            ("approval \(approval.id) of \(approval.summary)", fields(of: approval))
        case .denial(let denial): ("denial \(denial.id) of \(denial.target.summary)", fields(of: denial))
        }
    return JournalEntry(
        message: .revoked, priority: .notice, text: "\(what) is revoked by \(revocation.claimedBy)",
        fields: fields)
}

private func fields(of approval: Approval) -> [String: String] {
    var fields = [
        "HOLDFAST_DISTRIBUTION": approval.distribution.rawValue, "HOLDFAST_APPROVAL": approval.id,
    ]
    fields["HOLDFAST_VERSION"] = approval.version?.description
    fields["HOLDFAST_REVISION"] = approval.revision
    if approval.digests.count == 1 { fields["HOLDFAST_SHA256"] = approval.digests.values.first?.hex }
    return fields
}

private func fields(of denial: Denial) -> [String: String] {
    var fields = ["HOLDFAST_DISTRIBUTION": denial.distribution.rawValue, "HOLDFAST_DENIAL": denial.id]
    fields["HOLDFAST_VERSION"] = denial.target.version?.description
    fields["HOLDFAST_SHA256"] = denial.target.sha256?.hex
    fields["HOLDFAST_REVISION"] = denial.target.revision
    return fields
}

func fields(of id: InstallationID, artifact: Artifact? = nil) -> [String: String] {
    var fields = ["HOLDFAST_DISTRIBUTION": id.distribution.rawValue, "HOLDFAST_INSTALLATION": id.name]
    fields["HOLDFAST_VERSION"] = artifact?.version?.description
    fields["HOLDFAST_SHA256"] = artifact?.sha256?.hex
    fields["HOLDFAST_REVISION"] = artifact?.revision
    return fields
}

private func fields(of change: Change) -> [String: String] {
    var fields = fields(of: change.installation, artifact: change.to)
    fields["HOLDFAST_CHANGE"] = change.id
    fields["HOLDFAST_TRIGGER"] = change.trigger.rawValue
    fields["HOLDFAST_PHASE"] = change.phase.rawValue
    fields["HOLDFAST_UPDATE_TYPE"] = change.updateType.rawValue
    fields["HOLDFAST_FROM"] = change.from.version?.description
    return fields
}
