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

    /// The same for a tick, which goes on without and says why.
    var fleetOfTick: (port: any FleetPort, identity: FleetIdentity)? {
        guard root.isLive || fleetIsEmbedded else { return nil }
        do throws(FleetFailure) {
            let identity = try fleetIdentity()
            do throws(FleetFailure) {
                return (FleetBook(try openStore()), identity)
            } catch {
                return (AbsentFleet(failure: error, seesOthers: !fleetIsEmbedded), identity)
            }
        } catch {
            return nil
        }
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
            id: try MachineID.fleetID(machineID: bytes.map { String(decoding: $0, as: UTF8.self) }))
    }
}

extension Failure {
    /// What a verb says and answers when the fleet's store fails.
    init(fleet failure: FleetFailure) {
        self.init(
            code: failure.code == .malformed ? .badConfiguration : .failed, message: failure.description)
    }
}

/// Stands where the store cannot even be asked: every call says why.
private final class AbsentFleet: FleetPort {
    let failure: FleetFailure
    let seesOthers: Bool

    init(failure: FleetFailure, seesOthers: Bool) {
        self.failure = failure
        self.seesOthers = seesOthers
    }

    func rollout(of distribution: Distribution) throws(FleetFailure) -> Stored<RolloutDocument>? {
        throw failure
    }
    func put(
        _ document: RolloutDocument, over read: Stored<RolloutDocument>?
    ) throws(FleetFailure) -> Stored<RolloutDocument> { throw failure }
    func archive(_ document: RolloutDocument) throws(FleetFailure) { throw failure }
    func nodes() throws(FleetFailure) -> (records: [NodeRecord], problems: [Problem]) { throw failure }
    func node(_ id: String) throws(FleetFailure) -> Stored<NodeRecord>? { throw failure }
    func put(
        _ record: NodeRecord, over read: Stored<NodeRecord>?
    ) throws(FleetFailure) -> Stored<NodeRecord> { throw failure }
    func remove(_ record: Stored<NodeRecord>) throws(FleetFailure) { throw failure }
    func quarantine() throws(FleetFailure) -> [FleetQuarantine] { throw failure }
    func quarantine(_ entry: FleetQuarantine) throws(FleetFailure) { throw failure }
    func clearQuarantine(bytes: String) throws(FleetFailure) -> Bool { throw failure }
    func approvals() throws(FleetFailure) -> [Approval] { throw failure }
    func share(_ approval: Approval) throws(FleetFailure) { throw failure }
    func spend(_ approval: String, on node: String) throws(FleetFailure) { throw failure }
}
