import Host
import Model
import YAML

/// What a K3s unit says of its installation; a pure reading of its command, environment and configuration file.
struct K3sService: Hashable {
    static let name = "k3s"
    static let subcommands: Set<String> = ["server", "agent"]

    /// Nil where the unit, one that node.yaml names, does not tell.
    var role: Role?
    var dataDirectory: String
    /// As the arguments have it; whether there is an etcd on disk is for `dataStore(hasEtcd:)`.
    private var endpoint: String?
    private var joinsEtcd: Bool
    private var hasNoEtcd: Bool
    private var isWhole: Bool
    /// Where this server writes its administrator's kubeconfig.
    var kubeconfig: String
    /// What its kubelet is told to be called; nil for the host name.
    var nodeName: String?

    /// Reads a unit.
    ///
    /// - Parameter configuration: what K3s's configuration file holds, by flag; nil where it is there and cannot be read.
    init(_ program: ServiceProgram, environment: [String: String], configuration: [String: String]?) {
        isWhole = configuration != nil
        let settings = Settings(
            arguments: program.arguments, configuration: configuration ?? [:], environment: environment)
        switch program.arguments.subcommand(among: Self.subcommands) {
        case "server": role = .server
        case "agent": role = .agent
        default: role = nil
        }
        dataDirectory =
            settings.text("data-dir", short: "d", variable: "K3S_DATA_DIR") ?? "/var/lib/rancher/k3s"
        endpoint = settings.text("datastore-endpoint", variable: "K3S_DATASTORE_ENDPOINT")
        joinsEtcd =
            settings.isSet("cluster-init", variable: "K3S_CLUSTER_INIT")
            || settings.text("server", short: "s", variable: "K3S_URL") != nil
        hasNoEtcd = settings.isSet("disable-etcd", variable: nil)
        kubeconfig =
            settings.text("write-kubeconfig", short: "o", variable: "K3S_KUBECONFIG_OUTPUT")
            ?? "/etc/rancher/k3s/k3s.yaml"
        nodeName = settings.text("node-name", variable: "K3S_NODE_NAME")
    }

    /// The way to its cluster; an agent has no credentials of its own.
    var access: ClusterAccess {
        ClusterAccess(
            distribution: .k3s, kubeconfig: role == .server ? kubeconfig : "", nodeName: nodeName)
    }

    /// Where the configuration file of a unit is; it need not be there.
    static func configurationFile(_ program: ServiceProgram, environment: [String: String]) -> String {
        let settings = Settings(arguments: program.arguments, configuration: [:], environment: environment)
        return settings.text("config", short: "c", variable: "K3S_CONFIG_FILE")
            ?? "/etc/rancher/k3s/config.yaml"
    }

    /// The file that says that this server is a member of an embedded etcd, once it has run.
    var etcdDirectory: String { "\(dataDirectory)/server/db/etcd" }

    /// What the cluster state is kept in.
    ///
    /// K3s takes an endpoint before all else, then an etcd that is there or is to be begun or joined, then SQLite.
    func dataStore(hasEtcd: Bool) -> DataStore {
        switch role {
        case .agent: return .none
        case .server: break
        default: return .unknown
        }
        guard isWhole else { return .unknown }
        if let endpoint { return endpoint.hasPrefix("sqlite:") ? .sqlite : .external }
        if hasNoEtcd { return .none }
        return hasEtcd || joinsEtcd ? .etcd : .sqlite
    }
}

/// K3s's order of settings: arguments, then the configuration file, then the environment.
private struct Settings {
    let arguments: ProgramArguments
    let configuration: [String: String]
    let environment: [String: String]

    func text(_ name: String, short: Character? = nil, variable: String) -> String? {
        let value =
            arguments.value(of: name, short: short) ?? configuration[name] ?? short.flatMap {
                configuration[String($0)]
            }
            ?? environment[variable]
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }

    func isSet(_ name: String, variable: String?) -> Bool {
        arguments.isSet(name) ?? configuration[name].map(isTrue) ?? variable.flatMap { environment[$0] }.map(
            isTrue) ?? false
    }
}

/// What a K3s configuration file sets, by flag; lists, which none of the flags that are asked for here has, are left out.
///
/// - Throws: `YAMLError`, which names a place and never quotes a value.
func k3sConfiguration(_ bytes: [UInt8]) throws(YAMLError) -> [String: String] {
    let document = try parseYAML(bytes)
    var result: [String: String] = [:]
    for pair in document.mapping ?? [] {
        guard let key = pair.key.scalar?.text, let value = pair.value.scalar?.text else { continue }
        result[key] = value
    }
    return result
}
