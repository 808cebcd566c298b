import Agent
import Model
import Ports
import Rollout
import Rules
import Testing

@Suite("What befalls the nodes of a fleet")
struct FleetFaultTests {
    private func person(_ fleet: FleetOfNodes) -> SimulatedFleetPort { SimulatedFleetPort(fleet.store) }

    private func change(
        _ fleet: FleetOfNodes, _ transition: (RolloutDocument) throws -> RolloutDocument
    ) throws {
        let stored = try #require(fleet.store.rollouts[.k3s])
        _ = try person(fleet).put(try transition(stored.value), over: stored)
    }

    private func granted(_ fleet: FleetOfNodes) -> [Grant] {
        fleet.store.rollouts[.k3s]?.value.tracks.flatMap(\.stages).flatMap(\.granted) ?? []
    }

    /// A fleet whose canary has its turn and does not begin, since it is not known to be well.
    private func kept() throws -> (fleet: FleetOfNodes, canary: World) {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .minutes(10))
        let canary = try fleet.node("canary-1")
        canary.health = .unknown("nobody answers")
        try fleet.begin(patch)
        fleet.round()
        #expect(canary.state.seat(of: .k3s).phase == .stepping && canary.state.step == nil)
        #expect(granted(fleet).map(\.node) == ["id-canary-1"])
        return (fleet, canary)
    }

    // MARK: Another stage

    @Test("a node that no stage takes in any longer gives its turn back, and says why it has none")
    func leavesItsStage() throws {
        let (fleet, canary) = try kept()
        guard case .valid(var loaded) = canary.policy else { return }
        for index in loaded.document.stages.indices { loaded.document.stages[index].nodes = ["nobody"] }
        canary.policy = .valid(loaded)
        canary.tick(asksFleet: true)
        canary.tick(asksFleet: true)
        #expect(granted(fleet) == [])
        #expect(canary.state.seat(of: .k3s).phase == .idle)
        #expect(canary.memory.fleet?.waits["k3s"] == Refusal.noStage.text)
    }

    @Test("a node that comes to another cluster while it soaks proves for the stage that gave it its turn")
    func movesInItsSoak() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .hours(1))
        try fleet.begin(patch)
        for _ in 0..<3 { fleet.round() }
        let canary = try fleet.node("canary-1")
        #expect(canary.state.step?.phase == .soaking)
        canary.clusterName = "elsewhere"
        fleet.play()
        #expect(fleet.state == .done)
        #expect(fleet.nodes.allSatisfy { $0.runs(patch) && $0.starts == 1 })
    }
}
