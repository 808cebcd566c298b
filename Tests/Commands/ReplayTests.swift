import Ledger
import Model
import Testing

@testable import Commands

/// What `replay --output json` prints, as a script would read it.
private struct ReplayAnswer: Decodable {
    struct Difference: Decodable {
        let what: String
        let stored: String
        let made: String
    }
    struct Decision: Decodable {
        let seq: Int
        let id: String?
        let outcome: String
        let differences: [Difference]
    }
    let sameBytes: Int
    let sameResults: Int
    let different: Int
    let dropped: Int
    let unreadable: Int
    let decisions: [Decision]
    let digest: String
    let processes: [String]
}

@Suite("replay, on a node root (invariant 5)")
struct ReplayCommandTests {
    private func replay(_ node: SampleNode, _ words: String...) throws -> SampleNode.Answer {
        try SampleNode.run(["replay", "--state", node.state] + words)
    }

    private func ids(_ node: SampleNode) throws -> [String] {
        struct Row: Decodable { let decision: String }
        return try SampleNode.run(["history", "--state", node.state, "--output", "json"])
            .json([Row].self).map(\.decision)
    }

    @Test("one decision gives the same bytes here and in three other processes")
    func one() throws {
        let node = try SampleNode.decided()
        let id = try #require(ids(node).last)
        let answer = try replay(node, id, "--output", "json")
        #expect(answer.code == 0, "\(answer.errors)")
        let report = try answer.json(ReplayAnswer.self)
        #expect(report.sameBytes == 1 && report.decisions.map(\.outcome) == ["same-bytes"])
        #expect(report.processes.count == 3 && Set(report.processes) == [report.digest])
        // What those processes print, printed by one more.
        let through = try #require(report.decisions.first).seq
        #expect(try replay(node, id, "--digest", "--through", "\(through)").output == report.digest + "\n")
        let text = try replay(node, String(id.prefix(4))).output
        #expect(text.contains("Proven") && text.contains("3 other processes gave the same bytes"))
    }

    @Test("all decisions do, since a time and whatever is recorded meanwhile")
    func all() throws {
        let node = try SampleNode.decided()
        let count = try ids(node).count
        let report = try replay(node, "--all", "--output", "json").json(ReplayAnswer.self)
        #expect(report.sameBytes == count && count >= 2)
        #expect(report.decisions.isEmpty && report.processes == [report.digest])
        let none = try replay(node, "--all", "--until", "1h", "--processes", "0", "--output", "json")
        #expect(none.code == 0)
        #expect(try none.json(ReplayAnswer.self).sameBytes == 0)
    }

    @Test("a verdict that was changed in the file is named, with the rule, and exits with 1")
    func planted() throws {
        let node = try SampleNode.decided()
        let id = try #require(ids(node).last)
        let edit = """
            DROP TRIGGER body_stays; UPDATE body
            SET content = replace(content, '"result":"unmet","rule":"ceiling"', '"result":"met","rule":"ceiling"')
            WHERE seq = (SELECT max(seq) FROM decision)
            """
        #expect(try SampleNode.edit(node.state, edit) == 0)
        let answer = try replay(node, id, "--output", "json")
        #expect(answer.code == 1)
        let decision = try #require(answer.json(ReplayAnswer.self).decisions.first)
        #expect(decision.outcome == "different")
        let difference = try #require(decision.differences.first { $0.what == "ceiling" })
        #expect(difference.stored.hasPrefix("met (") && difference.made.hasPrefix("unmet ("))
        let text = try replay(node, id).output
        #expect(
            text.contains("was met (") && text.contains("comes out as unmet (") && text.contains("Not proven")
        )
        // Among all it is the one that is listed.
        let all = try replay(node, "--all", "--output", "json")
        #expect(all.code == 1)
        #expect(try all.json(ReplayAnswer.self).decisions.map(\.id) == [id])
    }

    @Test(
        "other rules' decisions need the same results alone, and a difference is named without being a failure"
    )
    func otherRules() throws {
        let node = try SampleNode.decided()
        let edit = """
            DROP TRIGGER body_stays; UPDATE body SET content = replace(content, '"rules":"3"', '"rules":"0"');
            """
        #expect(try SampleNode.edit(node.state, edit) == 0)
        let same = try replay(node, "--all", "--output", "json")
        #expect(same.code == 0)
        #expect(try same.json(ReplayAnswer.self).sameResults >= 2)
        let more =
            "UPDATE body SET content = replace(content, '\"verdict\":\"hold\"', '\"verdict\":\"deny\"')"
        #expect(try SampleNode.edit(node.state, more) == 0)
        let other = try replay(node, "--all", "--output", "json")
        #expect(other.code == 0)
        let report = try other.json(ReplayAnswer.self)
        #expect(report.different >= 1 && report.decisions[0].differences.map(\.what) == ["verdict"])
        #expect(try replay(node, "--all").output.contains("made by other rules, come out otherwise"))
    }

    @Test(
        "what was dropped is counted, and says what to do where it was asked for; what cannot be read fails")
    func dropped() throws {
        let node = try SampleNode.decided()
        let id = try #require(ids(node).last)
        let last = "(SELECT max(seq) FROM decision)"
        #expect(
            try SampleNode.edit(node.state, "DROP TRIGGER body_is_kept; DELETE FROM body WHERE seq = \(last)")
                == 0)
        let all = try replay(node, "--all", "--output", "json")
        #expect(all.code == 0)
        #expect(try all.json(ReplayAnswer.self).dropped == 1)
        let one = try replay(node, id)
        #expect(one.code == 1)
        #expect(one.output.contains("ledger.keep") && one.output.contains("--state"))
        let edit =
            "DROP TRIGGER body_stays; UPDATE body SET content = '{}' WHERE seq = (SELECT min(seq) FROM decision)"
        #expect(try SampleNode.edit(node.state, edit) == 0)
        let unreadable = try replay(node, "--all", "--output", "json")
        #expect(unreadable.code == 1)
        #expect(try unreadable.json(ReplayAnswer.self).unreadable == 1)
    }

    @Test("what retention drops while other processes read is dropped for all, and no difference")
    func droppedMeanwhile() throws {
        let node = try SampleNode(policy: "apiVersion: holdfast/v1\nledger: {keep: 1d}\n")
        let clock = try ShiftedClock(in: node.directory)
        for version in ["v1.31.4+k3s1", "v1.31.5+k3s1", "v1.32.1+k3s1"] {
            try node.install(version)
            _ = try node.holdfast("check", by: clock, days: 0)
        }
        let ledger = try Ledger.openForReading(stateDirectory: node.state)
        var filter = DecisionFilter()
        filter.through = try ledger.head().sequence
        var asked = 0
        let (proof, others) = try compared(filter, ledger, processes: 1) {
            asked += 1
            if asked == 1 { #expect(try node.holdfast("check", by: clock, days: 3).code == 0) }
            let answer = try replay(node, "--all", "--digest", "--through", "\(filter.through ?? 0)")
            return String(answer.output.dropLast())
        }
        #expect(asked == 2)
        #expect(others == [proof.result.hex])
        #expect((proof.counts["dropped"] ?? 0) >= 1)
        #expect(try ledger.newestRetention() != nil)
    }

    @Test("a word that names none, none at all, and a number that is none are refused")
    func refused() throws {
        let node = try SampleNode.decided()
        let unknown = try replay(node, "nosuch")
        #expect(unknown.code == 1 && unknown.errors.contains("there is no decision nosuch"))
        #expect(try replay(node).code == 64)
        #expect(try replay(node, "x", "--all").code == 64)
        #expect(try replay(node, "--all", "--processes", "many").code == 64)
    }

    @Test("a process that gives other bytes is no proof")
    func processes() {
        func report(_ processes: [String]) -> ReplayReport {
            ReplayReport(
                file: "ledger.db", rules: "1", sameBytes: 1, sameResults: 0, different: 0, broken: 0,
                dropped: 0,
                unreadable: 0, decisions: [], hasMore: false, digest: "a", processes: processes)
        }
        #expect(report(["a", "a"]).isProven && report([]).isProven)
        let differing = report(["a", "b", "a"])
        #expect(!differing.isProven)
        let text = ReplayText(report: differing, style: Style(isColoured: false), width: nil).text()
        #expect(text.contains("Processes differ: 1 of 3"))
    }
}
