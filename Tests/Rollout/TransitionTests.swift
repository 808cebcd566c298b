import Model
import Testing

@testable import Rollout

@Suite("Transitions of a rollout")
struct TransitionTests {
    private let canary = Sample.node("c", "canary")
    private let rest = [Sample.node("a", "rest"), Sample.node("b", "rest")]
    private let stages = [Sample.stage("canary"), Sample.stage("rest", max: 2)]

    private func grant(_ node: Participant) -> Grant { Grant(node: node.id, id: "g-\(node.id)") }

    private func granting(_ document: RolloutDocument, _ node: Participant) throws(Refusal) -> RolloutDocument
    {
        try document.granting(grant(node), to: node, policy: Sample.policy, now: Sample.now)
    }

    @Test("go from the canary to the rest, and the last proof finishes it")
    func wholeRollout() throws {
        var document = try Sample.plan(stages, [canary] + rest)
        #expect(throws: Refusal.stageNotMet(name: "canary", cluster: "default")) {
            try granting(document, rest[0])
        }
        document = try granting(document, canary)
        // Held through its soak: a stage with a grant in it is not met.
        #expect(throws: Refusal.stageNotMet(name: "canary", cluster: "default")) {
            try granting(document, rest[0])
        }
        document = try document.proving(grant(canary), by: canary)
        document = try granting(document, rest[0])
        document = try granting(document, rest[1])
        document = try document.proving(grant(rest[0]), by: rest[0])
        #expect(document.state == .running)
        document = try document.proving(grant(rest[1]), by: rest[1])
        #expect(document.state == .done)
        #expect(document.generation == 7)
        #expect(document.tracks[0].stages.map(\.proven) == [["amd64": 1], ["amd64": 2]])
    }

    @Test("end a grant where it was given, wherever its node has come to since")
    func moved() throws {
        let granted = try granting(try Sample.plan(stages, [canary] + rest), canary)
        let elsewhere = Sample.node("c", "rest")
        let nowhere = Sample.node("c", "", cluster: "other", kind: .controlPlane)
        for node in [elsewhere, nowhere] {
            #expect(granted.grant(of: node) == grant(canary) && granted.hasMoved(node))
            let back = try granted.givingBack(grant(canary), of: node)
            #expect(back.grant(of: canary) == nil)
            let proven = try granted.proving(grant(canary), by: node)
            #expect(proven.tracks[0].stages.map(\.proven) == [["amd64": 1], [:]])
            let failed = try granted.failing(grant(canary), of: node, reason: "bad")
            #expect(failed.state == .halted && failed.grant(of: canary) == nil)
            let evicted = try granted.evicting(node)
            #expect(evicted.grant(of: canary) == nil && evicted.hasEvicted(canary))
            // It gets no second one where it is now.
            #expect(throws: (any Error).self) { try granting(granted, node) }
        }
        #expect(!granted.hasMoved(canary))
        #expect(throws: Refusal.noGrant) { try granted.givingBack(grant(canary), of: rest[0]) }
    }

    @Test("let as many nodes at it as the stage says, and no more than it needs")
    func concurrency() throws {
        let nodes = (0..<4).map { Sample.node("n\($0)", "some") }
        var document = try Sample.plan([Sample.stage("some", max: 3, need: .count(2))], nodes)
        document = try granting(document, nodes[0])
        document = try granting(document, nodes[1])
        #expect(throws: Refusal.full) { try granting(document, nodes[2]) }
        #expect(throws: Refusal.alreadyGranted) { try granting(document, nodes[0]) }
        document = try document.proving(grant(nodes[0]), by: nodes[0])
        document = try document.proving(grant(nodes[1]), by: nodes[1])
        // What was met stays met: those that were not needed may follow.
        #expect(document.state == .done)
    }

    @Test("one control-plane node of a cluster at a time, and workers after it")
    func controlPlane() throws {
        let servers = (0..<2).map { Sample.node("s\($0)", "all", kind: .controlPlane) }
        let worker = Sample.node("w", "all")
        let elsewhere = Sample.node("x", "all", cluster: "other", kind: .controlPlane)
        var document = try Sample.plan([Sample.stage("all", max: 5)], servers + [worker, elsewhere])
        document = try granting(document, servers[0])
        #expect(throws: Refusal.full) { try granting(document, servers[1]) }
        #expect(throws: Refusal.controlPlaneFirst(cluster: "default")) { try granting(document, worker) }
        // Another cluster's control plane waits for nothing here.
        document = try granting(document, elsewhere)
        document = try document.proving(grant(servers[0]), by: servers[0])
        document = try granting(document, servers[1])
        document = try document.proving(grant(servers[1]), by: servers[1])
        document = try granting(document, worker)
        #expect(document.grant(of: worker) == grant(worker))
    }

    @Test("a stage of one track waits for the stage before it in every track of the kind")
    func tracks() throws {
        let staging = Sample.node("s", "staging", cluster: "staging", kind: .controlPlane)
        let stagingWorker = Sample.node("sw", "staging", cluster: "staging")
        let production = Sample.node("p", "production", cluster: "production", kind: .controlPlane)
        let document = try Sample.plan(
            [Sample.stage("staging"), Sample.stage("production")], [staging, stagingWorker, production])
        #expect(throws: Refusal.stageNotMet(name: "staging", cluster: "staging")) {
            try granting(document, production)
        }
        var next = try granting(document, staging)
        next = try next.proving(grant(staging), by: staging)
        // Workers delay no control plane.
        next = try granting(next, production)
        #expect(next.grant(of: production) != nil)
    }

    @Test("a node with another policy, without a stage, or of an older program is refused")
    func strangers() throws {
        var document = try Sample.plan(stages, [canary] + rest)
        #expect(throws: Refusal.otherPolicy) {
            try document.granting(grant(canary), to: canary, policy: Sample.otherPolicy, now: Sample.now)
        }
        #expect(throws: Refusal.noStage) { try granting(document, Sample.node("z", "none")) }
        document.format = RolloutDocument.newestFormat + 1
        #expect(throws: Refusal.newerFormat(2)) { try granting(document, canary) }
        #expect(throws: Refusal.newerFormat(2)) { try document.aborting(reason: "") }
    }

    @Test("pause, failure and abort keep new nodes out, and let those who hold a grant end")
    func stopped() throws {
        let started = try granting(try Sample.plan(stages, [canary] + rest), canary)
        let stopped = [
            try started.pausing(reason: "by hand"), try started.aborting(reason: "by hand"),
        ]
        for document in stopped {
            #expect(throws: Refusal.notRunning("by hand")) {
                try granting(document, Sample.node("d", "canary"))
            }
            let ended = try document.proving(grant(canary), by: canary)
            #expect(ended.state == document.state && ended.tracks[0].stages[0].met)
        }
        let failed = try started.failing(grant(canary), of: canary, reason: "not ready")
        #expect(failed.state == .halted && failed.grant(of: canary) == nil)
        #expect(throws: Refusal.notRunning("not ready")) { try granting(failed, canary) }
        let resumed = try failed.resuming(highest: failed.generation, now: Sample.now)
        #expect(resumed.state == .running && resumed.reason == nil)
    }

    @Test("a stage beyond its deadline pauses the rollout, and resuming gives it the whole deadline again")
    func deadline() throws {
        let document = try granting(try Sample.plan(stages, [canary] + rest), canary)
        let late = Sample.now + .hours(25)
        #expect(try document.pausingOverdue(now: Sample.now + .hours(24)) == nil)
        let paused = try #require(try document.pausingOverdue(now: late))
        #expect(paused.state == .paused && paused.reason?.contains("canary") == true)
        let resumed = try paused.resuming(highest: paused.generation, now: late)
        #expect(try resumed.pausingOverdue(now: late + .hours(24)) == nil)
    }

    @Test("an evicted node is waited for no longer, and neither proves nor asks")
    func evicted() throws {
        var document = try Sample.plan(stages, [canary] + rest)
        document = try granting(document, canary)
        document = try document.proving(grant(canary), by: canary)
        document = try granting(document, rest[0])
        document = try document.evicting(rest[0])
        #expect(throws: Refusal.noGrant) { try document.proving(grant(rest[0]), by: rest[0]) }
        #expect(throws: Refusal.evicted) { try granting(document, rest[0]) }
        document = try granting(document, rest[1])
        document = try document.proving(grant(rest[1]), by: rest[1])
        #expect(document.state == .done)
    }

    @Test("invariant 4: evicting the only canary does not make its stage met")
    func evictedCanary() throws {
        let document = try Sample.plan(stages, [canary] + rest).evicting(canary)
        #expect(throws: Refusal.stageNotMet(name: "canary", cluster: "default")) {
            try granting(document, rest[0])
        }
    }

    @Test("one rollout of a distribution at a time; the next one's generations go on")
    func successive() throws {
        let first = try Sample.plan(stages, [canary] + rest)
        var second = first
        second.id = "r2"
        #expect(throws: Refusal.underWay(id: "r1", .running)) {
            try RolloutDocument.create(second, over: first, highest: 0)
        }
        let paused = try first.pausing(reason: "by hand")
        #expect(throws: Refusal.underWay(id: "r1", .paused)) {
            try RolloutDocument.create(second, over: paused, highest: 0)
        }
        let ended = try first.aborting(reason: "by hand")
        #expect(try RolloutDocument.create(second, over: ended, highest: 0).generation == 3)
        // A store that lost the old document must not make the numbers begin again.
        #expect(try RolloutDocument.create(second, over: nil, highest: 40).generation == 41)
    }

    @Test("a plan that can never start is refused, with the reason")
    func hopeless() {
        #expect(throws: PlanFailure.nobody) { try Sample.plan(stages, []) }
        #expect(throws: PlanFailure.emptyStage("rest")) { try Sample.plan(stages, [canary]) }
        #expect(throws: PlanFailure.needTooGreat(stage: "canary", need: 2, nodes: 1)) {
            try Sample.plan([Sample.stage("canary", need: .count(2))], [canary])
        }
        #expect(throws: PlanFailure.noBytes(architecture: "riscv64", node: "r")) {
            try Sample.plan([Sample.stage("canary")], [Sample.node("r", "canary", arch: "riscv64")])
        }
    }
}
