import Fleet
import FoundationEssentials
import Model
import Ports
import Testing

/// What `status --fleet` and `rollout` print as JSON, as a script would read it.
private struct Fleet: Decodable {
    struct Rollout: Decodable {
        struct Track: Decodable {
            struct Stage: Decodable {
                struct Grant: Decodable {
                    let node: String
                    let name: String?
                }
                let name: String
                let granted: [Grant]
                let evicted: [String]
                let met: Bool
            }
            let stages: [Stage]
        }
        let id: String
        let state: String
        let reason: String?
        let tracks: [Track]
    }
    struct Node: Decodable {
        let name: String
        let id: String
        let stage: String?
        let hasSamePolicy: Bool
    }
    let seesOthers: Bool
    let rollouts: [Rollout]
    let nodes: [Node]
    let findings: [String]
}

/// An artifact that failed on another node.
private func failed(_ letter: Character, _ version: String = "v1.31.9+k3s1") -> FleetQuarantine {
    FleetQuarantine(
        bytes: String(repeating: letter, count: 64), distribution: .k3s, version: Version(version),
        reason: "it did not get ready", node: "app-2", at: Instant(seconds: 1_700_000_000))
}

@Suite("The verbs of a fleet, on a node root")
struct FleetCommandTests {
    /// A fleet of two in which a rollout has begun.
    private func underWay() throws -> FleetNode {
        let fleet = try FleetNode(
            "stages: [{name: canary, nodes: [app-2]}, {name: rest}]\n", releases: ["v1.31.9+k3s1"])
        try fleet.join("app-2") { $0.stage = "canary" }
        let answer = try fleet.node.inPlace("upgrade", "k3s", "v1.31.9+k3s1")
        #expect(answer.code == 0, "\(answer)")
        return fleet
    }

    /// The same, and the canary holds its grant.
    private func granted() throws -> FleetNode {
        let fleet = try underWay()
        try fleet.change { $0.tracks[0].stages[0].granted = [Grant(node: "id-app-2", id: "g1")] }
        return fleet
    }

    private func ends(
        _ answer: SampleNode.Answer, _ code: Int32, _ says: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            answer.code == code && answer.errors.contains(says), "\(answer)", sourceLocation: sourceLocation)
    }

    // MARK: rollout

    @Test("rollout status shows stages, holders, and what comes after")
    func status() throws {
        let fleet = try granted()
        try fleet.change { document in
            document.then = Version("v1.32.4+k3s1").map { [$0] }
            document.gates = ["default": .init(at: Instant(seconds: 0), node: "app-2", text: "nothing asked")]
        }
        let output = try fleet.node.inPlace("rollout", "status").output
        let lines = output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        let id = try fleet.rollout().id
        for line in [
            "K3s v1.31.9+k3s1 · rollout \(id) · running",
            "cluster nodes stage proven under way",
            "default control-plane canary 0 of 1 app-2",
            "default control-plane rest 0 of 1",
            "gates of default nothing asked",
            "then v1.32.4+k3s1: give 'holdfast upgrade' again",
        ] {
            #expect(lines.contains(line), "missing: \(line)\n\(output)")
        }
        #expect(lines.contains { $0.hasPrefix("this node waits ") }, "\(output)")
        let json = try fleet.node.inPlace("rollout", "status", "-o", "json").json(Fleet.self)
        #expect(json.rollouts.map(\.id) == [id])
        #expect(json.rollouts.first?.tracks.first?.stages.first?.granted.map(\.name) == ["app-2"])
    }

    @Test("rollout status before the first one says how one is planned")
    func none() throws {
        let fleet = try FleetNode()
        let output = try fleet.node.inPlace("rollout", "status").output
        #expect(output == "No rollout has been begun; 'holdfast upgrade --plan' shows what one would do.\n")
    }

    @Test("rollout status says why a rollout does not begin")
    func unbegun() throws {
        let fleet = try FleetNode()
        try fleet.remember { $0.unbegun = ["k3s": "the rollout cannot begin: stage rest matches no node"] }
        let output = try fleet.node.inPlace("rollout", "status").output
        #expect(output.contains("k3s  the rollout cannot begin: stage rest matches no node"), "\(output)")
    }

    @Test("doctor tells of a server that its cluster knows by another name", arguments: [true, false])
    func otherName(isKnown: Bool) throws {
        struct Answer: Decodable {
            struct Finding: Decodable { let code, about, text, mend: String }
            let findings: [Finding]
        }
        let fleet = try FleetNode()
        func finding() throws -> Answer.Finding? {
            try fleet.node.inPlace("doctor", "-o", "json").json(Answer.self).findings
                .first { $0.code == "node-name" }
        }
        var plane = ControlPlane(members: [
            ControlPlaneMember(name: "ip-10-0-0-1", isOwn: isKnown),
            ControlPlaneMember(name: "ip-10-0-0-2", isOwn: false),
        ])
        try fleet.remember { $0.controlPlane = plane }
        // The embedded store has no other node that could look for it.
        #expect(try finding() == nil)
        try fleet.reach(endpoints: "http://127.0.0.1:1")
        let found = try #require(try finding())
        #expect(found.text.contains("ip-10-0-0-1") && found.mend.contains("node.yaml"))
        #expect(found.mend.contains("name: ip-10-0-0-1") == isKnown)
        plane.members[0].name = found.about
        try fleet.remember { $0.controlPlane = plane }
        #expect(try finding() == nil)
    }

    @Test("pause, resume and abort change it, say by whom, and are recorded")
    func changes() throws {
        let fleet = try underWay()
        let node = fleet.node
        let paused = try node.inPlace("rollout", "pause", "--reason", "the canary is slow", "-o", "json")
        let rollout = try #require(try paused.json(Fleet.self).rollouts.first)
        #expect(rollout.state == "paused")
        #expect(rollout.reason?.hasPrefix("the canary is slow (") == true)
        ends(try node.inPlace("rollout", "pause", "--reason", "again"), 1, "the rollout is paused")
        #expect(try node.inPlace("rollout", "status").output.contains("the canary is slow ("))
        #expect(try node.inPlace("rollout", "resume").output.contains("running"))
        ends(try node.inPlace("rollout", "resume"), 1, "the rollout is running")
        #expect(try node.inPlace("rollout", "abort", "--reason", "CVE in it").output.contains("aborted"))
        let ended = try fleet.rollout()
        #expect(ended.state == .aborted)
        #expect(try fleet.book().rollout(of: .k3s)?.value == ended)
        for words in [
            ["pause", "--reason", "x"], ["resume"], ["abort", "--reason", "x"], ["evict", "app-2"],
        ] {
            let answer = try SampleNode.run(
                ["rollout"] + words + ["--root", node.root, "--policy", node.policy])
            ends(answer, 1, "no rollout is under way; 'holdfast rollout status' shows the last one")
        }
        #expect(try fleet.rollout() == ended)
        #expect(try SampleNode.run(["verify", "--state", fleet.state]).code == 0)
    }

    @Test("without a reason, or a rollout, or of another distribution, nothing is changed")
    func refusals() throws {
        let fleet = try underWay()
        let before = try fleet.rollout()
        let node = fleet.node
        ends(try node.inPlace("rollout", "pause"), 64, "say why: --reason TEXT")
        ends(try node.inPlace("rollout", "abort"), 64, "say why: --reason TEXT")
        ends(
            try node.inPlace("rollout", "resume", "--distribution", "k0s"), 1,
            "no rollout of k0s was ever begun; 'holdfast rollout status' shows all")
        ends(
            try node.inPlace("rollout", "pause", "--reason", "x", "--distribution", "rke2"), 64,
            "rke2")
        ends(try node.inPlace("rollout", "resume"), 1, "the rollout is running")
        #expect(try fleet.rollout() == before)
    }

    @Test("where rollouts of two distributions are under way, one has to be named")
    func several() throws {
        let fleet = try underWay()
        var other = try fleet.rollout()
        other.distribution = .k0s
        other.id = "r2"
        _ = try fleet.book().put(other, over: nil)
        ends(
            try fleet.node.inPlace("rollout", "pause", "--reason", "x"), 64,
            "rollouts of k3s and k0s are under way; say which: --distribution")
        #expect(
            try fleet.node.inPlace("rollout", "pause", "--reason", "x", "--distribution", "k0s").code == 0)
        #expect(try fleet.rollout().state == .running)
        #expect(try fleet.book().rollout(of: .k0s)?.value.state == .paused)
    }

    @Test(
        "evict frees the grant of a node by its name or its id, and waits for it no longer",
        arguments: ["app-2", "id-app-2"])
    func evict(word: String) throws {
        let fleet = try granted()
        ends(
            try fleet.node.inPlace("rollout", "evict", "nosuch"), 1,
            "the rollout takes in no node that is called nosuch; 'holdfast status --fleet' shows all")
        #expect(try fleet.rollout().grants.count == 1)
        let output = try fleet.node.inPlace("rollout", "evict", word).output
        #expect(output.contains("app-2 evicted"), "\(output)")
        let stage = try #require(try fleet.rollout().tracks.first?.stages.first)
        #expect(stage.granted.isEmpty && stage.evicted == ["id-app-2"])
        ends(
            try fleet.node.inPlace("rollout", "evict", word), 1, "a person took this node out of the rollout")
    }

    @Test("evict frees a grant where it is held, whatever became of its node's record")
    func evictLost() throws {
        let fleet = try granted()
        let book = try fleet.book()
        let stored = try #require(try book.node("id-app-2"))
        var moved = stored.value
        moved.stage = "rest"
        moved.sequence += 1
        _ = try book.put(moved, over: stored)
        #expect(try fleet.node.inPlace("rollout", "evict", "app-2").code == 0)
        #expect(try fleet.rollout().grants.isEmpty)

        try fleet.change { $0.tracks[0].stages[1].granted = [Grant(node: "id-gone", id: "g2")] }
        let findings = try fleet.node.inPlace("rollout", "status", "-o", "json").json(Fleet.self).findings
        #expect(findings.contains { $0.contains("'holdfast rollout evict id-gone' frees it") })
        #expect(try fleet.node.inPlace("rollout", "evict", "id-gone").code == 0)
        #expect(try fleet.rollout().grants.isEmpty)
    }

    @Test("of two machines of one name evict asks which")
    func evictTwins() throws {
        let fleet = try granted()
        try fleet.join("app-2", id: "id-twin") { $0.stage = "canary" }
        ends(try fleet.node.inPlace("rollout", "evict", "app-2"), 1, "name one by its id: id-app-2, id-twin")
        #expect(try fleet.rollout().grants.count == 1)
        #expect(try fleet.node.inPlace("rollout", "evict", "id-twin").code == 0)
        #expect(try fleet.rollout().grants.count == 1)
    }

    // MARK: status --fleet

    @Test("status --fleet shows every node, and what to look at")
    func statusFleet() throws {
        let fleet = try granted()
        try fleet.join("app-3") { record in
            record.stage = nil
            record.policy = nil
        }
        try fleet.book().quarantine(failed("a"), isNew: true)
        let output = try fleet.node.inPlace("status", "--fleet").output
        let lines = output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.first?.hasPrefix("The embedded store sees this node alone") == true)
        #expect(lines.contains("node cluster role stage running seen policy under way"), "\(output)")
        for word in ["app-3 default server none v1.31.4+k3s1", "Quarantined", "aaaaaaaaaaaa", "LOOK"] {
            #expect(lines.contains { $0.contains(word) }, "missing: \(word)\n\(output)")
        }
        let json = try fleet.node.inPlace("status", "--fleet", "-o", "json").json(Fleet.self)
        #expect(!json.seesOthers)
        #expect(json.nodes.map(\.name) == ["app-2", "app-3", "sample"])
        #expect(json.nodes.map(\.hasSamePolicy) == [true, false, true])
        #expect(json.findings.count == 1)
    }

    @Test("status --fleet of a store in which nobody has written says when somebody will")
    func statusOfNobody() throws {
        let fleet = try FleetNode(tells: false)
        let output = try fleet.node.inPlace("status", "--fleet").output
        #expect(
            output.contains("No node has told of itself yet; one does within the hour of 'holdfast adopt'"))
    }

    // MARK: quarantine

    @Test("quarantine list and clear: by the start of the bytes, or by the version, of exactly one")
    func quarantine() throws {
        let fleet = try FleetNode()
        let node = fleet.node
        #expect(try node.inPlace("quarantine", "list").output == "Nothing is quarantined.\n")
        #expect(try node.inPlace("quarantine", "list", "-o", "json").output == "[]\n")
        for entry in [failed("a"), failed("b", "v1.31.10+k3s1")] {
            try fleet.book().quarantine(entry, isNew: true)
        }
        var third = failed("a", "v1.31.10+k3s1")
        third.bytes = "aab" + third.bytes.dropFirst(3)
        try fleet.book().quarantine(third, isNew: true)
        let list = try node.inPlace("quarantine", "list").output
        for part in ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "K3s v1.31.10+k3s1", "it did not get ready (on app-2, "]
        {
            #expect(list.contains(part), "\(list)")
        }
        ends(try node.inPlace("quarantine", "clear", ""), 64, "the bytes are empty")
        ends(
            try node.inPlace("quarantine", "clear", "cc"), 1,
            "nothing quarantined begins with cc; 'holdfast quarantine list' shows all")
        ends(
            try node.inPlace("quarantine", "clear", "aa"), 64,
            "aa fits several: \(failed("a").bytes), \(third.bytes)")
        ends(try node.inPlace("quarantine", "clear", "v1.31.10+k3s1"), 64, "fits several")
        #expect(try fleet.book().quarantine().count == 3)
        #expect(
            try node.inPlace("quarantine", "clear", "bb", "--reason", "it was the disk").output
                == "cleared the quarantine of K3s \(failed("b").bytes)\n")
        #expect(try node.inPlace("quarantine", "clear", "v1.31.9+k3s1").code == 0)
        let left = try fleet.book().quarantine()
        #expect(left.filter { $0.cleared == nil }.map(\.bytes) == [third.bytes])
        #expect(left.first { $0.bytes == failed("b").bytes }?.cleared?.reason == "it was the disk")
        #expect(!(try node.inPlace("quarantine", "list").output.contains("bbbbbbbbbbbb")))
        #expect(try SampleNode.run(["verify", "--state", fleet.state]).code == 0)
    }

    // MARK: fleet

    struct Joining: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var fleet: String
        var says: [String]
    }

    static let everyJoining = [
        Joining(
            testDescription: "the embedded store: choose another one first, and this machine's id",
            fleet: "sqlite",
            says: [
                "First choose a store that all reach", "fleet: {store: kubernetes}", "fleet: {store: etcd",
                "This node's id in a fleet is \(FleetNode.id)",
            ]),
        Joining(
            testDescription: "the Kubernetes API",
            fleet: "{store: kubernetes, kubeconfig: /etc/hub, namespace: guard}",
            says: [
                "README.md in /usr/share/holdfast/kubernetes", "mode 0600", "cluster: product",
                "fleet: {store: kubernetes, namespace: guard, kubeconfig: /etc/holdfast/kubeconfig}",
                "Here the store is reached by /etc/hub.", "holdfast adopt, then holdfast check --fleet",
            ]),
        Joining(
            testDescription: "etcd with what it is reached by",
            fleet: "{store: etcd, endpoints: [\"https://10.0.0.1:2379\", \"https://10.0.0.2:2379\"], "
                + "caFile: /etc/holdfast/ca.pem, userFile: /etc/holdfast/user}",
            says: [
                "mode 0600", "       /etc/holdfast/ca.pem\n       /etc/holdfast/user\n", "cluster: product",
                "fleet: {store: etcd, endpoints: [\"https://10.0.0.1:2379\", \"https://10.0.0.2:2379\"], "
                    + "caFile: /etc/holdfast/ca.pem, userFile: /etc/holdfast/user}",
                "holdfast adopt, then holdfast check --fleet",
            ]),
        Joining(
            testDescription: "etcd by its address alone",
            fleet: "{store: etcd, endpoints: [\"http://127.0.0.1:2379\"]}",
            says: [
                "Nothing is to be copied",
                "fleet: {store: etcd, endpoints: [\"http://127.0.0.1:2379\"]}",
            ]),
    ]

    @Test("fleet join prints what another node needs, by store, and asks no store", arguments: everyJoining)
    func join(joining: Joining) throws {
        let fleet = try FleetNode(tells: false)
        let directory = fleet.node.root + "/etc/holdfast"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data("cluster: product\nfleet: \(joining.fleet)\n".utf8).write(
            to: URL(filePath: directory + "/node.yaml"))
        let answer = try fleet.node.inPlace("fleet", "join")
        #expect(answer.code == 0 && answer.errors.isEmpty, "\(answer)")
        for part in joining.says {
            #expect(answer.output.contains(part), "missing: \(part)\n\(answer.output)")
        }
        #expect(!answer.output.contains("\n\n\n"), "\(answer.output)")
        #expect(!fleet.node.exists(fleet.state + "/fleet.db"))
    }

    @Test("fleet forget takes one record away, by name or id, and none that holds a grant")
    func forget() throws {
        let fleet = try granted()
        let node = fleet.node
        for name in ["app-3", "app-4", "twin"] { try fleet.join(name) { $0.stage = "rest" } }
        try fleet.join("twin", id: "id-twin-2") { $0.stage = "rest" }
        ends(
            try node.inPlace("fleet", "forget", "nosuch"), 1,
            "no node is called nosuch; 'holdfast status --fleet'")
        ends(try node.inPlace("fleet", "forget", "twin"), 1, "name one by its id: id-twin, id-twin-2")
        ends(try node.inPlace("fleet", "forget", "app-2"), 1, "'holdfast rollout evict id-app-2' first")
        #expect(try fleet.book().nodes().records.count == 6)
        #expect(try node.inPlace("fleet", "forget", "app-3").output == "forgot app-3\n")
        #expect(try node.inPlace("fleet", "forget", "id-app-4").output == "forgot app-4\n")
        #expect(
            try fleet.book().nodes().records.map(\.name).sorted() == ["app-2", "sample", "twin", "twin"])
        // What a rollout that has ended still grants keeps nobody.
        #expect(try node.inPlace("rollout", "abort", "--reason", "x").code == 0)
        #expect(try node.inPlace("fleet", "forget", "app-2").code == 0)
    }

    // MARK: rollback

    @Test("rollback is refused with the reason where nothing can be gone back to")
    func rollback() throws {
        let fleet = try FleetNode()
        let node = fleet.node
        let why = ["--reason", "the CNI does not come up"]
        func rollback(_ words: String...) throws -> SampleNode.Answer {
            try SampleNode.run(["rollback"] + words + ["--root", node.root, "--policy", node.policy])
        }
        ends(try rollback(), 64, "say why: --reason TEXT")
        ends(try rollback("nosuch", why[0], why[1]), 64, "say which: k3s")
        for words in [[], ["--dry-run"]] {
            let answer = try SampleNode.run(
                ["rollback"] + words + why + ["--root", node.root, "--policy", node.policy])
            ends(answer, 1, "nothing is known that k3s ran well before v1.31.4+k3s1")
        }
        ends(
            try rollback(why[0], why[1], "--state", node.state), 78,
            "the state directory is none of the node's own; leave --state out")
        let other = try SampleNode()
        ends(
            try other.inPlace("rollback", why[0], why[1]), 64,
            "nothing is guarded here; 'holdfast adopt' first")
    }

    @Test("rollback --dry-run records nothing")
    func dryRollback() throws {
        let fleet = try FleetNode()
        try fleet.node.install("v1.31.9+k3s1")
        let before = try SampleNode.run(["verify", "--state", fleet.state, "-o", "json"]).output
        _ = try fleet.node.inPlace("rollback", "--reason", "x", "--dry-run")
        #expect(try SampleNode.run(["verify", "--state", fleet.state, "-o", "json"]).output == before)
        // The same without it does see what is new.
        _ = try fleet.node.inPlace("rollback", "--reason", "x")
        #expect(try SampleNode.run(["verify", "--state", fleet.state, "-o", "json"]).output != before)
    }
}
