import Fleet
import FleetSuite
import Glibc
import Ports
import ScriptedServer
import Synchronization

/// Real etcd members on loopback, with TLS towards clients, in a directory of their own; they end with this object.
final class EtcdCluster: Sendable {
    static let isHere = Certificates.canBeMade && access(etcd, X_OK) == 0 && access(etcdctl, X_OK) == 0
    static let skipped = "SKIPPED: etcd is not installed; Packaging/scripts/bootstrap --for-tests brings it"

    private static let etcd = "/usr/bin/etcd"
    private static let etcdctl = "/usr/bin/etcdctl"
    /// What restores a snapshot: from 3.6 on etcdctl no longer does.
    private static let etcdutl = access("/usr/bin/etcdutl", X_OK) == 0 ? "/usr/bin/etcdutl" : etcdctl

    /// The passwords of root and of the fleet's user; the latter holds what a file's format could trip over.
    static let rootPassword = "root-hunter2"
    static let userPassword = "fleet:hunter2 #1"

    let certificates: Certificates
    let directory: TemporaryDirectory
    private let ports: [(client: Int, peer: Int)]
    private let children = Mutex<[Int: Child]>([:])
    private let hasUsers = Mutex(false)

    /// Starts members that form one cluster, and waits until it answers.
    init(members count: Int) throws {
        certificates = try Self.shared.get()
        directory = try TemporaryDirectory()
        ports = try Self.freePorts(count * 2).chunked()
        for member in 0..<count { try start(member, directory: "data") }
        try waitUntilWell()
    }

    deinit { for child in children.withLock({ $0 }).values { child.stop() } }

    /// Made once: certificates are not what is tried here.
    private static let shared = Result { try Certificates() }

    // MARK: What a test asks for

    func endpoint(_ member: Int) -> String { "https://127.0.0.1:\(ports[member].client)" }
    var endpoints: [String] { ports.indices.map(endpoint) }
    var authority: String { "\(certificates.directory.path)/ca.crt" }

    /// A store as the fleet's user, where there are users.
    func store(
        endpoints: [String]? = nil, caFile: String? = nil, userFile: String? = nil,
        timeoutMilliseconds: Int = 20_000
    ) throws -> EtcdFleetStore {
        let user = userFile ?? (hasUsers.withLock { $0 } ? "\(directory.path)/user" : nil)
        return try EtcdFleetStore(
            endpoints: endpoints ?? self.endpoints, caFile: caFile ?? authority, userFile: user,
            timeoutMilliseconds: timeoutMilliseconds)
    }

    /// Turns authentication on: root, and a user `holdfast` that may use the fleet's keys alone.
    func makeUsers() throws {
        try control("role", "add", "fleet")
        try control("role", "grant-permission", "fleet", "--prefix=true", "readwrite", "/holdfast/")
        try control("user", "add", "holdfast", "--new-user-password", Self.userPassword)
        try control("user", "grant-role", "holdfast", "fleet")
        try control("user", "add", "root", "--new-user-password", Self.rootPassword)
        try control("user", "grant-role", "root", "root")
        try control("auth", "enable")
        hasUsers.withLock { $0 = true }
        try writeUser("holdfast:\(Self.userPassword)\n")
    }

    /// Writes the file with the fleet's user.
    @discardableResult
    func writeUser(_ text: String, mode: mode_t = 0o600, to name: String = "user") throws -> String {
        let file = try directory.write(text, to: name)
        guard chmod(file, mode) == 0 else { throw ScriptedServer.Failure(description: "chmod \(file)") }
        return file
    }

    /// Kills a member.
    func kill(_ member: Int) { children.withLock { $0.removeValue(forKey: member) }?.stop() }

    /// Starts a member again on what it had.
    func restart(_ member: Int) throws {
        kill(member)
        try start(member, directory: "data")
        try waitUntilWell()
    }

    /// Keeps what the cluster holds now.
    func saveSnapshot() throws { try control("snapshot", "save", "\(directory.path)/snapshot", member: 0) }

    /// Kills all members, and starts the cluster anew with what was kept.
    func restoreSnapshot() throws {
        for member in ports.indices { kill(member) }
        for member in ports.indices {
            try run(
                Self.etcdutl,
                [
                    "snapshot", "restore", "\(directory.path)/snapshot", "--name", "m\(member)",
                    "--initial-cluster", initialCluster, "--initial-advertise-peer-urls", peer(member),
                    "--data-dir", "\(directory.path)/restored-\(member)",
                ])
        }
        for member in ports.indices { try start(member, directory: "restored") }
        try waitUntilWell()
    }

    /// Runs etcdctl, as root where there are users.
    func control(_ words: String..., member: Int? = nil) throws {
        let user = hasUsers.withLock { $0 } ? ["--user", "root:\(Self.rootPassword)"] : []
        let asked = member.map { [endpoint($0)] } ?? endpoints
        let terms = ["--endpoints", asked.joined(separator: ","), "--cacert", authority]
        try run(Self.etcdctl, words + terms + user)
    }

    // MARK: Processes

    private func peer(_ member: Int) -> String { "http://127.0.0.1:\(ports[member].peer)" }

    private var initialCluster: String {
        ports.indices.map { "m\($0)=\(peer($0))" }.joined(separator: ",")
    }

    private func start(_ member: Int, directory name: String) throws {
        let place = certificates.directory.path
        let child = try Child(
            Self.etcd,
            [
                "--name", "m\(member)", "--data-dir", "\(directory.path)/\(name)-\(member)",
                "--listen-client-urls", endpoint(member), "--advertise-client-urls", endpoint(member),
                "--listen-peer-urls", peer(member), "--initial-advertise-peer-urls", peer(member),
                "--initial-cluster", initialCluster, "--initial-cluster-token", directory.path,
                "--cert-file", "\(place)/server.crt", "--key-file", "\(place)/server.key",
                "--heartbeat-interval", "100", "--election-timeout", "800", "--bcrypt-cost", "4",
                "--log-level", "error",
            ], in: directory.path)
        children.withLock { $0[member] = child }
    }

    private func waitUntilWell() throws {
        for member in ports.indices {
            guard children.withLock({ $0[member] }) != nil else { continue }
            let store = try store(endpoints: [endpoint(member)], timeoutMilliseconds: 2000)
            var failure: FleetFailure?
            for _ in 0..<600 {
                do throws(FleetFailure) {
                    failure = nil
                    _ = try store.get(FleetKey(.node, "ready"))
                } catch { failure = error }
                if failure == nil { break }
                usleep(50_000)
            }
            if let failure { throw failure }
        }
    }

    private func run(_ program: String, _ words: [String]) throws {
        let status = try Child(program, words, in: directory.path).wait()
        guard status == 0 else {
            throw ScriptedServer.Failure(description: "\(program) \(words.prefix(3)): status \(status)")
        }
    }

    /// Ports that nobody has, all held until the last is found so that none is found twice.
    private static func freePorts(_ count: Int) throws -> [Int] {
        let holders = try (0..<count).map { _ in try ScriptedServer.tcp { _, _ in [] } }
        defer { for holder in holders { holder.stop() } }
        return holders.map(\.port)
    }
}

extension [Int] {
    fileprivate func chunked() -> [(client: Int, peer: Int)] {
        stride(from: 0, to: count - 1, by: 2).map { (self[$0], self[$0 + 1]) }
    }
}
