import Model
import Testing

/// What takes long on a fleet: plugs that are pulled, disks that are full, kills at any instant: `make soak`.
@Suite(
    "a rollout over a fleet, disturbed", .serialized,
    .enabled(if: Lab.soakRounds != nil, "SKIPPED: make soak runs it"),
    .enabled(if: Lab.obstacle == nil, Lab.skipped), .fleet)
struct FleetSoakTests {
    /// Begins a rollout of which the canary knows, and which nothing goes on with yet.
    private func begin(_ release: FleetRelease, _ fleet: LabFleet) async throws {
        try await fleet.begin(soak: "4s")
        try await fleet.upgrade(to: release, on: fleet.west)
    }

    @Test(
        "invariant 7: a node that loses its power in the midst of a step goes on when it is back",
        arguments: [Step.Phase.storing, .replacing, .restarting, .probing, .soaking])
    func powerLost(in phase: Step.Phase) async throws {
        let fleet = try LabFleet.current
        try await begin(.good, fleet)
        try await fleet.tick()
        try await fleet.canary.wait(for: phase)
        try await fleet.canary.lab("kill")
        try await fleet.canary.lab("boot")
        try await fleet.wait(until: .done)
        try await fleet.expectAllRunning(FleetRelease.version)
    }

    @Test(
        "invariant 5: a release whose API never comes up is put back without it",
        arguments: ["exit", "hang"])
    func apiDown(fault: String) async throws {
        let fleet = try LabFleet.current
        try await begin(FleetRelease(fault: fault), fleet)
        try await fleet.tick()
        try await fleet.wait(until: .halted)
        try await fleet.expectAllRunning(FleetRelease.base)
        try await fleet.each(fleet.rest) { try await $0.expectUntouched() }
    }

    @Test(
        "what fails while the store is away is put back at once, and told when it is back (invariants 2, 5)")
    func storeAway() async throws {
        let fleet = try LabFleet.current
        try await begin(.neverReady, fleet)
        try await fleet.tick()
        try await fleet.canary.wait(for: .probing)
        try await fleet.store("stop")
        try await fleet.canary.wait(for: .probingBack)
        try await fleet.canary.wait(until: "k3s --version | grep -qF \(FleetRelease.base)")
        try await fleet.store("start")
        try await fleet.wait(until: .halted)
        try await fleet.expectAllRunning(FleetRelease.base)
    }

    @Test(
        "a disk that is full while a release is fetched holds the step, and leaves K3s as it is (invariant 3)"
    )
    func diskFull() async throws {
        let fleet = try LabFleet.current
        try await fleet.begin(soak: "1s")
        // The ledger has room, the release has not.
        try await fleet.canary.run(
            """
            cp -a /var/lib/holdfast /root/state
            used=$(du -sk /root/state | cut -f 1)
            mount -t tmpfs -o "size=$((used + 4096))k,mode=0700" tmpfs /var/lib/holdfast
            cp -a /root/state/. /var/lib/holdfast; rm -r /root/state
            """)
        try await fleet.upgrade(to: .good, on: fleet.west)
        try await fleet.tick()
        try await fleet.canary.wait(
            until:
                "holdfast status --output json | grep -F '/var/lib/holdfast/downloads: ' | grep -qF ' MiB too little: '",
            seconds: 60)
        let status = try await fleet.canary.ask("holdfast", "status")
        #expect(status.output.contains("to stay free are needed; make room there"), "\(status.output)")
        try await fleet.canary.expectRunning(FleetRelease.base)
        #expect(try await fleet.canary.ask("holdfast", "verify").code == 0)
        try await fleet.canary.run("mount -o remount,size=512m /var/lib/holdfast")
        try await fleet.wait(until: .done, seconds: 240)
        try await fleet.expectAllRunning(FleetRelease.version)
        try await fleet.canary.run(
            "systemctl disable -q --now holdfast.timer; systemctl stop holdfast.service; umount -l /var/lib/holdfast"
        )
    }

    @Test(
        "invariant 7: a step that is killed again and again is finished by the next ticks, forward and back",
        arguments: [(nil, .probing), ("never-ready", .probingBack)] as [(String?, Step.Phase)])
    func killed(fault: String?, end: Step.Phase) async throws {
        let fleet = try LabFleet.current
        try await begin(FleetRelease(fault: fault), fleet)
        let kills = try await killSteps(on: fleet.canary, until: end)
        print("killed \(kills) times until \(end.rawValue)")
        #expect(kills > 0)
        try await fleet.tick()
        try await fleet.wait(until: fault == nil ? .done : .halted)
        try await fleet.expectAllRunning(fault == nil ? FleetRelease.version : FleetRelease.base)
    }

    /// Starts the step and kills it, again and again, until it has come to a phase: how often it was met.
    ///
    /// In each phase the first kill comes at once, and each further one a little later, until one comes too late for the
    /// phase to stay: so there is one before, in and after each effect. What is to become well is left alone then, since
    /// a check that is killed for longer than `health.deadline` has failed.
    private func killSteps(on node: LabNode, until end: Step.Phase) async throws -> Int {
        struct Status: Decodable {
            struct Step: Decodable { let phase: Model.Step.Phase }
            let step: Step?
        }
        var kills = 0
        var milliseconds = 0
        var phase: Step.Phase?
        while milliseconds < 5_000 {
            let now = try await node.ask("holdfast", "status", "--output", "json").json(Status.self).step?
                .phase
            if now == end || (phase != nil && now == nil) { return kills }
            milliseconds = now == phase ? milliseconds + 40 : 0
            phase = now
            let process = try await node.run(
                """
                # A tick that saw the binary move may have started it too.
                until systemctl is-active holdfast-step.service | grep -q activating; do
                    systemctl start --no-block holdfast-step.service; sleep 0.01
                done
                sleep "$1"; systemctl show -P MainPID holdfast-step.service
                systemctl kill -s KILL holdfast-step.service 2>/dev/null || true
                """, "\(milliseconds / 1000).\(String(1000 + milliseconds % 1000).dropFirst())")
            if process != "0\n" { kills += 1 }
        }
        Issue.record("the step does not come to \(end.rawValue), but to \(phase?.rawValue ?? "nothing")")
        return kills
    }
}

extension LabFleet {
    /// Every node runs this, and its ledger is whole.
    fileprivate func expectAllRunning(_ version: String) async throws {
        for node in nodes {
            try await node.expectRunning(version)
            #expect(try await node.ask("holdfast", "verify").code == 0, "\(node.name)")
        }
    }
}
