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

    private func approval(_ artifact: Artifact, at now: Instant, spentBy: [String] = []) throws -> Approval {
        Approval(
            id: "a1", distribution: .k3s, version: artifact.version,
            digests: ["amd64": try #require(artifact.sha256)], revision: nil, from: [],
            scope: .rollout("r1"), approvedAt: now, expires: now + .days(9), waives: [], reason: "",
            claimedBy: "a person", spentBy: spentBy)
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

    // MARK: A store that went back in time

    @Test("invariant 2: what has its turn in a store that went back in time does not begin by it")
    func beginsNothingByAnOldStore() throws {
        let (fleet, canary) = try kept()
        let snapshot = fleet.store.snapshot()
        try change(fleet) { try $0.pausing(reason: "a person") }
        canary.tick(asksFleet: true)
        fleet.store.restore(snapshot)
        canary.health = nil
        for _ in 0..<4 { fleet.round() }
        #expect(canary.onDisk == old.sha256 && canary.state.step == nil)
        #expect(canary.memory.fleet?.waits["k3s"]?.contains("went back in time") == true)
        try change(fleet) {
            try $0.resuming(highest: canary.state.seat(of: .k3s).highest, now: canary.clock.now)
        }
        fleet.play()
        #expect(fleet.state == .done && canary.starts == 1)
    }

    @Test("invariant 2: a step that is open and has changed nothing waits while the store went back in time")
    func holdsWhatIsOpen() throws {
        var found: (fleet: FleetOfNodes, canary: World, before: SimulatedStore.Content)?
        for fuse in 1...200 where found == nil {
            let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .minutes(10))
            let canary = try fleet.node("canary-1")
            try fleet.begin(patch)
            let before = fleet.store.snapshot()
            canary.tick(asksFleet: true)
            canary.guards.fuse = fuse
            canary.step()
            canary.guards.fuse = nil
            canary.ledger.restart()
            if canary.state.step?.hasBegun == false { found = (fleet, canary, before) }
        }
        let (fleet, canary, before) = try #require(found)
        fleet.store.restore(before)
        for _ in 0..<4 { fleet.round() }
        #expect(canary.state.step?.hasBegun == false && canary.onDisk == old.sha256)
        try change(fleet) {
            try $0.resuming(highest: canary.state.seat(of: .k3s).highest, now: canary.clock.now)
        }
        fleet.play(rounds: 90)
        #expect(fleet.state == .done && canary.starts == 1)
    }

    @Test("a deadline that is over in a store that went back in time changes nothing there")
    func deadlineOfAnOldStore() throws {
        let (fleet, canary) = try kept()
        let snapshot = fleet.store.snapshot()
        try change(fleet) { try $0.pausing(reason: "a person") }
        canary.tick(asksFleet: true)
        fleet.store.restore(snapshot)
        canary.pass(.days(40))
        canary.tick(asksFleet: true)
        #expect(fleet.state == .running)
        let stored = try #require(fleet.store.rollouts[.k3s]?.value)
        // Where it has seen nothing newer it does pause it.
        try change(fleet) {
            try $0.resuming(highest: canary.state.seat(of: .k3s).highest, now: canary.clock.now)
        }
        canary.pass(.days(40))
        canary.tick(asksFleet: true)
        #expect(fleet.state == .paused && stored.state == .running)
    }

    @Test("a quarantine that a restored store has lost is given back, unless a person has cleared it")
    func quarantineIsGivenBack() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"])
        for node in fleet.nodes { node.broken = [patch.sha256 ?? .none] }
        let snapshot = fleet.store.snapshot()
        try fleet.begin(patch)
        fleet.play()
        #expect(fleet.state == .halted)
        let failed = try #require(fleet.store.quarantined.first)
        fleet.store.restore(snapshot)
        #expect(fleet.store.quarantined == [])
        for _ in 0..<14 { fleet.round() }
        #expect(fleet.store.quarantined.map(\.bytes) == [patch.bytes])
        #expect(fleet.store.quarantined.map(\.reason) == [failed.reason])
        let word = FleetQuarantine.Clearing(at: failed.at, claimedBy: "ada", reason: "the disk")
        #expect(try person(fleet).clear(failed, word))
        for _ in 0..<14 { fleet.round() }
        #expect(fleet.store.quarantined == [])
    }

    // MARK: Clones

    @Test("two copies of one running machine both find out, hold, and go on once a person has said who it is")
    func clone() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1", "edge-1"])
        let (first, second) = (fleet.nodes[1], fleet.nodes[2])
        #expect(first.clock.bootID == second.clock.bootID)
        for _ in 0..<3 {
            for node in [first, second] {
                node.pass(.hours(2))
                node.tick(asksFleet: true)
                node.tick(asksFleet: true)
            }
        }
        for node in [first, second] {
            #expect(node.state.problems.contains { $0.code == "fleet-stranger" })
        }
        // The second one becomes another machine, and the first one is adopted anew.
        first.tick(request: .adopt)
        for _ in 0..<3 {
            first.pass(.hours(2))
            first.tick(asksFleet: true)
        }
        #expect(!first.state.problems.contains { $0.code == "fleet-stranger" })
    }

    // MARK: The own record

    @Test("a node's own record says that it runs the artifact before its proof counts")
    func recordFirst() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"])
        try fleet.begin(patch)
        var told: [String: NodeRecord.Part] = [:]
        fleet.store.onWrite = { [unowned fleet] document in
            for track in document.tracks where track.stages.contains(where: { $0.provenCount > 0 }) {
                for record in fleet.store.records.values.map(\.value) where record.cluster == track.cluster {
                    if told[record.name] == nil { told[record.name] = record.parts.first }
                }
            }
        }
        fleet.play()
        #expect(fleet.state == .done && told.count == 2)
        for part in told.values {
            #expect(part.bytes == patch.bytes && part.running == patch.version && part.phase == "proving")
        }
    }

    // MARK: Approvals

    @Test("invariant 6: an approval is used up by a machine, not by all that are called as it is")
    func spentByMachine() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"]) { $0.gates = [] }
        try fleet.begin(minor)
        let canary = try fleet.node("canary-1")
        try person(fleet).share(try approval(minor, at: canary.clock.now))
        try person(fleet).spend("a1", on: "canary-1")
        fleet.play()
        #expect(fleet.state == .done)
        // The store is told of it when it is asked next, within the hour.
        for _ in 0..<14 { fleet.round() }
        let shared = try #require(try person(fleet).approvals().first)
        #expect(Set(shared.spentBy) == ["canary-1", "id-canary-1", "id-edge-1"])
        #expect(canary.state.approvals(inForceOn: "renamed", at: canary.clock.now) == [])
    }

    @Test("invariant 6: a step that is left after its bytes ran has used its approval up")
    func leftAfterStart() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .hours(2)) { $0.gates = [] }
        try fleet.begin(minor)
        let canary = try fleet.node("canary-1")
        try person(fleet).share(try approval(minor, at: canary.clock.now))
        for _ in 0..<6 where canary.state.step?.phase != .soaking { fleet.round() }
        #expect(canary.runs(minor) && canary.state.step?.approvals == ["a1"])
        canary.record(.released(canary.installation.id))
        canary.step()
        #expect(canary.chain.suffix(2) == ["spent", "abandoned"])
        #expect(canary.state.approvals.first?.isSpent(on: "canary-1") == true)
    }

    @Test("invariant 6: by an approval that was taken back nothing begins in the very look that finds it")
    func takenBack() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"]) { $0.gates = [] }
        let canary = try fleet.node("canary-1")
        let given = try approval(minor, at: canary.clock.now)
        canary.record(.approved(given))
        try person(fleet).share(given)
        try person(fleet).spend("a1", on: everyNode)
        try fleet.begin(minor)
        canary.tick(asksFleet: true)
        #expect(canary.state.approvals == [] && canary.state.seat(of: .k3s).phase == .idle)
        #expect(granted(fleet) == [])
    }

    // MARK: What waiting costs

    /// The operations of a node over an hour of looks.
    private func hour(of node: World, _ fleet: FleetOfNodes) -> Int {
        let before = fleet.store.operations
        for _ in 0..<12 {
            node.pass(.minutes(5))
            node.tick()
        }
        return fleet.store.operations - before
    }

    /// Two a look, and the record once an hour.
    private static let budget = 12 * 2 + 2

    @Test("a node that waits for a person, or for the others, makes two operations a look on the whole")
    func waitingOperations() throws {
        let waiting = FleetOfNodes(["canary-1", "edge-1"]) { $0.gates = [] }
        try waiting.begin(minor)
        for _ in 0..<3 { waiting.round() }
        let person = hour(of: try waiting.node("canary-1"), waiting)
        let one = FleetOfNodes(["canary-1", "server-2", "server-3"], isOneCluster: true)
        one.off = ["server-3"]
        try one.begin(patch)
        for _ in 0..<3 { one.round() }
        let canary = try one.node("canary-1")
        #expect(canary.onDisk == old.sha256)
        let others = hour(of: canary, one)
        let (kept, unwell) = try kept()
        try change(kept) { try $0.pausing(reason: "a person") }
        unwell.tick(asksFleet: true)
        let turn = hour(of: unwell, kept)
        #expect(person <= Self.budget && others <= Self.budget && turn <= Self.budget)
        // It is no slower where it matters: what it waits for comes, and it goes on at the next look.
        one.off = []
        canary.pass(.minutes(5))
        canary.tick()
        canary.step()
        #expect(canary.onDisk == patch.sha256)
    }

    @Test("a node whose policy is another makes one read a look")
    func otherPolicyOperations() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"])
        let canary = try fleet.node("canary-1")
        guard case .valid(var loaded) = canary.policy else { return }
        loaded.sha256 = Digest(String(repeating: "9", count: 64)) ?? .none
        canary.policy = .valid(loaded)
        try fleet.begin(patch)
        fleet.round()
        let before = fleet.store.operations
        for _ in 0..<6 {
            canary.pass(.minutes(5))
            canary.tick()
        }
        #expect(fleet.store.operations - before <= 6 + 2)
        #expect(canary.memory.fleet?.waits["k3s"] == Refusal.otherPolicy.text)
    }
}
