import FoundationEssentials
import Glibc
import Host
import Testing

private let promtool = "/usr/bin/promtool"

private let packaging =
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path + "/Packaging/prometheus"

@Suite("What Prometheus is given")
struct MetricsTests {
    /// A node whose ledger is where it belongs, since another one has no metrics.
    private func node() throws -> SampleNode {
        let node = try SampleNode(
            policy: "apiVersion: holdfast/v1\nunattended: patch\npin: {version: v1.31.4}\n")
        try FileManager.default.createDirectory(
            atPath: node.root + "/var/lib/prometheus", withIntermediateDirectories: true)
        return node
    }

    private func directory(_ node: SampleNode) -> String { node.root + "/var/lib/prometheus/node-exporter" }
    private func file(_ node: SampleNode) -> String { directory(node) + "/holdfast.prom" }

    private func run(_ node: SampleNode, _ words: String...) throws -> SampleNode.Answer {
        try SampleNode.run(words + ["--root", node.root, "--policy", node.policy])
    }

    private func text(_ node: SampleNode) throws -> String {
        String(decoding: try readFile(file(node), limit: 1 << 20), as: UTF8.self)
    }

    private func check(_ words: String..., reading text: String? = nil) throws {
        let outcome = try runProcess(
            [promtool] + words, input: text.map { Array($0.utf8) }, timeout: 60_000)
        #expect(
            outcome.succeeded,
            "\(String(decoding: outcome.output, as: UTF8.self)) \(String(decoding: outcome.errors, as: UTF8.self))"
        )
    }

    @Test("a tick leaves it where node_exporter is installed, and nowhere else")
    func written() throws {
        let node = try node()
        #expect(try run(node, "check").code == 0)
        #expect(try listDirectory(node.root + "/var/lib/prometheus") == [])
        try FileManager.default.createDirectory(
            atPath: directory(node), withIntermediateDirectories: true)
        #expect(try run(node, "check", "--dry-run").code == 0)
        #expect(try listDirectory(directory(node)) == [])
        #expect(try run(node, "check").code == 0)
        let text = try text(node)
        #expect(text.contains("holdfast_policy_valid 1\n"))
        #expect(text.contains(#"holdfast_hold_debt_causes{distribution="k3s",name="k3s",kind="pin"} 1"#))
        #expect(text.contains(#"holdfast_support_ended{distribution="k3s",name="k3s"} 1"#))
        #expect(text.contains(#"installed="v1.31.4+k3s1",running="",approved="v1.31.4+k3s1"} 1"#))
        // Nobody knows of a rollout, so nothing is said of one.
        #expect(!text.contains("holdfast_rollout_info"))
        // Another ledger's are not this node's.
        try FileManager.default.removeItem(atPath: file(node))
        #expect(try node.holdfast("check").code == 0)
        #expect(try listDirectory(directory(node)) == [])
    }

    @Test("a quiet tick touches it alone; a tick that finds something writes it anew")
    func quiet() throws {
        let node = try node()
        try FileManager.default.createDirectory(atPath: directory(node), withIntermediateDirectories: true)
        _ = try run(node, "check")
        _ = try run(node, "check")
        func inode() -> ino_t {
            var status = stat()
            lstat(file(node), &status)
            return status.st_ino
        }
        let (before, first) = (try text(node), inode())
        _ = try run(node, "check")
        #expect(try text(node) == before)
        #expect(inode() == first)
        try node.install("v1.32.1+k3s1")
        _ = try run(node, "check")
        #expect(try text(node).contains(#"holdfast_pending_changes{verdict="deny"} 1"#))
    }

    @Test(
        "of guards it says nothing where the ledger cannot be read, rather than that there is nothing wrong")
    func unknownPast() throws {
        let node = try node()
        #expect(try run(node, "adopt").code == 0)
        #expect(
            try run(node, "status", "--output", "prometheus").output.contains("\nholdfast_guards_broken 0\n"))
        let ledger = node.root + "/var/lib/holdfast/ledger.db"
        for end in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: ledger + end) }
        try Data("no database".utf8).write(to: URL(filePath: ledger))
        let blind = try run(node, "status", "--output", "prometheus").output
        #expect(blind.contains("code=\"ledger-"), "\(blind)")
        for series in ["holdfast_guards_broken ", "holdfast_paused ", "holdfast_quarantined_artifacts "] {
            #expect(!blind.contains("\n" + series), "\(series)")
        }
    }

    @Test("a file that cannot be written fails no tick, and is a problem from the third time on")
    func unwritable() throws {
        let node = try node()
        try FileManager.default.createDirectory(
            atPath: file(node) + "/in-the-way", withIntermediateDirectories: true)
        for _ in 0..<3 { #expect(try run(node, "check").code == 0) }
        #expect(try run(node, "status").output.contains("metrics-unwritten"))
        try FileManager.default.removeItem(atPath: file(node))
        _ = try run(node, "check")
        #expect(!(try run(node, "status").output.contains("metrics-unwritten")))
    }

    @Test(
        "promtool takes the metrics, the rules, and what the rules are tried on",
        .enabled(if: access(promtool, X_OK) == 0, "SKIPPED: promtool is not installed (Debian's prometheus)"))
    func promtoolTakesIt() throws {
        let node = try node()
        try FileManager.default.createDirectory(atPath: directory(node), withIntermediateDirectories: true)
        _ = try run(node, "check")
        try node.install("v1.32.1+k3s1")
        _ = try run(node, "check")
        try check("check", "metrics", reading: try text(node))
        let printed = try run(node, "status", "--output", "prometheus")
        #expect(printed.code == 0)
        try check("check", "metrics", reading: printed.output)
        try check("check", "rules", packaging + "/holdfast.rules.yml")
        try check("test", "rules", packaging + "/holdfast.rules.test.yml")
    }

    @Test("every series that a rule asks for is one that is written")
    func names() throws {
        let rules = String(
            decoding: try readFile(packaging + "/holdfast.rules.yml", limit: 1 << 20), as: UTF8.self)
        let sources = try ["NodeMetrics"].map {
            String(
                decoding: try readFile(packaging + "/../../Sources/Reports/\($0).swift", limit: 1 << 20),
                as: UTF8.self)
        }.joined()
        let words = Set(
            rules.split { !($0.isLetter || $0.isNumber || $0 == "_") }.filter { $0.hasPrefix("holdfast_") })
        #expect(words.count >= 10)
        for word in words where word != "holdfast_last_tick_timestamp_seconds" {
            #expect(sources.contains("\"\(word)\""), "\(word)")
        }
    }
}

@Suite("What holding costs, on a node root")
struct HoldDebtCommandTests {
    @Test("status says it of a held change, and a newer table of support that is imported counts")
    func imported() throws {
        let node = try SampleNode()
        _ = try node.holdfast("check")
        try node.install("v1.32.1+k3s1")
        let before = try node.holdfast("status").output
        #expect(before.contains("1.32 was supported until 2026-02-28"))
        #expect(before.contains("v1.32.13 → v1.33.13 → v1.34.11 → v1.35.8 → v1.36.4"))
        #expect(before.contains("table of support: 2026-08-22 shipped"))

        let document = node.directory + "/kubernetes.json"
        try Data(
            """
            [{"cycle":"1.33","releaseDate":"2025-04-23","eol":"2026-06-28","latest":"1.33.15","latestReleaseDate":"2026-10-01"},
             {"cycle":"1.32","releaseDate":"2024-12-11","eol":true,"latest":"1.32.20","latestReleaseDate":"2026-09-26"}]
            """.utf8
        ).write(to: URL(filePath: document))
        let answer = try SampleNode.run(["catalog", "import", document, "--state", node.state])
        #expect(answer.code == 0, "\(answer.errors)")
        #expect(answer.output.contains("support of 2 minors"))
        let after = try node.holdfast("status").output
        #expect(after.contains("1.32 is no longer supported"))
        #expect(after.contains("19 patches behind (v1.32.20), 1 minor behind (v1.33.15)"))
        #expect(after.contains("v1.32.20 → v1.33.15"))
        let list = try SampleNode.run(["catalog", "list", "--state", node.state])
        #expect(list.output.contains("of 2026-10-01"))

        // An older one does not take its place.
        try Data(
            #"[{"cycle":"1.33","eol":true,"latest":"1.33.1","latestReleaseDate":"2026-09-30"}]"#.utf8
        ).write(to: URL(filePath: document))
        let older = try SampleNode.run(["catalog", "import", document, "--state", node.state])
        #expect(older.code == 1)
        #expect(older.errors.contains("2026-09-30"))
        try Data("{\"a\":1}".utf8).write(to: URL(filePath: document))
        #expect(try SampleNode.run(["catalog", "import", document, "--state", node.state]).code == 78)
    }

    @Test("a table that is damaged is told, and the shipped one counts")
    func damaged() throws {
        let node = try SampleNode()
        _ = try node.holdfast("check")
        try Data("no table".utf8).write(to: URL(filePath: node.state + "/support.tsv"))
        let status = try node.holdfast("status")
        #expect(status.code == 0)
        #expect(status.output.contains("support-unreadable"))
    }
}
