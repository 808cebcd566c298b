import Host
import Model

/// What the files of MicroK8s say about this node's part in the cluster.
struct MicroK8sData: Hashable {
    /// The snap's data of the current revision, wherever `current` leads.
    static let directory = "/var/snap/microk8s/current"

    /// Nil where it could not be looked at.
    var role: Role?
    var store: DataStore

    /// Looks at the lock files and, where they do not tell, at the arguments of the API server.
    ///
    /// - Throws: `HostError` for what is there and cannot be read.
    init(root: Root) throws(HostError) {
        let isWorker = try root.isThere("\(Self.directory)/var/lock/clustered.lock")
        role = isWorker ? .worker : .node
        if isWorker {
            store = .none
        } else if try root.isThere("\(Self.directory)/var/lock/ha-cluster") {
            store = .dqlite
        } else {
            let path = try root.resolve("\(Self.directory)/args/kube-apiserver")
            store = try Self.store(arguments: readFileIfPresent(path, limit: 256 << 10))
        }
    }

    /// Nothing is known.
    static let unknown = MicroK8sData(role: nil, store: .unknown)

    private init(role: Role?, store: DataStore) {
        self.role = role
        self.store = store
    }

    /// The store that `--etcd-servers` leads to.
    static func store(arguments: [UInt8]?) -> DataStore {
        guard let arguments else { return .unknown }
        for line in String(decoding: arguments, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == "=" || $0 == " " || $0 == "\"" || $0 == "'" }
            guard words.first == "--etcd-servers", let servers = words.dropFirst().first else { continue }
            if servers.contains("kine.sock") { return .dqlite }
            let hosts = servers.split(separator: ",").map { $0.drop { $0 != "/" }.drop { $0 == "/" } }
            let isOwn = hosts.contains { host in
                ["127.0.0.1", "localhost", "[::1]"].contains { host.hasPrefix($0) }
            }
            return isOwn ? .etcd : .external
        }
        return .unknown
    }
}

extension Root {
    /// Whether something is at that place of the node, links followed.
    ///
    /// - Throws: `HostError` where that cannot be told.
    fileprivate func isThere(_ nodePath: String) throws(HostError) -> Bool {
        do {
            _ = try identity(ofFile: resolve(nodePath))
            return true
        } catch {
            if error.isAbsence { return false }
            throw error
        }
    }
}
