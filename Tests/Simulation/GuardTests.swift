import Agent
import Model
import Ports
import Testing

private let dropIn = "/etc/systemd/system/k3s.service.d/zz-holdfast.conf"
private let spare = "/usr/local/bin/.k3s.holdfast-spare"

@Suite("Guards in simulation")
struct GuardTests {
    @Test("invariant 10: after adopt and release the node is as it was", arguments: [true, false])
    func undone(hadDirectory: Bool) {
        let world = guardedNode()
        if hadDirectory { world.guards.put("/etc/systemd/system/k3s.service.d/override.conf", "[Service]") }
        let before = world.guards.listing
        world.tick(request: .adopt)
        #expect(world.guards.listing != before)
        #expect(world.guards.loaded.contains(dropIn))
        world.tick(request: .release)
        #expect(world.guards.listing == before)
        #expect(!world.guards.loaded.contains(dropIn))
        #expect(world.state.guards == nil)
    }

    @Test("what is asked for twice is done once, and a quiet tick opens, writes and records nothing")
    func quiet() {
        let world = guardedNode()
        let first = world.tick(request: .adopt)
        #expect(first.answer?.events.count == 1 && first.guards?.events.isEmpty == false)
        let second = world.tick(request: .adopt)
        #expect(second.answer?.events.isEmpty == true && second.guards?.events.isEmpty == true)
        let entries = world.committed.count
        // A process that can take no step at all: whatever it tried would fail.
        world.guards.fuse = 0
        let quiet = world.tick()
        #expect(quiet.failure == nil && quiet.guards?.trouble == nil && quiet.guards?.isBusy == false)
        #expect(world.committed.count == entries)
    }

    @Test("invariant 10: nothing is placed of which the guard file could not be told, and all of it later")
    func guardFileUnwritten() {
        let world = guardedNode()
        var performed: [Effect] = []
        world.guards.onPerform = { performed.append($0) }
        world.guards.guardFileTrouble = "guard could not be written: no space left on device"
        #expect(world.tick(request: .adopt).guards?.trouble == world.guards.guardFileTrouble)
        #expect(performed == [] && world.guards.files[dropIn] == nil)
        world.guards.guardFileTrouble = nil
        #expect(world.tick().guards?.trouble == nil)
        #expect(!performed.isEmpty && world.guards.loaded.contains(dropIn))
    }

    @Test(
        "invariant 2: what was done and cannot be read back is not told to be gone, and the next tick finds it"
    )
    func unreadBack() throws {
        let world = guardedNode()
        world.guards.unreadable = [spare]
        let trouble = try #require(world.tick(request: .adopt).guards?.trouble)
        #expect(
            trouble.hasPrefix("\(spare): cannot be read: input/output error, so it cannot be seen whether"))
        #expect(world.state.guards?.intents.count == 1)
        world.guards.unreadable = []
        #expect(world.tick().guards?.trouble == nil)
        #expect(world.state.guards?.intents == [] && world.state.guards?.troubles == [])
        #expect(world.guards.loaded.contains(dropIn))
    }

    @Test("--dry-run shows exactly what is then done, and does nothing")
    func rehearsal() {
        for wish in [GuardRequest.adopt, .release] {
            let world = guardedNode()
            if wish == .release { world.tick(request: .adopt) }
            let before = world.guards.listing
            let planned = world.tick(dryRun: true, request: wish).guards?.planned.map(\.summary)
            #expect(world.guards.listing == before)
            let done = world.tick(request: wish).guards?.events.compactMap { event -> String? in
                if case .effected(let end) = event, case .done = end.outcome { end.summary } else { nil }
            }
            #expect(planned == done && done?.count == 5)
        }
    }

    @Test("invariant 7: no effect without an intent that was committed before, each closed by the next entry")
    func intents() {
        let world = guardedNode()
        world.tick(request: .adopt)
        world.tick(request: .release)
        var open: Intent?
        var count = 0
        for entry in world.committed {
            switch entry.event {
            case .intended(let intent):
                #expect(open == nil)
                open = intent
                count += 1
            case .effected(let end):
                #expect(end.intent == open?.id)
                open = nil
            default: break
            }
        }
        #expect(open == nil && count == 10)
    }

    @Test("somebody else's drop-in of the same name is left alone, and told")
    func foreign() {
        let world = guardedNode()
        world.guards.put(dropIn, "[Service]\nNice=5\n")
        world.tick(request: .adopt)
        let told = world.tick()
        #expect(told.judgement.observation.problems.contains { $0.code == "drop-in-foreign" })
        #expect(world.guards.files[dropIn]?.text == "[Service]\nNice=5\n")
        world.tick(request: .release)
        #expect(world.guards.files[dropIn]?.text == "[Service]\nNice=5\n")
        #expect(world.state.guards == nil)
    }

    @Test("what is neither before nor after an effect stops everything, once, and is told (intent-unknown)")
    func unknown() {
        // Dies between the intent of the drop-in and the drop-in.
        var world = guardedNode()
        for fuse in 1..<100 where !isAboutToPlace(world) {
            world = guardedNode()
            world.guards.fuse = fuse
            world.tick(request: .adopt)
            world.guards.fuse = nil
        }
        #expect(isAboutToPlace(world))
        world.guards.put(dropIn, "somebody was quicker")
        world.tick()
        let entries = world.committed.count
        let outcome = world.tick()
        #expect(outcome.judgement.observation.problems.contains { $0.code == "intent-unknown" })
        #expect(outcome.guards?.trouble != nil)
        world.tick()
        // One entry more, for the problem; the same trouble is not recorded at every tick.
        #expect(world.committed.count <= entries + 2)
        #expect(world.guards.files[dropIn]?.text == "somebody was quicker")
        world.guards.remove(dropIn)
        world.tick()
        #expect(world.guards.loaded == [dropIn])
    }

    private func isAboutToPlace(_ world: World) -> Bool {
        if case .placeDropIn = world.state.guards?.intents.first?.effect {
            world.guards.files[dropIn] == nil
        } else {
            false
        }
    }

    @Test("a guard that somebody took away is put back at the next tick")
    func putBack() {
        let world = guardedNode()
        world.tick(request: .adopt)
        world.guards.remove(spare)
        world.guards.remove(dropIn)
        world.tick()
        #expect(world.guards.files[spare] != nil && world.guards.files[dropIn] != nil)
    }

    @Test("who cannot get the effect lock records what is asked, and leaves the rest to the holder")
    func busy() {
        let world = guardedNode()
        world.guards.isLockedByAnother = true
        let outcome = world.tick(request: .adopt)
        #expect(outcome.guards?.isBusy == true && outcome.answer?.events.count == 1)
        #expect(world.guards.listing.isEmpty)
        world.guards.isLockedByAnother = false
        world.tick()
        #expect(world.guards.files[dropIn] != nil)
    }

    @Test("without a policy adopt confirms and places nothing; with one the next tick places it")
    func withoutPolicy() {
        let world = guardedNode(gate: nil)
        world.tick(request: .adopt)
        #expect(world.state.installations["k3s/k3s"]?.confirmed == true)
        // What a lost ledger would need, and nothing else.
        #expect(Array(world.guards.listing.keys) == ["guard"])
        world.policy = gatePolicy(.warn)
        world.tick()
        #expect(world.guards.guardFile?.contains("\nmode warn\n") == true)
        // Invariant 2: an invalid policy goes on guarding as before.
        world.policy = .invalid(
            PolicyRejection(file: "policy.yaml", errors: ["policy.yaml:1:1: unknown key"]))
        world.tick()
        #expect(
            world.guards.files[dropIn] != nil && world.guards.guardFile?.contains("\nmode warn\n") == true)
    }

    @Test("an artifact whose bytes cannot be read is not adopted, and what to do is said")
    func unreadable() {
        let world = guardedNode()
        world.installations[0].installed?.artifact.version = nil
        world.installations[0].installed?.unreadable = "not an ELF file"
        let answer = world.tick(request: .adopt).answer
        #expect(answer?.events.isEmpty == true)
        #expect(answer?.refusals.first?.contains("not an ELF file") == true)
        #expect(world.state.installations["k3s/k3s"]?.adoption == nil)
    }

    @Test("a pause is in the guard file, and ends by itself")
    func pause() {
        let world = guardedNode()
        world.tick(request: .adopt)
        let until = world.clock.now + .hours(2)
        world.tick(request: .pause(until: until, reason: "by hand"))
        #expect(world.guards.guardFile?.contains("\npaused-until \(until.seconds)\n") == true)
        world.clock.now = until
        let outcome = world.tick()
        #expect(world.guards.guardFile?.contains("paused-until") == false)
        #expect(
            outcome.events.contains { event in
                if case .resumed(let end) = event { end.isByTime } else { false }
            })
        #expect(world.state.pause == nil)
    }

    @Test(
        "invariant 1: while an installer has its unit away, or its unit runs on, every guard stays and nothing is begun",
        arguments: [Enforcement.GateMode.restore, .off])
    func unitAway(gate: Enforcement.GateMode) {
        let world = guardedNode(gate: gate)
        world.tick(request: .adopt)
        world.tick()
        let placed = world.guards.listing.keys
        let there = world.installations
        world.installations = []
        for _ in 0..<3 { world.tick() }
        #expect(world.guards.listing.keys == placed)
        #expect(world.state.installations["k3s/k3s"]?.adoption != nil)
        // The installer was killed right there: what runs is not gone, for however long.
        world.standings["k3s.service"] = UnitStanding(isUp: true, lacksFile: false, isEnabled: false)
        world.clock.now = world.clock.now + .hours(2)
        world.tick()
        #expect(world.guards.listing.keys == placed)
        #expect(world.state.installations["k3s/k3s"]?.adoption != nil)
        // Invariant 2: nor is that of which systemd, just being executed anew, does not tell.
        world.standings = [:]
        world.guards.silent = [.node]
        world.tick()
        #expect(world.guards.listing.keys == placed)
        world.guards.silent = []
        world.installations = there
        world.tick()
        #expect(world.state.installations["k3s/k3s"]?.unseenSince == nil)
        #expect(world.state.installations["k3s/k3s"]?.adoption != nil)
        #expect(world.state.problems.isEmpty)
    }

    @Test(
        "guards go when the distribution is uninstalled, and stay while it cannot be looked at or its binary is gone",
        arguments: [("k3s", Distribution.k3s), ("k0scontroller", .k0s)])
    func uninstalled(name: String, distribution: Distribution) {
        let world = guardedNode()
        world.installations[0].id = InstallationID(distribution: distribution, name: name)
        world.installations[0].units[0].name = "\(name).service"
        let dropIn = "/etc/systemd/system/\(name).service.d/zz-holdfast.conf"
        world.tick(request: .adopt)
        let installation = world.installations
        world.installations[0].installed = Installed(
            artifact: Artifact(version: nil), path: "/usr/local/bin/k3s", evidence: .unreadable,
            origin: .unknown, unreadable: "missing")
        for _ in 0..<3 { world.tick() }
        #expect(world.guards.files[dropIn] != nil && world.guards.files[spare] != nil)
        world.installations = []
        world.problems = [Problem(code: "systemd-silent", text: "systemd does not answer")]
        world.tick()
        #expect(world.guards.files[dropIn] != nil)
        world.problems = []
        world.tick()
        #expect(world.guards.files[dropIn] != nil)
        world.clock.now = world.clock.now + .minutes(1)
        world.tick()
        world.tick()
        #expect(world.guards.listing.isEmpty)
        world.installations = installation
        world.tick()
        #expect(world.guards.listing.isEmpty)
    }

    @Test(
        "invariant 12: a start that nobody recorded makes what last ran prove nothing, until it is adopted anew"
    )
    func unrecordedStart() throws {
        let world = guardedNode()
        world.tick(request: .adopt)
        let record = try #require(world.guards.files.keys.first { $0.contains("/last-ran/") })
        #expect(world.guards.files[record]?.text.contains("\nunproven -\n") == true)
        world.installations[0].running?.invocationID = "started-without-the-gate"
        world.tick()
        #expect(world.guards.files[record]?.text.contains("\nunproven -\n") == false)
        let entries = world.committed.count
        world.tick()
        #expect(world.committed.count == entries)
        world.tick(request: .release)
        #expect(world.guards.files[record] == nil)
        world.tick(request: .adopt)
        #expect(world.guards.files[record]?.text.contains("\nunproven -\n") == true)
    }
}
