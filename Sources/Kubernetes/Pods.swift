public import Web

/// A Pod, as far as a drain asks.
public struct PodObject: Decodable, Hashable, Sendable {
    /// Its namespace.
    public var namespace: String
    /// Its name.
    public var name: String
    /// Tells it from a successor of the same name.
    public var uid: String
    /// `status.phase`.
    public var phase: String
    /// The kind of the owner that controls it.
    public var controller: String?
    /// Whether a kubelet made it of a file (`kubernetes.io/config.mirror`).
    public var isMirror: Bool
    /// Whether it is being ended.
    public var isEnding: Bool

    public init(from decoder: any Decoder) throws {
        struct Pod: Decodable {
            struct Owner: Decodable {
                var kind: String
                var controller: Bool?
            }
            struct Metadata: Decodable {
                var name: String
                var namespace: String?
                var uid: String?
                var annotations: [String: String]?
                var ownerReferences: [Owner]?
                var deletionTimestamp: String?
            }
            struct Status: Decodable { var phase: String? }
            var metadata: Metadata
            var status: Status?
        }
        let pod = try Pod(from: decoder)
        namespace = pod.metadata.namespace ?? "default"
        name = pod.metadata.name
        uid = pod.metadata.uid ?? ""
        phase = pod.status?.phase ?? ""
        controller = pod.metadata.ownerReferences?.first { $0.controller == true }?.kind
        isMirror = pod.metadata.annotations?["kubernetes.io/config.mirror"] != nil
        isEnding = pod.metadata.deletionTimestamp != nil
    }
}

/// What became of the wish that a Pod leave.
public enum EvictionOutcome: Hashable, Sendable {
    case evicted
    /// It was gone already, or another of its name is there.
    case gone
    /// Not now: a disruption budget keeps it, or the server has too much to do.
    case kept(String)
}

extension KubernetesClient {
    /// The Pods of a Node, in all namespaces.
    public func pods(ofNode name: String, within deadline: Deadline) throws(KubernetesError) -> [PodObject] {
        try list(
            "/api/v1/pods?fieldSelector=\(encoded("spec.nodeName=\(name)"))", of: PodObject.self,
            within: deadline)
    }

    /// Asks that a Pod leave its Node, as its disruption budgets let it (policy/v1 Eviction, since 1.22).
    ///
    /// Where budgets contradict each other the server answers 500, which is told as what keeps it.
    public func evict(_ pod: PodObject, within deadline: Deadline) throws(KubernetesError) -> EvictionOutcome
    {
        struct Eviction: Encodable {
            struct Metadata: Encodable {
                var name: String
                var namespace: String
            }
            struct Options: Encodable {
                struct Preconditions: Encodable { var uid: String }
                var preconditions: Preconditions
            }
            var apiVersion = "policy/v1"
            var kind = "Eviction"
            var metadata: Metadata
            var deleteOptions: Options?
        }
        do {
            try create(
                "/api/v1/namespaces/\(encoded(pod.namespace))/pods/\(encoded(pod.name))/eviction",
                Eviction(
                    metadata: .init(name: pod.name, namespace: pod.namespace),
                    deleteOptions: pod.uid.isEmpty ? nil : .init(preconditions: .init(uid: pod.uid))),
                within: deadline)
            return .evicted
        } catch {
            switch error.code {
            case .refused(status: 404, _): return .gone
            // The precondition: another Pod has the name now.
            case .refused(status: 409, _): return .gone
            case .refused(status: 429, _), .refused(status: 500, _): return .kept(error.description)
            default: throw error
            }
        }
    }
}
