import FoundationEssentials
import Host
import KubernetesServer
import Model
import Ports
import ScriptedServer
import Testing
import Web

@testable import Distributions

@Suite("The cordon of a node")
struct CordonTests {
    private let setting = Setting(.cordon, "edge-1")

    @Test("is set and taken away, and nothing else of the Node is changed")
    func cordon() throws {
        let node = try StepNode()
        node.putNode("edge-1", labels: ["a": "b"], spec: ["podCIDR": "10.42.0.0/24"])
        #expect(try node.settings.read(setting) == nil)
        try node.settings.write(setting, "true")
        #expect(try node.settings.read(setting) == "true")
        #expect(node.server.object("/api/v1/nodes/edge-1")?.at("spec", "podCIDR") == "10.42.0.0/24")
        try node.settings.write(setting, nil)
        #expect(try node.settings.read(setting) == nil)
        #expect(node.server.object("/api/v1/nodes/edge-1")?.at("spec", "unschedulable") == nil)
        #expect(node.server.object("/api/v1/nodes/edge-1")?.at("metadata", "labels", "a") == "b")
    }

    @Test("that was there before us is there afterwards (invariant 10)")
    func anothers() throws {
        let node = try StepNode()
        node.putNode("edge-1", spec: ["unschedulable": true])
        let guards = NodeGuards(
            root: Root(node.directory.path), state: "/var/lib/holdfast", settings: [.cordon: node.settings])
        let set = Effect.set(setting, to: "true")
        let before = try guards.fingerprint(of: set)
        #expect(before == .setting("true"))
        try guards.perform(set, before: before)
        let placed = PlacedSetting(setting: setting, value: "true", seen: "true", before: "true")
        try guards.perform(.restore(placed), before: .setting("true"))
        #expect(node.server.object("/api/v1/nodes/edge-1")?.at("spec", "unschedulable") == true)
        // Nothing was written at all.
        #expect(!node.server.requests.contains { $0.hasPrefix("PATCH") })
    }

    @Test("that a person takes away meanwhile stays away (invariant 10)")
    func takenAway() throws {
        let node = try StepNode()
        node.putNode("edge-1")
        let guards = NodeGuards(
            root: Root(node.directory.path), state: "/var/lib/holdfast", settings: [.cordon: node.settings])
        try guards.perform(.set(setting, to: "true"), before: .setting(nil))
        node.server.change("/api/v1/nodes/edge-1", ["spec": ["unschedulable": .null]])
        let placed = PlacedSetting(setting: setting, value: "true", seen: "true", before: nil)
        let intent = Intent(id: "i", effect: .restore(placed), before: .setting(nil))
        #expect(guards.probe(intent) == .reads(nil))
    }

    @Test("of a Node of our name that is another machine is never touched", arguments: ["ffff", ""])
    func another(machineID: String) throws {
        let node = try StepNode()
        node.putNode("edge-1", machineID: machineID)
        #expect(throws: EffectFailure.self) { try node.settings.write(setting, "true") }
        #expect(node.server.object("/api/v1/nodes/edge-1")?.at("spec", "unschedulable") == nil)
    }

    @Test("is set on the Node as it then is, whoever writes to it meanwhile")
    func conflict() throws {
        let node = try StepNode()
        node.putNode("edge-1")
        node.server.meanwhile { request, server in
            guard request.method == "PATCH" else { return }
            server.meanwhile(nil)
            server.change("/api/v1/nodes/edge-1", ["status": ["heartbeat": "new"]])
        }
        try node.settings.write(setting, "true")
        let object = try #require(node.server.object("/api/v1/nodes/edge-1"))
        #expect(object.at("spec", "unschedulable") == true && object.at("status", "heartbeat") == "new")
    }
}

@Suite("Draining a node over the API")
struct DrainOverAPITests {
    @Test("asks those to leave that have to, and no others")
    func round() throws {
        let node = try StepNode()
        node.putNode("edge-1")
        node.putPod("web-1")
        node.putPod("agent-1", owner: "DaemonSet")
        node.putPod("static-1", owner: "Node", annotations: ["kubernetes.io/config.mirror": "hash"])
        node.putPod("job-1", owner: "Job", phase: "Succeeded")
        node.putPod("elsewhere", on: "edge-2")
        node.putPod("bare-1", owner: nil)
        let progress = try node.cluster.drainOnce(through: node.access)
        #expect(progress.left == 2 && progress.evicted == 1)
        #expect(progress.blocked.map(\.pod) == ["shop/bare-1"])
        let posts = node.server.requests.filter { $0.hasPrefix("POST") }
        #expect(posts == ["POST \(StepNode.path("web-1"))/eviction"])
        // One that is on its way is not asked again.
        let again = try node.cluster.drainOnce(through: node.access)
        #expect(again.left == 2 && again.evicted == 0)
        node.server.endEvictedPods()
        node.server.remove(StepNode.path("bare-1"))
        #expect(try node.cluster.drainOnce(through: node.access).isDone)
    }

    @Test("a Pod that a disruption budget keeps is asked again, and named")
    func budget() throws {
        let node = try StepNode()
        node.putNode("edge-1")
        node.putPod("web-1")
        node.server.keep(StepNode.path("web-1"), times: 2)
        for _ in 0..<2 {
            let progress = try node.cluster.drainOnce(through: node.access)
            #expect(progress.left == 1 && progress.evicted == 0)
            #expect(progress.blocked.first?.pod == "shop/web-1")
            #expect(progress.blocked.first?.reason.contains("disruption budget") == true)
        }
        #expect(try node.cluster.drainOnce(through: node.access).evicted == 1)
    }

    @Test("a Pod that goes while it is asked is gone, and its successor of the same name is left alone")
    func gone() throws {
        let node = try StepNode()
        node.putNode("edge-1")
        node.putPod("db-0", owner: "StatefulSet")
        node.server.meanwhile { request, server in
            guard request.method == "POST" else { return }
            server.remove(StepNode.path("db-0"))
        }
        #expect(try node.cluster.drainOnce(through: node.access).isDone)
        node.putPod("db-0", owner: "StatefulSet")
        node.server.meanwhile { request, server in
            guard request.method == "POST", let pod = server.object(StepNode.path("db-0")) else { return }
            var successor = pod
            successor["metadata"]?["uid"] = "another"
            server.remove(StepNode.path("db-0"))
            server.put(StepNode.path("db-0"), successor)
        }
        #expect(try node.cluster.drainOnce(through: node.access).isDone)
    }

    @Test("without the right to it says so, and evicts nothing")
    func forbidden() throws {
        let node = try StepNode()
        node.putNode("edge-1")
        node.putPod("web-1")
        node.server.forbid("POST \(StepNode.path("web-1"))/eviction")
        let failure = try #require(throws: ClusterFailure.self) {
            try node.cluster.drainOnce(through: node.access)
        }
        #expect(failure.isForbidden)
    }

    @Test("a server that hangs costs no more than it is given, and nothing is said to be done")
    func hung() throws {
        let node = try StepNode(patience: 300)
        node.putNode("edge-1")
        node.server.disturb { _ in [.hang] }
        #expect(throws: ClusterFailure.self) { try node.cluster.drainOnce(through: node.access) }
    }
}

@Suite("What API servers say of deprecated APIs")
struct DeprecatedAPISampleTests {
    private let text = """
        apiserver_requested_deprecated_apis{group="policy",removed_release="1.25",resource="podsecuritypolicies",subresource="",version="v1beta1"} 1
        process_start_time_seconds 1.7e+09

        """

    @Test("every one of them is asked, and one that cannot be says why (invariant 2)")
    func samples() throws {
        let node = try StepNode(each: 500)
        node.server.serveMetrics(text)
        node.putServers([("127.0.0.1", node.server.port), ("127.0.0.2", 1)])
        let samples = try node.cluster.deprecatedAPIs(through: node.access)
        #expect(samples.map(\.address) == ["127.0.0.1:\(node.server.port)", "127.0.0.2:1"].sorted())
        let said = try #require(samples.lazy.compactMap(\.said).first)
        #expect(said.start == Instant(seconds: 1_700_000_000))
        #expect(
            said.used == [
                DeprecatedAPI(
                    group: "policy", version: "v1beta1", resource: "podsecuritypolicies", removedIn: "1.25")
            ])
        #expect(samples.filter { $0.said == nil }.allSatisfy { $0.silence?.isEmpty == false })
        #expect(samples.filter { $0.said == nil }.count == 1)
    }

    @Test(
        "what is not metrics is no answer",
        arguments: ["", "hello\n", #"apiserver_requested_deprecated_apis{x"#])
    func rubbish(text: String) throws {
        let node = try StepNode()
        node.server.serveMetrics(text)
        node.putServers([("127.0.0.1", node.server.port)])
        let sample = try #require(try node.cluster.deprecatedAPIs(through: node.access).first)
        #expect(sample.said == nil && sample.silence != nil)
    }

    @Test("without the right to it says so")
    func forbidden() throws {
        let node = try StepNode()
        node.server.serveMetrics(text)
        node.server.forbid("GET /metrics")
        node.putServers([("127.0.0.1", node.server.port)])
        let sample = try #require(try node.cluster.deprecatedAPIs(through: node.access).first)
        #expect(sample.said == nil && sample.silence?.contains("/usr/share/holdfast/kubernetes") == true)
    }
}

@Suite("The control plane of a cluster")
struct ControlPlaneLookTests {
    private static let server: AnyJSON = [
        "node-role.kubernetes.io/control-plane": "true", "node-role.kubernetes.io/etcd": "true",
    ]
    private static let voter = ["Ready": "True", "EtcdIsVoter": "True"]

    @Test("of K3s: its servers, whether they vote, and what each API server answers")
    func k3s() throws {
        let node = try StepNode(each: 500)
        node.putNode("edge-1", labels: Self.server, conditions: Self.voter, address: "127.0.0.1")
        node.putNode(
            "edge-2", machineID: "b", labels: Self.server, spec: ["unschedulable": true],
            conditions: ["Ready": "Unknown", "EtcdIsVoter": "False"], address: "127.0.0.2",
            version: "v1.30.9+k3s1")
        node.putNode("worker-1", machineID: "c")
        node.putServers([("127.0.0.1", node.server.port), ("127.0.0.2", 1)])
        let plane = try node.cluster.controlPlane(of: node.installation(), through: node.access)
        #expect(plane.members.map(\.name) == ["edge-1", "edge-2"])
        let own = try #require(plane.own)
        #expect(own.isReady == true && own.votes == true && own.answers == true && own.isCordoned == false)
        #expect(own.kubelet == Version("v1.31.4+k3s1") && own.running == Version("v1.36.2"))
        let other = try #require(plane.others.first)
        // A kubelet that was not heard of is Unknown.
        #expect(
            other.isReady == nil && other.votes == false && other.answers == false && other.isCordoned == true
        )
        #expect(other.running == nil && other.kubelet == Version("v1.30.9+k3s1"))
        #expect(plane.objection(store: .etcd) != nil)
    }

    @Test("of K3s with its etcd on nodes of its own: each is what its labels say")
    func split() throws {
        let node = try StepNode()
        node.putNode("edge-1", labels: ["node-role.kubernetes.io/control-plane": "true"])
        node.putNode(
            "etcd-1", machineID: "b", labels: ["node-role.kubernetes.io/etcd": "true"],
            conditions: Self.voter,
            address: "10.0.0.9")
        node.putServers([("127.0.0.1", node.server.port)])
        let plane = try node.cluster.controlPlane(of: node.installation(), through: node.access)
        #expect(plane.members.map(\.name) == ["edge-1", "etcd-1"])
        #expect(plane.members.map(\.keepsState) == [false, true])
        #expect(plane.members.map(\.votes) == [nil, true])
        #expect(plane.members.map(\.answers) == [true, true] && !plane.mayHaveOthers)
    }

    @Test("an API server that says that it is not ready does not answer for its member")
    func notReady() throws {
        let node = try StepNode()
        node.putNode("edge-1", labels: Self.server, conditions: Self.voter)
        node.putServers([("127.0.0.1", node.server.port)])
        node.server.becomeReady(false)
        let plane = try node.cluster.controlPlane(of: node.installation(), through: node.access)
        #expect(plane.own?.answers == false)
    }

    @Test("an API server where no member is known may be one that nobody tells of (invariant 2)")
    func stranger() throws {
        let node = try StepNode()
        node.putNode("edge-1", labels: Self.server, conditions: Self.voter, address: "10.1.1.1")
        node.putNode(
            "edge-2", machineID: "b", labels: Self.server, conditions: Self.voter, address: "10.1.1.2")
        node.putServers([("127.0.0.1", node.server.port)])
        let plane = try node.cluster.controlPlane(of: node.installation(), through: node.access)
        #expect(plane.mayHaveOthers)
        #expect(plane.members.allSatisfy { $0.answers == nil })
    }

    @Test("of MicroK8s: who votes stands in the files of dqlite")
    func microk8s() throws {
        let node = try StepNode(.microk8s)
        let label: AnyJSON = ["node.kubernetes.io/microk8s-controlplane": "microk8s-controlplane"]
        for (number, name) in ["edge-1", "edge-2", "edge-3", "edge-4"].enumerated() {
            node.putNode(
                name, machineID: number == 0 ? ownID : "\(number)", labels: label,
                address: "10.0.0.\(number + 1)",
                version: "v1.33.4")
        }
        try node.directory.write(
            (1...4).map { "- Address: 10.0.0.\($0):19001\n  ID: \($0)\n  Role: \($0 == 4 ? 1 : 0)\n" }
                .joined(),
            to: "var/snap/microk8s/current/var/kubernetes/backend/cluster.yaml")
        let plane = try node.cluster.controlPlane(
            of: node.installation(.dqlite, role: .node), through: node.access)
        #expect(plane.members.map(\.votes) == [true, true, true, false])
        #expect(!plane.mayHaveOthers)
    }

    private func etcd(_ members: [(name: String, host: String, isLearner: Bool)]) -> EtcdMembers.Finding {
        .members(
            members.enumerated().map {
                .init(id: "\($0)", name: $1.name, hosts: [$1.host], isLearner: $1.isLearner)
            }, own: "0")
    }

    @Test("of k0s: controllers without workloads, from etcd and autopilot")
    func k0s() {
        var look = ControlPlaneLook(nodes: [], own: nil)
        look.takeK0s(
            etcd: etcd([
                ("ctl-1", "10.0.0.1", false), ("ctl-2", "10.0.0.2", false), ("ctl-3", "10.0.0.3", true),
            ]),
            controllers: [K0sController(name: "ctl-2", addresses: ["10.0.0.2"], version: "v1.32.1+k0s.0")])
        look.take([
            APIServerAnswer(address: "10.0.0.1", isReady: true, version: Version("v1.32.1+k0s")),
            APIServerAnswer(address: "10.0.0.2", isReady: true, version: Version("v1.32.1+k0s")),
            APIServerAnswer(address: "10.0.0.3", isReady: false, trouble: "refused"),
        ])
        let plane = look.controlPlane
        #expect(plane.members.map(\.name) == ["ctl-1", "ctl-2", "ctl-3"])
        #expect(plane.own?.name == "ctl-1")
        #expect(plane.members.map(\.votes) == [true, true, false])
        #expect(plane.members.map(\.answers) == [true, true, false])
        #expect(plane.members.map(\.running) == [nil, Version("v1.32.1+k0s.0"), nil])
        #expect(plane.members[1].isHealthy == true)
        #expect(!plane.mayHaveOthers)
    }

    @Test(
        "of k0s: a member of etcd that has not started, or an etcd that does not answer, is a gap (invariant 2)"
    )
    func k0sGaps() {
        var joining = ControlPlaneLook(nodes: [], own: nil)
        joining.takeK0s(etcd: etcd([("ctl-1", "10.0.0.1", false), ("", "10.0.0.2", true)]), controllers: nil)
        #expect(joining.controlPlane.mayHaveOthers)
        var silent = ControlPlaneLook(nodes: [], own: nil)
        silent.takeK0s(etcd: .unknown("etcd does not answer"), controllers: nil)
        #expect(silent.controlPlane.gaps == ["etcd does not answer"])
        #expect(silent.controlPlane.objection(store: .etcd) != nil)
        var unseen = ControlPlaneLook(nodes: [], own: nil)
        unseen.takeK0s(etcd: nil, controllers: nil)
        #expect(unseen.controlPlane.mayHaveOthers)
    }
}

@Suite("Members of a data store")
struct StoreMemberTests {
    @Test("etcd's answer is read as it was recorded, a member that has not started too")
    func recorded() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/etcd/members.json")
        let body = Array(try Data(contentsOf: file))
        #expect(
            EtcdMembers.read(body)
                == .members(
                    [
                        .init(
                            id: "3319814642761637952", name: "default", hosts: ["127.0.0.1"], isLearner: false
                        ),
                        .init(id: "16453749297990037719", name: "", hosts: ["127.0.0.1"], isLearner: true),
                    ], own: "3319814642761637952"))
        #expect(EtcdMembers.read(Array("{}".utf8)) == nil)
    }

    @Test("etcd is asked by a POST that only a quorum answers")
    func asked() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer(#"{"error":"no"}"#, status: "503 -")] }
        defer { server.stop() }
        let finding = StepCluster.etcdMembers(
            at: "http://127.0.0.1:\(server.port)", tls: .init(), within: .init(afterMilliseconds: 5000))
        guard case .unknown = finding else {
            Issue.record("\(finding)")
            return
        }
        #expect(server.received.first?.method == "POST")
        #expect(server.received.first?.body == Array(#"{"linearizable":true}"#.utf8))
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var cluster: String
        var info: String
        /// How the complaint begins; nil where it is well.
        var complaint: String?
    }

    private static func member(_ number: Int, _ role: Int) -> String {
        "- Address: 10.0.0.\(number):19001\n  ID: 329726047845772369\(number)\n  Role: \(role)\n"
    }
    private static let own = "Address: 10.0.0.1:19001\nID: 3297260478457723691\nRole: 0\n"

    static let rows = [
        Row(
            testDescription: "three voters of three", cluster: (1...3).map { member($0, 0) }.joined(),
            info: own,
            complaint: nil),
        Row(
            testDescription: "three voters and a stand-by",
            cluster: (1...4).map { member($0, $0 == 4 ? 1 : 0) }.joined(), info: own, complaint: nil),
        Row(
            testDescription: "a voter is missing",
            cluster: (1...3).map { member($0, $0 == 3 ? 2 : 0) }.joined(),
            info: own, complaint: "dqlite has 2 voters of the 3"),
        Row(testDescription: "alone", cluster: member(1, 0), info: own, complaint: nil),
        Row(
            testDescription: "not a member yet", cluster: member(2, 0), info: own,
            complaint: "this node is no member of dqlite yet"),
    ]

    @Test("dqlite's voters, as its files have them", arguments: rows)
    func dqlite(row: Row) throws {
        let directory = try TemporaryDirectory()
        let backend = "var/snap/microk8s/current/var/kubernetes/backend"
        try directory.write(row.cluster, to: "\(backend)/cluster.yaml")
        try directory.write(row.info, to: "\(backend)/info.yaml")
        let members = try #require(DqliteMembers.read(Root(directory.path)))
        if let expected = row.complaint {
            #expect(members.complaint?.hasPrefix(expected) == true, "\(members.complaint ?? "nothing")")
        } else {
            #expect(members.complaint == nil)
        }
    }

    @Test(
        "files that are not there, or are something else, tell nothing",
        arguments: ["", "hello", "- a: b", "[1"])
    func unreadable(text: String) throws {
        let directory = try TemporaryDirectory()
        #expect(DqliteMembers.read(Root(directory.path)) == nil)
        try directory.write(text, to: "var/snap/microk8s/current/var/kubernetes/backend/cluster.yaml")
        #expect(DqliteMembers.read(Root(directory.path)) == nil)
    }
}
