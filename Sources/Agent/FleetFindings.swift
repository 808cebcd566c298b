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
            }, unseen: unseen(installation, observation))
    }

    /// The control plane as the cluster tells of it now; nil where nobody could ask.
    private var controlPlane: ControlPlane? {
        known.controlPlaneFailure == nil ? known.controlPlane : nil
    }

    /// Why this node's control plane may have members of which nobody tells; nil where it cannot.
    private func unseen(_ installation: Installation, _ observation: Observation) -> String? {
        // SQLite on this machine is the store of one server alone.
        guard seesOthers, installation.role?.isControlPlane == true, installation.dataStore != .sqlite else {
            return nil
        }
        if let controlPlane { return controlPlane.gap(node: observation.node.name) }
        let reason = known.controlPlaneFailure ?? "the cluster was not asked yet"
        // Servers over a store beside them tell of themselves; of one that the cluster once knew somebody has to.
        guard installation.dataStore == .external else { return reason }
        let records = Set(known.members.map(\.name))
        return known.controlPlane?.others.first { !records.contains($0.name) }.map {
            "\($0.name) was one of it, and tells nothing of itself; \(reason)"
        }
    }

    private func members(_ installation: Installation, _ observation: Observation) -> [FleetSummary.Member] {
        guard seesOthers else { return [] }
        let distribution = installation.id.distribution
        var members: [FleetSummary.Member] = []
        for record in known.members where record.name != observation.node.name {
            for part in record.parts where part.distribution == distribution {
                guard let role = part.role else { continue }
                var member = FleetSummary.Member(
                    name: record.name, cluster: record.cluster, role: role, running: part.running,
                    healthy: part.isWell, votes: part.votes)
                if let doubt = record.doubt(readAt: known.membersAt ?? observation.clock.now) {
                    (member.healthy, member.votes, member.doubt) = (nil, nil, doubt)
                }
                members.append(member)
            }
        }
        if let role = installation.role {
            members.append(
                FleetSummary.Member(
                    name: observation.node.name, cluster: observation.node.cluster, role: role,
                    running: installation.running?.version, healthy: nil, votes: nil))
        }
        guard let role = installation.role, role.isControlPlane, let plane = controlPlane else {
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
                members[index].doubt = told.doubt
                members[index].running = told.running ?? members[index].running
            } else {
                members.append(told)
            }
        }
        let names = Set(plane.members.map(\.name))
        for index in members.indices where members[index].role.isControlPlane {
            // One that the cluster does not tell of is not known to be well, nor is any where not all are told.
            guard members[index].name != observation.node.name else { continue }
            if !names.contains(members[index].name) {
                members[index].healthy = nil
                members[index].doubt =
                    "the cluster has nobody of that name in its control plane, but \(names.sorted().listed); "
                    + "name in the node.yaml of \(members[index].name) has to be that of its Kubernetes Node; "
                    + "or, where it is gone for good, 'holdfast fleet forget \(members[index].name)'"
            } else if plane.mayHaveOthers {
                members[index].healthy = nil
            }
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

extension NodeRecord {
    /// Why it said nothing of how its node was when it was read; nil where it did.
    ///
    /// A node that is up tells of itself within the hour, by its own clock (rollout.md, "The store"), and a tick can be
    /// late. Whoever is about to move has read it just now (`FleetWatch`).
    fileprivate func doubt(readAt: Instant) -> String? {
        let longest = TimeSpan.minutes(70)
        if readAt + longest < at { return "its record is from later than it is by this node's clock" }
        guard at + longest < readAt else { return nil }
        return "its record was \(TimeSpan.minutes((readAt - at).seconds / 60).policyText) old"
    }
}

extension [String] {
    /// The first few, for people.
    fileprivate var listed: String {
        isEmpty
            ? "nobody at all"
            : prefix(5).joined(separator: ", ") + (count > 5 ? " and \(count - 5) more" : "")
    }
}
