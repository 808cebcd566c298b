import YAML

/// What this node is: `node.yaml`, defaults filled in.
public struct NodeFile: Hashable, Sendable {
    /// Where a fleet's rollout and approvals are kept.
    public enum FleetStore: Hashable, Sendable {
        /// In this machine's own ledger: a fleet of one.
        case sqlite
        /// In ConfigMaps; nil for the kubeconfig of the distribution itself.
        case kubernetes(kubeconfig: String?, namespace: String)
        /// `userFile` holds the user's name and password.
        case etcd(endpoints: [String], caFile: String?, userFile: String?)
    }

    /// Nil for the Kubernetes node name, else the host name.
    public var name: String?
    /// The cluster that it belongs to, by which rules and stages match it.
    public var cluster = "default"
    /// By which rules and stages match it; no labels of Kubernetes.
    public var labels: [String: String] = [:]
    /// Where the fleet's rollouts and approvals are kept.
    public var fleet = FleetStore.sqlite
    /// Nil for the distribution's own on servers.
    public var kubeconfig: String?
    /// Where the ledger is: an absolute path.
    public var stateDirectory = "/var/lib/holdfast"
    /// Units to watch besides those that are recognised, with their suffix.
    public var units: [String] = []

    /// Makes what a node without the file is: alone, on the embedded store.
    public init() {}
}

/// Reads `node.yaml`, whole: every key is checked, and every fault reported at once.
///
/// - Parameters:
///   - bytes: what the file holds; an empty file sets nothing.
///   - file: how the file is called in messages.
public func parseNodeFile(_ bytes: [UInt8], file: String) -> ParsedFile<NodeFile> {
    let reader = Reader(file: file)
    guard let entry = reader.parse(bytes) else { return reader.result(nil) }
    return reader.result(entry.value.isEmpty ? NodeFile() : reader.nodeFile(entry))
}

/// Reads `node.yaml` from where it is; absent is fine.
///
/// - Parameters:
///   - path: the file, as `read` takes it and as messages call it.
///   - ownership: what is wrong with who can write the file; nil where that is not asked.
public func readNodeFile(
    at path: String, read: FileReading, ownership: ((String) -> String?)?
) -> ParsedFile<NodeFile> {
    switch readOwned(path, read: read, ownership: ownership) {
    case .absent: .valid(NodeFile(), warnings: [])
    case .refused(let reason):
        // It names the path already, and no line of the file is to blame.
        .invalid([
            FileFault(file: path, line: 1, column: 1, message: String(reason.dropFirst(path.count + 2)))
        ])
    case .bytes(let bytes): parseNodeFile(bytes, file: path)
    }
}

extension Reader {
    fileprivate func nodeFile(_ entry: Entry) -> NodeFile? {
        guard let fields = mapping(entry, Schema.node) else { return nil }
        var node = NodeFile()
        node.name = fields.read("name") { isEmptyText($0) ? nil : plainName($0) }
        fields.set(&node.cluster, "cluster", plainName)
        fields.set(&node.labels, "labels", labels)
        fields.set(&node.fleet, "fleet", fleet)
        node.kubeconfig = fields.read("kubeconfig", optionalPath)
        fields.set(&node.stateDirectory, "stateDirectory") { entry in
            guard let path = path(entry) else { return nil }
            guard path.contains(where: { $0 != "/" }) else {
                fault(entry, "the root directory cannot hold the state; write a directory of its own")
                return nil
            }
            return path
        }
        fields.set(&node.units, "units") { distinctList($0, unit) }
        return node
    }

    private func fleet(_ entry: Entry) -> NodeFile.FleetStore? {
        if entry.value.scalar != nil { return word(entry, [("sqlite", .sqlite)]) }
        guard let fields = mapping(entry, Schema.node.below("fleet")) else { return nil }
        let stores = [
            "sqlite": ["store"], "kubernetes": ["store", "kubeconfig", "namespace"],
            "etcd": ["store", "endpoints", "caFile", "userFile"],
        ]
        let store = fields.require("store", "sqlite, kubernetes or etcd") { store in
            word(store, ["sqlite", "kubernetes", "etcd"].map { ($0, $0) })
        }
        guard let store, let known = stores[store] else { return nil }
        for (key, entry) in fields.entries where !known.contains(key) {
            fault(entry, "is no key of the store \(store), which has \(alternatives(known)); take it out")
        }
        switch store {
        case "kubernetes":
            let namespace = fields.entries["namespace"].map(self.namespace) ?? "holdfast"
            return .kubernetes(
                kubeconfig: fields.read("kubeconfig", optionalPath), namespace: namespace ?? "")
        case "etcd":
            let endpoints = fields.require(
                "endpoints", "the URLs of its members: [\"https://10.0.0.1:2379\"]"
            ) {
                list($0) { url($0) }
            }
            return .etcd(
                endpoints: endpoints ?? [], caFile: fields.read("caFile", optionalPath),
                userFile: fields.read("userFile", optionalPath))
        default: return .sqlite
        }
    }

    private func isEmptyText(_ entry: Entry) -> Bool {
        entry.value.scalar.map { $0.text.isEmpty && $0.isQuoted } ?? false
    }

    private func optionalPath(_ entry: Entry) -> String? { isEmptyText(entry) ? nil : path(entry) }

    /// A name of a node or a cluster: what a pattern can match, without wildcards.
    func plainName(_ entry: Entry) -> String? {
        guard let name = glob(entry) else { return nil }
        guard !name.contains("*"), !name.contains("?") else {
            fault(entry, "\(shown(name)) is a pattern; write one name")
            return nil
        }
        return name
    }

    private func namespace(_ entry: Entry) -> String? {
        guard let name = text(entry, limit: 63) else { return nil }
        guard name.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }),
            name.utf8.first != 45, name.utf8.last != 45
        else {
            fault(entry, "\(shown(name)) is no namespace; write small letters, digits and hyphens")
            return nil
        }
        return name
    }

    private func unit(_ entry: Entry) -> String? {
        guard let name = text(entry, limit: 255) else { return nil }
        let isUnit = name.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                || ":_.@-\\".utf8.contains($0)
        }
        let others = [".socket", ".timer", ".path", ".target", ".mount", ".device", ".slice", ".scope"]
        guard isUnit, !others.contains(where: name.hasSuffix) else {
            fault(entry, "\(shown(name)) is no service unit; write its name, as in k3s-edge.service")
            return nil
        }
        return name.hasSuffix(".service") ? name : name + ".service"
    }
}
