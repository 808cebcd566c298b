import Agent
import Gate
import Model
import Ports
import Testing

private let dropIn = "/etc/systemd/system/k3s.service.d/zz-holdfast.conf"

extension World {
    fileprivate var seedings: [Seeding] {
        committed.compactMap { if case .seeded(let seeding) = $0.event { seeding } else { nil } }
    }

    fileprivate var isAdopted: Bool { state.installations["k3s/k3s"]?.adoption != nil }
}

@Suite("A lost ledger is seeded from the guard file")
struct SeedTests {
    @Test(
        "invariant 10: a guard file that is not trusted is set aside where the ledger lacks what it knows, told, and a seed once it was put back",
        arguments: [0, 4], [true, false])
    func loose(entries: Int, isReleased: Bool) {
        let world = guardedNode()
        let before = world.guards.listing
        world.tick(request: .adopt)
        let text = world.guards.guardFile
        world.disk.lose(keeping: entries)
        world.guards.looseness = "others than root may write it"
        let outcome = world.tick(request: isReleased ? .release : nil)
        #expect(outcome.judgement.observation.problems.contains { $0.code == Problem.guardFileAside })
        #expect(world.guards.guardFilesAside == [text] && world.seedings.isEmpty)
        world.tick()
        #expect(world.guards.guardFilesAside == [text])
        #expect(world.state.problems.map(\.code).contains(Problem.guardFileAside))
        world.guards.putGuardFileBack()
        world.tick()
        #expect(world.seedings.count == 1 && world.isAdopted)
        #expect(!world.state.problems.map(\.code).contains(Problem.guardFileAside))
        world.tick(request: .release)
        #expect(world.guards.listing == before)
    }

    @Test("one that is not trusted, and of which the ledger knows all, is written anew without a word")
    func looseAndKnown() {
        let world = guardedNode()
        world.tick(request: .adopt)
        world.guards.looseness = "others than root may write it"
        #expect(world.tick().judgement.observation.problems == [])
        #expect(world.guards.guardFilesAside == [] && world.guards.guardFile != nil)
        #expect(world.guards.looseness == nil)
    }

    @Test(
        "invariant 10: after a lost ledger, or an older one, release takes everything away",
        arguments: [0, 3, 9])
    func lost(entries: Int) {
        let world = guardedNode()
        let before = world.guards.listing
        world.tick(request: .adopt)
        // A setting that another part of us placed, and what an admin had there before.
        let setting = Setting(.seal, "/usr/local/bin/other")
        world.guards.settings[setting] = "ours"
        let intent = Intent(id: "s", effect: .set(setting, to: "ours"), before: .setting("the admin's"))
        world.record(.intended(intent))
        world.record(.effected(EffectEnd(of: intent, outcome: .reads("ours"))))
        world.problems = [Problem(code: "systemd-silent", text: "systemd does not answer")]
        world.guards.silent = [.node]
        world.tick()
        world.guards.silent = []
        world.problems = []
        let known = world.state
        world.journal = []
        world.disk.lose(keeping: entries)
        let outcome = world.tick(dryRun: true)
        #expect(outcome.judgement.state.installations["k3s/k3s"]?.confirmed == true)
        #expect(world.seedings.isEmpty)
        world.tick()
        #expect(world.seedings.count == 1 && world.journal.contains { $0.message == .seeded })
        #expect(world.isAdopted && world.state.guards?.dropIns == known.guards?.dropIns)
        #expect(world.state.guards?.spares == known.guards?.spares)
        #expect(
            world.state.installations["k3s/k3s"]?.reference == known.installations["k3s/k3s"]?.reference)
        // What last ran goes on: it is not begun anew, as a new adoption would.
        #expect(world.state.guards?.lastRan == known.guards?.lastRan)
        world.tick()
        #expect(world.seedings.count == 1)
        world.tick(request: .release)
        world.tick()
        var after = before
        after[setting.summary] = "the admin's"
        #expect(world.guards.listing == after)
        #expect(world.state.guards == nil)
    }

    @Test("invariant 7: killed at any step of it, it is seeded once, and the open intent is finished")
    func killed() {
        var died = 0
        for fuse in 0..<40 {
            let world = guardedNode()
            world.guards.fuse = 30
            world.tick(request: .adopt)
            world.disk.lose()
            world.guards.fuse = fuse
            world.tick()
            let hasDied = world.guards.fuse == 0
            world.guards.fuse = nil
            for _ in 0..<3 { world.tick() }
            #expect(world.seedings.count == 1, "after \(fuse) steps")
            #expect(world.isAdopted && world.guards.files[dropIn] != nil, "after \(fuse) steps")
            #expect(world.state.guards?.intents.isEmpty == true, "after \(fuse) steps")
            guard hasDied else { break }
            died += 1
        }
        #expect(died > 3)
    }

    @Test("a pause outlives the ledger, and a policy that is not valid then leaves the guards as they were")
    func invalidPolicy() {
        let world = guardedNode(gate: .refuse)
        world.tick(request: .adopt)
        let until = world.clock.now + .hours(1)
        world.tick(request: .pause(until: until, reason: "by hand"))
        world.disk.lose()
        world.policy = .invalid(
            PolicyRejection(file: "policy.yaml", errors: ["policy.yaml:1:1: unknown key"]))
        world.tick()
        world.tick()
        #expect(world.state.pause?.reason == "by hand")
        #expect(world.guards.files[dropIn] != nil)
        #expect(world.guards.guardFile?.contains("\nmode refuse\n") == true)
        world.policy = gatePolicy(.warn)
        world.tick()
        #expect(world.guards.guardFile?.contains("\nmode warn\n") == true)
    }

    @Test(
        "invariant 2: with neither ledger nor guard file the first-seen artifact is a reference, and allows nothing"
    )
    func neither() {
        for text in [nil, "holdfast-guard 1\ntorn"] {
            let world = guardedNode()
            world.tick(request: .adopt)
            world.disk.lose()
            world.guards.replaceGuardFile(text)
            let outcome = world.tick()
            let known = world.state.installations["k3s/k3s"]
            #expect(known?.reference != nil && known?.confirmed == false && known?.adoption == nil)
            #expect(world.seedings.isEmpty)
            #expect(outcome.judgement.decisions.allSatisfy { $0.decision.verdict != .allow })
        }
    }

    @Test(
        "a ledger that has what the guard file was written after is not seeded, and an older file is written anew"
    )
    func lagging() throws {
        let world = guardedNode()
        world.tick(request: .adopt)
        let older = try #require(world.guards.guardFile)
        world.tick(request: .pause(until: world.clock.now + .hours(1), reason: "by hand"))
        world.guards.replaceGuardFile(older)
        world.tick()
        #expect(world.seedings.isEmpty && world.state.pause != nil)
        #expect(world.guards.guardFile?.contains("paused-until") == true)
    }

    @Test("an absence that the older ledger had seen begin ends as it would have, after its seeding")
    func unseen() {
        let world = guardedNode()
        world.tick(request: .adopt)
        world.tick()
        world.installations = []
        world.tick()
        let entries = world.committed.count
        world.tick(request: .pause(until: world.clock.now + .hours(1), reason: "by hand"))
        world.disk.lose(keeping: entries)
        world.clock.now = world.clock.now + .minutes(2)
        world.tick()
        #expect(world.seedings.count == 1)
        for _ in 0..<3 { world.tick() }
        #expect(world.state.installations.isEmpty && world.guards.files.isEmpty)
    }

    @Test("what the gate reads stays readable whatever a lost ledger would need")
    func size() throws {
        let world = guardedNode()
        world.tick(request: .adopt)
        let intents = (0..<400).map { number in
            Intent(
                id: "\(number)", effect: .set(Setting(.planLabel, "plan-\(number)"), to: "held"),
                before: .setting(String(repeating: "x", count: 60)))
        }
        for intent in intents {
            world.record(.intended(intent))
            world.record(.effected(EffectEnd(of: intent, outcome: .reads("held"))))
        }
        world.guards.silent = [.cluster]
        world.tick()
        let text = try #require(world.guards.guardFile)
        #expect(text.utf8.count <= GuardFile.largest)
        #expect(try GuardFile.parse(Array(text.utf8)).installation(ofUnit: "k3s.service") != nil)
    }
}
