import FoundationEssentials
import Testing

/// What `simulate --policy --output json` prints, as a script would read it.
private struct SimulateAnswer: Decodable {
    struct Reason: Decodable {
        let result: String
        let text: String
        let source: String
    }
    struct Rule: Decodable {
        let rule: String
        let was: Reason?
        let becomes: Reason?
    }
    struct Flip: Decodable {
        let seq: Int
        let decision: String
        let to: String?
        let was: String
        let becomes: String
        let rules: [Rule]
    }
    struct NotJudged: Decodable {
        let dropped: Int
        let unreadable: Int
    }
    let flips: [Flip]
    let judged: Int
    let kinds: [String: Int]
    let limits: String
    let notJudged: NotJudged
}

private struct IncidentAnswer: Decodable {
    struct Rule: Decodable {
        let rule: String
        let text: String
    }
    struct Step: Decodable {
        let name: String
        let expected: String
        let verdict: String
        let stoppedBy: [Rule]
    }
    let name: String
    let sources: [String]
    let stopped: Bool
    let asTold: Bool?
    let steps: [Step]
}

@Suite("simulate, on a node root")
struct SimulateTests {
    private static let claimed =
        "apiVersion: holdfast/v1\nunattended: patch\norigin: claimed\nclock: trusted\n"

    private func simulate(_ node: SampleNode, _ policy: String, _ words: String...) throws
        -> SampleNode.Answer
    {
        let file = node.directory + "/new.yaml"
        try Data(policy.utf8).write(to: URL(filePath: file))
        return try SampleNode.run(
            ["simulate", "--policy", file, "--root", node.root, "--state", node.state] + words)
    }

    @Test(
        "past decisions that another policy would make otherwise are listed, with the rules and their lines")
    func flips() throws {
        let node = try SampleNode.decided(policy: Self.claimed)
        let stricter = "apiVersion: holdfast/v1\norigin: claimed\nclock: trusted\nallowedVersions: 1.31.x\n"
        let answer = try simulate(node, stricter, "--output", "json")
        #expect(answer.code == 0, "\(answer.errors)")
        let report = try answer.json(SimulateAnswer.self)
        let patch = try #require(report.flips.first { $0.to == "v1.31.5+k3s1" && $0.was == "allow" })
        #expect(patch.becomes == "hold" && patch.rules.map(\.rule) == ["ceiling"])
        #expect(patch.rules[0].was?.result == "met" && patch.rules[0].becomes?.result == "unmet")
        let minor = try #require(report.flips.first { $0.to == "v1.32.1+k3s1" })
        #expect(minor.was == "hold" && minor.becomes == "deny")
        let range = try #require(minor.rules.first { $0.rule == "allowed-versions" })
        #expect(range.becomes?.source == "\(node.directory)/new.yaml:4")
        #expect(report.kinds.values.reduce(0, +) == report.flips.count)
        #expect(report.judged >= 2 && report.limits.contains("judged alone"))

        let text = try simulate(node, stricter).output
        #expect(text.contains("ALLOW → HOLD") && text.contains("HOLD → DENY"))
        #expect(text.contains("new.yaml:4") && text.contains("Not told by this"))
    }

    @Test("the same policy flips nothing, whatever its comments and its order of keys")
    func same() throws {
        let node = try SampleNode.decided(policy: Self.claimed)
        let same = "# the same\nclock: trusted\norigin: claimed\nunattended: patch\napiVersion: holdfast/v1\n"
        let report = try simulate(node, same, "--output", "json").json(SimulateAnswer.self)
        #expect(report.flips.isEmpty && report.judged >= 2)
        #expect(try simulate(node, same).output.contains("0 would come out otherwise"))
    }

    @Test("a span of time narrows it, and what is gone or cannot be read is counted and said")
    func counted() throws {
        let node = try SampleNode.decided(policy: Self.claimed)
        let open = "apiVersion: holdfast/v1\nunattended: minor\norigin: claimed\nclock: trusted\n"
        #expect(
            try simulate(node, open, "--until", "1h", "--output", "json").json(SimulateAnswer.self).judged
                == 0)
        let all = try simulate(node, open, "--since", "1h", "--output", "json").json(SimulateAnswer.self)
            .judged
        let edit = """
            DROP TRIGGER body_is_kept; DROP TRIGGER body_stays;
            DELETE FROM body WHERE seq = (SELECT max(seq) FROM decision);
            UPDATE body SET content = '{}' WHERE seq = (SELECT min(seq) FROM decision)
            """
        #expect(try SampleNode.edit(node.state, edit) == 0)
        let report = try simulate(node, open, "--output", "json").json(SimulateAnswer.self)
        #expect(report.notJudged.dropped == 1 && report.notJudged.unreadable == 1 && report.judged == all - 2)
        let text = try simulate(node, open).output
        #expect(text.contains("1 more could not be judged: retention") && text.contains("cannot read them"))
    }

    @Test("without a policy, with one that is not valid and without a ledger it says what to do")
    func refused() throws {
        let node = try SampleNode()
        #expect(try SampleNode.run(["simulate", "--state", node.state]).code == 64)
        #expect(try simulate(node, "apiVersion: holdfast/v1\n").errors.contains("there is no ledger yet"))
        #expect(try simulate(node, "apiVersion: 1\n").code == 78)
    }

    // MARK: Incidents

    private static let corpus =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/Policies/incidents"

    private func incident(_ name: String, _ words: String...) throws -> SampleNode.Answer {
        try SampleNode.run(["simulate", "--incident", name, "--corpus", Self.corpus] + words)
    }

    @Test("every shipped incident is stopped by its team's policy, and what was wanted goes in")
    func all() throws {
        let answer = try incident("all", "--output", "json")
        #expect(answer.code == 0)
        let played = try answer.json([IncidentAnswer].self)
        #expect(played.count >= 15)
        #expect(played.allSatisfy { $0.stopped && $0.asTold == true && !$0.sources.isEmpty })
        let text = try incident("all").output
        #expect(text.contains("\(played.count) of \(played.count) stopped"))
        let list = try incident("list").output
        #expect(list.split(separator: "\n").count == played.count)
    }

    @Test("one is told step by step, with the rule that stops it in words")
    func one() throws {
        let answer = try incident("k3s-latest-went-back-to-1.26")
        #expect(answer.code == 0)
        for part in [
            "k3s-io/k3s#14530", "DENY", "downgrade", "v1.26.3+k3s1 is older than v1.36.3+k3s1", "ALLOW",
            "Stopped, and what was wanted goes in",
        ] {
            #expect(answer.output.contains(part), "missing: \(part)")
        }
    }

    @Test(
        "a weak policy lets one through, which is said and exits with 1; a strict one also stops what was wanted"
    )
    func other() throws {
        let node = try SampleNode()
        func play(_ policy: String, _ words: String...) throws -> SampleNode.Answer {
            let file = node.directory + "/own.yaml"
            try Data(policy.utf8).write(to: URL(filePath: file))
            return try SampleNode.run(
                [
                    "simulate", "--incident", "k3s-stable-moved-a-minor", "--corpus", Self.corpus, "--policy",
                    file,
                ]
                    + words)
        }
        let weak = try play("apiVersion: holdfast/v1\nunattended: minor\n")
        #expect(weak.code == 1)
        #expect(weak.output.contains("Let through: 'a plan on the channel stable offers the next minor'"))
        let answer = try play("apiVersion: holdfast/v1\nunattended: minor\n", "--output", "json")
        let played = try #require(answer.json([IncidentAnswer].self).first)
        #expect(!played.stopped && played.asTold == nil && played.steps[0].verdict == "allow")
        let strict = try play("apiVersion: holdfast/v1\n")
        #expect(strict.code == 0)
        #expect(strict.output.contains("Stopped, and so is what was wanted"))
    }

    @Test("where they are installed they are found by themselves, with the policies beside them")
    func installed() throws {
        let node = try SampleNode()
        let share = node.root + "/usr/local/share/holdfast"
        for (from, to) in [("", "policies"), ("/incidents", "incidents")] {
            try FileManager.default.createDirectory(
                atPath: "\(share)/\(to)", withIntermediateDirectories: true)
            let folder = URL(filePath: Self.corpus).deletingLastPathComponent().path + from
            for name in try FileManager.default.contentsOfDirectory(atPath: folder)
            where name.hasSuffix(".yaml") {
                try FileManager.default.copyItem(
                    atPath: "\(folder)/\(name)", toPath: "\(share)/\(to)/\(name)")
            }
        }
        let words = ["simulate", "--incident", "k3s-stable-flapped", "--root", node.root]
        let answer = try SampleNode.run(words)
        #expect(answer.code == 0, "\(answer.errors)")
        #expect(answer.output.contains("\(share)/policies/saas-k3s.yaml"))
    }

    @Test("a name that is none is answered with the nearest, a file that is wrong with its line")
    func unknown() throws {
        let near = try incident("zombie")
        #expect(near.code == 64 && near.errors.contains("did you mean k3s-etcd-3.6-zombie-members?"))
        let none = try SampleNode.run(["simulate", "--incident", "x", "--corpus", "/nowhere"])
        #expect(none.code == 1)
        let node = try SampleNode()
        try Data("apiVersion: holdfast/v1\ntitle: x\n".utf8).write(
            to: URL(filePath: node.directory + "/own-incident.yaml"))
        let wrong = try SampleNode.run([
            "simulate", "--incident", node.directory + "/own-incident.yaml", "--corpus", "/",
        ])
        #expect(wrong.code == 78 && wrong.errors.contains("own-incident.yaml:1:1: "))
        #expect(try incident("all", "--since", "1h").code == 64)
    }
}
