import Agent
import Model
import Ports
import Testing

private let units = "/usr/local/lib/systemd/system"
private func dropIn(_ unit: String) -> String { "/etc/systemd/system/\(unit).d/paths.conf" }

/// A node with a K3s server whose binary lies somewhere, under a policy that asks for the gate.
private func node(binary: String = "/data/bin/k3s", seal: Bool = false, isInstalled: Bool = true) -> World {
    let world = Story(seed: 1).world
    var document = PolicyDocument()
    document.base.enforce.gate = .restore
    document.base.enforce.seal = seal
    world.policy = .valid(
        LoadedPolicy(
            document: document, sources: PolicySources(file: "policy.yaml", lines: [:]), sha256: .none))
    let version = world.installations[0].installed?.artifact.version
    world.installations[0].running?.version = version
    world.installations[0].installed?.path = binary
    if isInstalled {
        for unit in ["holdfast.service", "holdfast.path", "holdfast-settle.path"] {
            world.guards.put("\(units)/\(unit)", "as shipped")
        }
    }
    return world
}

@Suite("What our own units are told of a node")
struct OwnUnitTests {
    @Test("a binary elsewhere is made writable and watched, by drop-ins that systemd has read and watches by")
    func elsewhere() {
        let world = node()
        world.tick(request: .adopt)
        #expect(
            world.guards.listing[dropIn("holdfast.service")]?.hasSuffix(
                "[Service]\nReadWritePaths=-/data/bin\n")
                == true)
        for unit in ["holdfast.path", "holdfast-settle.path"] {
            #expect(world.guards.listing[dropIn(unit)]?.hasSuffix("[Path]\nPathChanged=/data/bin\n") == true)
            #expect(world.guards.loaded.contains(dropIn(unit)) && world.guards.watched.contains(dropIn(unit)))
        }
        // There is no such unit here.
        #expect(world.guards.listing[dropIn("holdfast-step.service")] == nil)
        let entries = world.committed.count
        world.tick()
        #expect(world.committed.count == entries)
    }

    @Test(
        "nothing is written where the units know all of it, or are not installed",
        arguments: [("/usr/local/bin/k3s", true), ("/opt/bin/k3s", true), ("/data/bin/k3s", false)])
    func unneeded(binary: String, isInstalled: Bool) {
        let world = node(binary: binary, isInstalled: isInstalled)
        world.tick(request: .adopt)
        #expect(!world.guards.listing.keys.contains { $0.contains("/holdfast") && $0.contains(".d/") })
    }

    @Test(
        "in a directory that is never quiet the file itself is watched, and a strange path is written safely")
    func busy() {
        let world = node(binary: "/usr/bin/k3s")
        world.tick(request: .adopt)
        #expect(
            world.guards.listing[dropIn("holdfast.path")]?.contains("\nPathChanged=/usr/bin/k3s\n") == true)
        let strange = node(binary: "/data/100% mine/k3s")
        strange.tick(request: .adopt)
        #expect(
            strange.guards.listing[dropIn("holdfast.service")]?.contains(
                "ReadWritePaths=\"-/data/100%% mine\"")
                == true)
        let hostile = node(binary: "/data/a\nExecStart=/bin/sh/k3s")
        hostile.tick(request: .adopt)
        #expect(hostile.guards.listing[dropIn("holdfast.path")] == nil)
    }

    @Test("invariant 10: release takes them away, and somebody else's file of that name is left alone")
    func released() {
        let world = node(seal: true)
        let before = world.guards.listing
        world.tick(request: .adopt)
        #expect(world.guards.listing != before)
        world.tick(request: .release)
        #expect(world.guards.listing == before)
        #expect(world.guards.watched.isEmpty && world.state.guards == nil)

        let foreign = node()
        foreign.guards.put(dropIn("holdfast.path"), "[Path]\nPathChanged=/mine\n")
        let outcome = foreign.tick(request: .adopt)
        #expect(outcome.judgement.observation.problems.contains { $0.code == "drop-in-foreign" })
        foreign.tick(request: .release)
        #expect(foreign.guards.listing[dropIn("holdfast.path")] == "[Path]\nPathChanged=/mine\n")
    }

    @Test(
        "invariant 7: killed at any step, the next tick ends where a whole run ends",
        arguments: [GuardRequest.adopt, .release])
    func killed(_ request: GuardRequest) {
        func play(fuse: Int?) -> World {
            let world = node(seal: true)
            if request == .release { world.tick(request: .adopt) }
            world.guards.fuse = fuse
            world.tick(request: request)
            return world
        }
        func names(_ world: World) -> [String] {
            world.guards.listing.filter { $0.key != "guard" }.map { "\($0.key)\n\($0.value)" }.sorted()
        }
        let whole = play(fuse: nil)
        var died = 0
        for fuse in 0..<400 {
            let world = play(fuse: fuse)
            let hasDied = world.guards.fuse == 0
            world.guards.fuse = nil
            world.tick(request: request)
            world.tick()
            #expect(names(world) == names(whole), "after \(fuse) steps")
            #expect(world.guards.loaded == whole.guards.loaded, "after \(fuse) steps")
            #expect(world.guards.watched == whole.guards.watched, "after \(fuse) steps")
            guard hasDied else { break }
            died += 1
        }
        #expect(died > 3)
    }
}

@Suite("Sealing a binary")
struct SealTests {
    private let seal = Setting(.seal, "/usr/local/bin/k3s")

    private func sealing() -> World { node(binary: "/usr/local/bin/k3s", seal: true) }

    @Test("the approved binary is sealed, a pause lifts it, and resume puts it back")
    func placed() {
        let world = sealing()
        world.tick(request: .adopt)
        #expect(world.guards.settings[seal] == "immutable")
        // The tick's own unit is given what it takes.
        #expect(
            world.guards.listing[dropIn("holdfast.service")]?.contains(
                "CapabilityBoundingSet=CAP_LINUX_IMMUTABLE")
                == true)
        world.tick(request: .pause(until: Instant(seconds: 1_800_000_000), reason: "by hand"))
        #expect(world.guards.settings[seal] == nil)
        world.tick(request: .resume)
        #expect(world.guards.settings[seal] == "immutable")
        world.tick(request: .release)
        #expect(world.guards.settings[seal] == nil && world.guards.listing[dropIn("holdfast.service")] == nil)
    }

    @Test("invariant 10: a flag that an admin set is left as it was")
    func adminsOwn() {
        let world = sealing()
        world.guards.settings[seal] = "immutable"
        world.tick(request: .adopt)
        #expect(world.state.guards?.settings.isEmpty == true)
        world.tick(request: .release)
        #expect(world.guards.settings[seal] == "immutable")
    }

    @Test("other bytes than the approved ones are never sealed, so that they can be put back")
    func otherBytes() {
        let world = sealing()
        world.tick(request: .adopt)
        world.installations[0].installed?.artifact.sha256 = Digest(
            String(repeating: "ab", count: 32))
        world.guards.settings[seal] = nil
        world.tick()
        #expect(world.guards.settings[seal] == nil)
        #expect(world.state.guards?.setting(seal) == nil)
    }

    @Test("a seal that somebody broke is put back, and recorded")
    func broken() {
        let world = sealing()
        world.tick(request: .adopt)
        world.guards.settings[seal] = nil
        let outcome = world.tick()
        #expect(world.guards.settings[seal] == "immutable")
        #expect(
            outcome.events.contains { event in
                if case .guardBroken = event { true } else { false }
            })
    }
}
