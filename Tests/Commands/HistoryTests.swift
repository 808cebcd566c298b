import FoundationEssentials
import Host
import Model
import Testing

private let withGate = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  gate: restore\n"

extension SampleNode {
    /// Runs `history` on the node's own ledger.
    fileprivate func history(_ words: String...) throws -> Answer {
        try Self.run(["history", "--root", root] + words)
    }

    /// Adopted, replaced at night, and put back before it started.
    fileprivate static func putBack() throws -> SampleNode {
        let node = try SampleNode(policy: withGate)
        #expect(try node.inPlace("adopt").code == 0)
        // What runs is approved: the gate notes it.
        #expect(try node.start() == 0)
        try node.install("v1.32.1+k3s1")
        #expect(try node.inPlace("check").code == 0)
        #expect(try node.start() == 0)
        #expect(try node.inPlace("check").code == 0)
        return node
    }
}

@Suite("holdfast history")
struct HistoryCommandTests {
    private struct CloudEvent: Decodable {
        struct Row: Decodable { var seq: Int64 }
        var id: String
        var source: String
        var specversion: String
        var type: String
        var data: Row
    }

    @Test("writes CloudEvents by the ledger's name, one a line")
    func cloudEvents() throws {
        let node = try SampleNode.putBack()
        let lines = try node.history("--output", "cloudevents").output.split(separator: "\n")
        let events = try lines.map { try JSONDecoder().decode(CloudEvent.self, from: Data($0.utf8)) }
        #expect(events.count >= 2)
        struct Verified: Decodable { var origin: String }
        let origin = try SampleNode.run(["verify", "--root", node.root, "-o", "json"]).json(Verified.self)
            .origin
        #expect(events.map(\.id) == events.map { "\(origin)-\($0.data.seq)" })
        #expect(Set(events.map(\.source)).count == 1)
        #expect(events.allSatisfy { $0.specversion == "1.0" && $0.type == "dev.holdfast.decision.hold" })
    }

    @Test("lists what its filters let through: node and rollout too")
    func filters() throws {
        let node = try SampleNode.putBack()
        func count(_ words: String...) throws -> Int {
            let answer = try SampleNode.run(["history", "--root", node.root, "-o", "jsonl"] + words)
            #expect(answer.code == 0)
            return answer.output.split(separator: "\n").count
        }
        let all = try count()
        #expect(all >= 2)
        #expect(try count("--node", "sample") == all)
        #expect(try count("--node", "another") == 0)
        #expect(try count("--rollout", "r-1") == 0)
        #expect(try count("--verdict", "deny") == 0)
        #expect(try node.history("--output", "markdown").output.split(separator: "\n").count == all + 2)
    }

    @Test("writes one page that has what happened, and records nothing")
    func page() throws {
        let node = try SampleNode.putBack()
        #expect(try node.inPlace("pause", "--for", "2h", "--reason", "</script><b>disks").code == 0)
        let before = try SampleNode.run(["verify", "--root", node.root, "-o", "json"]).output
        let answer = try node.history("--output", "html")
        #expect(answer.code == 0 && answer.errors == "")
        let page = answer.output
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n"))
        #expect(page.contains("<title>Holdfast report: sample</title>"))
        #expect(page.contains("held v1.32.1+k3s1"))
        #expect(page.contains("v1.31.4+k3s1 (sha256"))
        #expect(page.contains("put-back"))
        #expect(
            page.contains("Every guard is lifted until") && page.contains("&lt;/script&gt;&lt;b&gt;disks"))
        #expect(page.ranges(of: "<script").count == 2)
        #expect(try SampleNode.run(["verify", "--root", node.root, "-o", "json"]).output == before)
        // A filter is of the decisions' table alone, and is said.
        let filtered = try node.history("--output", "html", "--verdict", "deny").output
        #expect(filtered.contains("Only decisions that fit: verdict deny."))
        #expect(filtered.contains("No decision is recorded that fits.") && filtered.contains("put-back"))
    }

    private struct Absence: Decodable {
        struct Violation: Decodable { var reason: String }
        struct Gap: Decodable {
            var kind: String
            var text: String
        }
        var answer: String
        var violations: [Violation]
        var gaps: [Gap]
    }

    private func absence(_ node: SampleNode) throws -> (Absence, Int32) {
        let answer = try node.history("--absence", "k3s.service", "--output", "json")
        return (try answer.json(Absence.self), answer.code)
    }

    @Test("proves no absence below a root, where nobody was asked what runs, and says that")
    func notProven() throws {
        let (answer, code) = try absence(try SampleNode.putBack())
        #expect(answer.answer == "not-proven" && code == 1)
        #expect(answer.gaps.contains { $0.text.contains("systemd was not asked") })
        #expect(answer.violations.isEmpty)
    }

    @Test("finds a start that the gate let through")
    func violated() throws {
        let node = try SampleNode(policy: withGate.replacing("restore", with: "warn"))
        #expect(try node.inPlace("adopt").code == 0)
        try node.install("v1.32.1+k3s1")
        #expect(try node.start() == 0)
        #expect(try node.inPlace("check").code == 0)
        let (answer, code) = try absence(node)
        #expect(answer.answer == "violated" && code == 1)
        #expect(answer.violations.map(\.reason) == ["warned"])
        let text = try node.history("--absence", "k3s")
        #expect(text.code == 1 && text.output.hasPrefix("Violated: "))
    }

    @Test("says what it cannot answer")
    func refused() throws {
        let node = try SampleNode.putBack()
        let unknown = try node.history("--absence", "k0scontroller.service")
        #expect(unknown.code == 1 && unknown.errors.contains("there is k3s"))
        #expect(try node.history("--absence", "k3s", "--output", "html").code == 64)
        #expect(
            try node.history("--output", "html", "--since", "2026-01-02", "--until", "2026-01-01").code == 64)
        let none = try SampleNode()
        #expect(try none.history("--output", "html").errors.contains("there is no ledger yet"))
    }
}
