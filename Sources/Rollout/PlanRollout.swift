public import Model

/// A node as it goes into a plan.
public struct PlannedNode: Codable, Hashable, Sendable {
    /// Its name, for people.
    public var name: String
    /// Where it stands; `stage` is the policy's first that matches it.
    public var participant: Participant

    /// Makes a node.
    public init(name: String, participant: Participant) {
        self.name = name
        self.participant = participant
    }
}

/// Why a rollout can never start or end, and what to do about it.
public enum PlanFailure: Error, Hashable, Sendable {
    /// No node is in any stage.
    case nobody
    /// A stage of the policy matches no node in any track.
    case emptyStage(String)
    /// A stage asks for more nodes than it matches.
    case needTooGreat(stage: String, need: Int, nodes: Int)
    /// The artifact has no bytes for an architecture that a node has.
    case noBytes(architecture: String, node: String)

    /// One sentence for a person: lower case, no full stop.
    public var text: String {
        switch self {
        case .nobody: "no node is in any stage; see stages in the policy, and name and cluster in node.yaml"
        case .emptyStage(let stage):
            "stage \(stage) matches no node, so what comes after it would never begin; name the fleet's store in node.yaml "
                + "(without one this machine is all there is; 'holdfast fleet join' says how), or take it out of the policy"
        case .needTooGreat(let stage, let need, let nodes):
            "stage \(stage) needs \(need) nodes and matches \(nodes); set need to \(nodes) or to all"
        case .noBytes(let architecture, let node):
            "the artifact has no bytes for \(architecture), which \(node) is; name a source that has them"
        }
    }
}

extension RolloutDocument {
    /// Plans a rollout over the nodes that are known now.
    ///
    /// - Parameter stages: the policy's, in its order.
    public static func plan(
        id: String, distribution: Distribution, artifact: RolloutArtifact, policy: Digest, stages: [Stage],
        nodes: [PlannedNode]
    ) throws(PlanFailure) -> RolloutDocument {
        guard !nodes.isEmpty else { throw .nobody }
        for node in nodes where artifact.bytes[node.participant.architecture] == nil {
            throw .noBytes(architecture: node.participant.architecture, node: node.name)
        }
        for stage in stages where !nodes.contains(where: { $0.participant.stage == stage.name }) {
            throw .emptyStage(stage.name)
        }
        for stage in stages {
            guard case .count(let need) = stage.need else { continue }
            let count = nodes.count { $0.participant.stage == stage.name }
            guard need <= count else { throw .needTooGreat(stage: stage.name, need: need, nodes: count) }
        }
        var tracks: [Track] = []
        for cluster in Set(nodes.map(\.participant.cluster)).sorted() {
            for kind in Track.Kind.allCases {
                let members = nodes.filter {
                    $0.participant.cluster == cluster && $0.participant.kind == kind
                }
                guard !members.isEmpty else { continue }
                let states = stages.enumerated().compactMap { position, stage -> StageState? in
                    let count = members.count { $0.participant.stage == stage.name }
                    return count == 0 ? nil : state(of: stage, position, nodes: count)
                }
                tracks.append(Track(cluster: cluster, kind: kind, stages: states))
            }
        }
        guard tracks.contains(where: { !$0.stages.isEmpty }) else { throw .nobody }
        return RolloutDocument(
            generation: 0, id: id, distribution: distribution, artifact: artifact, policy: policy,
            tracks: tracks)
    }

    private static func state(of stage: Stage, _ position: Int, nodes: Int) -> StageState {
        var need = nodes
        var needsAll = true
        if case .count(let count) = stage.need {
            // A track with fewer nodes than that is proven by all it has.
            need = min(count, nodes)
            needsAll = false
        }
        return StageState(
            name: stage.name, position: position, need: max(1, need), needsAll: needsAll,
            max: max(1, stage.maxConcurrent), deadline: stage.deadline)
    }
}
