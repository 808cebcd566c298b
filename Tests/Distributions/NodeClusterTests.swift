import Distributions
import FoundationEssentials
import Host
import KubernetesServer
import Model
import Ports
import ScriptedServer
import Testing

/// A node root with a kubeconfig that leads to a stand-in for an API server.
private final class JoinedNode {
    let directory: TemporaryDirectory
    let server: KubernetesServer
    let cluster: NodeCluster
    var access: ClusterAccess

    init(_ distribution: Distribution = .k3s, patience: Int = 5000) throws {
        directory = try TemporaryDirectory()
        server = try KubernetesServer(
            groups: ["upgrade.cattle.io/v1", "autopilot.k0sproject.io/v1beta2"]
        ) { Issue.record("\($0)") }
        try directory.write("Edge-1\n", to: "etc/hostname")
        try directory.write("0123456789abcdef0123456789abcdef\n", to: "etc/machine-id")
        try directory.write(server.kubeconfig(), to: "etc/kubeconfig")
        cluster = NodeCluster(root: Root(directory.path), patience: patience)
        access = ClusterAccess(distribution: distribution, kubeconfig: "/etc/kubeconfig")
    }

    static let ownID = "0123456789abcdef0123456789abcdef"

    func putNode(_ name: String, machineID: String, labels: AnyJSON = [:]) {
        var all: AnyJSON = labels
        all["kubernetes.io/hostname"] = .text(name)
        server.put(
            "/api/v1/nodes/\(name)",
            [
                "kind": "Node", "metadata": ["name": .text(name), "labels": all],
                "status": ["nodeInfo": ["machineID": .text(machineID)]],
            ])
    }

    func putPlan(_ name: String, spec: AnyJSON, status: AnyJSON = [:]) {
        server.put(
            "/apis/upgrade.cattle.io/v1/namespaces/system-upgrade/plans/\(name)",
            ["kind": "Plan", "spec": spec, "status": status])
    }

    func look() throws -> ClusterObservation { try cluster.look(through: access) }

    func settle(_ node: String? = "edge-1") {
        cluster.settle(ClusterSession(access: access, node: node, silence: nil))
    }
}

/// The recorded lists of plans.
private func recorded(_ name: String) throws -> [AnyJSON] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/kubernetes/plans-1.36.json")
    let lists = try AnyJSON(bytes: Data(contentsOf: file))
    guard case .list(let items)? = lists.at(name, "items") else { return [] }
    return items
}

@Suite("Our Node in a cluster")
struct OurNodeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Name and machine id of each.
        var nodes: [[String]]
        var nodeName: String?
        var found: String?
    }

    static let own = "0123456789abcdef0123456789abcdef"
    static let rows = [
        Row(
            testDescription: "of our host name in lower case", nodes: [["edge-1", own], ["edge-2", "b"]],
            found: "edge-1"),
        Row(testDescription: "whose kubelet has not reported yet", nodes: [["edge-1", ""]], found: "edge-1"),
        Row(
            testDescription: "of the name that K3s is given", nodes: [["edge-1", "b"], ["rack-7", own]],
            nodeName: "rack-7", found: "rack-7"),
        // --with-node-id puts a random end to the name.
        Row(
            testDescription: "of another name, by its machine id",
            nodes: [["edge-1-5f1c", own], ["edge-2", "b"]],
            found: "edge-1-5f1c"),
        Row(
            testDescription: "not one of our name that is another machine", nodes: [["edge-1", "b"]],
            found: nil),
        Row(testDescription: "not one of two clones", nodes: [["a", own], ["b", own]], found: nil),
        Row(testDescription: "none at all", nodes: [], found: nil),
    ]

    @Test("is the one", arguments: rows)
    func found(row: Row) throws {
        let node = try JoinedNode()
        for pair in row.nodes { node.putNode(pair[0], machineID: pair[1]) }
        node.access.nodeName = row.nodeName
        #expect(try node.look().node?.name == row.found)
    }
}

@Suite("Plans in a cluster")
struct NodeClusterTests {
    @Test("of the controller, as they were recorded")
    func recordedPlans() throws {
        let node = try JoinedNode()
        node.putNode(
            "edge-1", machineID: JoinedNode.ownID,
            labels: [
                "node-role.kubernetes.io/control-plane": "true", "plan.upgrade.cattle.io/server-plan": "0f3c",
            ])
        for plan in try recorded("suc-plan-list") {
            node.server.put(
                "/apis/upgrade.cattle.io/v1/namespaces/system-upgrade/plans/server-plan", plan)
        }
        let seen = try node.look()
        #expect(seen.node?.planLabels == ["server-plan": "0f3c"])
        #expect(
            seen.plans == [
                UpgradePlan(
                    namespace: "system-upgrade", name: "server-plan",
                    channel: "https://update.example.test/v1-release/channels/stable",
                    latestVersion: "v1.32.1-k3s1", latestHash: "0f3c", names: [.k3s], selectsNode: true,
                    isApplying: true)
            ])
        #expect(seen.autopilot == nil)
    }

    @Test("are kept in bounded length, however many marks their letters have")
    func longTexts() throws {
        let node = try JoinedNode()
        let long = AnyJSON.text("k3s" + String(repeating: "\u{301}", count: 20_000))
        node.putPlan(
            "server-plan", spec: ["channel": long, "version": long], status: ["latestVersion": long])
        let plan = try #require(try node.look().plans.first)
        for text in [plan.channel, plan.version, plan.latestVersion] {
            let count = try #require(text).utf8.count
            #expect((3...2048).contains(count))
        }
    }

    @Test("of k0s's autopilot, as they were recorded")
    func recordedAutopilot() throws {
        let node = try JoinedNode(.k0s)
        node.putNode("edge-1", machineID: JoinedNode.ownID)
        for plan in try recorded("k0s-plan-list") {
            node.server.put("/apis/autopilot.k0sproject.io/v1beta2/plans/autopilot", plan)
        }
        for config in try recorded("k0s-updateconfig-list") {
            node.server.put("/apis/autopilot.k0sproject.io/v1beta2/updateconfigs/default", config)
        }
        let autopilot = try #require(try node.look().autopilot)
        #expect(autopilot.plan?.version == "v1.32.1+k0s.0")
        #expect(autopilot.plan?.takesNodeIn == true)
        #expect(autopilot.plan?.digests == ["linux-amd64": "00"])
        #expect(
            autopilot.configs == [
                .init(
                    name: "default", channel: "stable", server: "https://updates.example.test",
                    window: .init(days: ["Monday"], start: "02:00", length: "2h"))
            ])
        #expect(autopilot.plan?.state == nil)
    }

    @Test("of k0s's autopilot are not for a node that its list leaves out, and tell how far they are here")
    func autopilotStates() throws {
        let node = try JoinedNode(.k0s)
        node.server.put(
            "/apis/autopilot.k0sproject.io/v1beta2/plans/autopilot",
            [
                "spec": [
                    "commands": [
                        [
                            "k0supdate": [
                                "version": "v1.32.1+k0s.0",
                                "targets": ["controllers": ["discovery": ["static": ["nodes": ["other"]]]]],
                            ]
                        ]
                    ]
                ],
                "status": [
                    "state": "SchedulableWait",
                    "commands": [
                        ["k0supdate": ["controllers": [["name": "edge-1", "state": "SignalSent"]]]]
                    ],
                ],
            ])
        let plan = try #require(try node.look().autopilot?.plan)
        #expect(!plan.takesNodeIn)
        #expect(plan.state == "SchedulableWait")
        #expect(plan.nodeStates == ["SignalSent"])
    }

    @Test("are none where the cluster knows no such kinds")
    func unknownKinds() throws {
        let directory = try TemporaryDirectory()
        let server = try KubernetesServer(groups: []) { Issue.record("\($0)") }
        try directory.write(server.kubeconfig(), to: "etc/kubeconfig")
        let seen = try NodeCluster(root: Root(directory.path)).look(
            through: ClusterAccess(distribution: .k0s, kubeconfig: "/etc/kubeconfig"))
        #expect(seen == ClusterObservation(node: nil))
    }

    @Test(
        "take a node in by their selector, as the controller reads it",
        arguments: [
            (nil, false), ([:], true), (["matchLabels": ["role": "edge"]], true),
            (["matchLabels": ["role": "core"]], false),
            (["matchLabels": ["role": "edge", "zone": "a"]], false),
            (["matchExpressions": [["key": "role", "operator": "In", "values": ["core", "edge"]]]], true),
            (["matchExpressions": [["key": "zone", "operator": "In", "values": ["a"]]]], false),
            (["matchExpressions": [["key": "role", "operator": "NotIn", "values": ["edge"]]]], false),
            (["matchExpressions": [["key": "zone", "operator": "NotIn", "values": ["a"]]]], true),
            (["matchExpressions": [["key": "role", "operator": "Exists"]]], true),
            (["matchExpressions": [["key": "zone", "operator": "Exists"]]], false),
            (["matchExpressions": [["key": "zone", "operator": "DoesNotExist"]]], true),
            (["matchExpressions": [["key": "role", "operator": "DoesNotExist"]]], false),
            // Whoever cannot tell keeps it out.
            (["matchExpressions": [["key": "zone", "operator": "Resembles", "values": ["a"]]]], true),
            (
                [
                    "matchLabels": ["role": "edge"],
                    "matchExpressions": [["key": "role", "operator": "DoesNotExist"]],
                ], false
            ),
        ] as [(AnyJSON?, Bool)])
    func selectors(selector: AnyJSON?, selects: Bool) throws {
        let node = try JoinedNode()
        node.putNode("edge-1", machineID: JoinedNode.ownID, labels: ["role": "edge"])
        var spec: AnyJSON = ["version": "v1.32.1+k3s1", "upgrade": ["image": "rancher/k3s-upgrade"]]
        spec["nodeSelector"] = selector
        node.putPlan("p", spec: spec)
        let plan = try #require(try node.look().plans.first)
        #expect(plan.selectsNode == selects)
        #expect(plan.version == "v1.32.1+k3s1")
    }

    @Test(
        "are of a distribution by the last name of their image, or by their channel",
        arguments: [
            ("rancher/k3s-upgrade", "", [Distribution.k3s]), ("registry.k3s.example/os-upgrade", "", []),
            ("mirror/upgrade", "https://update.k3s.io/v1-release/channels/stable", [.k3s]),
            ("rancher/rke2-upgrade", "", []), ("us/k0s-upgrade:v1", "", [.k0s]),
        ])
    func names(image: String, channel: String, names: [Distribution]) throws {
        let node = try JoinedNode()
        node.putPlan("p", spec: ["channel": .text(channel), "upgrade": ["image": .text(image)]])
        #expect(try node.look().plans.first?.names == names)
    }
}

@Suite("Labels and Events of our Node")
struct NodeLabelTests {
    private let setting = Setting(.planLabel, "server-plan")

    @Test("a label is read, set and taken away")
    func labels() throws {
        let node = try JoinedNode()
        node.putNode("edge-1", machineID: JoinedNode.ownID)
        node.settle()
        #expect(try node.cluster.read(setting) == nil)
        try node.cluster.write(setting, "disabled")
        #expect(try node.cluster.read(setting) == "disabled")
        try node.cluster.write(setting, nil)
        #expect(try node.cluster.read(setting) == nil)
    }

    @Test("nothing is asked of a cluster that was found silent, or that is not known")
    func closed() throws {
        let node = try JoinedNode()
        #expect(throws: EffectFailure.self) { try node.cluster.read(setting) }
        node.cluster.settle(ClusterSession(access: node.access, node: "edge-1", silence: "no answer in time"))
        let error = try #require(throws: EffectFailure.self) { try node.cluster.write(setting, "disabled") }
        #expect(error.description == "no answer in time")
        let event = NodeEvent(
            kind: .normal, reason: "Adopted", message: "m", key: "k", at: Instant(seconds: 0))
        try node.cluster.tell([event])
        node.cluster.settle(nil)
        try node.cluster.tell([event])
        #expect(node.server.requests.isEmpty)
    }

    @Test("an event is told once under its key, as a kubelet tells it")
    func events() throws {
        let node = try JoinedNode()
        node.putNode("edge-1", machineID: JoinedNode.ownID)
        node.settle()
        let event = NodeEvent(
            kind: .warning, reason: "UpgradeHeld",
            message: "a\u{1b}[2Jb" + String(repeating: "x", count: 3000),
            key: "abc", at: Instant(seconds: 1_790_000_000))
        try node.cluster.tell([event, event])
        let made = node.server.objects(below: "/api/v1/namespaces/default/events")
        #expect(made.count == 1)
        #expect(made[0].at("metadata", "name")?.text == "edge-1.holdfast-abc")
        #expect(made[0]["involvedObject"] == ["kind": "Node", "name": "edge-1", "uid": "edge-1"])
        #expect(made[0].at("source", "component")?.text == "holdfast")
        #expect(made[0]["reason"]?.text == "UpgradeHeld" && made[0]["type"]?.text == "Warning")
        #expect(made[0]["firstTimestamp"]?.text == "2026-09-21T14:13:20Z")
        let message = try #require(made[0]["message"]?.text)
        #expect(message.utf8.count <= 1024 && message.hasPrefix("a?[2Jb"))
    }

    @Test("our Node is found for an event where no look has found it")
    func eventWithoutLook() throws {
        let node = try JoinedNode()
        node.putNode("edge-1-5f1c", machineID: JoinedNode.ownID)
        node.settle(nil)
        try node.cluster.tell([
            NodeEvent(kind: .normal, reason: "Adopted", message: "m", key: "k", at: Instant(seconds: 0))
        ])
        let made = node.server.objects(below: "/api/v1/namespaces/default/events")
        #expect(made.first?.at("involvedObject", "name")?.text == "edge-1-5f1c")
    }

    @Test("a cluster that hangs in the midst costs the time of one tick, whatever is left to do")
    func budget() throws {
        let node = try JoinedNode(patience: 300)
        node.settle()
        node.server.disturb { _ in [.hang] }
        #expect(throws: EffectFailure.self) { try node.cluster.read(setting) }
        for _ in 0..<10 { #expect(throws: EffectFailure.self) { try node.cluster.read(setting) } }
        // The later ones were not even asked.
        #expect(node.server.requests.count == 1)
    }

    @Test("a kubeconfig that is missing or rubbish is told by its path, never by its content (invariant 13)")
    func kubeconfig() throws {
        let node = try JoinedNode()
        node.access.kubeconfig = "/etc/none"
        let missing = try #require(throws: ClusterFailure.self) { try node.look() }
        #expect(missing.description.hasPrefix("/etc/none: there is no kubeconfig"))
        try node.directory.write("token: hunter2\nusers: [", to: "etc/kubeconfig")
        node.access.kubeconfig = "/etc/kubeconfig"
        let rubbish = try #require(throws: ClusterFailure.self) { try node.look() }
        #expect(rubbish.description.hasPrefix("/etc/kubeconfig"))
        #expect(!rubbish.description.contains("hunter2"))
    }
}

@Suite("The way to a cluster")
struct ClusterAccessTests {
    private func access(_ unit: String, _ command: String, kubeconfig: String?) throws -> ClusterAccess? {
        let node = try NodeRoot()
        try node.unit(unit, command)
        try node.program(Array("#!".utf8), at: String(command.prefix { $0 != " " }.dropFirst()))
        let observer = NodeObserver(
            site: Site(root: node.root, units: UnitFiles(root: node.root), kubeconfig: kubeconfig), name: nil)
        var memory = ObserverMemory()
        return observer.observe(reading: .test, memory: &memory).access
    }

    @Test("is node.yaml's kubeconfig and the name that the kubelet is given")
    func given() throws {
        let agent = try access(
            "k3s-agent.service", "/usr/local/bin/k3s agent --node-name rack-7", kubeconfig: "/etc/kc")
        #expect(agent == ClusterAccess(distribution: .k3s, kubeconfig: "/etc/kc", nodeName: "rack-7"))
        let controller = try access(
            "k0scontroller.service",
            "/usr/local/bin/k0s controller --disable-components konnectivity-server,autopilot",
            kubeconfig: "/etc/kc")
        #expect(
            controller
                == ClusterAccess(distribution: .k0s, kubeconfig: "/etc/kc", autopilotIsDisabled: true))
        let enabled = try access(
            "k0scontroller.service", "/usr/local/bin/k0s controller", kubeconfig: "/etc/kc")
        #expect(enabled?.autopilotIsDisabled == false)
    }

    @Test("is none below another root without one: the distribution's own leads to this machine")
    func foreign() throws {
        #expect(try access("k3s.service", "/usr/local/bin/k3s server", kubeconfig: nil) == nil)
    }
}
