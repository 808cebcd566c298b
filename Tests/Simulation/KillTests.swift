import Agent
import FoundationEssentials
import Model
import Ports
import Testing

@Suite("Kill at every step, in simulation")
struct KillTests {
    /// Every pair of instants is taken where this is a soak; else one second instant for each first one.
    private static let isSoak = ProcessInfo.processInfo.environment["HOLDFAST_SOAK"] != nil

    @Test(
        "each scenario passes through its chain of states, and doing it again adds none",
        arguments: killScenarios)
    func chain(_ scenario: KillScenario) throws {
        let world = try scenario.node()
        let first = world.committed.count
        try scenario.run(world)
        #expect(world.states(from: first) == scenario.chain);
        let standing = world.standing
        try scenario.run(world)
        try KillScenario.timer(world)
        #expect(world.states(from: first) == scenario.chain && world.standing == standing)
        if let runs = scenario.runs { #expect(world.runs(runs)) }
        #expect(world.ledgerFault == nil)
    }

    /// What comes after a kill.
    enum After: CaseIterable, Sendable {
        case timer
        /// The unit is started first, as by a reboot or a crash of its own.
        case start
        /// Time passes first, in which snapd goes on by itself.
        case later
    }

    @Test(
        "invariants 3, 7, 8, 10 and 12: killed at every step, there is an artifact to start, and the next tick and step end where an undisturbed run ends",
        arguments: killScenarios, After.allCases)
    func killed(_ scenario: KillScenario, after: After) throws {
        let isSnap = scenario.may[0].revision != nil
        if after == .start, !scenario.isStartable || isSnap { return }
        if after == .later, !isSnap { return }
        let whole = try scenario.node()
        let before = whole.standing
        try scenario.run(whole)
        try KillScenario.timer(whole)
        var instants = 0
        for fuse in 0..<10_000 {
            let (world, first, hasDied) = try killed(scenario, at: fuse)
            try happen(after, to: world, in: scenario)
            try recover(world, scenario, after, before: before, whole: whole, "after \(fuse) steps")
            try end(world, scenario, first: first, after, whole: whole, "after \(fuse) steps")
            guard hasDied else { break }
            instants += 1
        }
        #expect(instants > 2)
        print("killed at \(instants) instants, then \(after): \(scenario.testDescription)")
    }

    @Test(
        "invariant 7: killed at every step, and at every step of the recovery, the next one ends there all the same",
        arguments: killScenarios)
    func killedTwice(_ scenario: KillScenario) throws {
        let whole = try scenario.node()
        try scenario.run(whole)
        try KillScenario.timer(whole)
        let length = try Self.length(of: scenario)
        var pairs = 0
        for fuse in 0..<length {
            // What is left of the run is about what the recovery takes.
            let chosen = Self.isSoak ? nil : fuse * 13 % (length - fuse)
            for second in (chosen ?? 0)...(chosen ?? 10_000) {
                let (world, first, _) = try killed(scenario, at: fuse)
                world.guards.fuse = second
                try KillScenario.timer(world)
                let hasDied = world.guards.fuse == 0
                world.guards.fuse = nil
                let place = "after \(fuse) and \(second) steps"
                startable(world, scenario, place)
                try KillScenario.timer(world)
                if scenario.isAskedAgain { try scenario.run(world) }
                try end(world, scenario, first: first, .timer, whole: whole, place)
                guard hasDied else { break }
                pairs += 1
            }
        }
        #expect(pairs > length / 2, "\(pairs) of \(length)")
        print("killed at \(pairs) pairs of instants: \(scenario.testDescription)")
    }

    @Test("the watch itself can fail: a guard that is lost is found")
    func plantedBug() throws {
        let world = guardedServer()
        let standing = world.standing
        world.guards.remove("/etc/systemd/system/k3s.service.d/zz-holdfast.conf")
        #expect(world.standing != standing)
    }

    // MARK: One life

    /// How many steps a run takes that is not killed.
    private static func length(of scenario: KillScenario) throws -> Int {
        let world = try scenario.node()
        world.guards.fuse = 100_000
        try scenario.run(world)
        return 100_000 - (world.guards.fuse ?? 0)
    }

    private func killed(
        _ scenario: KillScenario, at fuse: Int
    ) throws -> (world: World, first: Int, hasDied: Bool) {
        let world = try scenario.node()
        let first = world.committed.count
        world.onPut = { _, artifact in
            #expect(
                scenario.may.contains { $0.isSameBytes(as: artifact) == true },
                "\(artifact.summary) was put in place"
            )
        }
        world.guards.fuse = fuse
        try scenario.run(world)
        let hasDied = world.guards.fuse == 0
        world.guards.fuse = nil
        startable(world, scenario, "after \(fuse) steps")
        return (world, first, hasDied)
    }

    /// Invariant 3: one of the artifacts is there, whole.
    private func startable(_ world: World, _ scenario: KillScenario, _ place: String) {
        guard let there = world.installation.installed?.artifact, there.bytes != nil else {
            // What was missing before is put back by what is killed.
            #expect(!scenario.isStartable, "\(place): nothing is there")
            return
        }
        #expect(scenario.may.contains { $0.isSameBytes(as: there) == true }, "\(place): \(there.summary)")
    }

    private func happen(_ after: After, to world: World, in scenario: KillScenario) throws {
        switch after {
        case .timer: break
        case .later: for _ in 0..<4 { world.pass(TimeSpan(seconds: 5)) }
        case .start:
            // A person's words of one second are one word.
            world.pass(TimeSpan(seconds: 1))
            for started in world.installation.units { world.start(started.name) }
            let started = try #require(world.installation.running?.startedFrom)
            #expect(
                scenario.may.contains { $0.isSameBytes(as: started) == true },
                "\(started.summary) was started")
        }
    }

    /// The next tick and step; a person's word that was not recorded is asked for again.
    private func recover(
        _ world: World, _ scenario: KillScenario, _ after: After, before: [String], whole: World,
        _ place: String
    ) throws {
        try KillScenario.timer(world)
        guard scenario.isAskedAgain else { return }
        // It is done, or nothing of it is: never half of it. Of a start without the gate 'adopt' is told by itself.
        guard after != .start else { return try scenario.run(world) }
        let unlike = difference(world.standing, before)
        let stillUnlike = unlike == nil ? nil : difference(world.standing, whole.standing)
        #expect(stillUnlike == nil, "\(place), and from before it differs by \(unlike ?? "")")
        try scenario.run(world)
    }

    private func end(
        _ world: World, _ scenario: KillScenario, first: Int, _ after: After, whole: World, _ place: String
    ) throws {
        // A start makes a restart superfluous, what the gate did has the guards brought up to it, and one that it was not
        // there for takes another 'adopt'.
        let byStart: Set<String> =
            after == .start ? ["step: restarting", "restart", "replace", "spare", "last ran", "adopted"] : []
        func own(_ states: [String]) -> [String] { states.filter { !byStart.contains($0) } }
        #expect(own(world.states(from: first)) == own(scenario.chain), "\(place)")
        #expect(difference(world.standing, whole.standing) == nil, "\(place)")
        #expect(world.ledgerFault == nil, "\(place)")
    }
}
