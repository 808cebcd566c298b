import Agent
import Gate
import Model
import Ports
import Testing

private let dropIn = "/etc/systemd/system/k3s.service.d/zz-holdfast.conf"
private let data = "/var/lib/rancher/k3s"
private let places = GatePlaces(state: "/var/lib/holdfast")

private func node() -> World {
    let world = guardedNode()
    world.tick(request: .adopt)
    world.tick()
    return world
}

extension World {
    fileprivate var lastRan: LastRan? {
        guards.files[places.lastRan(dataDirectory: data)].flatMap { try? LastRan.parse(Array($0.text.utf8)) }
    }

    /// The gate before a start: it lists it, and records what it recognises; nil stands for anything else.
    fileprivate func start(_ invocation: String, gateSees version: String?) {
        let path = places.starts(unit: "k3s.service")
        let line = "\(invocation) 1790000000 \(version ?? "-") - boot\n"
        guards.put(path, (guards.files[path]?.text ?? "") + line)
        let finding = lastRan.map { LastRanFinding.record($0) } ?? .missing
        if let next = finding.beforeStart(
            of: version.flatMap { Version($0) }, dataDirectory: data, invocationID: invocation, now: clock.now
        ) {
            guards.put(places.lastRan(dataDirectory: data), next.text)
        }
    }

    /// What then runs, as a look sees it.
    fileprivate func runs(
        _ version: String?, _ invocation: String, by source: Running.Source.Name = .processExecutable
    ) {
        let version = version.flatMap { Version($0) }
        installations[0].running = Running(
            version: version, sources: version.map { [.init(source: source, version: $0)] } ?? [],
            invocationID: invocation, restartPending: false)
    }

    /// Somebody else puts another artifact in place.
    fileprivate func install(_ version: String) {
        installations[0].installed?.artifact = Artifact(
            version: Version(version), sha256: Digest(String(repeating: "7", count: 64)))
        installations[0].installed?.identity?.inode += 77
    }

    /// What the real decision of the gate would be with what then lies on the disk.
    fileprivate func gateDecision() throws -> GateDecision {
        let file = try GuardFile.parse(Array(#require(guards.guardFile).utf8))
        let guarded = try #require(file.installation(ofUnit: "k3s.service"))
        let identity = try #require(installations[0].installed?.identity)
        let spare = guarded.spare.map { FileFinding.file($0.identity) } ?? .missing
        return decideStart(
            guarded, pausedUntil: file.pausedUntil,
            seen: GateObservation(
                binary: .file(identity), hash: .taken(installations[0].installed?.artifact.sha256 ?? .none),
                spare: spare, inVault: true, lastRan: lastRan.map { .record($0) } ?? .missing),
            now: clock.now)
    }
}

@Suite("What last ran, in simulation")
struct LastRanTests {
    @Test(
        "invariant 12: an unapproved minor that ran during a pause is taken in by its bytes, and not gone back from"
    )
    func paused() throws {
        let world = node()
        let until = world.clock.now + .hours(2)
        world.tick(request: .pause(until: until, reason: "by hand"))
        world.install("v1.32.1+k3s1")
        world.start("minor", gateSees: nil)
        #expect(world.lastRan?.unproven == LastRan.unread)
        world.runs("v1.32.1+k3s1", "minor")
        world.tick()
        #expect(world.lastRan?.highest == Version("v1.32.1+k3s1") && world.lastRan?.unproven == nil)
        let entries = world.committed.count
        world.tick()
        #expect(world.committed.count == entries)
        // The guards are back, the minor is still on disk: it is let through, since data was written.
        world.clock.now = until
        world.tick()
        guard case .allow(.noProof, _, _) = try world.gateDecision() else {
            Issue.record("it would be put back: \(try world.gateDecision())")
            return
        }
        // Within the minor that ran, what is approved later is put back again.
        world.tick(request: .adopt)
        world.install("v1.32.2+k3s1")
        world.installations[0].installed?.artifact.sha256 = Digest(String(repeating: "8", count: 64))
        world.tick()
        guard case .restore = try world.gateDecision() else {
            Issue.record("it is not put back: \(try world.gateDecision())")
            return
        }
    }

    @Test(
        "invariant 12: a minor that ran while the gate was gone raises the record, which then proves nothing")
    func absent() throws {
        let world = node()
        world.install("v1.32.1+k3s1")
        world.runs("v1.32.1+k3s1", "without the gate")
        world.guards.remove(dropIn)
        world.tick()
        #expect(world.lastRan?.highest == Version("v1.32.1+k3s1"))
        #expect(world.lastRan?.unproven?.contains("'holdfast adopt'") == true)
        #expect(world.guards.files[dropIn] != nil)
        guard case .allow(.noProof, _, _) = try world.gateDecision() else {
            Issue.record("it would be put back")
            return
        }
        world.clock.now = world.clock.now + .hours(1)
        // What is said is what helps: a person adopts what is there, once.
        let answer = world.tick(request: .adopt).answer
        #expect(answer?.events.count == 1)
        #expect(world.lastRan?.unproven == nil && world.lastRan?.highest == Version("v1.32.1+k3s1"))
        #expect(world.tick(request: .adopt).answer?.events.isEmpty == true)
    }

    @Test("invariant 12: the gate was gone while nothing ran, so something may have come and gone")
    func goneMeanwhile() throws {
        let world = node()
        world.installations[0].running = nil
        world.tick()
        #expect(world.lastRan?.unproven == nil)
        world.guards.remove(dropIn)
        world.install("v1.32.1+k3s1")
        world.tick()
        #expect(world.lastRan?.unproven != nil && world.guards.files[dropIn] != nil)
        guard case .allow(.noProof, _, _) = try world.gateDecision() else {
            Issue.record("it would be put back")
            return
        }
    }

    struct Untold: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var starts: [(String, String?)]
        var runs: (version: String?, start: String, source: Running.Source.Name)
    }

    static let untold = [
        Untold(
            testDescription: "two starts, and only the last one is seen", starts: [("a", nil), ("b", nil)],
            runs: ("v1.32.1+k3s1", "b", .processExecutable)),
        Untold(
            testDescription: "its version is only somebody's word", starts: [("a", nil)],
            runs: ("v1.32.1+k3s1", "a", .api)),
        Untold(
            testDescription: "no version at all", starts: [("a", nil)], runs: (nil, "a", .processExecutable)),
        Untold(
            testDescription: "what runs started without the gate", starts: [("a", nil)],
            runs: ("v1.32.1+k3s1", "b", .processExecutable)),
        Untold(
            testDescription: "a start that was recognised follows one that nobody saw",
            starts: [("a", nil), ("b", "v1.32.1+k3s1")], runs: ("v1.32.1+k3s1", "b", .processExecutable)),
    ]

    @Test("invariant 12: what cannot be told of every start since stays unproven", arguments: untold)
    func unproven(_ row: Untold) {
        let world = node()
        for (start, version) in row.starts { world.start(start, gateSees: version) }
        world.runs(row.runs.version, row.runs.start, by: row.runs.source)
        for _ in 0..<3 { world.tick() }
        #expect(world.lastRan?.unproven != nil)
    }

    @Test("the start of what the gate recognised proves as before, whatever the tick makes of it")
    func recognised() {
        let world = node()
        let version = world.lastRan?.highest?.description
        world.start("again", gateSees: version)
        world.runs(version, "again")
        let before = world.lastRan
        world.tick()
        #expect(world.lastRan == before && before?.unproven == nil)
    }
}
