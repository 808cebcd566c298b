import Distributions
import FoundationEssentials
import KubernetesServer
import Model
import Ports
import Testing
import YAML

/// One thing that may be done in a cluster, or is: `list pods`, `get /metrics`, `create pods/eviction`.
private struct Right: Hashable, CustomStringConvertible {
    var verb: String
    /// With its group, where it has one: `plans.upgrade.cattle.io`.
    var what: String

    var description: String { "\(verb) \(what)" }
}

/// The files of Packaging/kubernetes, read.
private enum Shipped {
    static func documents(_ name: String) throws -> [YAMLNode] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Packaging/kubernetes/\(name)")
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        return try text.split(separator: "\n---\n").map { try parseYAML(Array($0.utf8)) }
    }

    static let files = ["roles.yaml", "node.yaml", "admission.yaml"]

    /// What a role grants, by its name.
    static func granted() throws -> [String: Set<Right>] {
        var granted: [String: Set<Right>] = [:]
        for document in try (documents("roles.yaml") + documents("node.yaml")) {
            guard document["kind"].hasSuffix("Role"), let name = document.at("metadata", "name")?.scalar?.text
            else {
                continue
            }
            for rule in document.at("rules")?.sequence ?? [] {
                let verbs = rule.texts("verbs")
                let groups = rule.texts("apiGroups")
                for verb in verbs {
                    for resource in rule.texts("resources") {
                        for group in groups {
                            granted[name, default: []].insert(
                                Right(verb: verb, what: group.isEmpty ? resource : "\(resource).\(group)"))
                        }
                    }
                    for url in rule.texts("nonResourceURLs") {
                        granted[name, default: []].insert(Right(verb: verb, what: url))
                    }
                }
            }
        }
        return granted
    }
}

extension YAMLNode {
    fileprivate func at(_ keys: String...) -> YAMLNode? {
        keys.reduce(self as YAMLNode?) { node, key in
            node?.mapping?.first { $0.key.scalar?.text == key }?.value
        }
    }

    fileprivate subscript(key: String) -> String { at(key)?.scalar?.text ?? "" }

    fileprivate func texts(_ key: String) -> [String] {
        (at(key)?.sequence ?? []).compactMap { $0.scalar?.text }
    }

    /// Every scalar below, keys as well.
    fileprivate var scalars: [String] {
        if let scalar { return [scalar.text] }
        return (sequence ?? []).flatMap(\.scalars)
            + (mapping ?? []).flatMap { $0.key.scalars + $0.value.scalars }
    }
}

/// What a request to the API is a use of.
private func right(_ request: String) -> Right? {
    let words = request.split(separator: " ").map(String.init)
    guard words.count == 2 else { return nil }
    let path = String(words[1].prefix { $0 != "?" })
    var parts = path.split(separator: "/").map(String.init)
    guard parts.first == "api" || parts.first == "apis" else { return Right(verb: "get", what: path) }
    let group = parts.removeFirst() == "apis" ? parts.removeFirst() : ""
    parts.removeFirst()
    if parts.first == "namespaces" { parts.removeFirst(2) }
    guard let list = parts.first else { return nil }
    let resource = parts.count > 2 ? "\(list)/\(parts[2])" : list
    let verb: String
    switch words[0] {
    case "GET": verb = parts.count > 1 ? "get" : "list"
    case "POST": verb = "create"
    case "PUT": verb = "update"
    case "PATCH": verb = "patch"
    default: verb = words[0].lowercased()
    }
    return Right(verb: verb, what: group.isEmpty ? resource : "\(resource).\(group)")
}

@Suite("Rights in a cluster, as they are shipped")
struct RightsTests {
    /// Does everything that a node asks of a cluster, and says what that took.
    private func used(_ distribution: Distribution, _ work: (StepNode) throws -> Void) throws -> Set<Right> {
        let node = try StepNode(distribution)
        node.putNode("edge-1", labels: ["node-role.kubernetes.io/control-plane": "true"])
        node.putServers([("127.0.0.1", node.server.port)])
        node.server.serveMetrics("process_start_time_seconds 1\n")
        try work(node)
        return Set(node.server.requests.compactMap(right))
    }

    /// What the store of a fleet asks of ConfigMaps.
    private let store: Set<Right> = Set(
        ["get", "list", "create", "update"].map { Right(verb: $0, what: "configmaps") })

    @Test("what a node does is granted, and nothing besides")
    func granted() throws {
        let granted = try Shipped.granted()
        let look = try used(.k0s) { node in
            _ = try node.settings.look(through: node.access)
            try node.settings.write(Setting(.planLabel, "p"), "disabled")
            try node.settings.write(Setting(.cordon, "edge-1"), "true")
            try node.settings.tell([
                NodeEvent(kind: .normal, reason: "R", message: "m", key: "k", at: Instant(seconds: 0))
            ])
            // Where the Node has another name it is looked for.
            node.server.remove("/api/v1/nodes/edge-1")
            _ = try node.settings.look(through: node.access)
        }
        let node = ["holdfast-node-ID", "holdfast-look", "holdfast-tell"].compactMap { granted[$0] }
            .reduce(into: Set<Right>()) { $0.formUnion($1) }
        #expect(look == node, "\(look.symmetricDifference(node).map(\.description).sorted())")
        #expect(granted["holdfast-fleet"] == store)

        let drain = try used(.k3s) { node in
            node.putPod("web-1")
            _ = try node.cluster.drainOnce(through: node.access)
        }
        let drains = try #require(granted["holdfast-drain"])
        #expect(drain.subtracting(node) == drains)

        let plane = try used(.k0s) { node in
            _ = try node.cluster.controlPlane(
                of: node.installation(.sqlite, role: .controller), through: node.access)
            _ = try node.cluster.deprecatedAPIs(through: node.access)
        }
        let planes = try #require(granted["holdfast-control-plane"])
        #expect(plane.subtracting(node) == planes)
    }

    @Test("nothing is granted by a star, and a patch of a Node is bounded to one", arguments: Shipped.files)
    func bounded(file: String) throws {
        for document in try Shipped.documents(file) {
            #expect(!document.scalars.contains("*"), "\(document["kind"])")
            for rule in document.at("rules")?.sequence ?? [] where rule.texts("verbs").contains("patch") {
                #expect(rule.texts("resourceNames") == ["NODE"])
            }
        }
    }

    @Test("every role is bound or described as one that is bound by hand, and every subject is a node's own")
    func bindings() throws {
        let documents = try Shipped.documents("node.yaml")
        let bound = Set(
            documents.filter { $0["kind"].hasSuffix("Binding") }.compactMap {
                $0.at("roleRef", "name")?.scalar?.text
            })
        #expect(bound == ["holdfast-node-ID", "holdfast-look", "holdfast-tell", "holdfast-fleet"])
        let granted = Set(try Shipped.granted().keys)
        #expect(granted.subtracting(bound) == ["holdfast-drain", "holdfast-control-plane"])
        for binding in documents where binding["kind"].hasSuffix("Binding") {
            let subjects = binding.at("subjects")?.sequence ?? []
            #expect(subjects.map { "\($0["namespace"])/\($0["name"])" } == ["holdfast/node-ID"])
        }
    }

    @Test("each expression at admission says what it forbids, and each policy is bound and denies")
    func admission() throws {
        let documents = try Shipped.documents("admission.yaml")
        let policies = documents.filter { $0["kind"] == "ValidatingAdmissionPolicy" }
        let bindings = documents.filter { $0["kind"] == "ValidatingAdmissionPolicyBinding" }
        #expect(policies.count == 2 && bindings.count == 2)
        for policy in policies {
            #expect(policy.at("spec", "failurePolicy")?.scalar?.text == "Fail")
            let conditions = policy.at("spec", "matchConditions")?.sequence ?? []
            #expect(!conditions.isEmpty)
            let validations = policy.at("spec", "validations")?.sequence ?? []
            #expect(!validations.isEmpty)
            for validation in validations {
                #expect(!validation["expression"].isEmpty && validation["message"].hasPrefix("holdfast: "))
            }
        }
        let names = policies.compactMap { $0.at("metadata", "name")?.scalar?.text }
        #expect(names == bindings.compactMap { $0.at("spec", "policyName")?.scalar?.text })
        for binding in bindings { #expect(binding.at("spec")?.texts("validationActions").first == "Deny") }
    }
}
