import Crypto
import Kubernetes
import Model
import Ports

/// The ConfigMap that holds one key.
struct ConfigMapEntry: VersionedChange {
    let key: FleetKey
    let text: String
    let namespace: String
    /// Empty for one that is to be created.
    let resourceVersion: String

    /// By which a list is asked for; a label's value has an alphabet of its own, in which every kind is written.
    static let kindLabel = "holdfast/kind"

    /// What a key's ConfigMap is called (DNS-1123, at most 253 characters).
    ///
    /// A name of lower-case letters, digits and dashes is kept, so that people find it; any other is hashed, behind a
    /// dot, which no kept one has. Which key it is stands inside, and is checked.
    static func name(of key: FleetKey) -> String {
        let name = key.name.utf8
        let isPlain = name.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 45 }
        if isPlain, name.last != 45 { return "\(key.kind.rawValue)-\(key.name)" }
        return "\(key.kind.rawValue).\(hexadecimal(sha256(name)))"
    }

    private enum CodingKeys: CodingKey { case apiVersion, kind, metadata, data }

    private struct Metadata: Encodable {
        var name: String
        var namespace: String
        var labels: [String: String]
        var resourceVersion: String?
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("v1", forKey: .apiVersion)
        try container.encode("ConfigMap", forKey: .kind)
        try container.encode(
            Metadata(
                name: Self.name(of: key), namespace: namespace,
                labels: ["app.kubernetes.io/managed-by": "holdfast", Self.kindLabel: key.kind.rawValue],
                resourceVersion: resourceVersion.isEmpty ? nil : resourceVersion), forKey: .metadata)
        try container.encode(["key": key.description, "value": text], forKey: .data)
    }
}

/// A ConfigMap as it was read, whoever wrote it.
struct FoundConfigMap: Decodable {
    struct Metadata: Decodable {
        var name: String
        var resourceVersion: String
    }
    var metadata: Metadata
    var data: [String: String]?

    /// The key and the value that it holds.
    ///
    /// - Throws: `.malformed` where it is not what a holdfast writes.
    func entry(of kind: FleetKey.Kind) throws(FleetFailure) -> FleetEntry {
        guard let key = FleetKey(stored: data?["key"] ?? ""), key.kind == kind,
            ConfigMapEntry.name(of: key) == metadata.name, let text = data?["value"],
            !metadata.resourceVersion.isEmpty
        else {
            throw FleetFailure(
                .malformed,
                "ConfigMap \(metadata.name.cut(to: 253).printable): not one that holdfast wrote, though it has its "
                    + "name or label; look at it with 'kubectl get configmap -o yaml', and take it away")
        }
        try FleetLimits.check(text, for: key)
        return FleetEntry(
            key: key, value: FleetValue(text: text, revision: FleetRevision(metadata.resourceVersion)))
    }
}
