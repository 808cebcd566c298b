import FoundationEssentials
import Host
import Model
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

extension SampleNode {
    /// Runs a verb with the state where the node's own gate looks for it.
    func inPlace(_ words: String...) throws -> Answer {
        try Self.run(words + ["--root", root, "--policy", policy])
    }

    /// What stands before every start of the unit.
    func start() throws -> Int32 {
        let gate =
            URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path
            + "/holdfast-gate"
        let outcome = try runProcess(
            [gate, "--root", root, "k3s.service"],
            environment: ["INVOCATION_ID": "0123456789abcdef0123456789abcdef"], timeout: 10_000)
        guard case .exited(let code) = outcome.end else { return -1 }
        return code
    }

    /// Every file of the node and what it holds, but for our own state.
    func listing() throws -> [String: String] {
        var listing: [String: String] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: root)
        where !path.hasPrefix("var/lib/holdfast") && !path.hasPrefix("run") {
            let whole = root + "/" + path
            if let target = try? readLink(whole) {
                listing[path] = "link to \(target)"
            } else if isDirectory(whole) {
                listing[path] = "directory"
            } else {
                listing[path] = try hashFile(whole).hex + (isExecutable(whole) ? " executable" : "")
            }
        }
        return listing
    }

    var dropIn: String { root + "/etc/systemd/system/k3s.service.d/zz-holdfast.conf" }
    var spare: String { root + "/usr/local/bin/.k3s.holdfast-spare" }
    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}

@Suite("holdfast adopt, release, pause, on a node root")
struct AdoptTests {
    private struct Change: Decodable {
        let recorded: [String]
        let effects: [String]
        let refused: [String]
        let trouble: String?
    }

    @Test("invariant 10: adopt and release leave every file as it was, and a second time change nothing")
    func undone() throws {
        let node = try SampleNode(policy: withGate)
        let before = try node.listing()
        let planned = try node.inPlace("adopt", "--dry-run", "--output", "json").json(Change.self)
        #expect(try node.listing() == before)
        let done = try node.inPlace("adopt", "--output", "json").json(Change.self)
        #expect(done.effects == planned.effects && done.effects.count == 5)
        #expect(node.exists(node.dropIn) && node.exists(node.spare))
        #expect(try hashFile(node.spare) == hashFile(node.binary))
        let again = try node.inPlace("adopt", "--output", "json").json(Change.self)
        #expect(again.recorded.isEmpty && again.effects.isEmpty)
        let status = try node.inPlace("status").output
        #expect(status.contains("confirmed") && status.contains("2 in place"))
        #expect(try node.inPlace("release").code == 0)
        #expect(try node.listing() == before)
        #expect(!node.exists(node.root + "/var/lib/holdfast/guard"))
        #expect(!node.exists(node.root + "/var/lib/holdfast/vault"))
        #expect(try node.inPlace("release", "--output", "json").json(Change.self).effects.isEmpty)
        #expect(try SampleNode.run(["verify", "--state", node.root + "/var/lib/holdfast"]).code == 0)
    }

    @Test("a dry run speaks of what would be, and an empty node is said to be one")
    func dryWords() throws {
        let node = try SampleNode(policy: withGate)
        let adopted = try node.inPlace("adopt", "--dry-run").output
        #expect(adopted.hasPrefix("would adopt k3s"), "\(adopted)")
        #expect(try node.inPlace("adopt").output.hasPrefix("adopted k3s"))
        let released = try node.inPlace("release", "--dry-run").output
        #expect(released.hasPrefix("would release k3s"), "\(released)")
        try FileManager.default.removeItem(atPath: node.root + "/etc/systemd/system/k3s.service")
        let empty = try node.inPlace("adopt", "--dry-run").output
        #expect(empty.hasPrefix("no K3s, MicroK8s or k0s is installed here"), "\(empty)")
    }

    @Test("guards that a pause has lifted are said to be, and no approval is asked for that was given")
    func words() throws {
        let node = try SampleNode(
            policy: withGate + "windows: [{days: [mon], start: \"03:00\", duration: 1m}]\n")
        #expect(try node.inPlace("adopt").code == 0)
        #expect(try node.inPlace("pause", "--for", "2h", "--reason", "a try").code == 0)
        let paused = try node.inPlace("status").output
        #expect(paused.contains("2 in place") && paused.contains("lifted by the pause: /etc/"), "\(paused)")
        try node.install("v1.32.1+k3s1")
        _ = try node.inPlace("check")
        #expect(try node.inPlace("approve").output.contains("to approve"))
        let changes = try node.inPlace("check", "-o", "json").json(CheckAnswer.self).installations.flatMap(
            \.changes)
        #expect(try node.inPlace("approve", #require(changes.first).id).code == 0)
        let waiting = try node.inPlace("approve").output
        #expect(waiting.contains("HOLD") && waiting.contains("window"), "\(waiting)")
        #expect(!waiting.contains("to approve"), "\(waiting)")
    }

    @Test(
        "invariant 1: the gate puts the adopted binary back over another minor, and the tick stages a new spare"
    )
    func restored() throws {
        let node = try SampleNode(policy: withGate)
        _ = try node.inPlace("adopt")
        #expect(try node.start() == 0)
        let approved = try hashFile(node.binary)
        try node.install("v1.32.1+k3s1")
        #expect(try hashFile(node.binary) != approved)
        #expect(try node.start() == 0)
        #expect(try hashFile(node.binary) == approved)
        #expect(!node.exists(node.spare))
        #expect(try node.inPlace("check").code == 0)
        #expect(try hashFile(node.spare) == approved)
        // The new spare is one that the gate trusts.
        try node.install("v1.32.1+k3s1")
        #expect(try node.start() == 0)
        #expect(try hashFile(node.binary) == approved)
    }

    @Test("pause lets another artifact start until resume, which lets the gate go by the policy again")
    func paused() throws {
        let node = try SampleNode(policy: withGate)
        _ = try node.inPlace("adopt")
        #expect(try node.start() == 0)
        let approved = try hashFile(node.binary)
        #expect(try node.inPlace("pause", "--for", "2h").code == 64)
        #expect(try node.inPlace("pause", "--for", "99d", "--reason", "x").code == 64)
        #expect(try node.inPlace("pause", "--for", "2h", "--reason", "a test").code == 0)
        #expect(try node.inPlace("status").output.contains("Paused"))
        try node.install("v1.31.5+k3s1")
        #expect(try node.start() == 0)
        #expect(try hashFile(node.binary) != approved)
        let file = node.root + "/var/lib/holdfast/guard"
        #expect(try String(contentsOf: URL(filePath: file), encoding: .utf8).contains("paused-until"))
        #expect(try node.inPlace("resume").code == 0)
        #expect(try !String(contentsOf: URL(filePath: file), encoding: .utf8).contains("paused-until"))
    }

    @Test("without a gate in the policy adopt confirms, says so, and places nothing")
    func confirmsOnly() throws {
        let node = try SampleNode()
        let before = try node.listing()
        let answer = try node.inPlace("adopt")
        #expect(answer.code == 0 && answer.output.contains("enforce.gate is off"))
        #expect(try node.listing() == before)
        #expect(try node.inPlace("status").output.contains("confirmed"))
    }

    @Test("a binary that cannot be read is refused, and somebody else's drop-in is left alone")
    func refused() throws {
        let node = try SampleNode(policy: withGate)
        try Data("#!/bin/sh\n".utf8).write(to: URL(filePath: node.binary))
        let refused = try node.inPlace("adopt")
        #expect(refused.code == 1 && refused.errors.contains("cannot be adopted"))
        try node.install("v1.31.4+k3s1")
        try FileManager.default.createDirectory(
            atPath: node.root + "/etc/systemd/system/k3s.service.d", withIntermediateDirectories: true)
        try Data("[Service]\nNice=5\n".utf8).write(to: URL(filePath: node.dropIn))
        let before = try node.listing()
        #expect(try node.inPlace("adopt").output.contains("somebody else's drop-in"))
        #expect(try node.inPlace("release").code == 0)
        #expect(try node.listing() == before)
    }

    @Test("a state directory that the node's own gate would not find is refused")
    func elsewhere() throws {
        let node = try SampleNode(policy: withGate)
        let answer = try node.holdfast("adopt")
        #expect(answer.code == 78 && answer.errors.contains("leave --state out"))
    }
}
