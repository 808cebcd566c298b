import FoundationEssentials
import Testing

/// doctor and uninstall on a node under a real systemd: `adopt` takes in all that is there, so it is a node of its own.
@Suite(
    "a node that is tended", .serialized, .enabled(if: Lab.obstacle == nil, Lab.skipped),
    .node(.plain, with: "k3s"))
struct TendedNodeTests {
    private struct Doctor: Decodable {
        struct Finding: Decodable {
            let code: String
            let severity: String
            let about: String
            let mend: String
        }
        let healthy: Bool
        let findings: [Finding]
    }

    private struct Paths: Decodable {
        struct Installation: Decodable { let paths: [Path] }
        struct Path: Decodable {
            let path: String
            let state: String
            let evidence: String
        }
        let installations: [Installation]
    }

    private func policy(seal: Bool) -> String {
        // A container's clock is not its own to synchronise.
        "apiVersion: holdfast/v1\nunattended: patch\nclock: trusted\nenforce: {gate: restore, seal: \(seal)}\n"
    }

    private func doctor(_ node: LabNode) async throws -> Doctor {
        let answer = try await node.ask("/usr/local/bin/holdfast", "doctor", "--output", "json")
        let report = try answer.json(Doctor.self)
        #expect(answer.code == (report.healthy ? 0 : 1), "\(answer.output)")
        return report
    }

    /// Plants a fault, expects that it is found, mends it by the command that doctor prints, and expects it gone.
    ///
    /// - Parameter unwatched: whether the watch is off meanwhile, since a tick would be mending it while doctor looks.
    private func expect(
        _ code: String, after script: String, on node: LabNode, unwatched: Bool = false, _ words: String...
    ) async throws {
        if unwatched {
            try await node.run(
                """
                systemctl stop holdfast.path holdfast-settle.path holdfast-settle.timer
                while systemctl is-active holdfast.service | grep -q '^activating'; do sleep 0.1; done
                """)
        }
        try await Lab.run(["run", node.name, "sh", "-euc", script, "sh"] + words)
        let found = try await doctor(node).findings
        let finding = try #require(found.first { $0.code == code }, "\(code) is not among \(found)")
        try await node.run(finding.mend)
        if unwatched { try await node.run("systemctl start holdfast.path") }
        let left = try await doctor(node)
        #expect(left.healthy && !left.findings.contains { $0.code == code }, "\(code): \(left.findings)")
    }

    /// Everything on the node with our name in its path, but for the ledger, the policy, and what the lab put there.
    private func ours(_ node: LabNode) async throws -> String {
        try await node.run(
            """
            find / -xdev \\( -path /root/repository -o -path /proc -o -path /sys -o -path /tmp \\
                -o -path /var/lib/holdfast -o -path /etc/holdfast -o -path /var/log -o -path /usr/bin/holdfast \\) -prune \\
                -o -name '*holdfast*' -print
            find /run -xdev -name '*holdfast*' -print
            """)
    }

    @Test(
        "what is not in force is found and mended by the printed command, and uninstall leaves nothing of ours"
    )
    func tended() async throws {
        let node = try LabNode.current
        let k3s = try await node.installK3s("tended", "v1.31.4+k3s1", port: 7151)
        let dropIn = "/etc/systemd/system/\(k3s.unit).d/zz-holdfast.conf"
        let spare = "\(k3s.bin)/.k3s.holdfast-spare"
        let before = try await node.run("ls -A /etc/systemd/system \(k3s.bin)")
        try await node.installHoldfast()
        try await node.write(policy(seal: false), to: "/etc/holdfast/policy.yaml")
        try await node.run(
            """
            systemctl enable --now holdfast.timer holdfast.path
            /usr/local/bin/holdfast adopt
            systemctl restart "$1"; systemctl start holdfast
            """, k3s.unit)
        try await node.wait(until: "systemctl is-active -q \(k3s.unit)")
        let whole = try await doctor(node)
        #expect(whole.healthy, "\(whole.findings)")

        // Only now has a start gone through the gate, and systemd says that it stands there.
        let paths = try await node.ask(
            "/usr/local/bin/holdfast", "status", "--paths", "--output", "json"
        ).json(Paths.self)
        let installer = try #require(paths.installations.first?.paths.first { $0.path == "installer" })
        #expect(installer.state == "held", "\(installer.evidence)")

        // The binary is elsewhere: both path units were told and restarted, and the sandboxed tick can write there.
        for unit in ["holdfast.path", "holdfast-settle.path"] {
            #expect(try await node.run("systemctl show -p Paths \(unit)").contains(k3s.bin))
        }
        try await node.run("rm \"$1\"; systemctl start holdfast; cmp \"$1\" \"$2\"", spare, k3s.binary)

        try await expect("timer-off", after: "systemctl disable --now holdfast.timer", on: node)
        try await expect("timer-disabled", after: "systemctl disable holdfast.timer", on: node)
        try await expect("watch-off", after: "systemctl stop holdfast.path", on: node)
        try await expect(
            "watch-failed",
            after: """
                mkdir -p /run/systemd/system/holdfast.path.d
                printf '[Path]\\nTriggerLimitIntervalSec=1h\\nTriggerLimitBurst=1\\n' >/run/systemd/system/holdfast.path.d/few.conf
                systemctl daemon-reload; systemctl restart holdfast.path
                for i in $(seq 100); do
                    touch "$1/new$i"; rm "$1/new$i"; sleep 0.2
                    systemctl is-failed -q holdfast.path && break
                done
                systemctl is-failed -q holdfast.path
                rm -r /run/systemd/system/holdfast.path.d; systemctl daemon-reload
                """, on: node, k3s.bin)
        try await expect(
            "drop-in-not-loaded",
            after: "cp -p \"$1\" /root/kept; rm \"$1\"; systemctl daemon-reload; cp -p /root/kept \"$1\"",
            on: node,
            dropIn)
        try await expect("spare-missing", after: "rm \"$1\"", on: node, unwatched: true, spare)
        try await expect("drop-in-gone", after: "rm \"$1\"; systemctl daemon-reload", on: node, dropIn)

        // How far each service is shut: the tick's own file asks for no more than this.
        for unit in ["holdfast.service", "holdfast-step.service"]
        where try await node.ask("systemctl", "cat", unit).code == 0 {
            let security = try await node.ask(
                "systemd-analyze", "security", "--no-pager", "--threshold=30", unit)
            #expect(security.code == 0, "\(security.output.suffix(400))")
        }

        try await seal(node, k3s)

        try await node.script("uninstall")
        #expect(try await ours(node) == "")
        #expect(try await node.run("ls -A /etc/systemd/system \(k3s.bin)") == before)
        #expect(try await node.ask("systemctl", "is-active", k3s.unit).output == "active\n")
        #expect(
            try await node.ask("systemctl", "show", "-p", "DropInPaths", "--value", k3s.unit).output == "\n")

        try await node.installHoldfast()
        try await node.run(
            "cd /root/repository; PURGE=1 HOLDFAST_BUILD=cache BINARIES=built Packaging/scripts/uninstall")
        #expect(try await ours(node) == "")
        #expect(try await node.ask("ls", "-d", "/var/lib/holdfast", "/etc/holdfast").output == "")
    }

    /// The tick seals from inside its sandbox, once its drop-in gives it what that takes.
    private func seal(_ node: LabNode, _ k3s: K3sOnNode) async throws {
        try await node.write(policy(seal: true), to: "/etc/holdfast/policy.yaml")
        try await node.run(
            "systemctl start holdfast; systemctl start holdfast; ! cp /bin/true \"$1\"", k3s.binary)
        let found = try await doctor(node)
        #expect(found.healthy && found.findings.contains { $0.code == "seal" }, "\(found.findings)")
        try await node.write(policy(seal: false), to: "/etc/holdfast/policy.yaml")
        try await node.run(
            """
            systemctl start holdfast
            cp "$1" "$1.new"; mv "$1.new" "$1"
            ! grep -q IMMUTABLE /etc/systemd/system/holdfast.service.d/paths.conf
            systemctl start holdfast
            """, k3s.binary)
    }
}
