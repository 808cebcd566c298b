import Agent
import Model
import Ports
import Testing

@Suite("What comes before a change, in simulation")
struct StepPreparationTests {
    @Test("a gate that is not answered holds the step where nothing was touched, and it goes on when it is")
    func unansweredGate() throws {
        let world = guardedServer(settings: askCommand)
        world.offer(minor)
        try world.approve(minor)
        world.care.command = .failed("someone still asks for flowcontrol v1beta2")
        let report = world.step()
        #expect(report.hold?.contains("flowcontrol") == true)
        #expect(world.chain == ["began", "gating"] && world.onDisk == old.sha256 && world.starts == 0)
        // A hold is no failure: nothing is spent, nothing quarantined, and a denial still ends it.
        #expect(world.state.quarantine.isEmpty && world.state.approvals.first?.spentBy == [])
        world.pass(.minutes(5))
        world.care.command = .passed
        world.step()
        #expect(world.chain.last == "done" && world.onDisk == minor.sha256)
        #expect(world.care.commands == 2)
    }

    @Test(
        "deprecated APIs that nobody has watched for long enough are unknown, and unknown holds (invariant 2)"
    )
    func uncoveredGate() throws {
        let world = guardedServer()
        world.offer(minor)
        try world.approve(minor)
        let report = world.step()
        #expect(report.hold?.contains("deprecatedAPIs") == true)
        #expect(world.onDisk == old.sha256 && world.state.step?.phase == .gating)
    }

    @Test("no minor gets in without a backup that can be read")
    func brokenBackup() throws {
        let world = guardedServer(settings: askCommand)
        world.offer(minor)
        try world.approve(minor)
        world.care.backupFault = "state.db: malformed"
        world.step()
        #expect(world.chain.suffix(2) == ["backing-up", "abandoned"])
        #expect(world.onDisk == old.sha256)
    }

    @Test("of backups the newest are kept, as many as the policy says")
    func keptBackups() throws {
        let world = guardedServer(settings: {
            $0.backup.mode = .required
            $0.backup.keep = 2
        })
        for number in 6..<11 {
            let next = Artifact(
                version: Version("v1.31.\(number)+k3s1"),
                sha256: Digest(String(repeating: "\(number % 10)", count: 64)))
            world.offer(next)
            try world.approve(next)
            world.step()
            #expect(world.onDisk == next.sha256)
        }
        #expect(try world.care.backups(of: world.installation.id).count == 2)
    }

    @Test("a node that is to be emptied is, before anything is replaced; its cordon ends when it is well")
    func drained() throws {
        let world = guardedServer(settings: { $0.drain.enabled = .enabled })
        world.access = ClusterAccess(distribution: .k3s, kubeconfig: "/k")
        world.offer(patch)
        try world.approve(patch)
        world.care.drain = [
            DrainProgress(left: 2, evicted: 2), DrainProgress(left: 1), DrainProgress(left: 0),
        ]
        world.step()
        #expect(world.chain == ["began", "draining", "replacing", "restarting", "probing", "spent", "done"])
        world.tick()
        #expect(world.guards.settings[Setting(.cordon, "sim-1")] == nil)
        #expect(world.state.guards?.settings.contains { $0.setting.kind == .cordon } != true)
    }

    @Test(
        "invariant 10: a node that cannot be emptied in time is left as it was, and our cordon is taken away")
    func undrainable() throws {
        let world = guardedServer(settings: { $0.drain.enabled = .enabled })
        world.access = ClusterAccess(distribution: .k3s, kubeconfig: "/k")
        world.offer(patch)
        try world.approve(patch)
        world.care.drain = [
            DrainProgress(left: 1, blocked: [.init(pod: "db/one", reason: "a disruption budget keeps it")])
        ]
        world.step()
        #expect(world.chain == ["began", "draining", "abandoned"])
        #expect(world.state.lastStep?.reason.contains("db/one") == true)
        world.tick()
        #expect(world.guards.settings[Setting(.cordon, "sim-1")] == nil)
        #expect(world.onDisk == old.sha256 && world.starts == 0)
    }

    /// A server on which a patch is allowed that the policy's source has, and nobody else.
    private func fetching() -> (world: World, source: SimulatedSource) {
        let world = guardedServer(
            unattended: .patch,
            settings: {
                $0.origin = .verified
                $0.source.releases = "/srv/releases"
            })
        let source = SimulatedSource(world: world, [patch])
        world.care.source = source
        world.tick(asksFleet: true)
        return (world, source)
    }

    @Test("what is allowed and not here is fetched first, by the source that the policy names")
    func fetched() throws {
        let (world, source) = fetching()
        world.step()
        #expect(source.fetched == 1)
        #expect(world.onDisk == patch.sha256 && world.chain.last == "done")
    }

    @Test("what cannot be fetched is tried again later and later, and nothing is begun meanwhile")
    func unfetched() throws {
        let (world, source) = fetching()
        source.failure = SourceFailure(.unreachable, "the mirror does not answer")
        #expect(world.step().trouble?.contains("mirror") == true)
        #expect(world.step().trouble == nil)
        world.pass(.minutes(11))
        source.failure = nil
        world.step()
        #expect(world.onDisk == patch.sha256)
    }

    @Test("what there is no room for is told where it waits, and fetched within a minute of there being some")
    func noRoom() throws {
        let (world, source) = fetching()
        source.failure = SourceFailure(.space, "/downloads: 4.0 MiB are free, 260.0 MiB too little")
        for _ in 0..<8 {
            #expect(world.step().trouble?.contains("260.0 MiB too little") == true)
            let report = world.step()
            #expect(report.trouble == nil)
            guard case .waits(let waits) = report.standing else {
                Issue.record("it does not wait, but \(report.standing)")
                return
            }
            #expect(waits.map(\.change.to.sha256) == [patch.sha256])
            #expect(
                waits.first?.reason.contains("/downloads: 4.0 MiB are free, 260.0 MiB too little") == true)
            world.pass(.minutes(1))
        }
        source.failure = nil
        world.step()
        #expect(world.onDisk == patch.sha256)
    }
}
