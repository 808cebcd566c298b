import Web

extension KubernetesClient {
    /// The conditions of a Node that are true, by type: `Ready`, `EtcdIsVoter`, `MemoryPressure`; and those that are not.
    ///
    /// - Parameter timeoutMilliseconds: for the whole exchange.
    public func conditions(
        ofNode name: String, timeoutMilliseconds: Int
    ) throws(KubernetesError) -> [String: Bool] {
        struct Node: Decodable {
            struct Status: Decodable { var conditions: [Condition]? }
            struct Condition: Decodable {
                var type: String
                var status: String
            }
            var status: Status?
        }
        let node = try get(
            "/api/v1/nodes/\(encoded(name))", as: Node.self,
            within: Deadline(afterMilliseconds: timeoutMilliseconds))
        return Dictionary(
            (node.status?.conditions ?? []).map { ($0.type, $0.status == "True") },
            uniquingKeysWith: { first, _ in first })
    }
}
