import Glibc
import Model
import Ports
import Testing

@testable import Host

/// A systemd that says what it is told to, and counts how often it is asked.
private final class CountedSystemd: UnitSource {
    var observation: UnitObservation
    private(set) var questions = 0

    init(_ observation: UnitObservation) { self.observation = observation }

    func services(where isWanted: (ServiceDefinition) -> Bool) -> [ServiceDefinition] { [] }

    func state(of unit: String) -> UnitObservation {
        questions += 1
        return observation
    }
}

/// A node whose k3s.service runs as a real process, with the link that systemd keeps.
private final class RunningNode {
    let root: UnitRoot
    let starts: Scratch
    let systemd: CountedSystemd
    var known: KnownUnits?
    static let start = "b6f2674d59de41f88a24fa9a8e67b1be"

    init(process: Int32 = getpid(), activeState: String = "active", subState: String = "running") throws {
        root = try UnitRoot(["/etc/systemd/system/k3s.service": unit("/bin/k3s server")])
        starts = try Scratch()
        try starts.link("invocation:k3s.service", to: Self.start)
        systemd = CountedSystemd(
            UnitObservation(
                name: "k3s.service", activeState: activeState, subState: subState, fileState: "enabled",
                mainPID: process, invocationID: Self.start))
    }

    func relink(to target: String?) throws {
        unlink(starts("invocation:k3s.service"))
        if let target { try starts.link("invocation:k3s.service", to: target) }
    }

    /// Looks once, and remembers.
    @discardableResult
    func look(after span: TimeSpan = .zero) throws -> UnitObservation {
        let now = Instant(seconds: 4_000_000_000) + span
        let snapshot = SystemdSnapshot(
            systemd: systemd,
            files: UnitFiles(root: Root(root.path)).look(known: known, question: "k3s", now: now),
            starts: starts.path)
        _ = try snapshot.services { _ in true }
        let state = snapshot.state(of: "k3s.service")
        known = snapshot.known
        return state
    }
}

@Suite("systemd is asked only about units that may stand otherwise than before")
struct SystemdSnapshotTests {
    @Test("a unit whose start and main process go on is as systemd last told, for an hour")
    func goesOn() throws {
        let node = try RunningNode()
        let first = try node.look()
        let known = node.known
        #expect(try node.look(after: .minutes(59)) == first)
        #expect(node.systemd.questions == 1 && node.known == known)
        #expect(try node.look(after: .minutes(60)) == first)
        #expect(node.systemd.questions == 2)
    }

    private struct Change: Sendable {
        var name: String
        var make: @Sendable (RunningNode) throws -> Void
    }

    @Test(
        "after a stop, a crash or another start, and where a unit directory moved, systemd is asked (invariant 1)"
    )
    func changes() throws {
        let changes: [Change] = [
            Change(name: "stopped") { try $0.relink(to: nil) },
            Change(name: "started again") { try $0.relink(to: "e198294330a6445198e602369b381e6a") },
            Change(name: "a main process of another start time") {
                $0.known?.states["k3s.service"]?.started -= 10_000_000
            },
            Change(name: "enabled or disabled") {
                try $0.root.write("/etc/systemd/system/multi-user.target.wants/k3s.service", [])
            },
        ]
        for change in changes {
            let node = try RunningNode()
            try node.look()
            try change.make(node)
            node.systemd.observation.activeState = "failed"
            #expect(try node.look(after: .minutes(5)).activeState == "failed", "\(change.name)")
        }
    }

    @Test("a main process that has ended is seen, though the link is still there")
    func ended() throws {
        var child: pid_t = 0
        var words: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
        defer { words.forEach { free($0) } }
        #expect(posix_spawnp(&child, "sleep", nil, nil, &words, nil) == 0)
        let node = try RunningNode(process: child)
        try node.look()
        try node.look()
        #expect(node.systemd.questions == 1)
        kill(child, SIGKILL)
        waitpid(child, nil, 0)
        node.systemd.observation.subState = "auto-restart"
        #expect(try node.look().subState == "auto-restart")
    }

    @Test(
        "a unit on its way to another state is asked about at each look",
        arguments: [
            ("activating", "start"), ("deactivating", "stop-sigterm"), ("reloading", "reload"),
            ("active", "exited"),
        ])
    func onTheWay(_ active: String, _ sub: String) throws {
        let node = try RunningNode(activeState: active, subState: sub)
        try node.look()
        try node.look()
        #expect(node.systemd.questions == 2)
    }
}
