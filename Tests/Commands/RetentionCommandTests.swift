import FoundationEssentials
import Testing

@Suite("ledger.keep, on a node root (invariant 8)")
struct RetentionCommandTests {
    private struct Report: Decodable {
        struct Finding: Decodable { let text: String }
        let entries: Int64
        let droppedBodies: Int64
        let retention: Int64?
        let findings: [Finding]
    }

    private func verify(_ node: SampleNode) throws -> Report {
        try SampleNode.run(["verify", "--state", node.state, "--output", "json"]).json(Report.self)
    }

    @Test("ticks drop what is older once a day by an entry that says so, and the chain verifies")
    func drops() throws {
        let node = try SampleNode(policy: "apiVersion: holdfast/v1\nledger: {keep: 2d}\n")
        let clock = try ShiftedClock(in: node.directory)
        func check(days: Int) throws { #expect(try node.holdfast("check", by: clock, days: days).code == 0) }
        for version in ["v1.31.4+k3s1", "v1.31.5+k3s1", "v1.32.1+k3s1"] {
            try node.install(version)
            try check(days: 0)
        }
        try check(days: 1)
        let before = try verify(node)
        #expect(before.findings.isEmpty && before.retention == nil && before.droppedBodies == 0)
        try check(days: 4)
        let after = try verify(node)
        #expect(after.findings.map(\.text) == [])
        #expect(after.retention != nil && after.droppedBodies > 0 && after.entries > before.entries)
        // The decision that stands can still be explained; the one before it is said to be gone.
        let listed = try node.holdfast("explain", by: clock, days: 4)
        #expect(listed.code == 0 && listed.output.contains("v1.32.1+k3s1"))
        let history = try SampleNode.run(["history", "--state", node.state, "--output", "csv"])
        #expect(history.output.contains("v1.32.1+k3s1") && !history.output.contains("v1.31.5+k3s1"))
        #expect(history.errors.contains("retention dropped what they held"))
        try check(days: 5)
        #expect(try verify(node).findings.map(\.text) == [])
    }
}
