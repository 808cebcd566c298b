import FoundationEssentials
import Ledger
import Model
import Reports
import Testing

@testable import Commands

@Suite("holdfast merge, of the ledgers of two nodes")
struct MergeTests {
    private let directory: String
    private let nodes: [SampleNode]

    private struct Row: Decodable {
        let ledger: String
        let proof: String
        let clock: String
        let seq: Int64
        let to: String?
        let verdict: String
    }

    /// Two nodes on each of which a minor waits, and copies of their ledgers as an auditor gathers them.
    init() throws {
        nodes = try (0..<2).map { _ in
            let node = try SampleNode()
            _ = try node.holdfast("check")
            try node.install("v1.32.1+k3s1")
            _ = try node.holdfast("check")
            return node
        }
        directory = nodes[0].directory + "/ledgers"
        for (node, name) in zip(nodes, ["a", "b"]) { try copy(node, as: name) }
    }

    private func copy(_ node: SampleNode, as name: String) throws {
        let place = directory + "/" + name
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        for file in try FileManager.default.contentsOfDirectory(atPath: node.state)
        where file.hasPrefix("ledger.db") && !file.hasSuffix("-shm") {
            try FileManager.default.copyItem(atPath: node.state + "/" + file, toPath: place + "/" + file)
        }
    }

    private func merge(_ words: String...) throws -> SampleNode.Answer {
        try SampleNode.run(["merge"] + (words.first?.hasPrefix("/") == true ? [] : [directory]) + words)
    }

    private func origin(_ name: String) throws -> String {
        struct Report: Decodable { let origin: String }
        return try SampleNode.run(["verify", "--state", directory + "/" + name, "--output", "json"])
            .json(Report.self).origin
    }

    @Test("gives one stream in which every line names its ledger and its clock, in each format")
    func formats() throws {
        let rows = try merge("--output", "json").json([Row].self)
        let (first, second) = (try origin("a"), try origin("b"))
        #expect(rows.count == 2 && Set(rows.map(\.ledger)) == [first, second])
        #expect(rows.allSatisfy { $0.proof == "verified" && $0.to == "v1.32.1+k3s1" && $0.verdict == "hold" })
        #expect(rows.allSatisfy { ["synchronised", "unsynchronised", "unknown"].contains($0.clock) })
        let csv = try merge("--output", "csv")
        #expect(csv.code == 0)
        #expect(csv.output.hasPrefix("ledger,proof,clock,seq,at,node,"))
        #expect(csv.output.split(separator: "\n").count == 3)
        #expect(try merge("--output", "jsonl").output.split(separator: "\n").count == 2)
        let table = try merge()
        #expect(table.output.contains("v1.32.1+k3s1") && table.output.contains(first.prefix(8)))
        // What nobody can know is said.
        #expect(table.errors.contains("nobody knows how far"))
        #expect(try merge("--verdict", "deny", "--output", "json").output == "[]\n")
        let report = try merge("--output", "html")
        #expect(report.code == 0 && report.output.hasPrefix("<!DOCTYPE html>"))
        for part in [first, try origin("b"), "entries, intact", "v1.32.1+k3s1", "no checkpoint beside it"] {
            #expect(report.output.contains(part), "missing: \(part)")
        }
        // Files by name are as good as their directory.
        let named = try merge(directory + "/a/ledger.db", directory + "/b", "--output", "json").json(
            [Row].self)
        #expect(named.count == 2)
    }

    @Test(
        "a ledger that does not verify is named and left out, and only marked as broken where it is asked for"
    )
    func broken() throws {
        let edit = "DROP TRIGGER body_stays; UPDATE body SET content = replace(content, 'hold', 'allow')"
        #expect(try SampleNode.edit(directory + "/b", edit) == 0)
        let answer = try merge("--output", "json")
        #expect(answer.code == 1)
        #expect(try answer.json([Row].self).map(\.ledger) == [try origin("a")])
        #expect(answer.errors.contains("/b/ledger.db") && answer.errors.contains("left out"))
        let all = try merge("--output", "json", "--include-broken")
        #expect(all.code == 1)
        let expected = [try origin("a") + " verified", try origin("b") + " broken"]
        #expect(Set(try all.json([Row].self).map { "\($0.ledger) \($0.proof)" }) == Set(expected))
    }

    @Test(
        "a shorter copy of a ledger is not listed twice; two that fork are a finding, and neither is listed")
    func copies() throws {
        try copy(nodes[0], as: "earlier")
        try nodes[0].install("v1.33.0+k3s1")
        _ = try nodes[0].holdfast("check")
        try copy(nodes[0], as: "later")
        try FileManager.default.removeItem(atPath: directory + "/a")
        let answer = try merge("--output", "json")
        #expect(answer.code == 0)
        #expect(try answer.json([Row].self).filter { $0.to == "v1.32.1+k3s1" }.count == 2)
        #expect(try answer.json([Row].self).contains { $0.to == "v1.33.0+k3s1" })
        #expect(answer.errors.contains("a copy of") && answer.errors.contains("/later/ledger.db"))
        // The earlier copy goes its own way.
        try nodes[0].install("v1.34.0+k3s1")
        _ = try SampleNode.run([
            "check", "--root", nodes[0].root, "--policy", nodes[0].policy, "--state", directory + "/earlier",
        ])
        let forked = try merge("--output", "json")
        #expect(forked.code == 1)
        #expect(try forked.json([Row].self).map(\.ledger) == [try origin("b")])
        #expect(forked.errors.contains("say different things"))
    }

    @Test("checkpoints that lie beside a ledger count, and find a cut")
    func checkpoints() throws {
        let node = try SampleNode()
        #expect(try node.inPlace("adopt").code == 0)
        let state = node.root + "/var/lib/holdfast"
        #expect(try SampleNode.run(["merge", state]).errors.contains("checkpoint of entry"))
        let cut = """
            UPDATE snapshot SET seq = 1; DROP TRIGGER body_is_kept; DROP TRIGGER entry_is_kept;
            DELETE FROM body WHERE seq > 4; DELETE FROM entry WHERE seq > 4
            """
        #expect(try SampleNode.edit(state, cut) == 0)
        let answer = try SampleNode.run(["merge", state])
        #expect(answer.code == 1)
    }

    @Test("what is no ledger is named, and a directory without one says so")
    func strangers() throws {
        try FileManager.default.createDirectory(atPath: directory + "/c", withIntermediateDirectories: true)
        try Data("no database at all, but text".utf8).write(to: URL(filePath: directory + "/c/ledger.db"))
        let answer = try merge("--output", "jsonl")
        #expect(answer.code == 1 && answer.output.split(separator: "\n").count == 2)
        #expect(answer.errors.contains("/c/ledger.db"))
        let empty = nodes[1].directory + "/nothing"
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        let none = try SampleNode.run(["merge", empty])
        #expect(none.code == 1 && none.errors.contains("copy ledgers there"))
        #expect(try SampleNode.run(["merge"]).code == 64)
    }

    @Test(
        "what retention dropped is taken from an older copy, and where none has it that is said, with its time"
    )
    func dropped() throws {
        let node = try SampleNode(policy: "apiVersion: holdfast/v1\nledger: {keep: 1d}\n")
        let clock = try ShiftedClock(in: node.directory)
        func check(_ version: String, days: Int) throws {
            try node.install(version)
            #expect(try node.holdfast("check", by: clock, days: days).code == 0)
        }
        for version in ["v1.31.4+k3s1", "v1.31.5+k3s1"] { try check(version, days: 0) }
        try copy(node, as: "early")
        try check("v1.32.1+k3s1", days: 0)
        try check("v1.32.1+k3s1", days: 3)
        try copy(node, as: "late")
        let (early, late) = (directory + "/early", directory + "/late")
        func versions(_ answer: SampleNode.Answer) throws -> [String?] {
            let rows = try answer.json([Row].self)
            #expect(rows.allSatisfy { $0.proof == "verified" })
            return rows.map(\.to)
        }
        let alone = try merge(late, "--output", "json")
        #expect(alone.code == 0)
        #expect(try versions(alone) == ["v1.32.1+k3s1"])
        #expect(
            alone.errors.contains("1 decision from ") && alone.errors.contains("no copy here still has it"))
        let both = try merge(late, early, "--output", "json")
        #expect(both.code == 0)
        #expect(try versions(both) == ["v1.31.5+k3s1", "v1.32.1+k3s1"])
        #expect(both.errors.contains("1 decision that retention dropped in it is from older copies"))
        #expect(!both.errors.contains("no copy here"))
        let page = try merge(late, early, "--output", "html").output
        #expect(page.contains("2 decisions: 2 held.") && page.contains("is from older copies"))
        #expect(try merge(late, "--output", "html").output.contains("no copy here still has it"))
    }

    @Test("what was written after a ledger was checked is not listed as if it had been")
    func grown() throws {
        let ledgers = MergeLedgers.check([nodes[0].state + "/ledger.db"], on: Screen(environment: [:]))
        try nodes[0].install("v1.33.0+k3s1")
        #expect(try nodes[0].holdfast("check").code == 0)
        var rows: [Int64] = []
        try mergeDecisions(ledgers, HistoryFilter()) { label, row in
            #expect(label.proof == .verified)
            rows.append(row.seq)
        }
        let head = try #require(ledgers.first?.report?.headSeq)
        #expect(rows.count == 1 && rows.allSatisfy { $0 <= head })
        #expect(try merge(nodes[0].state, "--output", "json").json([Row].self).count == 2)
    }

    @Test("the report has each node's windows, overrides and hold debt by its ledger, or says why not")
    func contexts() throws {
        let policy = """
            apiVersion: holdfast/v1
            windows: [{days: [mon, tue, wed, thu, fri, sat, sun], start: "00:00", duration: 24h}]
            overrides: [{rule: release-age, reason: agreed with the bank, until: 2099-01-01}]
            """
        let node = try SampleNode.decided(policy: policy)
        try copy(node, as: "c")
        let other = try SampleNode()
        _ = try other.holdfast("check")
        try copy(other, as: "d")
        let page = try merge(directory + "/c", directory + "/d", "--output", "html")
        #expect(page.code == 0)
        for part in [
            "agreed with the bank", "id=\"debt\"", "Windows", "are as of this ledger&#39;s newest entry, 20",
            "and this ledger holds none",
        ] { #expect(page.output.contains(part), "missing: \(part)") }
        // Of one node alone, not of all.
        #expect(page.output.ranges(of: "agreed with the bank").count == 1)
    }
}
