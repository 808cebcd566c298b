import Model

/// What the journal is told of an event about guards.
func guardEntry(for event: Event) -> JournalEntry {
    switch event {
    case .adopted(let adoption):
        JournalEntry(
            message: .adopted, priority: .notice,
            text: "adopted \(adoption.installation.name): it is meant to run \(adoption.artifact.summary)",
            fields: fields(of: adoption.installation, artifact: adoption.artifact))
    case .released(let id):
        JournalEntry(
            message: .released, priority: .warning, text: "released \(id.name): nothing guards it any longer",
            fields: fields(of: id))
    case .paused(let pause):
        JournalEntry(
            message: .paused, priority: .warning,
            text: "every guard is lifted until \(pause.until): \(pause.reason)",
            fields: ["HOLDFAST_PAUSED_UNTIL": pause.until.description])
    case .resumed(let end):
        JournalEntry(
            message: .resumed, priority: .notice,
            text:
                "the guards are back: \(end.isByTime ? "the pause is over" : "resumed before the pause was over")",
            fields: [:])
    case .effected(let end):
        switch end.outcome {
        case .done, .reads:
            JournalEntry(
                message: .guardChanged, priority: .info, text: "done: \(end.summary)",
                fields: ["HOLDFAST_INTENT": end.intent])
        case .undone:
            JournalEntry(
                message: .guardChanged, priority: .notice,
                text: "not done, and left as it was: \(end.summary)",
                fields: ["HOLDFAST_INTENT": end.intent])
        case .takenBack(let undo):
            JournalEntry(
                message: .guardFailed, priority: .error, text: "\(undo.reason): \(end.summary)",
                fields: ["HOLDFAST_INTENT": end.intent])
        case .failed(let text), .unknown(let text):
            JournalEntry(
                message: .guardFailed, priority: .error, text: text, fields: ["HOLDFAST_INTENT": end.intent])
        }
    case .guardBroken(let broken):
        JournalEntry(
            message: .guardBroken, priority: .warning,
            text: "somebody else changed \(broken.summary), which is ours: it was found "
                + "\(broken.found.map { "to be \($0)" } ?? "gone"), and is put back",
            fields: [:])
    default: JournalEntry(message: .guardChanged, priority: .info, text: event.kind, fields: [:])
    }
}
