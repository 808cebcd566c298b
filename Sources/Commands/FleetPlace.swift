import Agent
import Fleet
import Host
import Kubernetes
import Model
import PolicyFile
import Ports

/// The fleet that a node is part of, as node.yaml says it.
struct FleetPlace {
    let port: any FleetPort
    let identity: FleetIdentity
}

extension Place {
    /// Opens the fleet's store; nothing is asked yet.
    ///
    /// - Throws: `Failure` where it cannot be reached by what node.yaml says.
    func openFleet() throws(Failure) -> FleetPlace {
        do throws(FleetFailure) {
            return FleetPlace(port: FleetBook(try openStore()), identity: try fleetIdentity())
        } catch {
            throw Failure(fleet: error)
        }
    }

    /// The same for a tick: opened when it is first asked, since a quiet tick asks nothing.
    var fleetOfTick: (port: any FleetPort, identity: FleetIdentity)? {
        guard root.isLive || fleetIsEmbedded else { return nil }
        let place = self
        let identity: FleetIdentity
        do throws(FleetFailure) { identity = try fleetIdentity() } catch {
            // A node alone needs none. One of a fleet that does not know itself must not act as if it were alone: its store
            // answers nothing, and unknown is hold (invariant 2).
            guard !fleetIsEmbedded else { return nil }
            let port = LazyFleet(seesOthers: true) { () throws(FleetFailure) in throw error }
            return (port, FleetIdentity(id: ""))
        }
        let port = LazyFleet(seesOthers: !fleetIsEmbedded) { () throws(FleetFailure) in
            FleetBook(try place.openStore())
        }
        return (port, identity)
    }

    private var fleetIsEmbedded: Bool { if case .sqlite = node.fleet { true } else { false } }

    private func openStore() throws(FleetFailure) -> any FleetStore {
        switch node.fleet {
        case .sqlite: return try SQLiteFleetStore(stateDirectory: stateDirectory)
        case .etcd(let endpoints, let caFile, let userFile):
            return try EtcdFleetStore(endpoints: endpoints, caFile: caFile, userFile: userFile)
        case .kubernetes(let given, let namespace):
            guard let path = given ?? ownKubeconfig else {
                throw FleetFailure(
                    .malformed,
                    "no kubeconfig is known for the fleet's store; name one as fleet.kubeconfig in node.yaml")
            }
            return KubernetesFleetStore(try client(path), namespace: namespace)
        }
    }

    private func client(_ path: String) throws(FleetFailure) -> KubernetesClient {
        let bytes: [UInt8]
        do throws(HostError) {
            bytes = try readFile(try root.resolve(path), limit: Kubeconfig.maximumBytes)
        } catch {
            throw FleetFailure(.malformed, error.description)
        }
        do throws(KubernetesError) {
            return KubernetesClient(
                try Kubeconfig(bytes, path: path) { name in
                    try readFile(try root.resolve(name), limit: Kubeconfig.maximumBytes)
                })
        } catch {
            throw FleetFailure(.malformed, error.description)
        }
    }

    /// What the distribution itself keeps, where one runs here that has it.
    private var ownKubeconfig: String? { node.kubeconfig ?? look().access?.kubeconfig }

    /// Which machine this is.
    func fleetIdentity() throws(FleetFailure) -> FleetIdentity {
        let path = "/etc/machine-id"
        let bytes = try? readFile(root.prefix + path, limit: 4096)
        return FleetIdentity(
            id: try MachineID.fleetID(
                machineID: bytes.map { String(decoding: $0, as: UTF8.self) }, below: root.prefix))
    }
}

extension Failure {
    /// What a verb says and answers when the fleet's store fails.
    init(fleet failure: FleetFailure) {
        self.init(
            code: failure.code == .malformed ? .badConfiguration : .failed, message: failure.description)
    }
}

/// A fleet whose store is opened when it is first asked; where it cannot be, each call says why.
private final class LazyFleet: FleetPort {
    let seesOthers: Bool
    private let open: () throws(FleetFailure) -> any FleetPort
    private var opened: (any FleetPort)?

    init(seesOthers: Bool, _ open: @escaping () throws(FleetFailure) -> any FleetPort) {
        self.seesOthers = seesOthers
        self.open = open
    }

    private func port() throws(FleetFailure) -> any FleetPort {
        if let opened { return opened }
        let port = try open()
        opened = port
        return port
    }

    func rollout(of distribution: Distribution) throws(FleetFailure) -> Stored<RolloutDocument>? {
        try port().rollout(of: distribution)
    }
    func put(
        _ document: RolloutDocument, over read: Stored<RolloutDocument>?
    ) throws(FleetFailure) -> Stored<RolloutDocument> { try port().put(document, over: read) }
    func archive(_ document: RolloutDocument) throws(FleetFailure) { try port().archive(document) }
    func nodes() throws(FleetFailure) -> (records: [NodeRecord], problems: [Problem]) {
        try port().nodes()
    }
    func node(_ id: String) throws(FleetFailure) -> Stored<NodeRecord>? { try port().node(id) }
    func put(
        _ record: NodeRecord, over read: Stored<NodeRecord>?
    ) throws(FleetFailure) -> Stored<NodeRecord> { try port().put(record, over: read) }
    func checkpoint(of node: String) throws(FleetFailure) -> Stored<FleetCheckpoint>? {
        try port().checkpoint(of: node)
    }
    func put(
        _ checkpoint: FleetCheckpoint, over read: Stored<FleetCheckpoint>?
    ) throws(FleetFailure) { try port().put(checkpoint, over: read) }
    func remove(_ record: Stored<NodeRecord>) throws(FleetFailure) { try port().remove(record) }
    func quarantine() throws(FleetFailure) -> [FleetQuarantine] { try port().quarantine() }
    func quarantine(_ entry: FleetQuarantine, isNew: Bool) throws(FleetFailure) {
        try port().quarantine(entry, isNew: isNew)
    }
    func clear(
        _ entry: FleetQuarantine, _ word: FleetQuarantine.Clearing
    ) throws(FleetFailure) -> Bool { try port().clear(entry, word) }
    func approvals() throws(FleetFailure) -> [Approval] { try port().approvals() }
    func share(_ approval: Approval) throws(FleetFailure) { try port().share(approval) }
    func spend(_ approval: String, on node: String) throws(FleetFailure) {
        try port().spend(approval, on: node)
    }
}
