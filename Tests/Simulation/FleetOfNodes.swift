import Agent
import Model
import Ports
import Rollout
import Rules
import Testing

/// Some nodes of one fleet, each a cluster of its own or all of one, and the rollouts that they go through.
final class FleetOfNodes {
    let store = SimulatedFleet()
    /// Nodes that are off: they do nothing, and their cluster says so.
    var off: Set<String> = []
    let nodes: [World]
    let stages: [Stage]

    /// - Parameters:
    ///   - names: the first stage takes in those that begin with `canary`, the second the others.
    ///   - isOneCluster: whether they are the servers of one cluster, each with a member of its etcd.
    init(
        _ names: [String], isOneCluster: Bool = false, soak: TimeSpan = .zero, maxConcurrent: Int = 2,
        settings: (inout Policy) -> Void = { _ in }
    ) {
        var canary = Stage(name: "canary")
        canary.nodes = ["canary-*"]
        canary.soak = soak
        var rest = Stage(name: "rest")
        rest.maxConcurrent = maxConcurrent
        stages = [canary, rest]
        let store = store
        let stages = stages
        nodes = names.map { name in
            let node = guardedServer(
                unattended: .patch, isUnderGuard: false, stages: stages, settings: settings)
            node.name = name
            node.clusterName = "cluster-of-\(name)"
            let port = SimulatedFleetPort(store)
            port.isAlive = { [unowned node] in node.guards.burn() }
            node.fleet = port
            if isOneCluster {
                node.clusterName = "cluster"
                node.installations[0].dataStore = .etcd
                node.access = ClusterAccess(distribution: .k3s, kubeconfig: "/etc/rancher/k3s/k3s.yaml")
            }
            node.tick(request: .adopt)
            node.tick(asksFleet: true)
            return node
        }
        guard isOneCluster else { return }
        for node in nodes {
            node.care.plane = { [unowned self, unowned node] in controlPlane(seenBy: node) }
        }
    }

    private func controlPlane(seenBy node: World) -> ControlPlane {
        ControlPlane(
            members: nodes.map { other in
                var member = ControlPlaneMember(name: other.name, isOwn: other.name == node.name)
                member.isReady = off.contains(other.name) ? nil : true
                member.answers = off.contains(other.name) ? nil : true
                member.isCordoned = false
                member.votes = true
                member.running = other.installation.running?.version
                return member
            })
    }

    /// A person begins a rollout; its bytes are on every node, as if they had been fetched.
    @discardableResult
    func begin(_ artifact: Artifact, id: String = "r1") throws -> RolloutDocument {
        for node in nodes { node.offer(artifact) }
        let records = store.records.values.map(\.value)
        let planned = try RolloutDocument.plan(
            id: id, distribution: .k3s,
            artifact: RolloutArtifact(
                version: try #require(artifact.version), bytes: ["amd64": try #require(artifact.bytes)]),
            policy: .none, stages: stages,
            nodes: records.flatMap { $0.planned(for: .k3s) })
        let existing = store.rollouts[.k3s]
        let document = try RolloutDocument.create(planned, over: existing?.value, highest: 0)
        return try SimulatedFleetPort(store).put(document, over: existing).value
    }

    /// Five minutes go by on every node: its timer runs the tick, which has the step's service run where there is work.
    func round() {
        for node in nodes {
            if !off.contains(node.name) {
                node.tick(asksFleet: true)
                node.step()
            }
            node.pass(.minutes(5))
        }
    }

    /// Rounds, until a rollout has ended or stands, or there were too many.
    func play(rounds: Int = 60) {
        for _ in 0..<rounds {
            round()
            if let state = store.rollouts[.k3s]?.value.state, state != .running { return }
        }
    }

    var state: RolloutDocument.State? { store.rollouts[.k3s]?.value.state }

    func node(_ name: String) throws -> World { try #require(nodes.first { $0.name == name }) }
}
