import FoundationEssentials
import Testing

/// Holdfast on a node: a policy and a ledger of its own, so that no test sees what another one left.
struct NodeUnderGuard {
    let node: LabNode
    private let directory: String
    var policy: String { directory + "/policy.yaml" }
    var state: String { directory + "/state" }

    /// Lets patches through by themselves, where nothing else is said.
    init(_ node: LabNode, policy: String = "unattended: patch") async throws {
        self.node = node
        directory = "/root/\(UUID().uuidString)"
        try await node.write("apiVersion: holdfast/v1\n\(policy)\n", to: self.policy)
    }

    /// Ticks once.
    func check() async throws -> NodeAnswer { try await report("check") }

    /// Looks and records nothing.
    func status() async throws -> NodeAnswer { try await report("status") }

    private func report(_ verb: String) async throws -> NodeAnswer {
        let answer = try await node.ask(
            "holdfast", verb, "--output", "json", "--policy", policy, "--state", state)
        #expect((answer.code, answer.errors) == (0, ""))
        return try answer.json(NodeAnswer.self)
    }

    /// What a verb prints for a person.
    func text(_ verb: String) async throws -> String {
        let answer = try await node.ask("holdfast", verb, "--policy", policy, "--state", state)
        #expect((answer.code, answer.errors) == (0, ""))
        return answer.output
    }

    /// Imports the checksum file of a release, made by the node's own sha256sum.
    func importChecksum(of file: String, named name: String, version: String) async throws {
        try await node.run(
            """
            sha256sum "$1" | sed "s| .*|  $2|" >"$4.sums"
            holdfast catalog import "$4.sums" --version "$3" --state "$4"
            """, file, name, version, state)
    }

    /// The decisions that were recorded.
    func history() async throws -> [HistoryRow] {
        try await Answer(
            checked: node.ask("holdfast", "history", "--output", "jsonl", "--state", state)
        ).jsonLines(HistoryRow.self)
    }

    /// How many entries the ledger has; `verify` must find it intact.
    func entries() async throws -> Int {
        let answer = try await node.ask("holdfast", "verify", "--output", "json", "--state", state)
        #expect(answer.code == 0, "\(answer.output)\(answer.errors)")
        let verified = try answer.json(VerifyAnswer.self)
        #expect(verified.findings.isEmpty)
        return verified.entries
    }
}

extension Answer {
    /// The answer, which must be a success.
    fileprivate init(checked answer: Answer) throws {
        guard answer.code == 0 else { throw LabFailure(words: ["holdfast"], answer: answer) }
        self = answer
    }
}
