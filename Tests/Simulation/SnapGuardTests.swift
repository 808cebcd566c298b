import Agent
import Model
import Ports
import Testing

private let hold = Setting(.snapHold, "microk8s")
private let retain = Setting(.snapRetain, "system")
private let channel = Setting(.snapChannel, "microk8s")
private let everySnap = Setting(.systemHold, "system")
private let dropIn = "/etc/systemd/system/snap.microk8s.daemon-.service.d/zz-holdfast.conf"
private let kubelite = "snap.microk8s.daemon-kubelite.service"

private func microK8s(_ version: String = "v1.33.4", revision: String = "101") -> Installation {
    let artifact = Artifact(version: Version(version), revision: revision, channel: "1.33/stable")
    return Installation(
        id: InstallationID(distribution: .microk8s, name: "microk8s"), role: .node,
        units: [UnitObservation(name: kubelite, activeState: "active", mainPID: 7, invocationID: "one")],
        dataDirectory: "/var/snap/microk8s/current", dataStore: .dqlite,
        installed: Installed(
            artifact: artifact, path: "/snap/microk8s/\(revision)", evidence: .snapd, origin: .verified),
        running: Running(
            version: artifact.version, sources: [], invocationID: "one", restartPending: false,
            startedFrom: Artifact(version: artifact.version, revision: revision)))
}

private func policy(_ change: (inout Policy) -> Void) -> PolicyReading {
    var document = PolicyDocument()
    change(&document.base)
    return .valid(
        LoadedPolicy(
            document: document, sources: PolicySources(file: "policy.yaml", lines: [:]), sha256: .none))
}

private func held(_ policy: inout Policy) {
    policy.enforce.hold = .general
    policy.enforce.veto = true
}

/// A node with MicroK8s under a policy.
private func node(_ change: (inout Policy) -> Void = held) -> World {
    let world = World(
        clock: ClockReading(
            now: Instant(seconds: 1_790_000_000), monotonic: 1, bootID: "boot-1", synchronised: true),
        installations: [microK8s()], policy: policy(change))
    world.snapd = SnapdFacts(version: "2.68.3")
    return world
}

@Suite("Guards of a snap in simulation")
struct SnapGuardTests {
    @Test("adopt holds the snap, keeps three revisions and places the veto; a quiet tick does nothing")
    func adopt() throws {
        let world = node()
        world.tick(request: .adopt)
        #expect(world.guards.settings == [hold: "forever", retain: "3"])
        #expect(world.guards.files[dropIn]?.text.contains("\nStartLimitIntervalSec=0\n") == true)
        #expect(world.guards.loaded.contains(dropIn))
        let file = try GuardFile.parse(Array(#require(world.guards.guardFile).utf8))
        let guarded = try #require(file.installation(ofUnit: kubelite))
        #expect(guarded.mode == .refuse && guarded.binary == "/snap/microk8s/current")
        #expect(guarded.approved.map(\.artifact.revision) == ["101"])
        #expect(guarded.ran == SeenRunning(revision: "101", bootID: "boot-1", since: world.clock.now))
        let entries = world.committed.count
        world.guards.fuse = 0
        #expect(world.tick().guards?.trouble == nil)
        #expect(world.committed.count == entries)
    }

    @Test("invariant 10: what an admin had set before is there again after release, and after each pause")
    func restored() {
        for before in [
            [hold: "2027-01-01 auto-refresh"], [retain: "5", hold: "2319 general"], [:], [retain: "2"],
        ] {
            let world = node()
            world.guards.settings = before
            world.tick(request: .adopt)
            #expect(world.guards.settings[hold] == "forever")
            #expect(world.guards.settings[retain] == (before[retain] == "5" ? "5" : "3"))
            world.tick(request: .pause(until: world.clock.now + .hours(2), reason: "by hand"))
            #expect(world.guards.settings == before)
            // The gate itself lets everything through meanwhile.
            #expect(world.guards.files[dropIn] != nil)
            world.clock.now = world.clock.now + .hours(2)
            world.tick()
            #expect(world.guards.settings[hold] == "forever")
            world.tick(request: .release)
            #expect(world.guards.settings == before)
            #expect(world.state.guards == nil && world.guards.files.isEmpty)
        }
    }

    @Test("who takes the hold away, weakens it, or lowers retain has it put back, recorded and told")
    func putBack() {
        let world = node()
        world.tick(request: .adopt)
        for found in [nil, "2026-12-01T00:00:00Z"] {
            world.guards.settings[hold] = found
            let events = world.tick().events
            #expect(world.guards.settings[hold] == "forever")
            #expect(
                events.contains {
                    if case .guardBroken(let broken) = $0 { broken.found == found } else { false }
                })
            #expect(world.journal.contains { $0.message == .guardBroken })
        }
        world.guards.settings[retain] = "2"
        world.clock.now = world.clock.now + .minutes(5)
        world.tick()
        // Asked about once an hour.
        #expect(world.guards.settings[retain] == "2")
        world.clock.now = world.clock.now + .hours(1)
        world.tick()
        #expect(world.guards.settings[retain] == "3")
    }

    @Test("what an admin has set as we would is asked about once an hour, and a pause does not hide that")
    func alike() {
        let world = node()
        world.guards.settings[retain] = "3"
        world.tick(request: .adopt)
        world.tick()
        let (questions, memory) = (world.guards.questions[retain, default: 0], world.memory)
        for _ in 0..<5 {
            world.clock.now = world.clock.now + .minutes(5)
            world.tick()
        }
        #expect(world.guards.questions[retain, default: 0] == questions && world.memory == memory)
        world.tick(request: .pause(until: world.clock.now + .hours(1), reason: "by hand"))
        world.guards.settings[retain] = "2"
        world.tick(request: .resume)
        #expect(world.guards.settings[retain] == "3")
    }

    @Test("invariant 2: a snapd that does not answer has nothing taken from it")
    func silent() {
        let world = node()
        world.tick(request: .adopt)
        let before = world.guards.settings
        let entries = world.committed.count
        world.guards.silent = [.snapd]
        let facts = world.snapd
        world.snapd = nil
        world.tick()
        world.snapd = facts
        world.guards.silent = []
        world.tick()
        #expect(world.guards.settings == before && world.committed.count == entries)
    }

    @Test("a snapd below 2.58 has every snap held for sixty days, renewed half way, with a plain warning")
    func old() {
        let world = node { $0.enforce.hold = .general }
        world.snapd = SnapdFacts(version: "2.57.6", holdsSnaps: false, tellsInhibition: false)
        world.tick(request: .adopt)
        #expect(world.guards.settings[hold] == nil)
        let first = world.guards.settings[everySnap]
        #expect(first == Instant(seconds: 1_790_000_000 / 86_400 * 86_400 + 60 * 86_400).description)
        #expect(world.tick().judgement.observation.problems.contains { $0.code == "hold-global" })
        world.clock.now = world.clock.now + .days(29)
        world.tick()
        #expect(world.guards.settings[everySnap] == first)
        world.clock.now = world.clock.now + .days(2)
        world.tick()
        #expect(world.guards.settings[everySnap] ?? "" > first ?? "")
        world.tick(request: .release)
        #expect(world.guards.settings.isEmpty)
    }

    struct Refresh: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var revision: String? = "102"
        var isFree = true
        var isPaused = false
        var isEnforced = true
        var isAborted = false
    }

    @Test(
        "a refresh to what is not allowed is given up while that costs nothing, never while paused",
        arguments: [
            Refresh(testDescription: "not allowed", isAborted: true),
            Refresh(testDescription: "the approved one", revision: "101"),
            Refresh(testDescription: "of an unknown revision", revision: nil),
            Refresh(testDescription: "with services stopped already, or other snaps in it", isFree: false),
            Refresh(testDescription: "while paused", isPaused: true),
            Refresh(testDescription: "where the policy asks for nothing", isEnforced: false),
        ])
    func aborts(_ refresh: Refresh) {
        let world = node { if refresh.isEnforced { held(&$0) } }
        world.tick(request: .adopt)
        if refresh.isPaused { world.tick(request: .pause(until: world.clock.now + .hours(1), reason: "x")) }
        world.snapd?.refreshes = [
            SnapRefresh(
                change: "12", kind: "auto-refresh", snap: "microk8s", revision: refresh.revision,
                isFree: refresh.isFree)
        ]
        world.tick()
        #expect(world.guards.aborted == (refresh.isAborted ? ["12"] : []))
        world.snapd?.refreshes = []
        world.tick()
        #expect(world.state.guards?.intents.isEmpty != false)
    }

    @Test("services that a refresh has left stopped are started, and that is told")
    func repair() {
        let world = node()
        world.tick(request: .adopt)
        world.snapd?.leftStopped = [kubelite]
        world.tick()
        #expect(world.guards.started == [kubelite])
        #expect(world.journal.contains { $0.text.contains("start what a refresh left stopped: \(kubelite)") })
    }

    struct Pin: Sendable, CustomTestStringConvertible {
        var testDescription: String { pinned }
        var pinned: String
        var follows: String
        var isTold = false
    }

    @Test(
        "invariant 9: a pinned channel is followed, never one below what is installed, and let go on release",
        arguments: [
            Pin(pinned: "1.34/stable", follows: "1.34/stable"),
            Pin(pinned: "1.33/edge", follows: "1.33/edge"),
            Pin(pinned: "1.34", follows: "1.34/stable"), Pin(pinned: "1.33/stable", follows: "1.33/stable"),
            Pin(pinned: "1.32/stable", follows: "1.33/stable", isTold: true),
            Pin(pinned: "latest/stable", follows: "1.33/stable", isTold: true),
        ])
    func pins(_ pin: Pin) {
        let world = node { $0.pin.channel = pin.pinned }
        world.guards.settings[channel] = "1.33/stable"
        world.tick(request: .adopt)
        #expect(world.guards.settings[channel] == pin.follows)
        world.tick()
        #expect(world.state.problems.contains { $0.code == "channel-pin" } == pin.isTold)
        world.tick(request: .release)
        #expect(world.guards.settings[channel] == "1.33/stable")
    }

    @Test("--dry-run shows what adopt and release then do")
    func rehearsal() {
        for request in [GuardRequest.adopt, .release] {
            let world = node()
            if request == .release { world.tick(request: .adopt) }
            let planned = world.tick(dryRun: true, request: request).guards?.planned.map(\.summary)
            let done = world.tick(request: request).guards?.events.compactMap { event -> String? in
                guard case .effected(let end) = event else { return nil }
                return end.summary
            }
            #expect(planned == done && planned?.isEmpty == false)
        }
    }
}
