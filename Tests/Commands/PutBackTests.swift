import FoundationEssentials
import Host
import Model
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

/// What `status --output json` says of what the gate did.
private struct GateAnswer: Decodable {
    struct Act: Decodable {
        let kind: String
        let pending: String?
    }
    struct Kept: Decodable {
        let version: String?
        let sha256: String?
        let path: String
    }
    struct Installation: Decodable {
        let gate: [Act]
        let pending: [Kept]
        let adopted: Bool
        let approved: CheckAnswer.Approved?
    }
    let installations: [Installation]
}

extension SampleNode {
    fileprivate func status() throws -> GateAnswer.Installation {
        let answer = try inPlace("status", "--output", "json").json(GateAnswer.self)
        return try #require(answer.installations.first)
    }

    /// Without the checksum files that the sample's installer leaves.
    fileprivate func ownListing() throws -> [String: String] {
        try listing().filter { !$0.key.hasPrefix("var/tmp") }
    }

    fileprivate func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

    fileprivate func names(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    fileprivate var ownState: String { root + "/var/lib/holdfast" }
    fileprivate var pending: String { root + "/usr/local/bin/.holdfast-pending" }
}

@Suite("What the gate did is told and remembered, on a node root")
struct PutBackTests {
    @Test("an artifact that was put back is in check, status, explain and approve, with its bytes")
    func told() throws {
        let node = try SampleNode(policy: withGate)
        let before = try node.ownListing()
        _ = try node.inPlace("adopt")
        #expect(try node.start() == 0)
        try node.install("v1.32.1+k3s1")
        let minor = try hashFile(node.binary)
        #expect(try node.start() == 0)
        // Undone since the last tick, and then only held.
        #expect(try node.inPlace("check", "--exit-code").code == 11)
        #expect(node.names(in: node.ownState + "/spool").isEmpty)
        #expect(try node.inPlace("check", "--exit-code").code == 10)
        let status = try node.status()
        let kept = try #require(status.pending.first)
        #expect(kept.version == "v1.32.1+k3s1" && kept.sha256 == minor.hex)
        #expect(kept.path.hasPrefix("/usr/local/bin/.holdfast-pending/k3s."))
        #expect(status.gate.map(\.kind) == ["put-back"] && status.gate.first?.pending == kept.path)
        let text = try node.inPlace("status").output
        #expect(text.contains("put back") && text.contains("v1.32.1+k3s1 was turned away before k3s.service"))
        let explained = try node.inPlace("explain").output
        #expect(explained.contains("What the start gate did") && explained.contains(kept.path))
        #expect(explained.contains("start 0123456789abcdef0123456789abcdef"))
        let waiting = try node.inPlace("approve").output
        #expect(waiting.contains(minor.hex) && waiting.contains(kept.path) && waiting.contains("claimed"))
        let change = try #require(
            try node.inPlace("check", "--output", "json").json(CheckAnswer.self).installations.first?.changes
                .first)
        #expect(change.phase == "offered" && change.updateType == "minor")
        #expect(try node.inPlace("approve", change.id).output.contains(minor.short))
        // Nothing of it is left behind.
        #expect(try node.inPlace("release").code == 0)
        try node.install("v1.31.4+k3s1")
        #expect(try node.ownListing() == before)
        #expect(try SampleNode.run(["verify", "--state", node.ownState]).code == 0)
    }

    /// What kept the gate from keeping what it turned away.
    enum Hindrance: CaseIterable, Sendable { case noRoom, killed }

    @Test(
        "invariant 7: what the gate could not keep, and let change places with the spare, is kept by a tick that has room",
        .enabled(if: RefusedCall.hasStrace, "SKIPPED: strace is not installed"),
        arguments: Hindrance.allCases)
    func keptByTick(_ hindrance: Hindrance) throws {
        let node = try SampleNode(policy: withGate)
        _ = try node.inPlace("adopt")
        #expect(try node.start() == 0)
        let approved = try hashFile(node.binary)
        try node.install("v1.32.1+k3s1")
        let minor = try hashFile(node.binary)
        let noRoom = ["-P", node.pending, "-e", "trace=mkdir", "-e", "inject=mkdir:error=ENOSPC"]
        let killed = [
            "-P", node.spare, "-P", node.binary, "-e", "trace=link,rename", "-e", "inject=link:error=EPERM",
            "-e", "inject=rename:signal=KILL",
        ]
        let start = try node.traced(
            ["--root", node.root, "k3s.service"], hindrance == .noRoom ? noRoom : killed,
            program: node.gateProgram)
        #expect(start.code == (hindrance == .noRoom ? 0 : -1))
        #expect(try hashFile(node.binary) == approved && hashFile(node.spare) == minor)
        if hindrance == .noRoom {
            #expect(start.errors.contains("k3s.holdfast-spare until 'holdfast check' keeps it"), "\(start)")
        }
        // A tick without room either leaves it where it is.
        let unmoved = ["-P", node.spare, "-e", "trace=rename", "-e", "inject=rename:error=ENOSPC"]
        let without = try node.traced(["check"], hindrance == .noRoom ? noRoom : unmoved)
        #expect(without.errors.contains("no space left on device"), "\(without)")
        #expect(try hashFile(node.spare) == minor)
        #expect(try node.inPlace("check").code == 0)
        #expect(try hashFile(node.spare) == approved)
        #expect(try node.inPlace("check").code == 0)
        let kept = try node.status().pending
        #expect(kept.map(\.sha256) == [minor.hex])
        #expect(try node.inPlace("approve").output.contains(minor.hex))
    }

    @Test("however many are turned away, three are kept")
    func bounded() throws {
        let node = try SampleNode(policy: withGate)
        _ = try node.inPlace("adopt")
        #expect(try node.start() == 0)
        for patch in 1...5 {
            try node.install("v1.32.\(patch)+k3s1")
            #expect(try node.start() == 0)
            // The spare is staged anew.
            _ = try node.inPlace("check")
        }
        _ = try node.inPlace("check")
        #expect(node.names(in: node.pending).count == 3)
        #expect(try node.status().pending.count == 3)
    }

    @Test(
        "what a gate leaves that is killed over the record of what last ran is taken away by a tick, and by release",
        .enabled(if: RefusedCall.hasStrace, "SKIPPED: strace is not installed"),
        arguments: ["check", "release"])
    func killedOverRecord(verb: String) throws {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        // The first start is the first of which a version is known. It is listed, and then recorded.
        let outcome = try runProcess(
            [
                "/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=rename", "-e",
                "inject=rename:signal=KILL:when=2", node.gateProgram, "--root", node.root, "k3s.service",
            ], environment: ["INVOCATION_ID": "0123456789abcdef0123456789abcdef"], timeout: 10_000)
        #expect(!outcome.succeeded)
        let records = node.ownState + "/gate/last-ran"
        func drafts() -> [String] { node.names(in: records).filter { $0.hasPrefix(".") } }
        #expect(drafts().count == 1, "\(node.names(in: records))")
        // The drop-in does this where the gate was killed.
        let marks = node.ownState + "/gate/missed"
        try FileManager.default.createDirectory(atPath: marks, withIntermediateDirectories: true)
        try Data().write(to: URL(filePath: marks + "/k3s.service"))
        #expect(try node.inPlace(verb).code == 0)
        #expect(drafts() == [])
    }

    @Test("what is no record of a start is kept aside, and told once")
    func unreadable() throws {
        let node = try SampleNode(policy: withGate)
        _ = try node.inPlace("adopt")
        let spool = node.ownState + "/spool"
        try FileManager.default.createDirectory(
            atPath: spool + "/directory", withIntermediateDirectories: true)
        try Data([0, 255, 10]).write(to: URL(filePath: spool + "/1-1-1"))
        try Data(count: 20_000).write(to: URL(filePath: spool + "/1-2-1"))
        #expect(try node.inPlace("check").code == 0)
        #expect(node.names(in: spool).isEmpty)
        #expect(node.names(in: node.ownState + "/spool-unreadable") == ["1-1-1", "1-2-1", "directory"])
        #expect(try node.inPlace("check", "--dry-run").output.contains("were not written") == false)
    }

    @Test(
        "invariant 10: a ledger that was lost or torn is seeded, and release leaves every file as it was",
        arguments: [true, false])
    func seeded(isTorn: Bool) throws {
        let node = try SampleNode(policy: withGate)
        let before = try node.ownListing()
        _ = try node.inPlace("adopt")
        #expect(try node.start() == 0)
        let adopted = try node.ownListing()
        for name in node.names(in: node.ownState) where name.hasPrefix("ledger.db") {
            let path = node.ownState + "/" + name
            if isTorn, name == "ledger.db" {
                try Data(repeating: 7, count: 9000).write(to: URL(filePath: path))
            } else {
                try node.remove(path)
            }
        }
        #expect(try node.inPlace("check").code == 0)
        let status = try node.status()
        #expect(status.adopted && status.approved?.confirmed == true)
        #expect(try node.ownListing() == adopted)
        // The gate goes on as before.
        let approved = try hashFile(node.binary)
        try node.install("v1.31.9+k3s1")
        #expect(try node.start() == 0 && hashFile(node.binary) == approved)
        #expect(try node.inPlace("release").code == 0)
        #expect(try node.ownListing() == before)
        // A damaged ledger is named by the one that took its place; one that was taken away is missed by its checkpoint.
        let verified = try SampleNode.run(["verify", "--state", node.ownState])
        #expect(verified.code == (isTorn ? 0 : 1) && verified.output.contains("other-ledger") == !isTorn)
    }

    @Test(
        "invariant 12: while its drop-in is gone a minor may have run, so the real gate puts nothing back over it"
    )
    func gateGone() throws {
        let node = try SampleNode(policy: withGate)
        _ = try node.inPlace("adopt")
        #expect(try node.start() == 0)
        try node.remove(node.dropIn)
        try node.install("v1.32.1+k3s1")
        let minor = try hashFile(node.binary)
        #expect(try node.inPlace("check").code == 0)
        #expect(node.exists(node.dropIn))
        #expect(try node.start() == 0)
        #expect(try hashFile(node.binary) == minor)
        #expect(try node.inPlace("check").code == 0)
        let explained = try node.inPlace("explain").output
        #expect(explained.contains("let through") && explained.contains("drop-in was gone"))
    }

    @Test("guards go when the distribution is uninstalled, and stay where only its binary is gone")
    func uninstalled() throws {
        let node = try SampleNode(policy: withGate)
        _ = try node.inPlace("adopt")
        #expect(try node.start() == 0)
        try node.install("v1.32.1+k3s1")
        #expect(try node.start() == 0)
        _ = try node.inPlace("check")
        try node.remove(node.binary)
        for _ in 0..<2 { _ = try node.inPlace("check") }
        #expect(node.exists(node.dropIn) && node.exists(node.spare) && node.exists(node.pending))
        // As k3s-uninstall.sh does it: the unit, the binary and the data, but no drop-in.
        try node.remove(node.root + "/etc/systemd/system/k3s.service")
        try node.remove(node.root + "/var/lib/rancher/k3s")
        let check = try node.inPlace("check")
        #expect(check.output.contains("installation-unseen"), "\(check)")
        #expect(node.exists(node.dropIn) && node.exists(node.spare) && node.exists(node.pending))
        let tomorrow = try ShiftedClock(in: node.directory).environment(days: 1)
        for _ in 0..<2 {
            let words = ["check", "--root", node.root, "--policy", node.policy]
            #expect(try SampleNode.run(words, environment: tomorrow).code == 0)
        }
        #expect(!node.exists(node.dropIn) && !node.exists(node.spare) && !node.exists(node.pending))
        #expect(!node.exists(node.ownState + "/guard") && !node.exists(node.ownState + "/vault"))
        #expect(node.names(in: node.ownState + "/gate/last-ran").isEmpty)
    }
}
