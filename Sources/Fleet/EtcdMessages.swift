import FoundationEssentials
import Ports

/// What is asked of etcd's JSON gateway, and what it answers: bytes in Base64, numbers of 64 bits as texts.
enum EtcdMessages {
    static let prefix = "/holdfast/"

    static func bytes(of key: FleetKey) -> String { base64("\(prefix)\(key)") }

    static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    /// Reads one key, or all up to another.
    struct Range: Encodable {
        var key: String
        var end: String?
        var limit: Int?
        /// The state of the store that is read; nil for the newest.
        var revision: String?

        private enum CodingKeys: String, CodingKey {
            case key, limit, revision
            case end = "range_end"
        }
    }

    struct RangeAnswer: Decodable {
        var header: Header
        var kvs: [Pair]?
        var more: Bool?
    }

    struct Header: Decodable { var revision: String }

    struct Pair: Decodable {
        var key: String
        var value: String?
        var revision: String

        private enum CodingKeys: String, CodingKey {
            case key, value
            case revision = "mod_revision"
        }

        /// The key and the value that it holds.
        func entry() throws(FleetFailure) -> FleetEntry {
            guard let path = Self.text(key), path.hasPrefix(EtcdMessages.prefix),
                let key = FleetKey(stored: path.dropFirst(EtcdMessages.prefix.utf8.count)),
                Int64(revision) ?? 0 > 0
            else {
                throw FleetFailure(
                    .malformed,
                    "etcd: a key below \(EtcdMessages.prefix) is not one that holdfast wrote; look for it with "
                        + "'etcdctl get --keys-only --prefix \(EtcdMessages.prefix)', and take it away")
            }
            guard let text = Self.text(value ?? "") else {
                throw FleetFailure(.malformed, "\(key): what etcd holds there is no text")
            }
            try FleetLimits.check(text, for: key)
            return FleetEntry(key: key, value: FleetValue(text: text, revision: FleetRevision(revision)))
        }

        private static func text(_ base64: String) -> String? {
            Data(base64Encoded: base64).flatMap { String(validating: $0, as: UTF8.self) }
        }
    }

    /// Changes one key where it is as it is thought to be.
    struct Transaction: Encodable {
        var compare: [Comparison]
        var success: [Operation]
    }

    /// What a key has to be, for something to be done to it.
    enum Comparison: Encodable {
        case isAbsent(key: String)
        case isAt(revision: String, key: String)

        private enum CodingKeys: String, CodingKey {
            case key, target, result
            case created = "create_revision"
            case modified = "mod_revision"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode("EQUAL", forKey: .result)
            switch self {
            case .isAbsent(let key):
                try container.encode(key, forKey: .key)
                try container.encode("CREATE", forKey: .target)
                try container.encode("0", forKey: .created)
            case .isAt(let revision, let key):
                try container.encode(key, forKey: .key)
                try container.encode("MOD", forKey: .target)
                try container.encode(revision, forKey: .modified)
            }
        }
    }

    enum Operation: Encodable {
        case put(key: String, value: String)
        case delete(key: String)

        private enum CodingKeys: String, CodingKey {
            case put = "request_put"
            case delete = "request_delete_range"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            switch self {
            case .put(let key, let value):
                try container.encode(["key": key, "value": value], forKey: .put)
            case .delete(let key): try container.encode(["key": key], forKey: .delete)
            }
        }
    }

    struct TransactionAnswer: Decodable {
        var header: Header
        /// Left out where it is false.
        var succeeded: Bool?
    }

    struct Credentials: Encodable {
        var name: String
        var password: String
    }

    struct Token: Decodable { var token: String }

    /// Why something was not done.
    struct Refusal: Decodable { var message: String }
}
