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

    public init(from decoder: any Decoder) throws {
        struct Node: Decodable {
            struct Metadata: Decodable {
                var name: String
                var resourceVersion: String?
                var labels: [String: String]?
            }
            struct Status: Decodable {
                struct Info: Decodable { var machineID: String? }
                var nodeInfo: Info?
            }
            var metadata: Metadata
            var status: Status?
        }
        let node = try Node(from: decoder)
        name = node.metadata.name
        resourceVersion = node.metadata.resourceVersion ?? ""
        labels = node.metadata.labels ?? [:]
        machineID = node.status?.nodeInfo?.machineID ?? ""
    }
}

extension KubernetesClient {
    /// How often a change is tried again on an object that somebody else changed meanwhile; a kubelet writes its
    /// Node every few seconds.
    public static let mostTries = 5

    /// Reads a Node.
    public func node(_ name: String, within deadline: Deadline) throws(KubernetesError) -> NodeObject {
        try get("/api/v1/nodes/\(encoded(name))", as: NodeObject.self, within: deadline)
    }

    /// Gives a Node a label; nil takes it away.
    ///
    /// Where the Node changed since it was read, it is read again; at most `mostTries` times.
    public func setLabel(
        _ key: String, to value: String?, ofNode name: String, within deadline: Deadline
    ) throws(KubernetesError) {
        var tries = 0
        while true {
            tries += 1
            let node = try node(name, within: deadline)
            if node.labels[key] == value { return }
            do {
                return try patch(
                    "/api/v1/nodes/\(encoded(name))",
                    LabelPatch(resourceVersion: node.resourceVersion, key: key, value: value),
                    within: deadline)
            } catch {
                guard error.isConflict, tries < Self.mostTries else { throw error }
            }
        }
    }
}

private struct LabelPatch: VersionedChange {
    let resourceVersion: String
    let key: String
    let value: String?

    private struct Metadata: Encodable {
        var resourceVersion: String
        // A null takes the label away.
        var labels: [String: String?]
    }

    private enum CodingKeys: CodingKey { case metadata }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(
            Metadata(resourceVersion: resourceVersion, labels: [key: value]), forKey: .metadata)
    }
}
