import FoundationEssentials
public import Web

/// A Node, as far as its part in the control plane and its cordon go.
public struct MemberNode: Decodable, Hashable, Sendable {
    /// What the cluster calls it.
    public var name: String
    /// Changes with every change of the object.
    public var resourceVersion: String
    /// All of its labels.
    public var labels: [String: String]
    /// `/etc/machine-id` as its kubelet read it.
    public var machineID: String
    /// What its kubelet runs: `v1.31.4+k3s1`.
    public var kubeletVersion: String
    /// Whether it takes no new Pods.
    public var isCordoned: Bool
    /// Its conditions: true, false, or nil where nobody knows.
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
    /// All Nodes of the cluster.
    public func memberNodes(within deadline: Deadline) throws(KubernetesError) -> [MemberNode] {
        try list("/api/v1/nodes", of: MemberNode.self, within: deadline)
    }

    /// One Node.
    public func memberNode(_ name: String, within deadline: Deadline) throws(KubernetesError) -> MemberNode {
        try get("/api/v1/nodes/\(encoded(name))", as: MemberNode.self, within: deadline)
    }

    /// Cordons a Node, or lets it take Pods again.
    ///
    /// Where the Node changed since it was read, it is read again; at most `mostTries` times.
    ///
    /// - Parameter isOurs: asked of the Node as it is right before it is changed.
    public func setCordon(
        _ isCordoned: Bool, ofNode name: String, within deadline: Deadline,
        isOurs: (MemberNode) throws(KubernetesError) -> Void
    ) throws(KubernetesError) {
        var tries = 0
        while true {
            tries += 1
            let node = try memberNode(name, within: deadline)
            try isOurs(node)
            if node.isCordoned == isCordoned { return }
            do {
                return try patch(
                    "/api/v1/nodes/\(encoded(name))",
                    CordonPatch(resourceVersion: node.resourceVersion, isCordoned: isCordoned),
                    within: deadline)
            } catch {
                guard error.isConflict, tries < Self.mostTries else { throw error }
            }
        }
    }
}

private struct CordonPatch: VersionedChange {
    let resourceVersion: String
    let isCordoned: Bool

    private struct Metadata: Encodable { var resourceVersion: String }
    private struct Spec: Encodable {
        // A null takes it away, as `kubectl uncordon` does.
        var unschedulable: Bool?

        private enum CodingKeys: CodingKey { case unschedulable }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(unschedulable, forKey: .unschedulable)
        }
    }
    private enum CodingKeys: CodingKey { case metadata, spec }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Metadata(resourceVersion: resourceVersion), forKey: .metadata)
        try container.encode(Spec(unschedulable: isCordoned ? true : nil), forKey: .spec)
    }
}
