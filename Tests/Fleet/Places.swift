import Fleet
import FleetSuite
import FoundationEssentials
import Kubernetes
import KubernetesServer
import Ports
import ScriptedServer
import Testing
import Web

extension FleetPlace {
    /// A state directory of one test's own.
    static func sqlite() throws -> FleetPlace {
        let directory = try TemporaryDirectory()
        return FleetPlace {
            try SQLiteFleetStore(stateDirectory: "\(directory.path)/state", timeoutMilliseconds: 20_000)
        }
    }

    /// A namespace of one test's own: on a real cluster where HOLDFAST_TEST_KUBECONFIG names it, else on the stand-in.
    static func kubernetes() throws -> FleetPlace {
        let cluster = try FleetCluster()
        return FleetPlace { cluster.store() }
    }

    /// An etcd of one test's own, by TLS and as a user that may use nothing but the fleet's keys.
    static func etcd() throws -> FleetPlace {
        let etcd = try EtcdCluster(members: 1)
        try etcd.makeUsers()
        return FleetPlace { try etcd.store() }
    }
}

/// A namespace to try things in.
final class FleetCluster: Sendable {
    let standIn: KubernetesServer?
    private let kubeconfig: Kubeconfig
    let namespace = "holdfast-test-\(UUID().uuidString.lowercased().prefix(8))"

    init(standIn isWanted: Bool = false) throws {
        if !isWanted, let path = realKubeconfig {
            standIn = nil
            kubeconfig = try Kubeconfig(Array(Data(contentsOf: URL(filePath: path))), path: path) {
                Array(try Data(contentsOf: URL(filePath: $0)))
            }
        } else {
            let server = try KubernetesServer { Issue.record("\($0)") }
            standIn = server
            kubeconfig = Kubeconfig(server: "http://127.0.0.1:\(server.port)", tls: TLSSettings())
        }
        try KubernetesClient(kubeconfig).create(
            "/api/v1/namespaces", Namespace(metadata: .init(name: namespace)),
            within: Deadline(afterMilliseconds: 20_000))
    }

    deinit {
        _ = try? HTTPClient(.origin(kubeconfig.server), tls: kubeconfig.tls).send(
            HTTPRequest(.delete, "/api/v1/namespaces/\(namespace)", bearerToken: kubeconfig.token))
    }

    func store(timeoutMilliseconds: Int = 20_000) -> KubernetesFleetStore {
        KubernetesFleetStore(
            KubernetesClient(kubeconfig), namespace: namespace, timeoutMilliseconds: timeoutMilliseconds)
    }

    private struct Namespace: Encodable {
        struct Metadata: Encodable { var name: String }
        var apiVersion = "v1"
        var kind = "Namespace"
        var metadata: Metadata
    }
}
