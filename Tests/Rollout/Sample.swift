import Model

@testable import Rollout

/// A rollout of K3s to two releases' bytes, and its nodes.
enum Sample {
    static let policy = Digest(String(repeating: "a", count: 64)) ?? .none
    static let otherPolicy = Digest(String(repeating: "b", count: 64)) ?? .none
    static let now = Instant(seconds: 1_800_000_000)

    static func version(_ text: String) -> Version {
        guard let version = Version(text) else { preconditionFailure("\(text) is no version") }
        return version
    }

    static let artifact = RolloutArtifact(
        version: version("v1.32.1+k3s1"),
        bytes: ["amd64": String(repeating: "1", count: 64), "arm64": String(repeating: "2", count: 64)])

    static func node(
        _ id: String, _ stage: String, cluster: String = "default", kind: Track.Kind = .workers,
        arch: String = "amd64"
    ) -> Participant {
        Participant(id: id, cluster: cluster, kind: kind, stage: stage, architecture: arch)
    }

    static func stage(_ name: String, max: Int = 1, need: Stage.Need = .all) -> Stage {
        var stage = Stage(name: name)
        stage.maxConcurrent = max
        stage.need = need
        return stage
    }

    static func plan(_ stages: [Stage], _ nodes: [Participant]) throws -> RolloutDocument {
        let planned = try RolloutDocument.plan(
            id: "r1", distribution: .k3s, artifact: artifact, policy: policy, stages: stages,
            nodes: nodes.map { PlannedNode(name: $0.id, participant: $0) })
        return try RolloutDocument.create(planned, over: nil, highest: 0)
    }
}
