import Model
import Testing

extension PlainNodeTests {
    @Suite("what was decided can be looked up afterwards")
    struct Record {
        @Test("journalctl finds a decision by its own MESSAGE_ID, with its fields")
        func journal() async throws {
            let node = try LabNode.current
            let k3s = try await node.installK3s("told", "v1.31.4+k3s1", port: 7121)
            let new = try await node.download("k3s", "v1.32.1+k3s1")
            let guarded = try await NodeUnderGuard(node)
            _ = try await guarded.check()
            try await node.run("cp \"$1\" \"$2\"", new, k3s.binary)
            let installation = try await guarded.check().installation(k3s.name)
            let change = try installation.change()

            let entry = try #require(try await node.journal(.decided).first { $0.installation == k3s.name })
            #expect((entry.identifier, entry.priority) == ("holdfast", "4"))
            #expect((entry.change, entry.decision, entry.verdict) == (change.id, change.decision.id, "hold"))
            #expect(
                (entry.distribution, entry.version, entry.from) == ("k3s", "v1.32.1+k3s1", "v1.31.4+k3s1"))
            #expect((entry.trigger, entry.phase, entry.updateType) == ("file-replaced", "on-disk", "minor"))
            #expect(entry.sha256 == installation.installed?.sha256)
            #expect(entry.rules?.split(separator: " ").map(String.init) == change.open)
            #expect(entry.message.hasPrefix("told: hold v1.31.4+k3s1 "))
            // The journal's own word for who wrote it.
            #expect(entry.executable == "/usr/bin/holdfast")
            #expect(try await node.journal(.installationFound).contains { $0.installation == k3s.name })
        }

        @Test("an unchanged node adds no row over many ticks, and the ledger stays intact")
        func quiet() async throws {
            let node = try LabNode.current
            _ = try await node.installK3s("quiet", "v1.31.4+k3s1", port: 7122)
            let guarded = try await NodeUnderGuard(node)
            _ = try await guarded.check()
            let entries = try await guarded.entries()
            #expect(entries > 0)
            let journal = try await node.journal().count
            for _ in 0..<5 { _ = try await guarded.check() }
            #expect(try await guarded.entries() == entries)
            #expect(try await node.journal().count == journal)
        }

        @Test(
            "in its own places it works without an option, and asks of the policy that only root can write it"
        )
        func defaults() async throws {
            let node = try LabNode.current
            _ = try await node.installK3s("plain", "v1.31.4+k3s1", port: 7123)
            try await node.write(
                "apiVersion: holdfast/v1\nunattended: patch\n", to: "/etc/holdfast/policy.yaml")
            let first = try await node.ask("holdfast", "check", "--output", "json").json(NodeAnswer.self)
            #expect(
                (first.node, first.policy.path, first.policy.valid) == (
                    node.name, "/etc/holdfast/policy.yaml", true
                ))
            try await node.run("chmod 666 /etc/holdfast/policy.yaml")
            let loose = try await node.ask("holdfast", "check", "--output", "json")
            #expect(loose.code == 78)
            let answer = try loose.json(NodeAnswer.self)
            #expect(!answer.policy.valid)
            #expect(answer.problems.contains { $0.code == "policy-invalid" && $0.text.contains("chmod") })
            try await node.run("rm -r /etc/holdfast /var/lib/holdfast")
        }

        @Test(
            "a person without root sees what can be seen, is told what cannot, and is told nothing that is not known"
        )
        func withoutRoot() async throws {
            let node = try LabNode.current
            let k3s = try await node.installK3s("seen", "v1.31.4+k3s1", port: 7124)
            let guarded = try await NodeUnderGuard(node)
            _ = try await guarded.check()
            let answer = try await node.ask(
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "holdfast", "status",
                "--output", "json",
                "--state", guarded.state)
            #expect(answer.code == 1)
            #expect(answer.errors.contains("Permission denied"))
            let seen = try answer.json(NodeAnswer.self)
            let found = try seen.installation(k3s.name)
            #expect(found.installed?.version == "v1.31.4+k3s1")
            #expect(found.running?.version == nil)
            #expect(found.approved == nil)
            #expect(
                seen.problems.contains {
                    $0.code == "process-unreadable" && $0.text.contains("run this as root")
                })
            let written = try await node.ask(
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "holdfast", "check", "--state",
                guarded.state)
            #expect(written.code == 1)
            #expect(written.errors.contains("nothing was recorded"))
        }
    }
}
