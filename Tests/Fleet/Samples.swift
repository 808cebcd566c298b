import Model

extension RolloutDocument {
    /// A rollout of K3s in one cluster with a canary.
    static func sample(generation: Int64, id: String = "r1") -> RolloutDocument {
        var canary = StageState(
            name: "canary", position: 0, need: 1, needsAll: false, max: 1, deadline: TimeSpan(seconds: 3600))
        canary.granted = [Grant(node: "a", id: "g1"), Grant(node: "b", id: "g2")]
        let rest = StageState(
            name: "rest", position: 1, need: 8, needsAll: true, max: 2, deadline: TimeSpan(seconds: 3600))
        return RolloutDocument(
            generation: generation, id: id, distribution: .k3s,
            artifact: RolloutArtifact(version: .sample, bytes: ["amd64": String(repeating: "0f", count: 32)]),
            policy: .sample,
            tracks: [
                Track(cluster: "one", kind: .controlPlane, stages: [canary, rest]),
                Track(cluster: "one", kind: .workers, stages: [rest]),
            ])
    }
}

extension NodeRecord {
    /// A node with all that a record can say of one installation.
    static func sample(id: String = "3f2f72640ca44bd5b17685e6f7478a8a", sequence: Int64 = 7) -> NodeRecord {
        var part = Part(
            distribution: .k3s, name: "k3s", role: .server, running: .sample,
            bytes: String(repeating: "0f", count: 32))
        part.isWell = true
        part.votes = true
        part.phase = "soaking"
        part.grant = "3f2f7264-0ca4-4bd5-b176-85e6f7478a8a"
        part.soak = TimeSpan(seconds: 86_400)
        part.proven = "k3s-1.33-3f2f72640ca4"
        return NodeRecord(
            id: id, instance: "e1309405878f40afaa28ef21f7abec0d", name: "edge-1.example.org",
            cluster: "production-eu-west", stage: "canary", architecture: "amd64", policy: .sample,
            sequence: sequence, at: Instant(seconds: 1_800_000_000), parts: [part])
    }
}

extension FleetQuarantine {
    static func sample(bytes: String) -> FleetQuarantine {
        FleetQuarantine(
            bytes: bytes, distribution: .k3s, version: .sample, reason: "it did not get ready",
            node: "edge-1",
            at: Instant(seconds: 1_800_000_000))
    }
}

extension Approval {
    static func sample(id: String = "a1", by who: String = "root", spentBy: [String] = []) -> Approval {
        Approval(
            id: id, distribution: .k3s, version: .sample, digests: ["amd64": .sample], revision: nil,
            from: [],
            scope: .stage("canary"), approvedAt: Instant(seconds: 1_800_000_000),
            expires: Instant(seconds: 1_800_600_000), waives: [], reason: "tried in the lab", claimedBy: who,
            spentBy: spentBy)
    }
}

extension Version {
    /// What every sample is of.
    static let sample: Version = {
        guard let version = Version("v1.33.4+k3s1") else { preconditionFailure("it is no version") }
        return version
    }()
}

extension Digest {
    static let sample = Digest(String(repeating: "ab", count: 32)) ?? .none
}
