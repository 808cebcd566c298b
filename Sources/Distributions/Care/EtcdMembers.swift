import FoundationEssentials
import Host
import Model
import Web

/// The members of k0s's own etcd, as the member of this node tells.
enum EtcdMembers {
    struct Member: Hashable {
        var id: String
        /// Empty until it has started for the first time.
        var name: String
        /// Where other members reach it, without ports.
        var hosts: [String]
        var isLearner: Bool
    }

    enum Finding: Hashable {
        /// All of them, and the id of the one that was asked.
        case members([Member], own: String)
        case unknown(String)
    }

    /// Reads the answer of etcd's JSON gateway to `/v3/cluster/member/list`; nil where it is something else.
    static func read(_ body: [UInt8]) -> Finding? {
        struct Answer: Decodable {
            struct Header: Decodable { var member_id: String }
            struct Member: Decodable {
                var ID: String
                var name: String?
                var peerURLs: [String]?
                var isLearner: Bool?
            }
            var header: Header
            var members: [Member]
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body)) else { return nil }
        return .members(
            answer.members.map { member in
                Member(
                    id: member.ID, name: member.name ?? "", hosts: (member.peerURLs ?? []).compactMap(host),
                    isLearner: member.isLearner ?? false)
            }, own: answer.header.member_id)
    }

    private static func host(_ url: String) -> String? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" }
        guard let colon = authority.lastIndex(of: ":") else { return String(authority) }
        return String(authority[..<colon].filter { $0 != "[" && $0 != "]" })
    }
}

extension StepCluster {
    /// Asks the etcd of this node, by the certificate that k0s has for its API server.
    ///
    /// The list is linearizable where etcd knows that (3.5 on): it is answered by a quorum alone.
    func etcdMembers(of installation: Installation, within deadline: Deadline) -> EtcdMembers.Finding {
        let pki = "\(installation.dataDirectory ?? "/var/lib/k0s")/pki"
        do throws(HostError) {
            let files = try ["etcd/ca.crt", "apiserver-etcd-client.crt", "apiserver-etcd-client.key"].map {
                name throws(HostError) in
                try readFile(root.resolve("\(pki)/\(name)"), limit: 1 << 20)
            }
            let tls = TLSSettings(
                authorities: .pem(files[0]), identity: .init(certificate: files[1], key: Secret(files[2])))
            return Self.etcdMembers(at: "https://127.0.0.1:2379", tls: tls, within: deadline)
        } catch {
            return .unknown("etcd's members are not known: \(error.description)")
        }
    }

    static func etcdMembers(
        at origin: String, tls: TLSSettings, within deadline: Deadline
    ) -> EtcdMembers.Finding {
        let left = max(1, deadline.millisecondsLeft)
        let client = HTTPClient(
            .origin(origin), tls: tls, timeoutMilliseconds: left, connectTimeoutMilliseconds: left,
            maximumBodyBytes: 1 << 20)
        do throws(HTTPError) {
            let response = try client.send(
                HTTPRequest(
                    .post, "/v3/cluster/member/list",
                    headers: [HTTPHeader("Content-Type", "application/json")],
                    body: Array(#"{"linearizable":true}"#.utf8)))
            guard response.status == 200, let finding = EtcdMembers.read(response.body) else {
                return .unknown("etcd does not say who its members are (\(response.status))")
            }
            return finding
        } catch {
            return .unknown("etcd's members are not known: \(error.description)")
        }
    }
}
