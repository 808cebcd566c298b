import FoundationEssentials
import Host
import KubernetesServer
import ScriptedServer
import Testing

let withPlans = "apiVersion: holdfast/v1\nunattended: patch\nenforce:\n  plans: block\n"
private let planPath = "/apis/upgrade.cattle.io/v1/namespaces/system-upgrade/plans/server-plan"
private let nodePath = "/api/v1/nodes/edge-1"

/// A node root whose node.yaml names a kubeconfig with a client certificate, and the API server that it leads to.
final class JoinedSample {
    let node: SampleNode
    let server: KubernetesServer
    private let certificates: Certificates

    init(policy: String = withPlans) throws {
        node = try SampleNode(policy: policy)
        certificates = try Certificates()
        server = try KubernetesServer(
            tls: certificates.serverIdentity, access: .credentials(tokens: ["right-token"])
        ) { Issue.record("\($0)") }
        let directory = node.root + "/etc/holdfast"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        // Below the root, since what a kubeconfig names is the node's.
        for name in ["ca.crt", "client.crt", "client.key"] {
            try Data(certificates.read(name)).write(to: URL(filePath: "\(directory)/\(name)"))
        }
        let kubeconfig = server.kubeconfig(certificates: "/etc/holdfast")
        try Data(kubeconfig.utf8).write(to: URL(filePath: "\(directory)/kubeconfig"))
        try Data("kubeconfig: /etc/holdfast/kubeconfig\n".utf8).write(
            to: URL(filePath: "\(directory)/node.yaml"))
        try Data("edge-1\n".utf8).write(to: URL(filePath: node.root + "/etc/hostname"))
        server.put(
            nodePath, ["kind": "Node", "metadata": ["labels": ["kubernetes.io/hostname": "edge-1"]]])
        server.put(
            planPath,
            [
                "kind": "Plan",
                "spec": [
                    "channel": "https://update.example.test/channels/stable", "nodeSelector": [:],
                    "upgrade": ["image": "rancher/k3s-upgrade"],
                ],
                "status": ["latestVersion": "v1.32.1-k3s1", "latestHash": "0f3c"],
            ])
    }

    var label: String? {
        server.object(nodePath)?.at("metadata", "labels", "plan.upgrade.cattle.io/server-plan")?.text
    }

    var reasons: [String] {
        server.objects(below: "/api/v1/namespaces/default/events").compactMap { $0["reason"]?.text }
    }
}

@Suite(
    "holdfast and a plan in the cluster",
    .enabled(if: Certificates.canBeMade, "the openssl command is not installed"))
struct PlanBlockTests {
    @Test("the label is set while the plan is held, and taken back on release; a quiet tick asks nothing")
    func blocked() throws {
        let sample = try JoinedSample()
        #expect(try sample.node.inPlace("adopt").code == 0)
        // What the first look found is judged and recorded, and what follows from it done, in one tick or the next.
        #expect(try sample.node.inPlace("check").code == 0)
        #expect(sample.label == "disabled")
        let answer = try sample.node.inPlace("check", "--output", "json").json(CheckAnswer.self)
        let change = try #require(answer.installations.first?.changes.first)
        #expect(change.trigger == "suc-plan" && change.phase == "offered")
        #expect(change.to == "v1.32.1+k3s1" && change.decision.verdict == "hold")
        #expect(sample.reasons.contains("UpgradeHeld") && sample.reasons.contains("Adopted"))
        let requests = sample.server.requests.count
        #expect(try sample.node.inPlace("check").code == 0)
        #expect(sample.server.requests.count == requests)
        #expect(try sample.node.inPlace("release").code == 0)
        #expect(sample.label == nil)
        #expect(sample.reasons.contains("Released"))
    }

    @Test(
        "a release that has to leave a label behind says so and fails, and the next one takes it back (invariant 3)"
    )
    func leftBehind() throws {
        let sample = try JoinedSample()
        #expect(try sample.node.inPlace("adopt").code == 0)
        #expect(try sample.node.inPlace("check").code == 0)
        #expect(sample.label == "disabled")
        sample.server.disturb { _ in [.answer("oops", status: "500 Internal Server Error")] }
        let answer = try sample.node.inPlace("release")
        #expect(answer.code == 1 && answer.errors.contains("still in place: the label"), "\(answer)")
        sample.server.disturb { _ in nil }
        let again = try sample.node.inPlace("release")
        #expect(again.code == 0 && sample.label == nil, "\(again)")
    }

    @Test("an operator's own label stays through adopt and release")
    func operators() throws {
        let sample = try JoinedSample()
        sample.server.change(
            nodePath, ["metadata": ["labels": ["plan.upgrade.cattle.io/server-plan": "disabled"]]])
        #expect(try sample.node.inPlace("adopt").code == 0)
        #expect(try sample.node.inPlace("check").code == 0)
        #expect(try sample.node.inPlace("release").code == 0)
        #expect(sample.label == "disabled")
    }

    @Test(
        "an API that is silent, slow, broken or talks rubbish is told, and everything else is recorded",
        arguments: ["silent", "slow", "broken", "rubbish", "gone"])
    func troubled(how: String) throws {
        let sample = try JoinedSample()
        switch how {
        case "silent": sample.server.disturb { _ in [.hang] }
        case "slow":
            sample.server.disturb { _ in
                [.text("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), .drip(32, everyMilliseconds: 50)]
            }
        case "broken":
            sample.server.disturb { _ in [.answer("oops", status: "500 Internal Server Error")] }
        case "rubbish": sample.server.disturb { _ in [.answer("{\"items\": 7}")] }
        default: sample.server.stop()
        }
        let answer = try sample.node.inPlace("check", "--output", "json")
        #expect(answer.code == 0)
        let report = try answer.json(CheckAnswer.self)
        #expect(report.problems.map(\.code).contains("cluster-silent"))
        #expect(report.installations.first?.installed.version == "v1.31.4+k3s1")
        let status = try sample.node.inPlace("status", "--output", "json").json(CheckAnswer.self)
        #expect(status.installations.first?.approved?.version == "v1.31.4+k3s1")
        // Not asked again at once.
        let requests = sample.server.requests.count
        #expect(try sample.node.inPlace("check").code == 0)
        #expect(sample.server.requests.count == requests)
    }

    @Test("a user without the right to label is told so, and the tick goes on")
    func forbidden() throws {
        let sample = try JoinedSample()
        sample.server.forbid("PATCH /api/v1/nodes", "POST /api/v1/namespaces/default/events")
        #expect(try sample.node.inPlace("adopt").code == 1)
        let answer = try sample.node.inPlace("check", "--output", "json").json(CheckAnswer.self)
        #expect(Set(answer.problems.map(\.code)).isSuperset(of: ["guard-failed", "events-untold"]))
        #expect(sample.label == nil)
    }
}
