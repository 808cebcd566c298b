import Model
import Testing

/// What Holdfast itself does to a binary, under its own sandboxed units and a real systemd.
@Suite(
    "getting in, and putting back outside a start", .serialized,
    .enabled(if: Lab.obstacle == nil, Lab.skipped), .node(.plain, with: "k3s", "k0s"))
struct GettingInTests {
    private static let policy = """
        apiVersion: holdfast/v1
        unattended: none
        origin: claimed
        clock: trusted
        enforce: {gate: restore}
        health: {checks: [unit, running, readyz], interval: 1s, timeout: 2s, consecutiveSuccesses: 2, deadline: 15s}

        """

    private func prepare(_ node: LabNode, _ directory: String) async throws {
        try await node.write(Self.policy, to: "/etc/holdfast/policy.yaml")
        for unit in ["holdfast", "holdfast-step"] {
            try await node.write(
                "[Service]\nReadWritePaths=\(directory)\n",
                to: "/etc/systemd/system/\(unit).service.d/node.conf")
        }
        try await node.run("systemctl daemon-reload; holdfast adopt")
    }

    private func clean(_ node: LabNode) async throws {
        try await node.run(
            "holdfast release; rm -rf /etc/systemd/system/holdfast*.service.d /var/lib/holdfast; systemctl daemon-reload"
        )
    }

    /// Replaces the binary by a rename and restarts, as an unattended upgrade does: the gate turns it away.
    private func bring(_ file: String, to k3s: K3sOnNode, on node: LabNode) async throws {
        try await node.run(
            "cp \"$1\" \"$2.new\"; mv -f \"$2.new\" \"$2\"; systemctl restart \"$3\"", file, k3s.binary,
            k3s.unit)
        try await node.wait(until: "systemctl is-active -q \(k3s.unit)")
    }

    private func approveWhatWaits(_ node: LabNode, _ version: String) async throws {
        let status = try await node.ask("holdfast", "status", "--output", "json").json(NodeAnswer.self)
        let change = try #require(status.installations.flatMap(\.changes).first { $0.to == version })
        try await node.run("holdfast approve \"$1\"", change.id)
    }

    @Test("an approved patch that was turned away gets in by the tick and the step, and survives a restart")
    func patch() async throws {
        let node = try LabNode.current
        let k3s = try await node.installK3s("welcomed", "v1.31.4+k3s1", port: 7171)
        let patch = try await node.download("k3s", "v1.31.5+k3s1")
        try await node.withHoldfastInstalled { node in
            try await prepare(node, k3s.bin)
            try await node.restart(k3s.unit)
            try await bring(patch, to: k3s, on: node)
            #expect(try await node.run("\(k3s.binary) --version").contains("v1.31.4+k3s1"))
            try await node.run("systemctl start holdfast")
            try await approveWhatWaits(node, "v1.31.5+k3s1")
            // The tick waits for nothing; the step goes on by itself.
            try await node.run("systemctl start holdfast")
            try await node.wait(
                until:
                    "journalctl -q MESSAGE_ID=\(JournalEntry.Message.stepEnded.rawValue) -o cat | grep -q 'is done'",
                seconds: 60)
            #expect(try await node.run("\(k3s.binary) --version").contains("v1.31.5+k3s1"))
            try await node.wait(until: "systemctl is-active -q \(k3s.unit)")
            try await node.run("systemctl start holdfast")
            try await node.restart(k3s.unit)
            #expect(try await node.run("\(k3s.binary) --version").contains("v1.31.5+k3s1"))
            #expect(
                try await node.ask("holdfast", "status", "--output", "json").json(NodeAnswer.self)
                    .installation(k3s.name).approved?.version == "v1.31.5+k3s1")
            #expect(try await node.ask("holdfast", "verify").code == 0)
            try await clean(node)
        }
    }

    @Test("a patch that never becomes ready is put back, quarantined and told")
    func broken() async throws {
        let node = try LabNode.current
        let k3s = try await node.installK3s("disappointed", "v1.31.4+k3s1", port: 7172)
        let built = try await Lab.run(
            ["binary", "k3s", "v1.31.5+k3s1", "--broken", "never-ready"], seconds: 120)
        try await node.put(String(built.split(separator: "\n").last ?? ""), at: "/root/broken")
        try await node.withHoldfastInstalled { node in
            try await prepare(node, k3s.bin)
            try await node.restart(k3s.unit)
            try await bring("/root/broken", to: k3s, on: node)
            try await node.run("systemctl start holdfast")
            try await approveWhatWaits(node, "v1.31.5+k3s1")
            let answer = try await node.ask("holdfast", "step", seconds: 120)
            #expect(
                answer.code == 1 && answer.output.contains("was taken back"),
                "\(answer.output)\(answer.errors)")
            #expect(try await node.run("\(k3s.binary) --version").contains("v1.31.4+k3s1"))
            try await node.wait(until: "systemctl is-active -q \(k3s.unit)")
            let quarantined = try await node.journal(.quarantined)
            #expect(quarantined.contains { $0.installation == k3s.name && $0.version == "v1.31.5+k3s1" })
            let denied = try await node.ask("holdfast", "status", "--output", "json").json(NodeAnswer.self)
            #expect(try denied.installation(k3s.name).change().decision.verdict == "deny")
            try await clean(node)
        }
    }

    @Test("what is put on disk and never started is put back after a quiet minute, from inside the sandbox")
    func outsideAStart() async throws {
        let node = try LabNode.current
        let k3s = try await node.installK3s("untouched", "v1.31.4+k3s1", port: 7173)
        let minor = try await node.download("k3s", "v1.32.1+k3s1")
        try await node.withHoldfastInstalled { node in
            try await prepare(node, k3s.bin)
            try await node.restart(k3s.unit)
            let start = try await node.run("systemctl show -P InvocationID \"$1\"", k3s.unit)
            try await node.run("cp \"$1\" \"$2.new\"; mv -f \"$2.new\" \"$2\"", minor, k3s.binary)
            try await node.run("systemctl start holdfast")
            #expect(try await node.run("\(k3s.binary) --version").contains("v1.32.1+k3s1"))
            try await node.run("sleep 62; systemctl start holdfast", seconds: 90)
            try await node.run("cmp \"$1\" \(k3s.bin)/.holdfast-pending/*", minor)
            #expect(try await node.run("\(k3s.binary) --version").contains("v1.31.4+k3s1"))
            #expect(try await node.run("systemctl show -P InvocationID \"$1\"", k3s.unit) == start)
            try await clean(node)
        }
    }

    @Test("a k0s whose binary was removed is mended: put back and started after a minute")
    func removed() async throws {
        let node = try LabNode.current
        try await node.lab(
            "install-k0s", "v1.31.4+k0s.0", "--role", "controller", "--bin-dir", "/opt/mended/bin",
            "--data-dir",
            "/srv/mended", "--", "--api-port=7174")
        let unit = "k0scontroller.service"
        try await node.withHoldfastInstalled { node in
            try await prepare(node, "/opt/mended/bin")
            try await node.restart(unit)
            try await node.run("systemctl start holdfast")
            // It is killed, and its condition keeps it from starting again.
            try await node.run("rm /opt/mended/bin/k0s; systemctl kill -s KILL \"$1\"", unit)
            try await node.wait(
                until: "[ \"$(systemctl is-active \(unit))\" = inactive ]", seconds: 40)
            try await node.run("systemctl start holdfast; sleep 62; systemctl start holdfast", seconds: 90)
            #expect(try await node.ask("systemctl", "is-active", unit).output == "active\n")
            // A person stopped it: it stays down.
            try await node.run(
                "systemctl stop \"$1\"; systemctl start holdfast; rm /opt/mended/bin/k0s", unit)
            try await node.run("systemctl start holdfast; sleep 62; systemctl start holdfast", seconds: 90)
            #expect(try await node.ask("systemctl", "is-active", unit).output == "inactive\n")
            try await clean(node)
        }
    }
}
