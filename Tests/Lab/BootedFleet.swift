import FoundationEssentials
import Model
import Testing

/// Boots the nodes of a fleet, and what keeps its store, before a suite begins, with Holdfast as `make install` leaves
/// it; all of it is taken away when the suite is over.
struct BootedFleet: SuiteTrait, TestScoping {
    @TaskLocal fileprivate static var current: LabFleet?
    let shape: FleetShape

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await Lab.run(["prepare", shape.software.name], seconds: 540)
        let own = String(UInt16.random(in: .min ... .max), radix: 16)
        let fleet = LabFleet(
            name: "hf-f-\(ProcessInfo.processInfo.processIdentifier)-\(own)", shape: shape)
        try Lab.afterThisProcess("disband", fleet.name)
        let count = shape.members.count
        await NodeSlots.shared.take(count)
        defer { Task { await NodeSlots.shared.give(count) } }
        do {
            try await fleet.boot()
            try await Self.$current.withValue(fleet) { try await function() }
        } catch {
            _ = try? await Lab.run(["disband", fleet.name])
            throw error
        }
        try await Lab.run(["disband", fleet.name])
    }
}

extension Trait where Self == BootedFleet {
    /// The suite runs on a fleet of its own: three K3s servers, and their etcd.
    static var fleet: Self { .fleet(.servers(.etcd)) }
    /// The suite runs on a fleet of its own, whose nodes are the servers of one cluster.
    static var cluster: Self { .fleet(.oneCluster) }
    /// The suite runs on a fleet of its own.
    static func fleet(_ shape: FleetShape) -> Self { BootedFleet(shape: shape) }
}

/// A release that a fleet goes to, and what is wrong with it: a `--broken` of the lab; nil for nothing.
struct FleetRelease {
    var fault: String?

    static let base = FleetSoftware.k3s.base
    static let version = FleetSoftware.k3s.version
    static let good = FleetRelease()
    static let neverReady = FleetRelease(fault: "never-ready")
}

/// A running fleet.
struct LabFleet {
    let name: String
    let shape: FleetShape
    var nodes: [LabNode] { shape.members.map { node($0.name) } }
    var canary: LabNode { node("canary") }
    var west: LabNode { node("west") }
    var east: LabNode { node("east") }
    var rest: [LabNode] { [west, east] }
    var software: FleetSoftware { shape.software }

    /// The node of a member.
    func node(_ member: String) -> LabNode { LabNode(name: "\(name)-\(member)") }

    /// The fleet of the suite that this test is in.
    static var current: LabFleet {
        get throws { try #require(BootedFleet.current, "this suite has no fleet") }
    }

    /// What Holdfast calls a node: by its Kubernetes name where it is one of several servers.
    func title(_ node: LabNode) -> String {
        shape.isOneCluster ? node.name : String(node.name.dropFirst(name.count + 1)) + "-1"
    }

    /// Does something on each of some nodes at once.
    func each(
        _ nodes: [LabNode]? = nil, _ body: @escaping @Sendable (LabNode) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in nodes ?? self.nodes { group.addTask { try await body(node) } }
            try await group.waitForAll()
        }
    }

    private func eachMember(
        _ body: @escaping @Sendable (FleetShape.Member, LabNode) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for member in shape.members { group.addTask { try await body(member, node(member.name)) } }
            try await group.waitForAll()
        }
    }

    fileprivate func boot() async throws {
        // The first time what keeps the store is built.
        try await Lab.run([shape.store.rawValue, "start", name], seconds: 300)
        let base = try await software.build(software.base, fault: nil)
        try await eachMember { member, node in
            try await Lab.run(["boot", node.name, "--fleet", name], seconds: 120)
            try await Lab.run([shape.store.rawValue, "give", name, node.name])
            try await node.put(base, at: "/root/base")
            for (path, text) in member.files { try await node.write(text, to: path) }
            try await Lab.run(
                ["install-\(software.name)", node.name, software.base] + member.options, seconds: 90)
            // What waits for systemd to start a unit again would wait five or ten seconds each time.
            try await node.write(
                "[Service]\nRestartSec=700ms\n", to: "/etc/systemd/system/\(member.unit).service.d/lab.conf")
            try await node.installHoldfast()
            // Ticks as the timer brings them, but every two seconds.
            try await node.write(
                """
                [Timer]
                OnBootSec=
                OnUnitInactiveSec=
                OnActiveSec=100ms
                OnUnitInactiveSec=2s
                RandomizedDelaySec=0
                AccuracySec=100ms

                """, to: "/etc/systemd/system/holdfast.timer.d/lab.conf")
        }
        if shape.isOneCluster { try await Lab.run(["cluster-k3s"] + nodes.map(\.name)) }
    }

    // MARK: Where a test begins

    /// Brings every node to where each test begins, whatever an earlier one left: on the base release, adopted, with a
    /// ledger and a store of nothing else, no release to be had, and no tick by itself.
    ///
    /// - Parameter soak: of the first stage.
    func begin(soak: String = "6s") async throws {
        try await halt()
        try await store("empty")
        let policy = shape.policy(soak: soak)
        try await eachMember { member, node in
            try await node.write(policy, to: "/etc/holdfast/policy.yaml")
            try await node.write(
                shape.nodeFile(member, title: title(node)), to: "/etc/holdfast/node.yaml")
            try await node.run(
                """
                mkdir -p /srv/releases; systemctl daemon-reload; systemctl reset-failed; systemctl restart "$1"
                holdfast adopt; systemctl restart "$1"; holdfast check --fleet
                journalctl --sync; journalctl -q -n 1 --show-cursor | sed -n 's/^-- cursor: //p' >/root/begun
                """, member.unit)
        }
    }

    /// Ends all that goes by itself, and takes away what is kept.
    private func halt() async throws {
        try await eachMember { member, node in
            try await node.run(
                """
                systemctl disable -q --now holdfast.timer
                systemctl stop holdfast.service holdfast-step.service
                holdfast release >/dev/null 2>&1 || true
                systemctl stop "$1"
                umount -l /var/lib/holdfast 2>/dev/null || true
                rm -rf /var/lib/holdfast /run/holdfast /srv/releases /usr/local/bin/."$2"* /usr/local/bin/.holdfast*
                cp /root/base /usr/local/bin/"$2".new; mv -f /usr/local/bin/"$2".new /usr/local/bin/"$2"
                """, member.unit, software.name)
        }
    }

    // MARK: What a test does

    /// Lays a release out as its makers do, on each node.
    func offer(_ release: FleetRelease) async throws {
        let binary = try await software.build(software.version, fault: release.fault)
        try await each { node in
            try await node.put(binary, at: "/srv/releases/\(software.version)/\(software.artifact)")
            try await node.run(
                "cd /srv/releases/\"$1\"; sha256sum \"$2\" >\"$3\"", software.version, software.artifact,
                software.checksums)
        }
    }

    /// Begins the rollout of a release on a node, and has the others look at the store.
    func upgrade(to release: FleetRelease, on node: LabNode) async throws {
        try await offer(release)
        let answer = try await node.ask(
            "holdfast", "upgrade", software.name, software.version, "--reason", "lab", seconds: 90)
        #expect(answer.code == 0, "\(answer.output)\(answer.errors)")
        try await each(nodes.filter { $0.name != node.name }) { try await $0.run("holdfast check --fleet") }
    }

    /// Lets nodes tick by themselves.
    func tick(_ nodes: [LabNode]? = nil) async throws {
        try await each(nodes) { try await $0.run("systemctl enable -q --now holdfast.timer") }
    }

    /// Starts, stops or empties what keeps the store.
    func store(_ verb: String) async throws { try await Lab.run([shape.store.rawValue, verb, name]) }

    /// Waits until the rollout stands so; what the fleet looks like where it does not.
    func wait(until state: RolloutDocument.State, seconds: Int = 90) async throws {
        do {
            try await nodes[1].wait(
                until:
                    "holdfast rollout status --output json | grep -q '\"state\" *: *\"\(state.rawValue)\"'",
                seconds: seconds)
        } catch {
            Issue.record("the rollout is not \(state.rawValue) after \(seconds) s:\n\(await sight())")
            throw error
        }
    }

    /// Waits until the canary has proven the release.
    func waitForCanary(seconds: Int = 60) async throws {
        let proven = #"'"name":"canary","need":1,"proven":{"amd64":1}'"#
        try await west.wait(
            until: "holdfast rollout status --output json | tr -d ' \\n' | grep -q \(proven)",
            seconds: seconds)
    }

    /// What a person would look at, for whoever reads why a test failed.
    func sight() async -> String {
        var text = ""
        for node in nodes {
            for command in [
                "holdfast rollout status", "holdfast status",
                "journalctl -q -o cat -t holdfast --no-pager -n 40",
            ] {
                let answer = try? await node.ask("sh", "-c", command)
                text += "\(node.name)# \(command)\n\(answer?.output ?? "")\(answer?.errors ?? "")\n"
            }
        }
        return text
    }
}

// MARK: What a node of a fleet says

/// What `rollout status` and `status --fleet` print, as a script would read it.
struct FleetAnswer: Decodable {
    struct Rollout: Decodable {
        let state: String
        let version: String
    }
    struct Node: Decodable {
        let name: String
        let running: String?
        let hasSamePolicy: Bool
    }
    struct Quarantined: Decodable {
        let version: String?
        let node: String
    }

    let rollouts: [Rollout]
    let nodes: [Node]
    let quarantine: [Quarantined]
}

/// An entry of the journal with the instant at which it was written, in microseconds.
struct TimedEntry: Decodable {
    let message: String
    private let time: String
    let phase: String?
    var at: Int { Int(time) ?? 0 }

    enum CodingKeys: String, CodingKey {
        case message = "MESSAGE"
        case time = "__REALTIME_TIMESTAMP"
        case phase = "HOLDFAST_PHASE"
    }
}

extension LabNode {
    /// What Holdfast told the journal of one kind since the test began.
    func told(_ message: JournalEntry.Message) async throws -> [TimedEntry] {
        try await ask(
            "sh", "-c",
            "journalctl --sync; journalctl -q -o json --no-pager --after-cursor=\"$(cat /root/begun)\" MESSAGE_ID=$1",
            "sh", message.rawValue
        ).jsonLines(TimedEntry.self)
    }

    /// Waits until a step of this node has come so far since the test began.
    func wait(for phase: Step.Phase, seconds: Int = 60) async throws {
        // It begins with the first phase, and moves to the others.
        let field =
            phase == .storing
            ? "MESSAGE_ID=\(JournalEntry.Message.stepBegan.rawValue)" : "HOLDFAST_PHASE=\(phase.rawValue)"
        try await wait(
            until:
                "journalctl -q -o cat --no-pager --after-cursor=\"$(cat /root/begun)\" \(field) | grep -q .",
            seconds: seconds)
    }

    /// Waits until a step of this node is done that began since the test did.
    func waitForStep(seconds: Int = 60) async throws {
        let ended = JournalEntry.Message.stepEnded.rawValue
        try await wait(
            until:
                "journalctl -q -o cat --after-cursor=\"$(cat /root/begun)\" MESSAGE_ID=\(ended) | grep -q 'is done'",
            seconds: seconds)
    }
}
