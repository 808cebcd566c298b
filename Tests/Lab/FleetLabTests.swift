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

        try await fleet.expectPatched(first: fleet.canary)
        #expect(try await fleet.west.told(.rolloutSaid).count == 1)
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
        try await fleet.expectPutBack(on: fleet.canary)
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
        try await fleet.expectPutBack(on: fleet.canary)
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
        try await fleet.expectNothingBeginsWhileStoreIsAway()
    }
}
