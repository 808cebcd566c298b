/// A lightweight Kubernetes distribution that Holdfast guards.
public enum Distribution: String, Codable, CaseIterable, Hashable, Sendable {
    case k3s
    case microk8s
    case k0s

    /// The name as its makers write it, for people.
    public var displayName: String {
        switch self {
        case .k3s: "K3s"
        case .microk8s: "MicroK8s"
        case .k0s: "k0s"
        }
    }
}

/// What an installation does in its cluster, in the distribution's own word.
public enum Role: String, Codable, CaseIterable, Hashable, Sendable {
    /// K3s server.
    case server
    /// K3s agent.
    case agent
    /// MicroK8s, where every node that has not been joined as a worker is a full one.
    case node
    /// k0s controller without workloads.
    case controller
    /// k0s worker, or a MicroK8s node that was joined with `--worker`.
    case worker
    /// k0s controller that also runs workloads.
    case controllerAndWorker = "controller+worker"
    /// k0s `--single`: a controller with workloads that nobody can join.
    case single

    /// Whether an API server and a data store run here.
    public var isControlPlane: Bool {
        switch self {
        case .server, .node, .controller, .controllerAndWorker, .single: true
        case .agent, .worker: false
        }
    }

    /// Whether a kubelet runs here.
    public var hasKubelet: Bool { self != .controller }
}

/// A processor architecture in Go's and Debian's word.
public enum Architecture: String, Codable, CaseIterable, Hashable, Sendable {
    case amd64
    case arm64
    case arm
    case s390x
    case riscv64
    case ppc64le
    case i386 = "386"
}

/// What an installation keeps its cluster state in.
public enum DataStore: String, Codable, CaseIterable, Hashable, Sendable {
    case sqlite
    case etcd
    case dqlite
    /// A store beside the node: MySQL, PostgreSQL, another etcd.
    case external
    /// This role keeps no cluster state.
    case none
    case unknown
}
