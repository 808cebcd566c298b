import Model
import Rollout

/// A fleet of clusters, each of three servers and workers, with a canary of each kind in every cluster.
struct SampleFleet {
    let records: [NodeRecord]
    let document: RolloutDocument

    /// - Parameters:
    ///   - nodes: how many in all.
    ///   - size: of each cluster; the last may be smaller.
    init(nodes: Int, clustersOf size: Int = 100) throws {
        guard let version = Version("v1.33.4+k3s1"), let old = Version("v1.33.2+k3s1") else {
            throw NoVersion()
        }
        let policy = Digest(String(repeating: "ab", count: 32)) ?? .none
        records = (0..<nodes).map { number in
            let place = number % size
            var part = NodeRecord.Part(
                distribution: .k3s, name: "k3s", role: place < 3 ? .server : .agent, running: old,
                bytes: String(repeating: "0f", count: 32))
            part.isWell = true
            return NodeRecord(
                id: Self.hexadecimal(number, digits: 32), instance: Self.hexadecimal(number, digits: 10),
                name: "node-\(number).example.org", cluster: "cluster-\(number / size)",
                stage: place == 0 || place == 3 ? "canary" : "rest", architecture: "amd64", policy: policy,
                sequence: 1, at: Instant(seconds: 1_800_000_000), parts: [part])
        }
        var rest = Stage(name: "rest")
        rest.maxConcurrent = 10
        let stages = size > 1 && nodes > 1 ? [Stage(name: "canary"), rest] : [Stage(name: "canary")]
        document = try RolloutDocument.plan(
            id: "3f9a1c22b0", distribution: .k3s,
            artifact: RolloutArtifact(
                version: version, bytes: ["amd64": String(repeating: "1e", count: 32)]),
            policy: policy, stages: stages,
            nodes: records.map { PlannedNode(name: $0.name, participant: Self.participant($0)) })
    }

    struct NoVersion: Error {}

    static func participant(_ record: NodeRecord) -> Participant {
        Participant(
            id: record.id, cluster: record.cluster,
            kind: record.parts.first?.role == .server ? .controlPlane : .workers, stage: record.stage ?? "",
            architecture: record.architecture)
    }

    /// Nodes in the order in which a rollout reaches them.
    var inOrder: [NodeRecord] {
        func place(_ record: NodeRecord) -> Int {
            (record.parts.first?.role == .server ? 0 : 2) + (record.stage == "canary" ? 0 : 1)
        }
        return (0..<4).flatMap { wanted in records.filter { place($0) == wanted } }
    }

    private static func hexadecimal(_ number: Int, digits: Int) -> String {
        let text = String(number, radix: 16)
        return "a" + String(repeating: "0", count: max(0, digits - 1 - text.count)) + text
    }
}
