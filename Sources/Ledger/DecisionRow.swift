import Model
import SQLite

/// The row of a decision as `history` exports it: text that is made once, when the decision is recorded.
///
/// To decode a million records for an export would take some twenty times as long as to copy the text.
struct DecisionRow {
    /// Seconds since the epoch, for `--since` and `--until`.
    var instant: Int64
    /// In the order of `HistoryColumn`, without `seq`; nil for NULL.
    var texts: [String?]

    init(_ record: DecisionRecord, at: Instant) {
        let change = record.subject.change
        let open = record.decision.reasons.filter { $0.result != .met }
        instant = at.seconds
        texts = HistoryColumn.allCases.dropFirst().map { column in
            switch column {
            case .seq: nil
            case .at: at.description
            case .node: record.subject.node.name
            case .distribution: change.installation.distribution.rawValue
            case .installation: change.installation.name
            case .change: change.id
            case .trigger: change.trigger.rawValue
            case .updateType: change.updateType.rawValue
            case .phase: change.phase.rawValue
            case .from: change.from.version?.description
            case .to: change.to.version?.description
            case .target: change.to.pin
            case .verdict: record.decision.verdict.rawValue
            case .unmet: open.isEmpty ? nil : open.map(\.rule.rawValue).joined(separator: " ")
            case .decision: record.id
            case .policy: record.policy.sha256.hex
            case .rollout: record.fleet.rollout
            // Other nodes' names and what a cluster says stand in it; an export is a copy, so it is made plain here.
            case .reason:
                open.isEmpty ? "every rule is met" : open.map(\.text).joined(separator: "; ").printable
            }
        }
    }

    /// What is bound to `insert`.
    func values(seq: Int64) -> [Value] { [.integer(seq), .integer(instant)] + texts.map { Value($0) } }

    static let names = HistoryColumn.allCases.map { "\"\($0.rawValue)\"" }

    /// seq, instant, then the texts.
    static let columns = ([names[0], "instant"] + names.dropFirst()).joined(separator: ", ")

    static let insert =
        "INSERT INTO decision(\(columns)) VALUES ("
        + Array(repeating: "?", count: names.count + 1).joined(separator: ", ") + ")"

    /// Whether the current row of `SELECT columns` is this one, byte for byte.
    func isEqual(to row: Statement) -> Bool {
        row.integer(1) == instant
            && texts.enumerated().allSatisfy { index, text in
                let stored = row.rawText(index + 2)
                guard let text else { return stored.baseAddress == nil }
                return stored.baseAddress != nil && stored.elementsEqual(text.utf8)
            }
    }
}

extension Artifact {
    /// What pins the bytes: `revision:7731`, or `sha256:` with the digits; nil where neither is known.
    fileprivate var pin: String? { revision.map { "revision:\($0)" } ?? sha256.map { "sha256:\($0.hex)" } }
}
