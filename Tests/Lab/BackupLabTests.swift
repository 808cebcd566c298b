import FoundationEssentials
import Model
import SQLite
import Testing

/// What is saved before a minor of a K3s server with SQLite, by the sandboxed step beside the server that writes to it.
@Suite(
    "a backup before a minor", .serialized, .enabled(if: Lab.obstacle == nil, Lab.skipped),
    .node(.plain, with: "k3s"))
struct BackupLabTests {
    private static let versions = ["v1.31.4", "v1.32.1", "v1.33.4", "v1.34.1", "v1.35.0"].map { $0 + "+k3s1" }

    private struct Manifest: Decodable {
        struct File: Decodable { let name: String }
        struct Artifact: Decodable { let version: String }
        let artifact: Artifact
        let files: [File]
    }

    @Test("each is whole and root's alone, made before anything is replaced, and three are kept")
    func minors() async throws {
        let node = try LabNode.current
        for version in Self.versions { _ = try await node.download("k3s", version) }
        try await node.lab("install-k3s", Self.versions[0])
        try await node.installHoldfast()
        try await node.write(
            """
            apiVersion: holdfast/v1
            unattended: none
            origin: claimed
            clock: trusted
            gates: [{command: [/bin/true], timeout: 5s}]
            enforce: {gate: restore}
            health: {checks: [unit, running, readyz], interval: 1s, timeout: 2s, consecutiveSuccesses: 2, deadline: 15s}

            """, to: "/etc/holdfast/policy.yaml")
        try await node.run("holdfast adopt; systemctl restart k3s")
        for (from, to) in zip(Self.versions, Self.versions.dropFirst()) {
            try await upgrade(node, from: from, to: to)
        }
        let kept = try await backups(node)
        #expect(try kept.map { try manifest($0).artifact.version } == Self.versions.dropFirst().dropLast())
        #expect(try await node.ask("holdfast", "verify").code == 0)
    }

    private func upgrade(_ node: LabNode, from: String, to version: String) async throws {
        let before = try await backups(node)
        // It is turned away, and kept until somebody approves it.
        try await node.run(
            "cp \"$1\" /usr/local/bin/k3s.new; mv -f /usr/local/bin/k3s.new /usr/local/bin/k3s; systemctl restart k3s",
            "/root/k3s-\(version)")
        try await node.run("systemctl start holdfast")
        let status = try await node.ask("holdfast", "status", "--output", "json").json(NodeAnswer.self)
        let change = try #require(status.installations.flatMap(\.changes).first { $0.to == version })
        try await node.run(
            """
            journalctl --sync; journalctl -q -n 1 --show-cursor | sed -n 's/^-- cursor: //p' >/root/begun
            holdfast approve "$1"; systemctl start holdfast
            """, change.id)
        try await node.waitForStep()
        let phases = try await node.told(.stepMoved).compactMap(\.phase)
        #expect(phases.prefix(3) == ["gating", "backing-up", "replacing"], "\(phases)")
        let made = try await backups(node).filter { !before.contains($0) }
        try #require(made.count == 1, "\(made)")
        try await expectWhole(made[0], on: node, from: from)
    }

    /// By what is on disk, and not by what Holdfast says of it.
    private func expectWhole(_ backup: String, on node: LabNode, from: String) async throws {
        let manifest = try manifest(backup)
        #expect(manifest.artifact.version == from)
        #expect(Set(manifest.files.map(\.name)).isSuperset(of: ["state.db", "token", "tls/server-ca.key"]))
        let name = String(backup.split(separator: "/").last ?? "")
        let open = try await node.run(
            "cd /var/lib/holdfast/backups/k3s/\"$1\"; find . -type f ! -perm 0600 -o -type d ! -perm 0700 -o ! -uid 0",
            name)
        #expect(open.isEmpty)
        let copy = try Connection(path: "\(backup)/state.db", mode: .immutable, busyTimeout: 0)
        #expect(try copy.integrityProblem() == nil)
        // The server holds it in the log beside the database alone, so a copied file would not have it.
        let rows = try copy.prepare("SELECT value FROM kine WHERE name = '/registry/health'")
        #expect(try rows.step())
    }

    private func manifest(_ backup: String) throws -> Manifest {
        try JSONDecoder().decode(
            Manifest.self, from: Data(contentsOf: URL(filePath: "\(backup)/manifest.json")))
    }

    /// Where they lie on this machine, the oldest first.
    private func backups(_ node: LabNode) async throws -> [String] {
        let root = try await node.lab("root").trimmingPrefix { $0.isWhitespace }
        let listed = try await node.run(
            "ls -1tr /var/lib/holdfast/backups/k3s 2>/dev/null || true")
        return listed.split(separator: "\n").map {
            "\(root.prefix { $0 != "\n" })/var/lib/holdfast/backups/k3s/\($0)"
        }
    }
}
