import FoundationEssentials
import Host
import Testing

@Suite("holdfast init, on a node root")
struct InitTests {
    private let node: SampleNode
    private var policy: String { node.directory + "/first.yaml" }

    init() throws { node = try SampleNode() }

    private func begin(_ words: String...) throws -> SampleNode.Answer {
        try SampleNode.run(
            ["init"] + words + ["--root", node.root, "--policy", policy, "--state", node.state])
    }

    private func written() throws -> String { try String(contentsOf: URL(filePath: policy), encoding: .utf8) }

    @Test("writes a policy, shows what it would say on this node, and the next command")
    func writes() throws {
        let answer = try begin("--team", "small-team", "--canary", "app-1")
        #expect(answer.code == 0 && answer.errors.isEmpty, "\(answer.errors)")
        #expect(try written().contains(#"nodes: ["app-1"]"#))
        for line in [
            "Wrote \(policy).", "K3s v1.31.4+k3s1: what it would say of", "holdfast adopt --dry-run",
        ] {
            #expect(answer.output.contains(line), "\(answer.output)")
        }
        let rows = answer.output.split(separator: "\n").map(String.init)
        #expect(
            rows.contains {
                $0.contains("came out today") && $0.contains("hold") && $0.contains("release-age")
            })
        #expect(rows.contains { $0.contains("the next minor  ") && $0.contains("needs an approval") })
        #expect(
            rows.contains {
                $0.contains("an older version") && $0.contains("deny") && $0.contains("downgrade")
            })
        #expect(try SampleNode.run(["policy", "lint", policy]).code == 0)
    }

    @Test("leaves a policy that somebody wrote alone, and keeps it where it is replaced; nothing is lost")
    func replaces() throws {
        let own = "apiVersion: holdfast/v1\nunattended: build\n"
        try Data(own.utf8).write(to: URL(filePath: policy))
        let refused = try begin("--team", "homelab")
        #expect(refused.code == 1 && refused.errors.contains("--replace"), "\(refused.errors)")
        #expect(try written() == own)
        #expect(try begin("--team", "homelab", "--replace").code == 0)
        #expect(try begin("--team", "frozen", "--replace").code == 0)
        #expect(try String(contentsOf: URL(filePath: policy + ".old"), encoding: .utf8) == own)
        #expect(
            try String(contentsOf: URL(filePath: policy + ".old.2"), encoding: .utf8).contains("patch: 1d"))
    }

    @Test("takes the place of one that only observes, as a package brings it")
    func observing() throws {
        try Data("# observes\napiVersion: holdfast/v1\n".utf8).write(to: URL(filePath: policy))
        #expect(try begin("--team", "laptops").code == 0)
        #expect(!FileManager.default.fileExists(atPath: policy + ".old"))
    }

    @Test("a dry run writes nothing, and prints the whole policy")
    func dryRun() throws {
        let answer = try begin("--team", "fleet", "--dry-run")
        #expect(answer.code == 0 && answer.output.contains("maxConcurrent: 3"))
        #expect(!FileManager.default.fileExists(atPath: policy))
    }

    @Test("without a terminal and without an answer it names the answers")
    func unanswered() throws {
        let answer = try begin()
        #expect(answer.code == 64 && answer.errors.contains("small-team: a few servers"), "\(answer.errors)")
        let zone = try begin("--team", "homelab", "--timezone", "Mars/Olympus")
        #expect(zone.code == 64 && zone.errors.contains("Mars/Olympus is no time zone"), "\(zone.errors)")
        let node = try begin("--team", "small-team", "--canary", "two words")
        #expect(node.code == 64 && node.errors.contains("two words cannot be the name"), "\(node.errors)")
    }

    @Test("says what it would have decided of what was decided before")
    func past() throws {
        try node.write("apiVersion: holdfast/v1\nunattended: patch\n")
        _ = try node.holdfast("check")
        try node.install("v1.31.5+k3s1")
        _ = try node.holdfast("check")
        let answer = try begin("--team", "frozen")
        #expect(answer.output.contains("decision"), "\(answer.output)")
        #expect(answer.output.contains("in the ledger it would have made"), "\(answer.output)")
    }

    @Test("asks on a terminal, in what its locale can show")
    func asks() throws {
        let program = URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path
        // Its name is shown, and not all of it can be.
        let policy = node.directory + "/första.yaml"
        let outcome = try runProcess(
            [
                "/bin/sh", "-c",
                #"printf '9\nsmall-team\nMars/Phobos\n\ntwo words\napp-2\nn\n' | script -qec "$0 init --root $1 --policy $2 --state $3" /dev/null"#,
                program + "/holdfast", node.root, policy, node.state,
            ], environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C", "TERM": "dumb"], timeout: 60_000)
        let output = String(decoding: outcome.output, as: UTF8.self)
        #expect(outcome.succeeded, "\(output)")
        let written = try String(contentsOf: URL(filePath: policy), encoding: .utf8)
        #expect(written.contains(#"nodes: ["app-2"]"#))
        #expect(!written.contains("enforce: {"))
        #expect(output.contains("/f?rsta.yaml"), "\(output)")
        #expect(output.contains("What is this node part of?"))
        for answer in ["9 is none of them", "Mars/Phobos is no time zone", "two words cannot be the name"] {
            #expect(output.contains(answer), "\(output)")
        }
        #expect(output.utf8.allSatisfy { $0 < 0x80 }, "a terminal that is not UTF-8 gets ASCII")
    }
}
