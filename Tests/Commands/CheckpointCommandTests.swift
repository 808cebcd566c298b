import FoundationEssentials
import Host
import Testing

@Suite("holdfast verify with checkpoints, on a node root")
struct CheckpointCommandTests {
    private struct Report: Decodable {
        struct Checkpoints: Decodable {
            struct Newest: Decodable {
                let origin: String
                let sequence: Int64
            }
            let compared: Int
            let newest: Newest?
            let signedBy: String?
            let keyWasGiven: Bool
            let uncovered: Int64
        }
        struct Finding: Decodable { let kind: String }
        let origin: String
        let headSeq: Int64
        let checkpointKeys: [String]
        let checkpoints: Checkpoints
        let findings: [Finding]
    }

    private struct Status: Decodable { let checkpointKey: String? }

    private func adopted() throws -> SampleNode {
        let node = try SampleNode()
        #expect(try node.inPlace("adopt").code == 0)
        return node
    }

    private func verify(_ node: SampleNode, _ words: String...) throws -> SampleNode.Answer {
        try SampleNode.run(["verify", "--root", node.root] + words)
    }

    private func state(_ node: SampleNode) -> String { node.root + "/var/lib/holdfast" }

    @Test("adopt makes the key and the first checkpoint, and an auditor finds both")
    func adopt() throws {
        let node = try adopted()
        let mode = try runProcess(
            ["/usr/bin/stat", "-c", "%a", state(node) + "/checkpoint.key"], timeout: 10_000)
        #expect(String(decoding: mode.output, as: UTF8.self) == "600\n")
        let report = try verify(node, "--output", "json").json(Report.self)
        #expect(report.findings.isEmpty && report.checkpoints.compared == 1)
        #expect(report.checkpoints.newest?.sequence == report.headSeq && report.checkpoints.uncovered == 0)
        #expect(report.checkpoints.newest?.origin == report.origin)
        let key = try #require(report.checkpoints.signedBy)
        #expect(report.checkpointKeys == [key])
        #expect(try node.inPlace("status", "--output", "json").json(Status.self).checkpointKey == key)
        let text = try verify(node)
        #expect(text.code == 0 && text.output.contains(key) && text.output.contains("Intact"))
        // Another tick of the same day signs nothing.
        #expect(try node.inPlace("check").code == 0)
        #expect(try verify(node, "--output", "json").json(Report.self).checkpoints.compared == 1)
    }

    @Test("the private key is in nothing that is printed, recorded or kept beside it (invariant 13)")
    func secret() throws {
        let node = try adopted()
        let file = state(node) + "/checkpoint.key"
        let text = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
        let secret = try #require(text.split(separator: "+", maxSplits: 4).last).dropLast()
        #expect(secret.count > 40)
        for name in try FileManager.default.contentsOfDirectory(atPath: state(node))
        where name != "checkpoint.key" {
            let bytes = try? Data(contentsOf: URL(filePath: state(node) + "/" + name))
            #expect(bytes.map { String(decoding: $0, as: UTF8.self).contains(secret) } != true, "\(name)")
        }
        for words in [["status"], ["verify"], ["history"], ["doctor"]] {
            let answer = try SampleNode.run(words + ["--root", node.root, "--output", "json"])
            #expect(!(answer.output + answer.errors).contains(secret))
        }
        try Data((String(repeating: "x", count: 10) + text).utf8).write(to: URL(filePath: file))
        let answer = try node.inPlace("check")
        #expect(!(answer.output + answer.errors).contains(secret))
    }

    @Test("invariant 8: a tail that was cut, and a whole other ledger, are found by what was kept elsewhere")
    func cut() throws {
        let node = try adopted()
        let kept = node.directory + "/kept"
        try FileManager.default.copyItem(atPath: state(node) + "/checkpoints", toPath: kept)
        let key = try #require(try node.inPlace("status", "--output", "json").json(Status.self).checkpointKey)
        let good = try verify(node, "--checkpoint", kept, "--key", key, "--output", "json")
        #expect(good.code == 0)
        #expect(try good.json(Report.self).checkpoints.keyWasGiven)
        let cut = """
            DROP TRIGGER body_is_kept; DROP TRIGGER entry_is_kept; UPDATE snapshot SET seq = 1;
            DELETE FROM decision WHERE seq > 3; DELETE FROM body WHERE seq > 3; DELETE FROM entry WHERE seq > 3
            """
        #expect(try SampleNode.edit(state(node), cut) == 0)
        let answer = try verify(node, "--checkpoint", kept, "--key", key)
        #expect(answer.code == 1 && answer.output.contains("cut-tail"))
        // Root begins anew, and leaves no old checkpoint behind: by its own word all is well.
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm", "checkpoints", "guard"] {
            try? FileManager.default.removeItem(atPath: state(node) + "/" + name)
        }
        #expect(try node.inPlace("adopt").code == 0)
        #expect(try verify(node).code == 0)
        let other = try verify(node, "--checkpoint", kept, "--key", key)
        #expect(other.code == 1 && other.output.contains("other-ledger"))
    }

    @Test(
        "a ledger that was taken away on purpose is told by its checkpoints with what to do, and ticks go on meanwhile"
    )
    func anew() throws {
        let node = try adopted()
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
            try? FileManager.default.removeItem(atPath: state(node) + "/" + name)
        }
        for _ in 0..<2 {
            let tick = try node.inPlace("check", "--output", "json")
            #expect(tick.code == 0)
            #expect(try !tick.json(CheckAnswer.self).problems.contains { $0.code.hasPrefix("checkpoint") })
        }
        let answer = try verify(node)
        #expect(answer.code == 1 && answer.output.contains("other-ledger"))
        // What it says to do is done as it is written there, and helps.
        let command = try #require(answer.output.split(separator: "'").first { $0.hasPrefix("mv ") })
        #expect(command.contains(state(node) + "/checkpoints "))
        let moved = try runProcess(["/bin/sh", "-c", String(command)], timeout: 10_000)
        #expect(moved.succeeded)
        #expect(try verify(node).code == 0)
        #expect(try node.inPlace("check").code == 0)
    }

    @Test("what is named and cannot be used is said, rather than left out")
    func refused() throws {
        let node = try adopted()
        let wrong = try verify(node, "--key", "nonsense")
        #expect(wrong.code == 64 && wrong.errors.contains("NAME+ID+BASE64"))
        let missing = try verify(node, "--checkpoint", node.directory + "/none")
        #expect(missing.code == 1)
        try Data("no checkpoint\n".utf8).write(to: URL(filePath: node.directory + "/junk"))
        let junk = try verify(node, "--checkpoint", node.directory + "/junk")
        #expect(junk.code == 1 && junk.output.contains("bad-checkpoint") && junk.output.contains("junk:1:"))
    }
}
