import FoundationEssentials
import Glibc
import Testing

/// What `approve`, `deny` and `revoke` print with `--output json`, as a script would read it.
private struct WordAnswer: Decodable {
    struct Approval: Decodable {
        let id: String
        let version: String?
        let digests: [String: String]
        let from: [String]
        let scope: String
        let expires: String
        let claimedBy: String
    }
    struct Denial: Decodable {
        let id: String
        let sha256: String?
    }
    let approval: Approval?
    let denial: Denial?
    let changes: [CheckAnswer.Change]
}

private struct WaitingAnswer: Decodable {
    struct Target: Decodable {
        let sha256: String?
        let origin: String
    }
    struct Change: Decodable {
        let id: String
        let to: String?
        let phase: String
        let target: Target
    }
    struct Waiting: Decodable {
        let change: Change
        let approvable: Bool
        let refusal: String?
    }
    let waiting: [Waiting]
    let approvals: [WordAnswer.Approval]
    let denials: [WordAnswer.Denial]
}

@Suite("approve, deny and revoke, on a node root")
struct ApproveTests {
    private static let claimed = """
        apiVersion: holdfast/v1
        unattended: patch
        origin: claimed
        clock: trusted
        approval: {expires: 3d, mayWaive: [window]}

        """

    /// A node on which a minor waits, and that change's id.
    private func waiting(_ policy: String = claimed) throws -> (node: SampleNode, id: String) {
        let node = try SampleNode(policy: policy)
        _ = try node.holdfast("check")
        try node.install("v1.32.1+k3s1")
        return (node, try #require(try changes(node).first).id)
    }

    private func changes(_ node: SampleNode) throws -> [CheckAnswer.Change] {
        try node.holdfast("check", "--output", "json").json(CheckAnswer.self).installations[0].changes
    }

    /// The rules that are not met once a minor on disk is approved: a rollout's step answers them, not a person.
    private static let steps = ["gates", "backup"]

    private func open(_ changes: [CheckAnswer.Change]) -> [[String]] {
        changes.map { $0.decision.reasons.filter { $0.result != "met" }.map(\.rule) }
    }

    private func ceiling(_ node: SampleNode) throws -> String? {
        try changes(node).first?.decision.reasons.first { $0.rule == "ceiling" }?.result
    }

    private func list(_ node: SampleNode) throws -> WaitingAnswer {
        try node.holdfast("approve", "--output", "json").json(WaitingAnswer.self)
    }

    @Test(
        "a held minor passes the ceiling once it is approved, and other bytes of its version are not (invariant 6)"
    )
    func approve() throws {
        let (node, id) = try waiting()
        #expect(try ceiling(node) == "unmet")
        let answer = try node.holdfast("approve", id, "--output", "json")
        #expect(answer.code == 0, "\(answer.errors)")
        let given = try answer.json(WordAnswer.self)
        let approval = try #require(given.approval)
        #expect(approval.version == "v1.32.1+k3s1")
        #expect(approval.from == ["v1.31.4+k3s1"])
        #expect(approval.scope == "node sample")
        #expect(approval.digests.values.map(\.count) == [64])
        #expect(!approval.claimedBy.isEmpty)
        #expect(open(given.changes) == [Self.steps])
        #expect(try open(changes(node)) == [Self.steps])
        for verb in ["status", "explain"] {
            let output = try node.holdfast(verb).output
            for part in [approval.id, approval.claimedBy, approval.expires] {
                #expect(output.contains(part), "\(verb) lacks \(part)")
            }
        }
        // The same version in other bytes.
        try node.rewriteBinary { $0 + Data("more".utf8) }
        #expect(try ceiling(node) == "unmet")
        #expect(try SampleNode.run(["verify", "--state", node.state]).code == 0)
    }

    @Test("an approved patch is allowed where nothing else is in its way")
    func patch() throws {
        let node = try SampleNode(policy: "apiVersion: holdfast/v1\nclock: trusted\n")
        _ = try node.holdfast("check")
        try node.install("v1.31.5+k3s1")
        let id = try #require(try changes(node).first).id
        let answer = try node.holdfast("approve", id, "--output", "json")
        // A person's word for exactly these bytes backs their version as a checksum does.
        #expect(try answer.json(WordAnswer.self).changes.map(\.decision.verdict) == ["allow"])
    }

    @Test("an approval ends when it is revoked, and a word that names none is refused")
    func revoke() throws {
        let (node, id) = try waiting()
        let approval = try #require(
            try node.holdfast("approve", id, "--output", "json").json(WordAnswer.self).approval)
        #expect(try node.holdfast("revoke", "nosuch").code == 1)
        #expect(try node.holdfast("revoke", "").code == 64)
        let answer = try node.holdfast("revoke", String(approval.id.prefix(6)), "--output", "json")
        #expect(answer.code == 0, "\(answer.errors)")
        #expect(try answer.json(WordAnswer.self).changes.map(\.decision.verdict) == ["hold"])
        #expect(try ceiling(node) == "unmet")
        #expect(try list(node).approvals.isEmpty)
        #expect(try node.holdfast("revoke", approval.id).code == 1)
    }

    @Test("an approval ends by itself (invariant 6)")
    func expiry() throws {
        let (node, id) = try waiting()
        #expect(try node.holdfast("approve", id, "--expires", "2s").code == 0)
        for _ in 0..<100 where try !list(node).approvals.isEmpty { usleep(100_000) }
        #expect(try list(node).approvals.isEmpty)
        #expect(try ceiling(node) == "unmet")
    }

    @Test("a denial wins over an approval, and an approval after it is refused, until it is revoked")
    func deny() throws {
        let (node, id) = try waiting()
        #expect(try node.holdfast("approve", id).code == 0)
        #expect(try node.holdfast("deny", id).code == 64)
        let answer = try node.holdfast("deny", id, "--reason", "loses members", "--output", "json")
        #expect(answer.code == 0, "\(answer.errors)")
        let denial = try #require(try answer.json(WordAnswer.self).denial)
        #expect(try changes(node).map(\.decision.verdict) == ["deny"])
        let refused = try node.holdfast("approve", id)
        #expect(refused.code == 1)
        #expect(refused.errors.contains("holdfast revoke \(denial.id)"))
        #expect(try node.holdfast("status").output.contains("loses members"))
        #expect(try list(node).denials.map(\.sha256) == [denial.sha256])
        #expect(try node.holdfast("revoke", denial.id).code == 0)
        #expect(try open(changes(node)) == [Self.steps])
    }

    @Test("without a change lists what waits: bytes, origin, phase, why, and whether an approval helps")
    func listing() throws {
        let (node, id) = try waiting()
        let one = try #require(try list(node).waiting.first)
        #expect((one.change.id, one.change.to, one.change.phase) == (id, "v1.32.1+k3s1", "on-disk"))
        #expect((one.change.target.sha256?.count, one.change.target.origin) == (64, "claimed"))
        #expect(one.approvable)
        let output = try node.holdfast("approve").output
        for part in [one.change.target.sha256 ?? "none", "claimed", "ceiling", "holdfast approve \(id)"] {
            #expect(output.contains(part), "missing: \(part)")
        }
        try node.install("v1.33.0+k3s1")
        _ = try node.holdfast("check")
        let other = try #require(try list(node).waiting.first)
        #expect(!other.approvable)
        #expect(other.refusal?.contains("skip-minor") == true)
        #expect(try node.holdfast("approve", "--expires", "1d").code == 64)
    }

    private struct Wrong: Sendable, CustomTestStringConvertible {
        let words: [String]
        let code: Int32
        let says: String
        var testDescription: String { words.joined(separator: " ") }
    }

    @Test("says what is wrong and what to do, and records nothing")
    func wrong() throws {
        let (node, id) = try waiting()
        for row in [
            Wrong(words: ["--waive", "windw", "--reason", "x"], code: 64, says: "did you mean window"),
            Wrong(words: ["--waive", "freeze", "--reason", "x"], code: 64, says: "waive window"),
            Wrong(words: ["--waive", "window"], code: 64, says: "--reason"),
            Wrong(words: ["--expires", "4d"], code: 64, says: "at most 3d"),
            Wrong(words: ["--expires", "soon"], code: 64, says: "write 12h"),
            Wrong(words: ["--from", "v1.31.4+k3s1,x"], code: 64, says: "--from x is no version"),
            Wrong(words: ["--node", "a", "--stage", "b"], code: 64, says: "cannot both"),
            Wrong(words: ["--node", "elsewhere"], code: 64, says: "give it on elsewhere"),
            Wrong(words: ["--version", "v1.32.2+k3s1"], code: 64, says: "known to be v1.32.1+k3s1"),
        ] {
            let answer = try SampleNode.run(
                ["approve", id] + row.words
                    + ["--root", node.root, "--policy", node.policy, "--state", node.state])
            #expect(answer.code == row.code, "\(row.words)")
            #expect(answer.errors.contains(row.says), "\(answer.errors)")
        }
        #expect(try node.holdfast("approve", "").code == 64)
        #expect(try node.holdfast("approve", "nosuch").code == 1)
        #expect(try list(node).approvals.isEmpty)
        try node.write("apiVersion: holdfast/v1\nunatended: patch\n")
        #expect(try node.holdfast("approve", id).code == 78)
    }

    @Test("a version that nobody can read becomes known by approving its digest (invariant 2)")
    func stated() throws {
        let (node, _) = try waiting()
        // No plus sign, so that no string is a version of K3s.
        try node.rewriteBinary { bytes in
            let version = try #require(bytes.firstRange(of: Data("v1.32.1+k3s1".utf8)))
            var hidden = bytes
            hidden.replaceSubrange(version, with: Data("v1.32.1_k3s1".utf8))
            return hidden
        }
        let unreadable = try #require(try changes(node).first)
        #expect((unreadable.to, unreadable.decision.verdict) == (nil, "hold"))
        let refused = try node.holdfast("approve", unreadable.id)
        #expect(refused.code == 1)
        #expect(refused.errors.contains("--version VERSION"))
        let answer = try node.holdfast(
            "approve", unreadable.id, "--version", "v1.32.1+k3s1", "--output", "json")
        #expect(answer.code == 0, "\(answer.errors)")
        let report = try node.holdfast("check", "--output", "json").json(CheckAnswer.self)
        #expect(report.installations[0].installed.version == "v1.32.1+k3s1")
        #expect(report.installations[0].installed.evidence == "approval")
        #expect(open(report.installations[0].changes) == [Self.steps])
    }

    @Test("another process in the middle of a transaction is waited for, and then answered with 75")
    func busy() throws {
        let (node, id) = try waiting()
        try node.lockLedger()
        let answer = try node.holdfast("approve", id)
        #expect(answer.code == 75, "\(answer.errors)")
        try node.unlockLedger()
        #expect(try node.holdfast("approve", id).code == 0)
    }
}
