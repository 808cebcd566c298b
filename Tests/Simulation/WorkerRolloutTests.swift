import Agent
import Model
import Rollout
import Testing

@Suite("A rollout over a server and an agent of its cluster")
struct WorkerRolloutTests {
    private func fleet() throws -> FleetOfNodes {
        let fleet = FleetOfNodes(["canary-1", "edge-1"])
        let agent = try fleet.node("edge-1")
        agent.clusterName = try fleet.node("canary-1").clusterName
        agent.installations[0].role = .agent
        agent.installations[0].dataStore = .none
        // It tells of itself, and learns what its server runs.
        for node in fleet.nodes { node.tick(asksFleet: true) }
        try fleet.begin(patch)
        return fleet
    }

    @Test("the agent begins when its server has proven it, whatever it knew of the server before")
    func serverFirst() throws {
        let fleet = try fleet()
        let (server, agent) = (try fleet.node("canary-1"), try fleet.node("edge-1"))
        agent.tick(asksFleet: true)
        #expect(agent.onDisk == old.sha256)
        // Far less than the hour for which others are known.
        for _ in 0..<6 where fleet.state == .running {
            fleet.round()
            #expect(agent.onDisk == old.sha256 || server.runs(patch))
        }
        #expect(fleet.state == .done)
        #expect(fleet.nodes.allSatisfy { $0.runs(patch) && $0.starts == 1 })
    }
}
