import Model
import Ports
import Rules

extension Observation {
    /// Takes what rollouts bring in among what is offered.
    ///
    /// What is offered already, since it was kept when it was turned away, is then the rollout's.
    mutating func offer(rollouts view: FleetView) {
        for index in installations.indices {
            let distribution = installations[index].id.distribution
            guard let document = view.known.documents[distribution.rawValue], !document.state.hasEnded,
                let artifact = document.artifact(for: node.architecture)
            else { continue }
            if let known = installations[index].offers.firstIndex(where: {
                $0.artifact.isSameBytes(as: artifact) == true
            }) {
                installations[index].offers[known].trigger = .rollout
                continue
            }
            installations[index].offers.append(
                Offer(
                    artifact: artifact, trigger: .rollout, published: nil,
                    // The store's word is a claim; snapd proves a revision by its own assertions.
                    origin: distribution == .microk8s ? .verified : .claimed))
        }
    }
}

extension FleetView {
    /// What rules are told of the other nodes, for one installation.
    func summary(
        for installation: Installation, _ observation: Observation, _ policy: LoadedPolicy?,
        label: (String) -> String
    ) -> FleetSummary {
        FleetSummary(
            answered: known.failure == nil, seesOthers: seesOthers,
            members: members(installation, observation),
            stages: stages(installation, observation, policy, label: label),
            quarantine: known.quarantine.filter { $0.distribution == installation.id.distribution }.map {
                FleetSummary.Quarantined(bytes: $0.bytes, reason: "\($0.reason) (on \($0.node))")
            },
            rollout: known.documents[installation.id.distribution.rawValue].flatMap {
                $0.state.hasEnded ? nil : $0.id
            })
    }

    private func members(_ installation: Installation, _ observation: Observation) -> [FleetSummary.Member] {
        guard seesOthers else { return [] }
        let distribution = installation.id.distribution
        var members: [FleetSummary.Member] = []
        for record in known.members where record.name != observation.node.name {
            for part in record.parts where part.distribution == distribution {
                guard let role = part.role else { continue }
                // Twice as long as a node may be silent: what it said of its health says nothing of now.
                let isSilent = record.at + fleetInterval + fleetInterval < observation.clock.now
                members.append(
                    FleetSummary.Member(
                        name: record.name, cluster: record.cluster, role: role, running: part.running,
                        healthy: isSilent ? nil : part.isWell, votes: isSilent ? nil : part.votes))
            }
        }
        if let role = installation.role {
            members.append(
                FleetSummary.Member(
                    name: observation.node.name, cluster: observation.node.cluster, role: role,
                    running: installation.running?.version, healthy: nil, votes: nil))
        }
        guard let role = installation.role, role.isControlPlane, let plane = known.controlPlane else {
            return members.sorted { $0.name < $1.name }
        }
        return told(by: plane, members, observation, role).sorted { $0.name < $1.name }
    }

    /// What the cluster itself says of its control plane goes before what a node once said of itself.
    private func told(
        by plane: ControlPlane, _ members: [FleetSummary.Member], _ observation: Observation, _ role: Role
    ) -> [FleetSummary.Member] {
        var members = members
        for other in plane.others {
            let told = other.fleetMember(cluster: observation.node.cluster, role: role)
            if let index = members.firstIndex(where: { $0.name == other.name }) {
                members[index].healthy = told.healthy
                members[index].votes = told.votes
                members[index].running = told.running ?? members[index].running
            } else {
                members.append(told)
            }
        }
        let names = Set(plane.members.map(\.name))
        for index in members.indices where members[index].role.isControlPlane {
            // One that the cluster does not tell of is not known to be well, nor is any where not all are told.
            let isTold = names.contains(members[index].name) && !plane.mayHaveOthers
            if members[index].name != observation.node.name, !isTold { members[index].healthy = nil }
        }
        return members
    }

    private func stages(
        _ installation: Installation, _ observation: Observation, _ policy: LoadedPolicy?,
        label: (String) -> String
    ) -> [FleetSummary.StageProgress] {
        let distribution = installation.id.distribution
        guard let policy, let role = installation.role,
            let document = known.documents[distribution.rawValue],
            // What was proven before a person ended it lets nobody begin.
            document.state != .aborted,
            let artifact = document.artifact(for: observation.node.architecture)
        else { return [] }
        let change = label(Change.labelText(distribution: distribution, target: artifact))
        let tracks = document.tracks.filter { ($0.kind == .controlPlane) == role.isControlPlane }
        return policy.document.stages.map { stage in
            let states = tracks.flatMap(\.stages).filter { $0.name == stage.name }
            return FleetSummary.StageProgress(
                stage: stage.name, change: change,
                // One that has no node of this kind counts as met; soak is over before a node has proven it.
                met: states.allSatisfy(\.met), soakLeft: .zero)
        }
    }
}
