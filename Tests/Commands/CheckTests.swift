import FoundationEssentials
import Host
import Testing

@Suite("holdfast check, on a node root")
struct CheckTests {
    private func answer(_ node: SampleNode, _ words: String...) throws -> CheckAnswer {
        let answer = try SampleNode.run(
            [
                "check", "--output", "json", "--root", node.root, "--policy", node.policy, "--state",
                node.state,
            ] + words)
        #expect(answer.errors == "")
        return try answer.json(CheckAnswer.self)
    }

    @Test("finds the installation, reads its version from bytes, and takes it for the unconfirmed reference")
    func firstSight() throws {
        let node = try SampleNode()
        let report = try answer(node)
        #expect(report.node == "sample")
        #expect(report.policy.valid)
        let k3s = try #require(report.installations.first)
        #expect(report.installations.count == 1)
        #expect((k3s.distribution, k3s.role, k3s.units) == ("k3s", "server", ["k3s.service"]))
        #expect(k3s.installed.version == "v1.31.4+k3s1")
        #expect(k3s.installed.evidence == "embedded-string")
        #expect(k3s.installed.origin == "claimed")
        #expect(k3s.installed.path == "/usr/local/bin/k3s")
        #expect(k3s.installed.sha256?.count == 64)
        #expect(k3s.approved?.version == "v1.31.4+k3s1")
        #expect(k3s.approved?.confirmed == false)
        #expect(k3s.changes.isEmpty)
    }

    @Test("invariant 1: an unattended minor is held, with the line of the policy that holds it")
    func minor() throws {
        let node = try SampleNode()
        _ = try answer(node)
        try node.install("v1.32.1+k3s1")
        let checksums = try node.checksums("v1.32.1+k3s1")
        let imported = try SampleNode.run(
            ["catalog", "import", checksums, "--version", "v1.32.1+k3s1", "--state", node.state])
        #expect(imported.code == 0, "\(imported.errors)")
        let change = try #require(try answer(node).installations.first?.changes.first)
        #expect(change.from == "v1.31.4+k3s1")
        #expect(change.to == "v1.32.1+k3s1")
        #expect((change.updateType, change.phase, change.trigger) == ("minor", "on-disk", "file-replaced"))
        #expect(change.decision.verdict == "hold")
        let ceiling = try #require(change.decision.reasons.first { $0.rule == "ceiling" })
        #expect(ceiling.result == "unmet")
        #expect(ceiling.source == node.policy + ":2")
        // Every rule reports, met ones too.
        #expect(Set(change.decision.reasons.map(\.rule)).count == 23)
    }

    @Test(
        "lets a patch through that a release checksum backs, and holds the same bytes without one (invariant 2)"
    )
    func patch() throws {
        let node = try SampleNode()
        _ = try answer(node)
        try node.install("v1.31.5+k3s1")
        #expect(try answer(node).installations.first?.changes.first?.decision.verdict == "hold")
        let checksums = try node.checksums("v1.31.5+k3s1")
        _ = try SampleNode.run([
            "catalog", "import", checksums, "--version", "v1.31.5+k3s1", "--state", node.state,
        ])
        let k3s = try #require(try answer(node).installations.first)
        #expect(k3s.installed.origin == "verified")
        #expect(k3s.changes.map(\.decision.verdict) == ["allow"])
        #expect(k3s.changes.map(\.updateType) == ["patch"])
    }

    @Test("--exit-code tells held and denied apart, and nothing else does")
    func exitCodes() throws {
        let node = try SampleNode()
        #expect(try node.holdfast("check", "--exit-code").code == 0)
        try node.install("v1.32.1+k3s1")
        #expect(try node.holdfast("check", "--exit-code").code == 10)
        #expect(try node.holdfast("status", "--exit-code").code == 10)
        #expect(try node.holdfast("check").code == 0)
        try node.install("v1.33.0+k3s1")
        #expect(try node.holdfast("check", "--exit-code").code == 11)
    }

    private struct Verified: Decodable { let entries: Int }

    private func entries(_ node: SampleNode) throws -> Int {
        let answer = try SampleNode.run(["verify", "--output", "json", "--state", node.state])
        return try answer.json(Verified.self).entries
    }

    @Test("an unchanged node adds no row, and --dry-run never does")
    func rows() throws {
        let node = try SampleNode()
        _ = try node.holdfast("check")
        let first = try entries(node)
        for _ in 0..<3 { _ = try node.holdfast("check") }
        #expect(try entries(node) == first)
        try node.install("v1.32.1+k3s1")
        #expect(try node.holdfast("check", "--dry-run").output.contains("were not written"))
        #expect(try entries(node) == first)
        _ = try node.holdfast("check")
        #expect(try entries(node) > first)
    }

    @Test("an invalid policy is told with its line, allows nothing new, and the answer is 78")
    func invalidPolicy() throws {
        let node = try SampleNode()
        _ = try node.holdfast("check")
        try node.write("apiVersion: holdfast/v1\nunatended: minor\n")
        let answer = try node.holdfast("check")
        #expect(answer.code == 78)
        #expect(answer.output.contains("\(node.policy):2:1"))
        #expect(answer.output.contains("did you mean `unattended`"))
        #expect(answer.output.contains("policy-invalid"))
    }

    @Test("names the policy that is not valid as such where there never was another")
    func neverValid() throws {
        let node = try SampleNode(policy: "apiVersion: holdfast/v1\nunattended: pach\n")
        let answer = try node.holdfast("check")
        #expect(answer.code == 78)
        #expect(answer.output.contains("policy \(node.policy) is not valid: observing only"))
        #expect(answer.output.contains("holdfast policy lint \(node.policy)"))
    }

    @Test("a binary that is missing is a problem, and becomes the reference once it is there")
    func missingBinary() throws {
        let node = try SampleNode()
        try FileManager.default.removeItem(atPath: node.binary)
        let missing = try answer(node)
        #expect(missing.problems.map(\.code) == ["binary-missing"])
        let k3s = try #require(missing.installations.first)
        #expect((k3s.installed.version, k3s.installed.evidence) == (nil, "unreadable"))
        #expect(k3s.approved == nil && k3s.changes.isEmpty)
        try node.install("v1.31.4+k3s1")
        let there = try answer(node)
        #expect(there.problems.isEmpty)
        #expect(there.installations.first?.approved?.version == "v1.31.4+k3s1")
        #expect(there.installations.first?.changes.isEmpty == true)
    }

    @Test("what is approved is not made up where the ledger cannot be read, and JSON says why")
    func unreadableLedger() throws {
        let node = try SampleNode()
        _ = try node.holdfast("check")
        try Data("no database".utf8).write(to: URL(filePath: node.state + "/ledger.db"))
        let status = try node.holdfast("status")
        #expect(status.code == 1)
        #expect(status.output.contains("approved   not known"))
        let report = try node.holdfast("status", "--output", "json").json(CheckAnswer.self)
        #expect(report.installations.first?.approved == nil)
        #expect(report.problems.map(\.code) == ["ledger-corrupt"])
        // The next check begins a new one, and is whole again.
        let check = try node.holdfast("check")
        #expect(check.code == 0)
        #expect(check.errors.contains("is kept as ledger.db.corrupt-"))
    }

    @Test("a damaged ledger is looked past as the next check will: by the guard file, and nothing is adopted")
    func damagedLedger() throws {
        let node = try SampleNode(
            policy: "apiVersion: holdfast/v1\nunattended: patch\nenforce: {gate: restore}\n")
        #expect(try node.inPlace("adopt").code == 0)
        try node.install("v1.32.1+k3s1")
        let ledger = URL(filePath: node.root + "/var/lib/holdfast/ledger.db")
        try Data("no database at all, but text".utf8).write(to: ledger)

        let status = try node.inPlace("status")
        #expect(status.code == 1 && status.errors.contains("by the guard file"), "\(status.errors)")
        for line in ["approved   v1.31.4+k3s1", "guards     2 in place", "HOLD"] {
            #expect(status.output.contains(line), "\(status.output)")
        }
        let next = status.output.split(separator: "\n").drop { $0 != "Next" }.dropFirst()
        #expect(next.count == 1 && next.first?.hasPrefix("  holdfast check ") == true, "\(status.output)")
        let explained = try node.inPlace("explain")
        #expect(explained.code == 1 && explained.output.contains("v1.32.1+k3s1"), "\(explained.output)")
        let doctor = try node.inPlace("doctor").output
        #expect(doctor.contains("FAULT  ledger ") && doctor.contains("mend: holdfast check"), "\(doctor)")

        // With neither it is not known what is approved, and so nothing is offered to be confirmed.
        try FileManager.default.removeItem(atPath: node.root + "/var/lib/holdfast/guard")
        let blind = try node.inPlace("status").output
        #expect(blind.contains("approved   not known") && blind.contains("guards     not known"), "\(blind)")
        #expect(!blind.contains("holdfast adopt"), "\(blind)")
        #expect(
            try node.inPlace("explain").output == "Nothing can be explained: what is approved is not known.\n"
        )
    }

    @Test("what is wrong with the ledger is said before what is shown in spite of it")
    func errorFirst() throws {
        let node = try SampleNode()
        _ = try node.holdfast("check")
        try Data("no database".utf8).write(to: URL(filePath: node.state + "/ledger.db"))
        let program =
            URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path + "/holdfast"
        for verb in ["status", "explain"] {
            let outcome = try runProcess(
                [
                    "/bin/sh", "-c", "\"$0\" \"$@\" 2>&1", program, verb, "--root", node.root, "--policy",
                    node.policy,
                    "--state", node.state,
                ], environment: ["LANG": "C.UTF-8"], timeout: 60_000)
            #expect(String(decoding: outcome.output, as: UTF8.self).hasPrefix("Error: "), "\(verb)")
        }
    }

    @Test("a root's own policy and ledger are used below it, and a root that is not there is refused")
    func ownPlace() throws {
        let node = try SampleNode()
        let etc = node.root + "/etc/holdfast"
        try FileManager.default.createDirectory(atPath: etc, withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: node.policy, toPath: etc + "/policy.yaml")
        let report = try SampleNode.run(["check", "--output", "json", "--root", node.root])
            .json(CheckAnswer.self)
        #expect(report.policy.valid && report.problems.isEmpty)
        for verb in [["history"], ["verify"], ["catalog", "list"]] {
            #expect(try SampleNode.run(verb + ["--root", node.root]).code == 0)
        }
        let none = try SampleNode.run(["check", "--root", node.root + "/none"])
        #expect(none.code == 64)
        #expect(none.errors.contains("there is no such directory"))
    }

    @Test("a link that leads out of a root leads nowhere else: this machine's files are not used")
    func linkOut() throws {
        let node = try SampleNode()
        let outside = node.directory + "/outside"
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: node.policy, toPath: outside + "/policy.yaml")
        try FileManager.default.createSymbolicLink(
            atPath: node.root + "/etc/holdfast", withDestinationPath: outside)
        try FileManager.default.createSymbolicLink(
            atPath: node.root + "/var/lib/holdfast", withDestinationPath: outside)
        let report = try SampleNode.run(["check", "--output", "json", "--root", node.root])
            .json(CheckAnswer.self)
        #expect(report.problems.map(\.code) == ["policy-absent"])
        #expect(!FileManager.default.fileExists(atPath: outside + "/ledger.db"))
    }

    @Test("units that cannot be looked at are not said to be absent")
    func blind() throws {
        let node = try SampleNode()
        let units = node.root + "/etc/systemd/system"
        try FileManager.default.removeItem(atPath: units)
        try FileManager.default.createSymbolicLink(atPath: units, withDestinationPath: "system")
        let answer = try node.holdfast("check")
        #expect(answer.output.contains("not everything could be looked at"))
        #expect(!answer.output.contains("is installed here"))
    }

    @Test("an empty root is said to be empty, with what was looked for")
    func empty() throws {
        let node = try SampleNode()
        try FileManager.default.removeItem(atPath: node.root + "/etc/systemd/system/k3s.service")
        let answer = try node.holdfast("check")
        #expect(answer.code == 0)
        #expect(answer.output.contains("No K3s, MicroK8s or k0s is installed here"))
    }
}
