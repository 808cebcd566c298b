import Testing

/// What `check --output json` and `status --output json` print, as a script would read it.
struct NodeAnswer: Decodable {
    struct Policy: Decodable {
        let path: String
        let valid: Bool
    }
    struct Installed: Decodable {
        let version: String?
        let sha256: String?
        let revision: String?
        let channel: String?
        let path: String
        let evidence: String
        let origin: String
    }
    struct Source: Decodable, Hashable {
        let source: String
        let version: String?
    }
    struct Running: Decodable {
        let version: String?
        let sources: [Source]
        let restartPending: Bool?
    }
    struct Approved: Decodable {
        let version: String?
        let revision: String?
        let confirmed: Bool
    }
    struct Hold: Decodable {
        let until: String?
        let refreshInhibitedUntil: String?
    }
    struct Reason: Decodable {
        let rule: String
        let result: String
        let text: String
        let source: String
    }
    struct Decision: Decodable {
        let id: String
        let verdict: String
        let reasons: [Reason]
    }
    struct Change: Decodable {
        let id: String
        let trigger: String
        let updateType: String
        let phase: String
        let from: String?
        let to: String?
        let target: Target
        let decision: Decision
    }
    struct Target: Decodable {
        let sha256: String?
        let revision: String?
    }
    struct Installation: Decodable {
        let distribution: String
        let name: String
        let role: String?
        let units: [String]
        let dataDirectory: String?
        let dataStore: String?
        let installed: Installed?
        let running: Running?
        let approved: Approved?
        let hold: Hold?
        let changes: [Change]
    }
    struct Problem: Decodable {
        let code: String
        let text: String
    }

    let node: String
    let policy: Policy
    let installations: [Installation]
    let problems: [Problem]

    /// The problems but one: the stand-ins' API knows no Nodes, so no Event can be told there.
    var troubles: [Problem] { problems.filter { $0.code != "events-untold" } }

    /// The installation of that name.
    func installation(_ name: String) throws -> Installation {
        try #require(
            installations.first { $0.name == name },
            "there is no \(name) among \(installations.map(\.name)); problems: \(problems.map(\.text))")
    }
}

extension NodeAnswer.Installation {
    /// What each source says runs.
    var sources: Set<NodeAnswer.Source> { Set(running?.sources ?? []) }

    /// The one change that is there.
    func change() throws -> NodeAnswer.Change {
        try #require(changes.count == 1, "\(changes.count) changes")
        return changes[0]
    }
}

extension NodeAnswer.Change {
    /// The rules that are not met.
    var open: [String] { decision.reasons.filter { $0.result != "met" }.map(\.rule) }
}

/// A row of `history --output jsonl`.
struct HistoryRow: Decodable {
    let installation: String
    let change: String
    let trigger: String
    let phase: String
    let from: String?
    let to: String?
    let verdict: String
    let decision: String
}

/// What `verify --output json` prints.
struct VerifyAnswer: Decodable {
    struct Finding: Decodable { let kind: String }

    let entries: Int
    let findings: [Finding]
}
