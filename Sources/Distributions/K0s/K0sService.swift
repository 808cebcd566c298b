import Host
import Model
import YAML

/// What a k0s unit says of its installation; a pure reading of its command and configuration file.
struct K0sService: Hashable {
    static let name = "k0s"
    static let subcommands: Set<String> = ["controller", "worker"]

    /// Nil where the unit, one that node.yaml names, does not tell.
    var role: Role?
    var dataDirectory: String
    /// Where this node answers how it is.
    var statusSocket: String
    /// The configuration file; nil for a worker, which has none.
    var configurationFile: String?
    /// Whether its autopilot is disabled; nil for a worker, which does what the controllers say.
    var autopilotIsDisabled: Bool?

    /// Reads a unit.
    init(_ program: ServiceProgram) {
        let arguments = program.arguments
        switch arguments.subcommand(among: Self.subcommands) {
        case "controller" where arguments.isSet("single") == true: role = .single
        case "controller" where arguments.isSet("enable-worker") == true: role = .controllerAndWorker
        case "controller": role = .controller
        case "worker": role = .worker
        default: role = nil
        }
        dataDirectory = arguments.value(of: "data-dir") ?? "/var/lib/k0s"
        statusSocket =
            arguments.value(of: "status-socket") ?? arguments.value(of: "run-dir").map { "\($0)/status.sock" }
            ?? "/run/k0s/status.sock"
        configurationFile =
            role == .worker ? nil : arguments.value(of: "config", short: "c") ?? "/etc/k0s/k0s.yaml"
        if role?.isControlPlane == true {
            autopilotIsDisabled = arguments.values(of: "disable-components")
                .contains { $0.split(separator: ",").contains("autopilot") }
        }
    }

    /// The way to its cluster; a worker has no credentials of its own that would do.
    var access: ClusterAccess {
        ClusterAccess(
            distribution: .k0s, kubeconfig: role?.isControlPlane == true ? kubeconfig : "",
            autopilotIsDisabled: autopilotIsDisabled)
    }

    /// The administrator's kubeconfig that a controller keeps.
    var kubeconfig: String { "\(dataDirectory)/pki/admin.conf" }

    /// What the cluster state is kept in.
    ///
    /// - Parameter storage: what the configuration file says; nil where it says nothing of it, or is not there.
    func dataStore(_ storage: K0sStorage?) -> DataStore {
        switch (role, storage) {
        case (.worker, _): .none
        case (nil, _): .unknown
        case (_, .etcd(isExternal: true)): .external
        case (_, .etcd(isExternal: false)): .etcd
        case (_, .kine(let scheme)): scheme == nil || scheme == "sqlite" ? .sqlite : .external
        case (_, .other): .unknown
        // k0s's own default: kine over SQLite on a single node, else etcd.
        case (.single, nil): .sqlite
        case (_, nil): .etcd
        }
    }
}

/// `spec.storage` of a k0s configuration.
enum K0sStorage: Hashable {
    case etcd(isExternal: Bool)
    /// The scheme of its data source; the rest of that can hold a password and is not kept.
    case kine(scheme: String?)
    case other
}

/// What a k0s configuration file says of the storage; nil where it says nothing.
///
/// - Throws: `YAMLError`, which names a place and never quotes a value.
func k0sStorage(_ bytes: [UInt8]) throws(YAMLError) -> K0sStorage? {
    let document = try parseYAML(bytes)
    guard let storage = document["spec"]?["storage"], storage.mapping != nil else { return nil }
    switch storage["type"]?.scalar?.text {
    case "etcd": return .etcd(isExternal: storage["etcd"]?["externalCluster"]?.mapping?.isEmpty == false)
    case "kine":
        let source = storage["kine"]?["dataSource"]?.scalar?.text ?? ""
        return .kine(scheme: source.firstIndex(of: ":").map { String(source[..<$0]) })
    case nil: return nil
    default: return .other
    }
}

extension YAMLNode {
    fileprivate subscript(key: String) -> YAMLNode? {
        mapping?.first { $0.key.scalar?.text == key }?.value
    }
}
