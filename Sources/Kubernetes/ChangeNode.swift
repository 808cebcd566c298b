import FoundationEssentials
public import Web

extension KubernetesClient {
    /// How often a change is tried again on an object that somebody else changed meanwhile; a kubelet writes its
    /// Node every few seconds.
    public static let mostTries = 5

    /// Gives a Node a label; nil takes it away.
    ///
    /// Where the Node changed since it was read, it is read again; at most `mostTries` times.
    public func setLabel(
        _ key: String, to value: String?, ofNode name: String, within deadline: Deadline
    ) throws(KubernetesError) {
        try change(name, within: deadline) { node throws(KubernetesError) in
            node.labels[key] == value
                ? nil : LabelPatch(resourceVersion: node.resourceVersion, key: key, value: value)
        }
    }

    /// Cordons a Node, or lets it take Pods again.
    ///
    /// Where the Node changed since it was read, it is read again; at most `mostTries` times.
    ///
    /// - Parameter isOurs: asked of the Node as it is right before it is changed.
    public func setCordon(
        _ isCordoned: Bool, ofNode name: String, within deadline: Deadline,
        isOurs: (NodeObject) throws(KubernetesError) -> Void
    ) throws(KubernetesError) {
        try change(name, within: deadline) { node throws(KubernetesError) in
            try isOurs(node)
            return node.isCordoned == isCordoned
                ? nil : CordonPatch(resourceVersion: node.resourceVersion, isCordoned: isCordoned)
        }
    }

    /// - Parameter patch: what is to be changed on the Node as it was read; nil for nothing.
    private func change<Patch: VersionedChange>(
        _ name: String, within deadline: Deadline,
        _ patch: (NodeObject) throws(KubernetesError) -> Patch?
    ) throws(KubernetesError) {
        var tries = 0
        while true {
            tries += 1
            guard let change = try patch(try node(name, within: deadline)) else { return }
            do {
                return try self.patch(path(ofNode: name), change, within: deadline)
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
