import Model
import Testing

/// An upgrade of the three servers of one K3s cluster, each with a member of its etcd.
///
/// Each stand-in's API answers for the Nodes of all three by what it last heard from them. There is no etcd among them, so
/// that a cluster that has lost its quorum stops is not shown here; that none is brought so far is.
@Suite(
    "a rollout over the servers of one cluster", .serialized, .enabled(if: Lab.obstacle == nil, Lab.skipped),
    .cluster)
struct ControlPlaneLabTests {
    @Test(
        "while one of three is down no other is restarted, a person reads why, and it goes on when it is back (invariant 2)"
    )
    func oneIsDown() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin(soak: "1s")
        try await fleet.upgrade(to: .good, on: fleet.west)
        try await fleet.tick([fleet.canary])
        try await fleet.waitForCanary()
        let before = try await fleet.west.start()
        try await fleet.east.lab("kill")

        for _ in 0..<3 {
            try await fleet.west.run("holdfast check --fleet; systemctl start holdfast; sleep 1")
        }
        try await fleet.west.expectUntouched()
        #expect(try await fleet.west.start() == before)
        let status = try await fleet.west.ask("holdfast", "status", "--output", "json").json(NodeAnswer.self)
        let change = try status.installation("k3s").change()
        #expect(change.open == ["quorum"], "\(change.decision.reasons)")
        for words in ["holdfast explain \(change.id)", "holdfast rollout status"] {
            let text = try await fleet.west.run(words)
            // A terminal's lines are short.
            #expect(text.filter { !$0.isWhitespace }.contains(fleet.title(fleet.east)), "\(words): \(text)")
        }

        try await fleet.east.lab("boot")
        try await fleet.tick()
        try await fleet.wait(until: .done)
        for node in fleet.nodes {
            try await node.expectRunning(FleetRelease.version)
            #expect(try await node.told(.stepBegan).count == 1)
            #expect(try await node.ask("holdfast", "verify").code == 0)
        }
    }
}

extension LabNode {
    /// The start of K3s that runs now.
    fileprivate func start() async throws -> String {
        try await run("systemctl show -P InvocationID k3s")
    }
}
