public import Model

/// A check or gate that a policy asks for and that a role cannot perform.
public struct LeftOutCheck: Codable, Hashable, Sendable {
    /// The key that asks for it: `health` or `gates`.
    public var key: String
    /// As the policy file names it: `readyz`, `deprecatedAPIs`.
    public var name: String
    /// Why the role cannot perform it: lower case, no full stop.
    public var reason: String

    /// Makes an entry.
    public init(key: String, name: String, reason: String) {
        self.key = key
        self.name = name
        self.reason = reason
    }
}

/// The checks and gates that `resolve` leaves out for an installation, so that `policy show` can say so.
///
/// Nothing is left out for a role that is not known.
public func checksLeftOut(
    _ loaded: LoadedPolicy, node: NodeFacts, distribution: Distribution, role: Role?
) -> [LeftOutCheck] {
    var health = loaded.document.base.health
    var gates = loaded.document.base.gates
    for rule in loaded.document.rules
    where rule.match.applies(to: node, distribution: distribution, role: role) {
        health = rule.settings.health ?? health
        gates = rule.settings.gates ?? gates
    }
    let checks = health.checks.compactMap { check in
        reasonToLeaveOut(check, distribution: distribution, role: role).map {
            LeftOutCheck(key: "health", name: check.name, reason: $0)
        }
    }
    return checks
        + gates.compactMap { gate in
            reasonToLeaveOut(gate, role: role).map {
                LeftOutCheck(key: "gates", name: gate.name, reason: $0)
            }
        }
}

/// Why a role cannot perform a check; nil where it can, or where nobody knows.
func reasonToLeaveOut(_ check: HealthPolicy.Check, distribution: Distribution, role: Role?) -> String? {
    guard let role else { return nil }
    switch check {
    case .unit, .running, .http, .command:
        return nil
    case .readyz:
        return role.isControlPlane ? nil : "\(role.withArticle) runs no API server"
    case .nodeReady:
        // K3s agents keep a kubelet kubeconfig that may read their own Node; workers of k0s and MicroK8s have
        // nothing that we may use.
        if role == .worker { return "a worker has no API credentials of its own" }
        return role.hasKubelet ? nil : "\(role.withArticle) without workloads has no Node object"
    case .etcdVoter:
        if distribution == .microk8s { return "MicroK8s keeps its state in dqlite, not in etcd" }
        return role.isControlPlane ? nil : "\(role.withArticle) is no member of a data store"
    case .dqliteVoters:
        if distribution != .microk8s { return "\(distribution.displayName) has no dqlite" }
        return role.isControlPlane ? nil : "\(role.withArticle) is no member of a data store"
    }
}

/// Why a role cannot ask a gate; nil where it can, or where nobody knows.
func reasonToLeaveOut(_ gate: Gate, role: Role?) -> String? {
    guard let role, !role.isControlPlane, case .deprecatedAPIs = gate else { return nil }
    return "\(role.withArticle) has no API server to ask"
}

extension HealthPolicy.Check {
    /// As the policy file writes it.
    var name: String {
        switch self {
        case .unit: "unit"
        case .running: "running"
        case .readyz: "readyz"
        case .nodeReady: "nodeReady"
        case .etcdVoter: "etcdVoter"
        case .dqliteVoters: "dqliteVoters"
        // Neither the URL nor the arguments: both can carry tokens.
        case .http: "http"
        case .command: "command"
        }
    }
}

extension Gate {
    /// As the policy file writes it.
    var name: String {
        switch self {
        case .deprecatedAPIs: "deprecatedAPIs"
        case .command: "command"
        }
    }
}

extension Role {
    /// The role in a sentence: `an agent`, `a worker`.
    var withArticle: String { (self == .agent ? "an " : "a ") + rawValue }
}
