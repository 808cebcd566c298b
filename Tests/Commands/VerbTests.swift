import FoundationEssentials
import Testing

@Suite("The verbs, on a node root")
struct VerbTests {
    /// A node on which a minor waits.
    private func waiting() throws -> SampleNode {
        let node = try SampleNode()
        _ = try node.holdfast("check")
        try node.install("v1.32.1+k3s1")
        _ = try node.holdfast("check")
        return node
    }

    @Test("status ends with what to do next where something waits")
    func status() throws {
        let output = try waiting().holdfast("status").output
        for part in [
            "sample", "K3s server", "v1.32.1+k3s1", "approved", "first seen, not confirmed", "HOLD",
            "ceiling",
            "last check", "Next", "holdfast explain",
        ] {
            #expect(output.contains(part), "missing: \(part)")
        }
        #expect(!output.contains("\u{1b}"), "colours are for terminals alone")
    }

    @Test("an error repeats names without what would move a terminal's cursor")
    func errors() throws {
        for words in [["policy", "lint", "/no/\u{1b}[2Jfile"], ["verify", "--state", "/no/\u{1b}[2Jfile"]] {
            let answer = try SampleNode.run(words)
            #expect(answer.code != 0)
            #expect(answer.errors.contains("/no/?[2Jfile"))
            #expect(!answer.errors.contains("\u{1b}"))
        }
    }

    @Test("status offers to import checksums only where the policy asks for them")
    func nextStep() throws {
        let node = try waiting()
        let command = "holdfast catalog import FILE --version v1.32.1+k3s1"
        #expect(try node.holdfast("status").output.contains(command))
        try node.write("apiVersion: holdfast/v1\norigin: claimed\n")
        let output = try node.holdfast("status").output
        #expect(output.contains("HOLD") && !output.contains("catalog import"))
    }

    @Test("status without a ledger says that nothing was checked before, and makes none")
    func statusWithoutLedger() throws {
        let node = try SampleNode()
        let answer = try node.holdfast("status")
        #expect(answer.code == 0)
        #expect(answer.output.contains("never checked before"))
        #expect(!FileManager.default.fileExists(atPath: node.state))
    }

    @Test("explain gives every rule, its line, and a lever for what is not met")
    func explain() throws {
        let node = try waiting()
        let output = try node.holdfast("explain").output
        for rule in ["ceiling", "window", "skew", "quarantine", "identity"] { #expect(output.contains(rule)) }
        #expect(output.contains("What would change that"))
        #expect(output.contains("holdfast approve"))
        // K3s's checksum file does not say its version, so the command does.
        #expect(output.contains("holdfast catalog import FILE --version v1.32.1+k3s1"))
        // The same words as in check's JSON, and which installation it is.
        struct Explained: Decodable {
            let distribution: String
            let name: String
            let id: String
            let to: String?
            let decision: CheckAnswer.Decision
        }
        let explained = try node.holdfast("explain", "--output", "json").json([Explained].self)
        #expect(explained.map(\.name) == ["k3s"])
        #expect(explained.map(\.distribution) == ["k3s"])
        #expect(explained.map(\.to) == ["v1.32.1+k3s1"])
        #expect(explained.map(\.decision.verdict) == ["hold"])
        let unknown = try node.holdfast("explain", "nosuch")
        #expect(unknown.code == 1)
        #expect(unknown.errors.contains("there is no change nosuch now"))
    }

    @Test("history lists what was decided, in each format")
    func history() throws {
        let node = try waiting()
        struct Row: Decodable {
            let verdict: String
            let to: String
        }
        func history(_ words: String...) throws -> SampleNode.Answer {
            try SampleNode.run(["history", "--state", node.state] + words)
        }
        #expect(try history("--output", "json").json([Row].self).map(\.to) == ["v1.32.1+k3s1"])
        #expect(try history("--output", "csv").output.split(separator: "\n").count == 2)
        #expect(try history("--output", "jsonl").output.split(separator: "\n").count == 1)
        #expect(try history().output.contains("v1.32.1+k3s1"))
        #expect(try history("--verdict", "deny", "--output", "json").output == "[]\n")
        #expect(try history("--distribution", "k0s", "--output", "json").output == "[]\n")
        #expect(try history("--until", "1h", "--output", "json").output == "[]\n")
        #expect(try history("--since", "1h", "--output", "json").json([Row].self).count == 1)
        let wrong = try history("--since", "yesterday")
        #expect(wrong.code == 64)
        #expect(wrong.errors.contains("write 2026-11-24"))
    }

    @Test("verify finds an edit of the ledger's file (invariant 8)")
    func verify() throws {
        let node = try waiting()
        #expect(try SampleNode.run(["verify", "--state", node.state]).code == 0)
        // The file's own guards stop a slip, not somebody who takes them away first.
        let edit = "UPDATE body SET content = replace(content, 'hold', 'allow')"
        #expect(try SampleNode.edit(node.state, edit) != 0)
        #expect(try SampleNode.edit(node.state, "DROP TRIGGER body_stays; \(edit)") == 0)
        let answer = try SampleNode.run(["verify", "--state", node.state])
        #expect(answer.code == 1)
        #expect(answer.output.contains("edited-body"))
    }

    @Test("policy lint gives every error at once, show says which line, and test runs the shipped tables")
    func policy() throws {
        let node = try SampleNode()
        try node.write("apiVersion: holdfast/v1\nunattended: pach\nwindows: []\n")
        let lint = try SampleNode.run(["policy", "lint", node.policy])
        #expect(lint.code == 78)
        #expect(lint.output.contains(":2:13: ") && lint.output.contains(":3:"))
        try node.write("apiVersion: holdfast/v1\nunattended: patch\n")
        #expect(try SampleNode.run(["policy", "lint", node.policy]).code == 0)
        let show = try SampleNode.run([
            "policy", "show", node.policy, "--distribution", "k3s", "--role", "agent",
        ])
        #expect(show.output.contains("\(node.policy):2"))
        #expect(show.output.contains("left out: health readyz"))
    }

    @Test("a ledger that another program wrote is left alone, and the node is still looked at")
    func strangeLedger() throws {
        let node = try SampleNode()
        try FileManager.default.createDirectory(atPath: node.state, withIntermediateDirectories: true)
        #expect(try SampleNode.edit(node.state, "PRAGMA application_id = 7; CREATE TABLE theirs(x)") == 0)
        let answer = try node.holdfast("check")
        #expect(answer.code == 1)
        #expect(answer.output.contains("v1.31.4+k3s1"))
        #expect(answer.errors.contains("nothing was recorded"))
    }
}
