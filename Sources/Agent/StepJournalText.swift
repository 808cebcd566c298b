public import Model

/// What the journal is told of an event about a step.
func stepEntry(for event: Event) -> JournalEntry {
    switch event {
    case .stepBegan(let step):
        return JournalEntry(
            message: .stepBegan, priority: .notice, text: "carries out \(step.summary)",
            fields: fields(of: step))
    case .stepMoved(let move):
        let why = move.failure.map { ": \($0)" } ?? ""
        return JournalEntry(
            message: .stepMoved, priority: move.phase == .replacingBack ? .error : .info,
            text: "\(move.summary): \(move.phase.summary)\(why)",
            fields: ["HOLDFAST_STEP": move.step, "HOLDFAST_PHASE": move.phase.rawValue])
    case .stepEnded(let end):
        var fields = fields(of: end.step)
        fields["HOLDFAST_OUTCOME"] = end.outcome.name
        return JournalEntry(
            message: .stepEnded, priority: end.outcome.priority, text: end.text, fields: fields)
    case .approvalSpent(let spent):
        return JournalEntry(
            message: .approvalSpent, priority: .info,
            text: "approval \(spent.approval) of \(spent.artifact.summary) is used up on \(spent.node)",
            fields: ["HOLDFAST_APPROVAL": spent.approval, "HOLDFAST_STEP": spent.step])
    case .quarantined(let entry):
        return JournalEntry(
            message: .quarantined, priority: .error,
            text: "\(entry.artifact.summary) is kept out of \(entry.installation.name) from now on: "
                + "\(entry.reason); 'holdfast approve' of the very same bytes lifts that",
            fields: fields(of: entry.installation, artifact: entry.artifact))
    default: return JournalEntry(message: .stepMoved, priority: .info, text: event.kind, fields: [:])
    }
}

private func fields(of step: Step) -> [String: String] {
    var fields = fields(of: step.change.installation, artifact: step.change.to)
    fields["HOLDFAST_STEP"] = step.id
    fields["HOLDFAST_CHANGE"] = step.change.id
    fields["HOLDFAST_DECISION"] = step.decision
    return fields
}

extension StepEnd {
    /// How it ended, for a person.
    public var text: String {
        switch outcome {
        case .done: "\(step.summary) is done, and the node is well"
        case .abandoned(let reason): "\(step.summary) was left: \(reason)"
        case .putBack(let reason):
            "\(step.summary) was taken back: \(reason); \(step.change.from.summary) runs again"
        case .needsPerson(let advice): "\(step.summary) needs a person: \(advice)"
        }
    }
}

extension StepEnd.Outcome {
    /// A token that never changes its meaning.
    var name: String {
        switch self {
        case .done: "done"
        case .abandoned: "abandoned"
        case .putBack: "put-back"
        case .needsPerson: "needs-person"
        }
    }

    fileprivate var priority: JournalEntry.Priority {
        switch self {
        case .done: .notice
        case .abandoned: .warning
        case .putBack, .needsPerson: .error
        }
    }
}
