import Agent
import Model
import Ports
import Rollout
import Rules
import Testing

@Suite("A fleet's rollouts")
struct FleetTests {
    @Test("invariant 4: the canary runs it first, for its whole soak, and then the others, two at a time")
    func canaryFirst() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1", "edge-2", "edge-3"], soak: .minutes(30))
        try fleet.begin(patch)
        var order: [String] = []
        for _ in 0..<60 where fleet.state == .running {
            fleet.round()
            for node in fleet.nodes where node.onDisk == patch.sha256 && !order.contains(node.name) {
                order.append(node.name)
                let soaked = fleet.store.rollouts[.k3s]?.value.tracks.contains { track in
                    track.stages.contains { $0.name == "canary" && $0.met }
                }
                #expect(node.name == "canary-1" || soaked == true)
            }
        }
        #expect(fleet.state == .done)
        #expect(order.first == "canary-1" && order.count == 4)
        #expect(fleet.nodes.allSatisfy { $0.runs(patch) })
        #expect(fleet.store.archived["r1"]?.state == .done)
        // Not one restart more than the upgrade takes.
        #expect(fleet.nodes.allSatisfy { $0.starts == 1 })
    }

    @Test("a release that a checksum file vouches for is verified, though no source lists it")
    func offeredByRolloutAlone() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"]) {
            $0.origin = .verified
            $0.source.releases = "https://mirror.example"
        }
        try fleet.begin(patch)
        fleet.play(rounds: 3)
        #expect(fleet.nodes.allSatisfy { $0.onDisk == old.sha256 })
        for node in fleet.nodes {
            node.ledger.catalog = [
                CatalogEntry(
                    distribution: .k3s, version: try #require(patch.version), architecture: .amd64,
                    sha256: try #require(patch.sha256), file: "sha256sum-amd64.txt",
                    importedAt: node.clock.now)
            ]
            // Whatever else offered it is gone.
            node.installations[0].offers = []
            node.care.source = SimulatedSource(world: node, [])
            node.care.source?.unlisted = [patch]
        }
        fleet.play()
        #expect(fleet.state == .done && fleet.nodes.allSatisfy { $0.runs(patch) })
    }

    @Test("an artifact that fails on the canary is put back, quarantined everywhere, and goes no further")
    func canaryFails() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1", "edge-2"])
        for node in fleet.nodes { node.broken = [patch.sha256 ?? .none] }
        try fleet.begin(patch)
        fleet.play()
        #expect(fleet.state == .halted)
        #expect(fleet.store.quarantined.map(\.bytes) == [patch.bytes])
        #expect(fleet.nodes.allSatisfy { $0.onDisk == old.sha256 })
        #expect(try fleet.node("edge-1").starts == 0)
        for _ in 0..<10 { fleet.round() }
        #expect(fleet.nodes.allSatisfy { $0.onDisk == old.sha256 })
    }

    @Test("an artifact that dies while the canary soaks is put back, and goes no further")
    func canaryDiesInItsSoak() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .hours(2))
        try fleet.begin(patch)
        for _ in 0..<6 { fleet.round() }
        let canary = try fleet.node("canary-1")
        #expect(canary.onDisk == patch.sha256 && fleet.state == .running)
        canary.broken = [patch.sha256 ?? .none]
        fleet.play()
        #expect(fleet.state == .halted)
        #expect(fleet.nodes.allSatisfy { $0.onDisk == old.sha256 })
        #expect(canary.chain.suffix(4).contains("put-back"))
    }

    @Test("a failure is of the bytes that were tried, whatever is rolled out by the time it is told")
    func failureIsToldLate() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .hours(2))
        try fleet.begin(patch)
        for _ in 0..<6 { fleet.round() }
        let canary = try fleet.node("canary-1")
        #expect(canary.runs(patch) && canary.state.step?.phase == .soaking)
        canary.fleet?.isCutOff = true
        canary.broken = [patch.sha256 ?? .none]
        fleet.round()
        #expect(canary.onDisk == old.sha256)
        let stored = try #require(fleet.store.rollouts[.k3s])
        _ = try SimulatedFleetPort(fleet.store).put(try stored.value.aborting(reason: "late"), over: stored)
        let next = Artifact(
            version: Version("v1.31.6+k3s1"), sha256: Digest(String(repeating: "d", count: 64)))
        // What was kept of the first one makes room.
        for node in fleet.nodes { node.installations[0].offers = [] }
        try fleet.begin(next, id: "r2")
        canary.fleet?.isCutOff = false
        fleet.play()
        #expect(fleet.store.quarantined.map(\.bytes) == [patch.bytes])
        #expect(fleet.store.quarantined.map(\.version) == [patch.version])
        #expect(fleet.state == .done)
    }

    @Test("soak is earned by healthy samples alone: a clock that jumps ahead brings it no nearer")
    func soakAndClocks() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .hours(1))
        try fleet.begin(patch)
        for _ in 0..<3 { fleet.round() }
        let canary = try fleet.node("canary-1")
        #expect(canary.onDisk == patch.sha256)
        for node in fleet.nodes { node.clock.now = node.clock.now + .hours(20) }
        for _ in 0..<3 { fleet.round() }
        #expect(try fleet.node("edge-1").onDisk == old.sha256)
        fleet.play()
        #expect(fleet.state == .done)
    }

    @Test("invariant 2: a store that does not answer begins nothing, and finishes what was begun")
    func storeIsAway() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .minutes(30))
        try fleet.begin(patch)
        for node in fleet.nodes { node.fleet?.isCutOff = true }
        for _ in 0..<4 { fleet.round() }
        #expect(fleet.nodes.allSatisfy { $0.onDisk == old.sha256 })
        for node in fleet.nodes { node.fleet?.isCutOff = false }
        fleet.round()
        // In the midst of its step the canary is cut off again: it goes on to the end of its soak.
        let canary = try fleet.node("canary-1")
        #expect(canary.runs(patch) && canary.state.step?.phase == .soaking)
        canary.fleet?.isCutOff = true
        for _ in 0..<12 { fleet.round() }
        #expect(canary.state.step == nil && canary.chain.last == "done")
        #expect(try fleet.node("edge-1").onDisk == old.sha256)
        canary.fleet?.isCutOff = false
        fleet.play()
        #expect(fleet.state == .done)
    }

    @Test("a reply that is lost is no second grant and no lost proof", arguments: [true, false])
    func lostReplies(isDone: Bool) throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"])
        try fleet.begin(patch)
        for _ in 0..<40 where fleet.state == .running {
            for node in fleet.nodes { node.fleet?.loseReply = { isDone } }
            fleet.round()
        }
        #expect(fleet.state == .done)
        #expect(fleet.nodes.allSatisfy { $0.starts == 1 })
    }

    @Test("after an abort nobody begins; who had begun finishes")
    func abort() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .hours(3))
        try fleet.begin(patch)
        for _ in 0..<4 { fleet.round() }
        let stored = try #require(fleet.store.rollouts[.k3s])
        _ = try SimulatedFleetPort(fleet.store).put(
            try stored.value.aborting(reason: "it is bad"), over: stored)
        for _ in 0..<60 { fleet.round() }
        #expect(try fleet.node("edge-1").onDisk == old.sha256)
        #expect(try fleet.node("canary-1").runs(patch))
        #expect(fleet.store.archived["r1"]?.state == .aborted)
    }

    @Test("a node whose policy is another asks for nothing")
    func otherPolicy() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"])
        try fleet.begin(patch)
        let edge = try fleet.node("edge-1")
        guard case .valid(var loaded) = edge.policy else { return }
        loaded.sha256 = Digest(String(repeating: "9", count: 64)) ?? .none
        edge.policy = .valid(loaded)
        for _ in 0..<20 { fleet.round() }
        #expect(fleet.state == .running)
        #expect(edge.onDisk == old.sha256)
        #expect(edge.memory.fleet?.waits["k3s"]?.contains("policy") == true)
    }

    @Test("a store that went back in time holds everything until a person says to go on")
    func storeGoesBack() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .minutes(30))
        let before = try fleet.begin(patch)
        let snapshot = fleet.store.snapshot()
        for _ in 0..<3 { fleet.round() }
        let canary = try fleet.node("canary-1")
        #expect(canary.runs(patch))
        fleet.store.restore(snapshot)
        for _ in 0..<12 { fleet.round() }
        #expect(try fleet.node("edge-1").onDisk == old.sha256)
        #expect(canary.memory.fleet?.waits["k3s"]?.contains("went back in time") == true)
        let stored = try #require(fleet.store.rollouts[.k3s])
        #expect(stored.value.generation == before.generation)
        let highest = canary.state.seat(of: .k3s).highest
        _ = try SimulatedFleetPort(fleet.store).put(
            try stored.value.resuming(highest: highest, now: canary.clock.now), over: stored)
        fleet.play()
        #expect(fleet.state == .done)
        #expect(canary.starts == 1)
    }

    @Test("two machines under one id: whoever was adopted first writes no more, and says so")
    func clone() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"])
        let edge = try fleet.node("edge-1")
        let stored = try #require(fleet.store.records["id-edge-1"])
        var other = stored.value
        other.instance = "another"
        other.at = edge.clock.now + .minutes(1)
        _ = try SimulatedFleetPort(fleet.store).put(other, over: stored)
        edge.pass(.hours(2))
        edge.tick(asksFleet: true)
        edge.tick(asksFleet: true)
        #expect(edge.problems(coded: "fleet-stranger"))
        try fleet.begin(patch)
        for _ in 0..<10 { fleet.round() }
        #expect(edge.onDisk == old.sha256)
        edge.tick(request: .adopt)
        edge.tick(asksFleet: true)
        edge.tick(asksFleet: true)
        #expect(!edge.problems(coded: "fleet-stranger"))
    }

    @Test("a store that went back in time makes nobody a clone of itself, however often it has booted since")
    func storeGoesBackOverBoots() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"])
        let snapshot = fleet.store.snapshot()
        let edge = try fleet.node("edge-1")
        for boot in ["boot-2", "boot-3"] {
            edge.clock.bootID = boot
            edge.clock.monotonic = 1
            edge.pass(.hours(2))
            edge.tick(asksFleet: true)
        }
        fleet.store.restore(snapshot)
        edge.pass(.hours(2))
        edge.tick(asksFleet: true)
        edge.tick(asksFleet: true)
        #expect(!edge.problems(coded: "fleet-stranger"))
        try fleet.begin(patch)
        fleet.play()
        #expect(fleet.state == .done)
    }

    @Test("invariant 6: an approval that is shared counts within a quarter of an hour at a node's turn")
    func sharedApproval() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"]) { $0.gates = [] }
        let canary = try fleet.node("canary-1")
        try fleet.begin(minor)
        for _ in 0..<3 { fleet.round() }
        #expect(canary.memory.fleet?.waits["k3s"]?.contains("needs an approval") == true)
        try SimulatedFleetPort(fleet.store).share(
            Approval(
                id: "a1", distribution: .k3s, version: minor.version,
                digests: ["amd64": try #require(minor.sha256)], revision: nil, from: [],
                scope: .rollout("r1"), approvedAt: canary.clock.now, expires: canary.clock.now + .days(9),
                waives: [], reason: "", claimedBy: "a person", spentBy: []))
        // It looks for one every quarter of an hour.
        canary.pass(.minutes(10))
        canary.tick()
        #expect(canary.state.approvals.map(\.id) == ["a1"])
    }

    @Test(
        "an offered patch that nobody need be asked for begins its own rollout, and goes to the canary first")
    func beginsByItself() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1", "edge-2"], soak: .minutes(10)) {
            $0.origin = .verified
            $0.source.releases = "/srv/releases"
        }
        for node in fleet.nodes { node.care.source = SimulatedSource(world: node, [patch]) }
        var order: [String] = []
        for _ in 0..<40 where fleet.state != .done {
            fleet.round()
            for node in fleet.nodes where node.onDisk == patch.sha256 && !order.contains(node.name) {
                order.append(node.name)
            }
        }
        #expect(fleet.state == .done)
        #expect(order.first == "canary-1" && order.count == 3)
        #expect(fleet.nodes.allSatisfy { $0.starts == 1 })
    }

    @Test("an offered patch whose rollout cannot be planned says why, until it can be")
    func cannotBegin() throws {
        let fleet = FleetOfNodes(["canary-1"]) {
            $0.origin = .verified
            $0.source.releases = "/srv/releases"
        }
        let canary = try fleet.node("canary-1")
        canary.care.source = SimulatedSource(world: canary, [patch])
        for _ in 0..<3 { fleet.round() }
        #expect(fleet.state == nil && canary.onDisk == old.sha256)
        let outcome = canary.tick()
        let standing = stepStanding(of: outcome.judgement, site: World.site, label: fingerprint)
        guard case .waits(let waiting) = standing else {
            Issue.record("\(standing)")
            return
        }
        #expect(waiting.first?.reason.contains("stage rest matches no node") == true)
        // Another node tells of itself, which is all that was missing.
        let stored = try #require(fleet.store.records["id-canary-1"])
        var other = stored.value
        (other.id, other.name, other.stage, other.cluster) = ("id-edge-1", "edge-1", "rest", "another")
        _ = try SimulatedFleetPort(fleet.store).put(other, over: nil)
        fleet.round()
        #expect(fleet.state == .running && canary.memory.fleet?.unbegun == nil)
    }

    @Test("what is approved on a node and does not run there is no proof, and no failure either")
    func approvedAndNotStarted() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"])
        let canary = try fleet.node("canary-1")
        canary.bring(patch)
        canary.tick(request: .adopt)
        #expect(canary.state.installations["k3s/k3s"]?.reference?.sha256 == patch.sha256)
        try fleet.begin(patch)
        for _ in 0..<6 { fleet.round() }
        #expect(fleet.state == .running && fleet.store.quarantined.isEmpty && canary.chain.isEmpty)
        #expect(
            canary.memory.fleet?.waits["k3s"]?.contains("does not: 'systemctl status k3s.service'") == true)
        #expect(try fleet.node("edge-1").onDisk == old.sha256)
        canary.start(unit)
        fleet.play()
        #expect(fleet.state == .done)
    }

    @Test("a node that has proven the artifact makes one read a tick, however long the others take")
    func provenOperations() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .minutes(10))
        try fleet.begin(patch)
        let (canary, edge) = (try fleet.node("canary-1"), try fleet.node("edge-1"))
        edge.fleet?.isCutOff = true
        for _ in 0..<20 where canary.state.seat(of: .k3s).proven == nil { fleet.round() }
        #expect(canary.state.seat(of: .k3s).proven != nil && fleet.state == .running)
        canary.pass(.minutes(5))
        canary.tick()
        let before = fleet.store.operations
        for _ in 0..<5 {
            canary.pass(.minutes(5))
            canary.tick()
        }
        #expect(fleet.store.operations - before == 5)
    }

    @Test("what a person has aborted begins by itself no more, though it is still offered and allowed")
    func abortedStays() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .hours(3)) {
            $0.origin = .verified
            $0.source.releases = "/srv/releases"
        }
        for node in fleet.nodes { node.care.source = SimulatedSource(world: node, [patch]) }
        for _ in 0..<20 where fleet.store.rollouts[.k3s] == nil { fleet.round() }
        let begun = try #require(fleet.store.rollouts[.k3s])
        let port = try #require(fleet.nodes.last?.fleet)
        _ = try port.put(try begun.value.aborting(reason: "it is bad"), over: begun)
        for _ in 0..<40 { fleet.round() }
        #expect(fleet.store.rollouts[.k3s]?.value.id == begun.value.id)
        #expect(fleet.state == .aborted)
        #expect(try fleet.node("edge-1").onDisk == old.sha256)
    }

    @Test("a node that waits makes one read a tick; without a rollout it makes none")
    func operations() throws {
        let fleet = FleetOfNodes(["canary-1", "edge-1"], soak: .hours(5))
        let edge = try fleet.node("edge-1")
        // The records are written, and nothing is under way.
        edge.pass(.minutes(5))
        edge.tick()
        let quiet = fleet.store.operations
        for _ in 0..<5 {
            edge.pass(.minutes(5))
            edge.tick()
        }
        #expect(fleet.store.operations == quiet)
        try fleet.begin(patch)
        edge.tick(asksFleet: true)
        let before = fleet.store.operations
        for _ in 0..<5 {
            edge.pass(.minutes(5))
            edge.tick()
        }
        #expect(fleet.store.operations == before + 5)
    }
}

extension World {
    fileprivate func problems(coded code: String) -> Bool { state.problems.contains { $0.code == code } }
}
