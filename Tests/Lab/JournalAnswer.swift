import Model

/// An entry as `journalctl -o json` prints it.
struct JournalAnswer: Decodable {
    let message: String
    let identifier: String
    let priority: String
    let executable: String?
    let installation: String?
    let distribution: String?
    let version: String?
    let sha256: String?
    let revision: String?
    let problem: String?
    let change: String?
    let decision: String?
    let verdict: String?
    let rules: String?
    let trigger: String?
    let phase: String?
    let updateType: String?
    let from: String?

    enum CodingKeys: String, CodingKey {
        case message = "MESSAGE"
        case identifier = "SYSLOG_IDENTIFIER"
        case priority = "PRIORITY"
        case executable = "_EXE"
        case installation = "HOLDFAST_INSTALLATION"
        case distribution = "HOLDFAST_DISTRIBUTION"
        case version = "HOLDFAST_VERSION"
        case sha256 = "HOLDFAST_SHA256"
        case revision = "HOLDFAST_REVISION"
        case problem = "HOLDFAST_PROBLEM"
        case change = "HOLDFAST_CHANGE"
        case decision = "HOLDFAST_DECISION"
        case verdict = "HOLDFAST_VERDICT"
        case rules = "HOLDFAST_RULES"
        case trigger = "HOLDFAST_TRIGGER"
        case phase = "HOLDFAST_PHASE"
        case updateType = "HOLDFAST_UPDATE_TYPE"
        case from = "HOLDFAST_FROM"
    }
}

extension LabNode {
    /// What Holdfast told the node's journal, of one kind or of all.
    func journal(_ message: JournalEntry.Message? = nil) async throws -> [JournalAnswer] {
        let filter = message.map { "MESSAGE_ID=\($0.rawValue)" } ?? "SYSLOG_IDENTIFIER=holdfast"
        // What was sent is written a moment later.
        try await run("journalctl --sync")
        return try await ask("journalctl", "--output", "json", "--no-pager", filter).jsonLines(
            JournalAnswer.self)
    }
}
