import Model
import Testing

/// Upgrades over three nodes under a real systemd, with a real etcd between them.
@Suite(
    "a rollout over a fleet", .serialized, .enabled(if: Lab.obstacle == nil, Lab.skipped), .fleet)
struct FleetLabTests {
    @Test("a good patch goes to the canary, and only when it has proven it there to the rest (invariant 4)")
    func good() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin()
        try await fleet.upgrade(to: .good, on: fleet.west)
        try await fleet.tick()
        try await fleet.wait(until: .done)

        let status = try await fleet.east.ask("holdfast", "status", "--fleet", "--output", "json").json(
            FleetAnswer.self)
        #expect(
            Set(status.nodes.map { "\($0.name) \($0.running ?? "") \($0.hasSamePolicy)" })
                == Set(fleet.nodes.map { "\(fleet.title($0)) \(FleetRelease.version) true" }))
        let proven = try #require(try await fleet.canary.told(.seatTaken).last)
        #expect(try await fleet.west.told(.rolloutSaid).count == 1)
        for node in fleet.nodes {
            try await node.expectRunning(FleetRelease.version)
            #expect(try await node.ask("holdfast", "verify").code == 0)
            let began = try await node.told(.stepBegan)
            let ended = try await node.told(.stepEnded)
            #expect(began.count == 1 && ended.count == 1, "\(node.name): \(began) \(ended)")
            #expect(ended.allSatisfy { $0.message.contains("is done") }, "\(ended)")
            if node.name != fleet.canary.name {
                #expect(
                    began.allSatisfy { $0.at > proven.at }, "\(node.name) began before the canary's proof")
            }
        }
    }

    @Test(
        "a release that is never ready is put back on the canary, and is begun with nowhere else (invariants 4, 5)"
    )
    func neverReady() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin()
        try await fleet.upgrade(to: .neverReady, on: fleet.west)
        try await fleet.tick()
        try await fleet.wait(until: .halted)
        try await expectPutBack(fleet)
        // Nobody can try it again: not by a new rollout either.
        let again = try await fleet.west.ask("holdfast", "upgrade", "k3s", FleetRelease.version)
        #expect(again.code != 0, "\(again.output)")
    }

    @Test("a release that dies while it soaks is put back on the canary, and halts the rollout (invariant 5)")
    func diesInSoak() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin(soak: "10m")
        try await fleet.upgrade(to: FleetRelease(fault: "dies-after=12"), on: fleet.west)
        try await fleet.tick()
        try await fleet.wait(until: .halted)
        #expect(try await fleet.canary.told(.stepMoved).contains { $0.phase == Step.Phase.soaking.rawValue })
        try await expectPutBack(fleet)
    }

    private func expectPutBack(_ fleet: LabFleet) async throws {
        try await fleet.canary.expectRunning(FleetRelease.base)
        #expect(try await fleet.canary.told(.quarantined).count == 1)
        #expect(try await fleet.canary.ask("holdfast", "verify").code == 0)
        // Told to look now, and again by themselves.
        try await fleet.each(fleet.rest) { node in
            try await node.run("holdfast check --fleet; systemctl start holdfast; systemctl start holdfast")
            try await node.expectUntouched()
        }
        struct Entry: Decodable { let version, node: String }
        let listed = try await fleet.west.ask("holdfast", "quarantine", "list", "--output", "json").json(
            [Entry].self)
        #expect(listed.map(\.version) == [FleetRelease.version])
        #expect(listed.map(\.node) == [fleet.title(fleet.canary)])
    }

    @Test(
        "a step that is killed in its midst is gone on with by the next tick, where the upgrade is asked for as well (invariant 7)"
    )
    func killed() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin(soak: "1s")
        // The policy lets a node of the first stage begin by itself: the same rollout, and one all the same.
        try await fleet.upgrade(to: .good, on: fleet.canary)
        #expect(try await fleet.canary.told(.rolloutSaid).count == 1)
        try await fleet.tick([fleet.canary])
        try await fleet.canary.wait(for: .probing)
        try await fleet.canary.run(
            """
            systemctl stop holdfast.timer; systemctl kill -s KILL holdfast-step.service
            until [ "$(systemctl show -P Result holdfast-step.service)" = signal ]; do sleep 0.1; done
            """)
        #expect(try await fleet.canary.told(.stepEnded).isEmpty)
        try await fleet.tick([fleet.canary])
        try await fleet.canary.waitForStep()
        try await fleet.canary.expectRunning(FleetRelease.version)
        #expect(try await fleet.canary.told(.stepBegan).count == 1)
        #expect(try await fleet.canary.ask("holdfast", "verify").code == 0)
    }

    @Test("while the store is away nothing begins, and it goes on when it is back (invariant 2)")
    func storeAway() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin(soak: "1s")
        try await fleet.upgrade(to: .good, on: fleet.west)
        try await fleet.tick([fleet.canary])
        try await fleet.waitForCanary()
        try await fleet.etcd("stop")
        try await fleet.each(fleet.rest) { node in
            try await node.run("holdfast check --fleet; systemctl start holdfast; systemctl start holdfast")
            try await node.expectUntouched()
            let status = try await node.ask("holdfast", "status", "--output", "json").json(NodeAnswer.self)
            #expect(status.problems.contains { $0.code == "fleet-silent" }, "\(status.problems)")
        }
        try await fleet.etcd("start")
        try await fleet.tick()
        try await fleet.wait(until: .done)
        for node in fleet.nodes { try await node.expectRunning(FleetRelease.version) }
    }
}
