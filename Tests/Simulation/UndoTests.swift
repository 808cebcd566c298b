import Agent
import Model
import Ports
import Testing

@Suite("Undo outside a start, in simulation")
struct UndoTests {
    @Test("what is not approved is put back once it has been quiet for a minute, and is kept aside")
    func undone() {
        let world = guardedServer()
        world.bring(minor)
        world.tick()
        #expect(world.onDisk == minor.sha256)
        world.pass(TimeSpan(seconds: 59))
        world.tick()
        #expect(world.onDisk == minor.sha256)
        world.pass(TimeSpan(seconds: 2))
        world.tick()
        #expect(world.onDisk == old.sha256)
        #expect(world.installation.offers.map(\.artifact.sha256) == [minor.sha256])
        #expect(world.starts == 0)
        world.tick()
        #expect(world.guards.files["/usr/local/bin/.k3s.holdfast-spare"]?.text == old.sha256?.hex)
        let entries = world.committed.count
        world.tick()
        #expect(world.committed.count == entries)
    }

    @Test(
        "invariant 7: it is not over while what was turned away could not be kept, and is tried at each tick")
    func unkept() {
        let world = guardedServer()
        world.bring(minor)
        world.guards.keepTrouble = ".holdfast-pending could not be made: no space left on device"
        world.pass(.minutes(2))
        for _ in 0..<2 {
            #expect(world.tick().guards?.trouble == world.guards.keepTrouble)
            #expect(world.onDisk == old.sha256 && world.state.guards?.intents.count == 1)
        }
        world.guards.keepTrouble = nil
        #expect(world.tick().guards?.trouble == nil)
        #expect(world.state.guards?.intents == [] && world.state.guards?.troubles == [])
    }

    @Test("invariant 10: what there is no room to keep does not stand in the way of a release")
    func unkeptAndReleased() {
        let world = guardedServer()
        world.bring(minor)
        world.guards.keepTrouble = ".holdfast-pending could not be made: no space left on device"
        world.pass(.minutes(2))
        #expect(world.tick().guards?.trouble == world.guards.keepTrouble)
        world.tick(request: .release)
        #expect(world.state.guards == nil && world.guards.loaded.isEmpty)
    }

    /// Why a binary is left as it is.
    enum Reason: CaseIterable, Sendable {
        case down, starting, runsIt, paused, allowed, unproven, warned, released
    }

    @Test(
        "nothing is undone where an installer may be at work, or it would be no use or no good",
        arguments: Reason.allCases)
    func left(_ reason: Reason) {
        let world = guardedServer(unattended: reason == .allowed ? .minor : .none) { policy in
            if reason == .warned { policy.enforce.gate = .warn }
            if reason == .allowed {
                policy.gates = []
                policy.backup.mode = .off
            }
        }
        world.bring(minor)
        switch reason {
        case .down: world.installations[0].units[0].activeState = "inactive"
        case .starting: world.installations[0].units[0].activeState = "activating"
        case .runsIt: world.start(unit)
        case .paused: world.tick(request: .pause(until: world.clock.now + .hours(2), reason: "by hand"))
        // Invariant 12: a start that nobody recorded.
        case .unproven: world.installations[0].running?.invocationID = "unrecorded"
        case .released: world.tick(request: .release)
        case .allowed, .warned: break
        }
        world.tick()
        world.pass(.minutes(5))
        world.tick()
        world.tick()
        #expect(world.onDisk == minor.sha256)
    }
}

@Suite("A missing binary, in simulation")
struct MissingBinaryTests {
    private func take(_ world: World, standing: UnitStanding, activeState: String) {
        world.tick()
        world.installations[0].installed?.artifact = Artifact(version: nil)
        world.installations[0].installed?.identity = nil
        world.installations[0].installed?.unreadable = "missing"
        world.installations[0].units[0].activeState = activeState
        world.installations[0].running = nil
        world.problems = [Problem(code: Problem.binaryMissing, text: "it is gone", about: binary)]
        world.standings[unit] = standing
        world.tick()
    }

    private let down = UnitStanding(isUp: false, lacksFile: true, isEnabled: true)

    @Test("invariant 3: a binary that has been missing for a minute is put back and its unit started")
    func mended() {
        let world = guardedServer()
        take(world, standing: down, activeState: "inactive")
        world.pass(TimeSpan(seconds: 59))
        world.tick()
        #expect(world.onDisk == nil)
        world.pass(TimeSpan(seconds: 2))
        world.tick()
        #expect(world.onDisk == old.sha256 && world.starts == 1)
        #expect(world.state.guards?.owedStarts.isEmpty == true)
        world.tick()
        #expect(world.starts == 1)
    }

    @Test(
        "nothing is put back for a unit that a person stopped or disabled, nor while the guards are paused",
        arguments: [
            UnitStanding(isUp: false, lacksFile: false, isEnabled: true),
            UnitStanding(isUp: false, lacksFile: true, isEnabled: false),
        ])
    func stopped(_ standing: UnitStanding) {
        let world = guardedServer()
        take(world, standing: standing, activeState: "inactive")
        world.pass(.minutes(5))
        world.tick()
        #expect(world.onDisk == nil && world.starts == 0)
        let paused = guardedServer()
        take(paused, standing: down, activeState: "inactive")
        paused.tick(request: .pause(until: paused.clock.now + .hours(2), reason: "by hand"))
        paused.pass(.minutes(5))
        paused.tick()
        #expect(paused.onDisk == nil && paused.starts == 0)
    }

    @Test("nothing is put back for a unit that was down before its binary went")
    func wasDown() {
        let world = guardedServer()
        world.installations[0].units[0].activeState = "inactive"
        take(world, standing: down, activeState: "inactive")
        world.pass(.minutes(5))
        world.tick()
        #expect(world.onDisk == nil && world.starts == 0)
    }

    @Test("a unit that still runs gets its binary back, and is not started anew")
    func stillRuns() {
        let world = guardedServer()
        take(
            world, standing: UnitStanding(isUp: true, lacksFile: false, isEnabled: true),
            activeState: "active")
        world.pass(.minutes(2))
        world.tick()
        #expect(world.onDisk == old.sha256 && world.starts == 0)
    }
}
