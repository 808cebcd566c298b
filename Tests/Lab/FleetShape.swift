/// What a fleet of a suite is made of.
struct FleetShape: Sendable {
    /// What keeps the fleet's store: a verb of the lab that starts, stops, empties and gives it.
    enum Store: String, Sendable {
        /// A real etcd.
        case etcd
        /// ConfigMaps of a hub cluster, of which the lab has a stand-in.
        case hub

        /// How a node reaches it, in node.yaml.
        fileprivate var entry: String {
            switch self {
            case .etcd:
                """
                {store: etcd, endpoints: ["https://hub:2379"], caFile: /etc/holdfast/etcd-ca.pem, userFile: /etc/holdfast/etcd-user}
                """
            case .hub: "{store: kubernetes, kubeconfig: /etc/holdfast/hub.kubeconfig}"
            }
        }
    }

    /// A node: what the lab calls it behind the fleet's name, and where it belongs.
    struct Member: Sendable {
        let name: String
        let cluster: String
        /// What runs its part of Kubernetes.
        let unit: String
        /// What the lab's installer is given besides the version.
        var options: [String] = []
        /// What lies on it before, by path.
        var files: [String: String] = [:]
    }

    let store: Store
    let software: FleetSoftware
    let members: [Member]
    /// The policy's stages, with `SOAK` for the first one's soak.
    let stages: String

    /// Whether the nodes are the servers of one cluster, each of which answers for all.
    var isOneCluster = false

    /// Three K3s servers, each a cluster of its own, of which one goes first.
    static func servers(_ store: Store) -> FleetShape {
        FleetShape(
            store: store, software: .k3s,
            members: ["canary", "west", "east"].map { Member(name: $0, cluster: $0, unit: "k3s") },
            stages: canaryFirst)
    }

    /// The three servers of one K3s cluster, of which one goes first.
    static let oneCluster = FleetShape(
        store: .etcd, software: .k3s,
        members: ["canary", "west", "east"].map { Member(name: $0, cluster: "site", unit: "k3s") },
        stages: canaryFirst, isOneCluster: true)

    private static let canaryFirst = """
          - {name: canary, nodes: ["*canary*"], soak: SOAK}
          - {name: rest, nodes: ["*"], maxConcurrent: 2, soak: 1s}
        """

    /// A member's node.yaml.
    func nodeFile(_ member: Member, title: String) -> String {
        """
        name: \(title)
        cluster: \(member.cluster)
        fleet: \(store.entry)

        """
    }

    /// The policy of all of them.
    func policy(soak: String) -> String {
        """
        apiVersion: holdfast/v1
        unattended: patch
        clock: trusted
        enforce: {gate: restore}
        stages:
        \(stages.split(separator: "SOAK").joined(separator: soak))
        health: {checks: [unit, running, readyz], interval: 1s, timeout: 2s, failureLimit: 2, consecutiveSuccesses: 2, deadline: 20s}
        source: {releases: /srv/releases}

        """
    }
}

/// A distribution that is one binary, as a fleet upgrades it, and the two releases of it that tests go between.
struct FleetSoftware: Sendable {
    /// As the lab and the command line call it.
    let name: String
    let base: String
    let version: String
    /// What a release's binary and its checksums are called.
    let artifact: String
    let checksums: String

    static let k3s = FleetSoftware(
        name: "k3s", base: "v1.31.4+k3s1", version: "v1.31.5+k3s1", artifact: "k3s",
        checksums: "sha256sum-amd64.txt")

    /// Builds a release, and says where it lies on this machine.
    ///
    /// - Parameter fault: a `--broken` of the lab.
    func build(_ version: String, fault: String?) async throws -> String {
        let broken = fault.map { ["--broken", $0] } ?? []
        let built = try await Lab.run(["binary", name, version] + broken, seconds: 300)
        return String(built.split(separator: "\n").last ?? "")
    }
}
