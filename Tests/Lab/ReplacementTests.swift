import Model
import Testing

extension PlainNodeTests {
    @Suite("a binary that is replaced under a running unit is seen, judged and recorded")
    struct Replacement {
        /// A way to put other bytes at a path.
        struct Way: Sendable, CustomTestStringConvertible {
            let testDescription: String
            /// `$1` is put at `$2`.
            let script: String
            let port: Int

            static let all = [
                Way(
                    testDescription: "mv", script: "cp \"$1\" \"$2.new\"; mv -f \"$2.new\" \"$2\"", port: 7111
                ),
                // The main process of K3s is another file, so that its own can be written to while it runs.
                Way(testDescription: "cp", script: "cp \"$1\" \"$2\"", port: 7112),
                Way(testDescription: "redirect", script: "cat \"$1\" >\"$2\"", port: 7113),
            ]
        }

        @Test("K3s, from replaced over restarted to put back", arguments: Way.all)
        func k3s(by way: Way) async throws {
            let node = try LabNode.current
            let k3s = try await node.installK3s(
                "k3s-by-\(way.testDescription)", "v1.31.4+k3s1", port: way.port)
            let old = try await node.download("k3s", "v1.31.4+k3s1")
            let new = try await node.download("k3s", "v1.31.5+k3s1")
            let guarded = try await NodeUnderGuard(node)
            #expect(try await guarded.check().installation(k3s.name).changes.isEmpty)

            try await node.run(way.script, new, k3s.binary)
            let replaced = try await guarded.check().installation(k3s.name)
            #expect(
                (replaced.installed?.version, replaced.running?.version) == ("v1.31.5+k3s1", "v1.31.4+k3s1"))
            #expect(replaced.running?.restartPending == true)
            #expect(replaced.sources == .all("v1.31.4+k3s1", "api", "process-executable"))
            let change = try replaced.change()
            #expect((change.from, change.to) == ("v1.31.4+k3s1", "v1.31.5+k3s1"))
            #expect(
                (change.trigger, change.updateType, change.phase) == ("file-replaced", "patch", "on-disk"))
            #expect(try await guarded.text("status").contains("restart pending"))

            try await node.restart(k3s.unit)
            let restarted = try await guarded.check().installation(k3s.name)
            #expect(restarted.running?.restartPending == false)
            #expect(restarted.sources == .all("v1.31.5+k3s1", "api", "process-executable", "installed-file"))
            let running = try restarted.change()
            #expect((running.id, running.trigger, running.phase) == (change.id, "file-replaced", "running"))

            // The other one still runs, and is still the same change.
            try await node.run(way.script, old, k3s.binary)
            let back = try await guarded.check().installation(k3s.name)
            #expect((back.installed?.version, back.running?.version) == ("v1.31.4+k3s1", "v1.31.5+k3s1"))
            #expect(back.running?.restartPending == true)
            let still = try back.change()
            #expect((still.id, still.trigger, still.phase) == (change.id, "file-replaced", "running"))

            try await node.restart(k3s.unit)
            #expect(try await guarded.check().installation(k3s.name).changes.isEmpty)
            // The same change has the same id wherever it happens.
            let ended = try await node.journal(.changeEnded).filter { $0.installation == k3s.name }
            #expect(ended.map(\.change) == [change.id])
            let rows = try await guarded.history().filter { $0.installation == k3s.name }
            #expect(rows.map(\.change) == [change.id, change.id])
            #expect(rows.map(\.phase) == ["on-disk", "running"])
            _ = try await guarded.entries()
        }

        @Test(
            "k0s, which runs from its own file and cannot be written to, by mv; the process itself tells what runs"
        )
        func k0s() async throws {
            let node = try LabNode.current
            try await node.installK0s("v1.31.4+k0s.0")
            let new = try await node.download("k0s", "v1.32.1+k0s.0")
            let guarded = try await NodeUnderGuard(node)
            _ = try await guarded.check()
            let busy = try await node.ask("cp", new, "/usr/local/bin/k0s")
            #expect(busy.errors.contains("Text file busy"))
            #expect(try await guarded.check().installation("k0scontroller").changes.isEmpty)

            try await node.run(
                "cp \"$1\" /usr/local/bin/k0s.new; mv /usr/local/bin/k0s.new /usr/local/bin/k0s", new)
            let replaced = try await guarded.check().installation("k0scontroller")
            #expect(replaced.installed?.version == "v1.32.1+k0s.0")
            #expect(replaced.running?.restartPending == true)
            #expect(replaced.sources == .all("v1.31.4+k0s.0", "k0s-status", "process-executable"))
            let change = try replaced.change()
            #expect(
                (change.trigger, change.updateType, change.phase) == ("file-replaced", "minor", "on-disk"))
            #expect(change.decision.verdict == "hold")

            try await node.restart("k0scontroller.service")
            try await node.wait(until: "k0s status --out json 2>/dev/null | grep -q v1.32.1")
            let restarted = try await guarded.check().installation("k0scontroller")
            #expect(restarted.running?.restartPending == false)
            #expect(try restarted.change().phase == "running")
        }

        @Test(
            "invariants 1 and 2: a patch that a checksum backs is allowed, without one it is held, a minor is held"
        )
        func decisions() async throws {
            let node = try LabNode.current
            let k3s = try await node.installK3s("decided", "v1.31.4+k3s1", port: 7114)
            let patch = try await node.download("k3s", "v1.31.5+k3s1")
            let minor = try await node.download("k3s", "v1.32.1+k3s1")
            let guarded = try await NodeUnderGuard(node)
            _ = try await guarded.check()
            try await node.run("cp \"$1\" \"$2\"", patch, k3s.binary)
            let claimed = try await guarded.check().installation(k3s.name).change()
            #expect((claimed.decision.verdict, claimed.open) == ("hold", ["origin"]))
            try await guarded.importChecksum(of: patch, named: "k3s", version: "v1.31.5+k3s1")
            let verified = try await guarded.check().installation(k3s.name)
            #expect(verified.installed?.origin == "verified")
            #expect(try verified.change().decision.verdict == "allow")

            try await guarded.importChecksum(of: minor, named: "k3s", version: "v1.32.1+k3s1")
            try await node.run("cp \"$1\" \"$2\"", minor, k3s.binary)
            let held = try await guarded.check().installation(k3s.name).change()
            #expect((held.updateType, held.decision.verdict) == ("minor", "hold"))
            #expect(held.open.contains("ceiling") && !held.open.contains("origin"))
            #expect(held.decision.reasons.first { $0.rule == "ceiling" }?.source == "\(guarded.policy):2")

            let rows = try await guarded.history().filter { $0.installation == k3s.name }
            #expect(rows.map(\.verdict) == ["hold", "allow", "hold"])
            #expect(rows.map(\.to) == ["v1.31.5+k3s1", "v1.31.5+k3s1", "v1.32.1+k3s1"])
        }
    }
}
