import FoundationEssentials
public import Web

/// A Node, as far as it is read here.
public struct NodeObject: Decodable, Hashable, Sendable {
    /// What the cluster calls it.
    public var name: String
    /// Changes with every change of the object.
    public var resourceVersion: String
    /// All of its labels.
    public var labels: [String: String]
    /// `/etc/machine-id` as its kubelet read it; empty before the kubelet has reported.
    public var machineID: String
    /// What its kubelet runs: `v1.31.4+k3s1`; empty before it has reported.
    public var kubeletVersion: String
    /// Whether it takes no new Pods.
    public var isCordoned: Bool
    /// Its conditions, such as `Ready` and `EtcdIsVoter`: true, false, or nil where nobody knows.
    public var conditions: [String: Bool?]
    /// Its addresses, of whatever kind.
    public var addresses: [String]

    public init(from decoder: any Decoder) throws {
        struct Node: Decodable {
            struct Metadata: Decodable {
                var name: String
                var resourceVersion: String?
                var labels: [String: String]?
            }
            struct Spec: Decodable { var unschedulable: Bool? }
            struct Status: Decodable {
                struct Info: Decodable {
                    var machineID: String?
                    var kubeletVersion: String?
                }
                struct Condition: Decodable {
                    var type: String
                    var status: String
                }
                struct Address: Decodable { var address: String }
                var nodeInfo: Info?
                var conditions: [Condition]?
                var addresses: [Address]?
            }
            var metadata: Metadata
            var spec: Spec?
            var status: Status?
        }
        let node = try Node(from: decoder)
        name = node.metadata.name
        resourceVersion = node.metadata.resourceVersion ?? ""
        labels = node.metadata.labels ?? [:]
        machineID = node.status?.nodeInfo?.machineID ?? ""
        kubeletVersion = node.status?.nodeInfo?.kubeletVersion ?? ""
        isCordoned = node.spec?.unschedulable ?? false
        conditions = Dictionary(
            (node.status?.conditions ?? []).map { condition in
                (
                    condition.type,
                    condition.status == "True" ? true : condition.status == "False" ? false : nil
                )
            }, uniquingKeysWith: { first, _ in first })
        addresses = (node.status?.addresses ?? []).map(\.address)
    }

    /// A condition; nil where it is not there, or nobody knows.
    public func condition(_ type: String) -> Bool? { conditions[type] ?? nil }
}

extension KubernetesClient {
    /// Reads a Node.
    public func node(_ name: String, within deadline: Deadline) throws(KubernetesError) -> NodeObject {
        try get(path(ofNode: name), as: NodeObject.self, within: deadline)
    }

    /// All Nodes of the cluster.
    public func nodes(within deadline: Deadline) throws(KubernetesError) -> [NodeObject] {
        try list("/api/v1/nodes", of: NodeObject.self, within: deadline)
    }

    func path(ofNode name: String) -> String { "/api/v1/nodes/\(encoded(name))" }
}
