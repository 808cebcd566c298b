import Agent
import Model
import Ports
import Rollout
import Testing

/// Three servers of one cluster keep its quorum while they are upgraded (rollout.md, "Who may move next").
@Suite("A rollout over the servers of one cluster")
struct ControlPlaneRolloutTests {
    private func fleet() throws -> FleetOfNodes {
        let fleet = FleetOfNodes(["canary-1", "server-2", "server-3"], isOneCluster: true)
        try fleet.begin(patch)
        return fleet
    }

    @Test("goes from one to the next, and comes to its end")
    func done() throws {
        let fleet = try fleet()
        fleet.play()
        #expect(fleet.state == .done)
        #expect(fleet.nodes.allSatisfy { $0.runs(patch) && $0.starts == 1 })
    }

    @Test("stands while one of them is down, and goes on when that is back (invariant 2)")
    func oneIsDown() throws {
        let fleet = try fleet()
        let canary = try fleet.node("canary-1")
        for _ in 0..<20 where !canary.runs(patch) {
            canary.tick(asksFleet: true)
            canary.step()
        }
        fleet.off = ["server-3"]
        for _ in 0..<30 { fleet.round() }
        let next = try fleet.node("server-2")
        #expect(canary.runs(patch) && next.onDisk == old.sha256 && next.starts == 0)
        #expect(next.state.step == nil && fleet.state == .running)
        #expect(next.memory.fleet?.waits["k3s"]?.contains("server-3") == true)
        fleet.off = []
        // It is noticed by the next looks, and not within the hour alone.
        for _ in 0..<6 { fleet.round() }
        #expect(next.runs(patch))
        fleet.play()
        #expect(fleet.state == .done)
    }

    @Test("does not begin on a node that had its turn when another went down (invariant 2)")
    func goesDownAfterTheGrant() throws {
        let fleet = try fleet()
        let canary = try fleet.node("canary-1")
        for _ in 0..<20 where canary.state.seat(of: .k3s).phase != .stepping { canary.tick(asksFleet: true) }
        #expect(canary.state.seat(of: .k3s).phase == .stepping && canary.state.step == nil)
        fleet.off = ["server-3"]
        canary.step()
        #expect(canary.onDisk == old.sha256 && canary.starts == 0 && canary.state.step == nil)
        fleet.off = []
        fleet.play()
        #expect(fleet.state == .done)
    }
}
