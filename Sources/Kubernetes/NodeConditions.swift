import FoundationEssentials
import Web

extension KubernetesClient {
    /// The conditions of a Node that are true, by type: `Ready`, `EtcdIsVoter`, `MemoryPressure`; and those that are not.
    ///
    /// - Parameter timeoutMilliseconds: for the whole exchange.
    public func conditions(
        ofNode name: String, timeoutMilliseconds: Int
    ) throws(KubernetesError) -> [String: Bool] {
        // A Node's name is a DNS subdomain, so nothing in it needs to be encoded.
        let plain = name.utf8.allSatisfy {
            (48...57).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: ".")
        }
        guard plain, (1...253).contains(name.utf8.count) else {
            throw KubernetesError(
                code: .answer(status: 0), description: "'\(name)' cannot be the name of a Node")
        }
        let response = try ask("/api/v1/nodes/\(name)", timeoutMilliseconds)
        struct Node: Decodable {
            struct Status: Decodable { var conditions: [Condition]? }
            struct Condition: Decodable {
                var type: String
                var status: String
            }
            var status: Status?
        }
        guard response.status == 200,
            let node = try? JSONDecoder().decode(Node.self, from: Data(response.body))
        else { throw unexpected(response, "how the Node \(name) is") }
        return Dictionary(
            (node.status?.conditions ?? []).map { ($0.type, $0.status == "True") },
            uniquingKeysWith: { first, _ in first })
    }
}
