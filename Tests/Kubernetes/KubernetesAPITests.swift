import FoundationEssentials
import Kubernetes
import KubernetesServer
import Testing
import Web

/// A cluster to try things on: a real one where HOLDFAST_TEST_KUBECONFIG names it, else the stand-in.
private final class TestCluster {
    let client: KubernetesClient
    private let kubeconfig: Kubeconfig
    private let standIn: KubernetesServer?
    /// A Node of this test's own, which no kubelet stands behind.
    let node = "holdfast-test-\(UUID().uuidString.lowercased().prefix(8))"

    init() throws {
        if let path = realKubeconfig {
            standIn = nil
            kubeconfig = try Kubeconfig(Array(Data(contentsOf: URL(filePath: path))), path: path) {
                Array(try Data(contentsOf: URL(filePath: $0)))
            }
        } else {
            let server = try KubernetesServer { Issue.record("\($0)") }
            standIn = server
            kubeconfig = Kubeconfig(server: "http://127.0.0.1:\(server.port)", tls: TLSSettings())
        }
        client = KubernetesClient(kubeconfig)
        try client.create(
            "/api/v1/nodes", Named(node, labels: ["kubernetes.io/hostname": node]), within: .soon)
    }

    deinit {
        _ = try? HTTPClient(.origin(kubeconfig.server), tls: kubeconfig.tls).send(
            HTTPRequest(.delete, "/api/v1/nodes/\(node)", bearerToken: kubeconfig.token))
    }
}

private struct Named: Encodable {
    struct Metadata: Encodable {
        var name: String
        var labels: [String: String]
    }
    var apiVersion = "v1"
    var kind = "Node"
    var metadata: Metadata

    init(_ name: String, labels: [String: String] = [:]) { metadata = Metadata(name: name, labels: labels) }
}

extension Deadline {
    fileprivate static var soon: Deadline { Deadline(afterMilliseconds: 20_000) }
}

@Suite("The Kubernetes API, for real or as it was recorded")
struct KubernetesAPITests {
    private let label = "plan.upgrade.cattle.io/server-plan"

    @Test("a label is set and taken away, and the others stay")
    func labels() throws {
        let cluster = try TestCluster()
        try cluster.client.setLabel(label, to: "disabled", ofNode: cluster.node, within: .soon)
        let set = try cluster.client.node(cluster.node, within: .soon)
        #expect(set.labels[label] == "disabled")
        #expect(set.labels["kubernetes.io/hostname"] == cluster.node)
        try cluster.client.setLabel(label, to: nil, ofNode: cluster.node, within: .soon)
        let gone = try cluster.client.node(cluster.node, within: .soon)
        #expect(gone.labels[label] == nil)
        #expect(gone.labels["kubernetes.io/hostname"] == cluster.node)
    }

    @Test("what is there already is not made twice")
    func existing() throws {
        let cluster = try TestCluster()
        let error = try #require(throws: KubernetesError.self) {
            try cluster.client.create("/api/v1/nodes", Named(cluster.node), within: .soon)
        }
        #expect(error.isAlreadyThere && !error.isConflict)
    }

    @Test("what is not there is told from what is refused, a kind that the cluster does not know too")
    func absent() throws {
        let cluster = try TestCluster()
        let missing = try #require(throws: KubernetesError.self) {
            try cluster.client.node("holdfast-test-nobody", within: .soon)
        }
        #expect(missing.code == .refused(status: 404, reason: "NotFound"))
        #expect(missing.isAbsence)
        let unknown = try #require(throws: KubernetesError.self) {
            try cluster.client.list(
                "/apis/holdfast.example/v1/plans", of: NodeObject.self, within: .soon)
        }
        #expect(unknown.isAbsence)
    }

    @Test("a patch for another state of the object meets none at all")
    func stale() throws {
        struct Patch: VersionedChange {
            struct Metadata: Encodable { var resourceVersion: String }
            var metadata: Metadata
            var resourceVersion: String { metadata.resourceVersion }
        }
        let cluster = try TestCluster()
        let old = try cluster.client.node(cluster.node, within: .soon).resourceVersion
        try cluster.client.setLabel(label, to: "disabled", ofNode: cluster.node, within: .soon)
        let error = try #require(throws: KubernetesError.self) {
            try cluster.client.patch(
                "/api/v1/nodes/\(cluster.node)", Patch(metadata: .init(resourceVersion: old)), within: .soon)
        }
        #expect(error.isConflict)
    }

    @Test("a list is read to its end")
    func list() throws {
        let cluster = try TestCluster()
        let nodes = try cluster.client.list("/api/v1/nodes", of: NodeObject.self, within: .soon)
        #expect(nodes.contains { $0.name == cluster.node })
    }
}
