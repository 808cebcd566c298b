import FoundationEssentials
import Model
import Testing

/// Boots three K3s servers, each a cluster of its own or all of one, and their etcd, before a suite begins, with Holdfast
/// as `make install` leaves it; all of it is taken away when the suite is over.
struct BootedFleet: SuiteTrait, TestScoping {
    @TaskLocal fileprivate static var current: LabFleet?
    let isOneCluster: Bool

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await Lab.run(["prepare", "k3s"], seconds: 540)
        let own = String(UInt16.random(in: .min ... .max), radix: 16)
        let fleet = LabFleet(
            name: "hf-f-\(ProcessInfo.processInfo.processIdentifier)-\(own)", isOneCluster: isOneCluster)
        try Lab.afterThisProcess("disband", fleet.name)
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
    /// The suite runs on a fleet of its own, of which each node is a cluster.
    static var fleet: Self { BootedFleet(isOneCluster: false) }
    /// The suite runs on a fleet of its own, whose nodes are the servers of one cluster.
    static var cluster: Self { BootedFleet(isOneCluster: true) }
}

/// A release that a fleet goes to, and what is wrong with it: a `--broken` of the lab; nil for nothing.
struct FleetRelease {
    var fault: String?

    static let base = "v1.31.4+k3s1"
    static let version = "v1.31.5+k3s1"
    static let good = FleetRelease()
    static let neverReady = FleetRelease(fault: "never-ready")

    /// Builds it, and says where it lies on this machine.
    static func build(_ version: String, fault: String?) async throws -> String {
        let broken = fault.map { ["--broken", $0] } ?? []
        let built = try await Lab.run(["binary", "k3s", version] + broken, seconds: 300)
        return String(built.split(separator: "\n").last ?? "")
    }
}

/// A running fleet.
struct LabFleet {
    let name: String
    let isOneCluster: Bool
    var canary: LabNode { LabNode(name: "\(name)-canary") }
    var west: LabNode { LabNode(name: "\(name)-west") }
    var east: LabNode { LabNode(name: "\(name)-east") }
    var nodes: [LabNode] { [canary, west, east] }
    var rest: [LabNode] { [west, east] }

    /// The fleet of the suite that this test is in.
    static var current: LabFleet {
        get throws { try #require(BootedFleet.current, "this suite has no fleet") }
    }

    /// What Holdfast calls a node: by its Kubernetes name where it is one of several servers.
    func title(_ node: LabNode) -> String {
        isOneCluster ? node.name : String(node.name.dropFirst(name.count + 1)) + "-1"
    }

    private func cluster(of node: LabNode) -> String {
        isOneCluster ? "site" : String(title(node).prefix { $0 != "-" })
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

    fileprivate func boot() async throws {
        try await Lab.run(["etcd", "start", name])
        let base = try await FleetRelease.build(FleetRelease.base, fault: nil)
        try await each { node in
            try await Lab.run(["boot", node.name, "--fleet", name], seconds: 120)
            try await Lab.run(["etcd", "give", name, node.name])
            try await node.put(base, at: "/root/base")
            try await node.lab("install-k3s", FleetRelease.base)
            // What waits for systemd to start a unit again would wait five seconds each time.
            try await node.write(
                "[Service]\nRestartSec=700ms\n", to: "/etc/systemd/system/k3s.service.d/lab.conf")
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
        if isOneCluster { try await Lab.run(["cluster-k3s"] + nodes.map(\.name)) }
    }

    // MARK: Where a test begins

    /// Brings every node to where each test begins, whatever an earlier one left: on the base release, adopted, with a
    /// ledger and a store of nothing else, no release to be had, and no tick by itself.
    ///
    /// - Parameter soak: the canary's.
    func begin(soak: String = "6s") async throws {
        try await halt()
        try await Lab.run(["etcd", "ctl", name, "del", "--prefix", "/holdfast/"])
        try await each { node in
            try await node.write(policy(soak: soak), to: "/etc/holdfast/policy.yaml")
            try await node.write(
                """
                name: \(title(node))
                cluster: \(cluster(of: node))
                fleet: {store: etcd, endpoints: ["https://hub:2379"], caFile: /etc/holdfast/etcd-ca.pem, userFile: /etc/holdfast/etcd-user}

                """, to: "/etc/holdfast/node.yaml")
            try await node.run(
                """
                mkdir -p /srv/releases; systemctl daemon-reload; systemctl reset-failed; systemctl restart k3s
                holdfast adopt; systemctl restart k3s; holdfast check --fleet
                journalctl --sync; journalctl -q -n 1 --show-cursor | sed -n 's/^-- cursor: //p' >/root/begun
                """)
        }
    }

    private func policy(soak: String) -> String {
        """
        apiVersion: holdfast/v1
        unattended: patch
        clock: trusted
        enforce: {gate: restore}
        stages:
          - {name: canary, nodes: ["\(title(canary))"], soak: \(soak)}
          - {name: rest, nodes: ["*"], maxConcurrent: 2, soak: 1s}
        health: {checks: [unit, running, readyz], interval: 1s, timeout: 2s, failureLimit: 2, consecutiveSuccesses: 2, deadline: 20s}
        source: {releases: /srv/releases}

        """
    }

    /// Ends all that goes by itself, and takes away what is kept.
    private func halt() async throws {
        try await each { node in
            try await node.run(
                """
                systemctl disable -q --now holdfast.timer
                systemctl stop holdfast.service holdfast-step.service
                holdfast release >/dev/null 2>&1 || true
                systemctl stop k3s
                umount -l /var/lib/holdfast 2>/dev/null || true
                rm -rf /var/lib/holdfast /run/holdfast /srv/releases /usr/local/bin/.k3s* /usr/local/bin/.holdfast*
                cp /root/base /usr/local/bin/k3s.new; mv -f /usr/local/bin/k3s.new /usr/local/bin/k3s
                """)
        }
    }

    // MARK: What a test does

    /// Lays a release out as its makers do, on each node.
    func offer(_ release: FleetRelease) async throws {
        let binary = try await FleetRelease.build(FleetRelease.version, fault: release.fault)
        try await each { node in
            try await node.put(binary, at: "/srv/releases/\(FleetRelease.version)/k3s")
            try await node.run(
                "cd /srv/releases/\"$1\"; sha256sum k3s >sha256sum-amd64.txt", FleetRelease.version)
        }
    }

    /// Begins the rollout of a release on a node, and has the others look at the store.
    func upgrade(to release: FleetRelease, on node: LabNode) async throws {
        try await offer(release)
        let answer = try await node.ask(
            "holdfast", "upgrade", "k3s", FleetRelease.version, "--reason", "lab", seconds: 90)
        #expect(answer.code == 0, "\(answer.output)\(answer.errors)")
        try await each(nodes.filter { $0.name != node.name }) { try await $0.run("holdfast check --fleet") }
    }

    /// Lets nodes tick by themselves.
    func tick(_ nodes: [LabNode]? = nil) async throws {
        try await each(nodes) { try await $0.run("systemctl enable -q --now holdfast.timer") }
    }

    /// Starts or stops etcd.
    func etcd(_ verb: String) async throws { try await Lab.run(["etcd", verb, name]) }

    /// Waits until the rollout stands so; what the fleet looks like where it does not.
    func wait(until state: RolloutDocument.State, seconds: Int = 90) async throws {
        do {
            try await west.wait(
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

    /// The version that is installed, and runs.
    func expectRunning(_ version: String) async throws {
        try await wait(until: "systemctl is-active -q k3s")
        #expect(try await run("k3s --version").contains(version), "\(name)")
    }

    /// The ledger is whole, and the stand-in of the base release was never replaced here.
    func expectUntouched() async throws {
        try await expectRunning(FleetRelease.base)
        #expect(try await told(.stepBegan).isEmpty, "\(name)")
        #expect(try await ask("holdfast", "verify").code == 0, "\(name)")
    }
}
