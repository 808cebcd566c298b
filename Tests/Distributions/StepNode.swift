import Distributions
import Host
import KubernetesServer
import Model
import Ports
import ScriptedServer
import Testing

/// The machine id of the node under test.
let ownID = "0123456789abcdef0123456789abcdef"

/// A node of a cluster that a stand-in for its API server answers for.
final class StepNode {
    let directory: TemporaryDirectory
    let server: KubernetesServer
    let access: ClusterAccess
    let cluster: StepCluster
    let settings: NodeCluster

    init(_ distribution: Distribution = .k3s, patience: Int = 10_000, each: Int = 2000) throws {
        directory = try TemporaryDirectory()
        server = try KubernetesServer(
            groups: [
                "coordination.k8s.io/v1", "discovery.k8s.io/v1", "autopilot.k0sproject.io/v1beta2",
            ]
        ) { Issue.record("\($0)") }
        try directory.write("edge-1\n", to: "etc/hostname")
        try directory.write("\(ownID)\n", to: "etc/machine-id")
        try directory.write(server.kubeconfig(), to: "etc/kubeconfig")
        access = ClusterAccess(distribution: distribution, kubeconfig: "/etc/kubeconfig")
        cluster = StepCluster(root: Root(directory.path), patience: patience, each: each)
        settings = NodeCluster(root: Root(directory.path), patience: patience)
        settings.settle(ClusterSession(access: access, node: "edge-1", silence: nil))
    }

    func putNode(
        _ name: String, machineID: String = ownID, labels: AnyJSON = [:], spec: AnyJSON = [:],
        conditions: [String: String] = ["Ready": "True"], address: String = "127.0.0.1",
        version: String = "v1.31.4+k3s1"
    ) {
        server.put(
            "/api/v1/nodes/\(name)",
            [
                "kind": "Node", "metadata": ["name": .text(name), "labels": labels], "spec": spec,
                "status": [
                    "nodeInfo": ["machineID": .text(machineID), "kubeletVersion": .text(version)],
                    "conditions": .list(
                        conditions.sorted { $0.key < $1.key }.map {
                            ["type": .text($0.key), "status": .text($0.value)]
                        }),
                    "addresses": [["type": "InternalIP", "address": .text(address)]],
                ],
            ])
    }

    func putPod(
        _ name: String, on node: String = "edge-1", owner: String? = "ReplicaSet", annotations: AnyJSON = [:],
        phase: String = "Running"
    ) {
        let owners: AnyJSON = owner.map { [["kind": .text($0), "name": "o", "controller": true]] } ?? []
        server.put(
            Self.path(name),
            [
                "kind": "Pod",
                "metadata": ["name": .text(name), "annotations": annotations, "ownerReferences": owners],
                // An emptyDir does not keep a Pod.
                "spec": ["nodeName": .text(node), "volumes": [["name": "v", "emptyDir": [:]]]],
                "status": ["phase": .text(phase)],
            ])
    }

    static func path(_ pod: String) -> String { "/api/v1/namespaces/shop/pods/\(pod)" }

    func putServers(_ endpoints: [(address: String, port: Int)]) {
        for (number, endpoint) in endpoints.enumerated() {
            server.put(
                "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes-\(number)",
                [
                    "kind": "EndpointSlice",
                    "metadata": ["labels": ["kubernetes.io/service-name": "kubernetes"]],
                    "endpoints": [["addresses": [.text(endpoint.address)], "conditions": ["ready": true]]],
                    "ports": [["name": "https", "port": .number(Double(endpoint.port)), "protocol": "TCP"]],
                ])
        }
        server.put(
            "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-x",
            [
                "kind": "EndpointSlice", "metadata": ["labels": ["kubernetes.io/service-name": "web"]],
                "endpoints": [["addresses": ["10.9.9.9"]]], "ports": [["name": "http", "port": 80]],
            ])
    }

    func installation(_ store: DataStore = .etcd, role: Role = .server) -> Installation {
        Installation(
            id: InstallationID(distribution: access.distribution, name: access.distribution.rawValue),
            role: role, units: [], dataDirectory: "/data", dataStore: store, installed: nil, running: nil)
    }
}
