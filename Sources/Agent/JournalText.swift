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
                text:
                    "imported \(catalog.entries.count) checksum\(catalog.entries.count == 1 ? "" : "s") from \(catalog.file)",
                fields: ["HOLDFAST_CATALOG": catalog.sha256.hex])
        ]
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

private func fields(of id: InstallationID, artifact: Artifact? = nil) -> [String: String] {
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
