import Agent
import Model
import Ports
import Rollout
import Rules
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

/// What a server does that somebody brings a patch to, with no rollout under way (invariant 2).
@Suite("A server that knows its control plane by what it heard of it")
struct HeardControlPlaneTests {
    /// Why the patch is not let in now, by rule.
    private func open(on node: World, _ rule: RuleName = .quorum) -> String? {
        let decisions = node.tick(asksFleet: true).judgement.decisions
        let record = decisions.first { $0.subject.change.to.isSameBytes(as: patch) == true }
        return record?.decision.reasons.first { $0.rule == rule && $0.result != .met }?.text
    }

    @Test("takes a look that failed for no proof that it is alone (invariant 2)")
    func failedLook() throws {
        let fleet = FleetOfNodes(["canary-1"], isOneCluster: true)
        let server = try fleet.node("canary-1")
        server.care.planeFailure = ClusterFailure("the API server does not answer")
        server.pass(.hours(1))
        server.offer(patch)
        for _ in 0..<4 { fleet.round() }
        #expect(server.onDisk == old.sha256 && server.starts == 0)
        #expect(open(on: server)?.contains("the API server does not answer") == true)
        server.care.planeFailure = nil
        server.pass(.hours(1))
        fleet.round()
        #expect(server.runs(patch))
    }

    @Test(
        "takes a cluster that does not tell of it, or not of all, for none that it is alone in (invariant 2)")
    func partOfIt() throws {
        let fleet = FleetOfNodes(["canary-1"], isOneCluster: true)
        let server = try fleet.node("canary-1")
        var own = ControlPlaneMember(name: "canary-1", isOwn: true)
        own.isReady = true
        for plane in [
            ControlPlane(members: [own], gaps: ["etcd is silent"], mayHaveOthers: true),
            ControlPlane(members: []),
        ] {
            server.care.plane = { plane }
            server.pass(.hours(1))
            server.offer(patch)
            fleet.round()
            #expect(server.onDisk == old.sha256 && open(on: server) != nil)
        }
        // A controller that runs no workloads has no Node, and is known by its name.
        own.isOwn = false
        server.care.plane = { ControlPlane(members: [own]) }
        server.pass(.hours(1))
        fleet.round()
        #expect(server.runs(patch))
    }

    @Test("asks the others once more before it begins, though it asked within the hour (invariant 2)")
    func asksAgain() throws {
        let fleet = FleetOfNodes(["canary-1", "server-2", "server-3"], isOneCluster: true)
        let server = try fleet.node("canary-1")
        for node in fleet.nodes {
            node.pass(.hours(1))
            node.tick(asksFleet: true)
        }
        fleet.off = ["server-3"]
        server.pass(.minutes(5))
        server.offer(patch)
        server.tick()
        server.step()
        #expect(server.onDisk == old.sha256 && server.starts == 0)
        #expect(open(on: server)?.contains("server-3") == true)
    }

    @Test("goes by what the others said of themselves only while that is fresh, over an external store")
    func oldRecord() throws {
        let fleet = FleetOfNodes(["canary-1", "server-2", "server-3"], isOneCluster: true)
        for node in fleet.nodes {
            node.installations[0].dataStore = .external
            node.access = nil
            node.tick(asksFleet: true)
        }
        let server = try fleet.node("canary-1")
        fleet.off = ["server-3"]
        for _ in 0..<18 { fleet.round() }
        server.offer(patch)
        fleet.round()
        #expect(server.onDisk == old.sha256 && server.starts == 0)
        let text = open(on: server)
        #expect(text?.contains("server-3") == true && text?.contains("m old") == true, "\(text ?? "")")
        fleet.off = []
        for _ in 0..<14 { fleet.round() }
        #expect(server.runs(patch))
    }

    @Test("does not forget whom the cluster once told of, over an external store (invariant 2)")
    func knownBefore() throws {
        let fleet = FleetOfNodes(["canary-1"], isOneCluster: true)
        let server = try fleet.node("canary-1")
        server.installations[0].dataStore = .external
        let own = ControlPlaneMember(name: "canary-1", isOwn: true)
        let other = ControlPlaneMember(name: "server-9", isOwn: false)
        server.care.plane = { ControlPlane(members: [own, other]) }
        server.pass(.hours(1))
        server.tick(asksFleet: true)
        server.care.planeFailure = ClusterFailure("the API server does not answer")
        server.pass(.hours(1))
        server.offer(patch)
        fleet.round()
        #expect(server.onDisk == old.sha256)
        #expect(open(on: server)?.contains("server-9") == true)
    }

    @Test("names a node whose node.yaml gives it another name than its Kubernetes Node has")
    func otherName() throws {
        let fleet = FleetOfNodes(["canary-1", "server-2", "server-3"], isOneCluster: true)
        let server = try fleet.node("canary-1")
        let told = server.care.plane
        server.care.plane = {
            var plane = told()
            for index in plane.members.indices where plane.members[index].name == "server-3" {
                plane.members[index].name = "ip-10-0-0-3"
            }
            return plane
        }
        server.pass(.hours(1))
        server.offer(patch)
        fleet.round()
        #expect(server.onDisk == old.sha256)
        let text = open(on: server)
        for word in ["server-3", "ip-10-0-0-3", "node.yaml"] { #expect(text?.contains(word) == true) }
    }
}
