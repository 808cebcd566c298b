public import Model

/// What `status --fleet` and `rollout status` say: the one value from which both text and JSON are made.
///
/// The JSON is an interface: keys are added, never renamed, and a key whose value is not known is null.
public struct FleetReport: Encodable, Hashable, Sendable {
    /// Whether the store sees other machines at all.
    public var seesOthers: Bool
    /// In order of distribution.
    public var rollouts: [RolloutPart]
    /// In order of cluster, role and name.
    public var nodes: [NodePart]
    /// What failed somewhere and was not cleared.
    public var quarantine: [QuarantinePart]
    /// What a person should look at: each with what to do about it.
    public var findings: [String]

    /// Makes a report of what the store holds.
    ///
    /// - Parameters:
    ///   - own: the normalised policy of the node that asks; nil without one.
    ///   - stages: the policy's, which say how long each stage soaks.
    ///   - problems: what could not be read.
    public init(
        seesOthers: Bool, documents: [RolloutDocument], records: [NodeRecord], quarantine: [FleetQuarantine],
        own: Digest?, stages: [Stage], now: Instant, problems: [String] = []
    ) {
        self.seesOthers = seesOthers
        let names = Dictionary(records.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        rollouts = documents.sorted { $0.distribution.rawValue < $1.distribution.rawValue }.map {
            RolloutPart($0, names: names)
        }
        nodes = records.flatMap { record in
            record.parts.map { NodePart(record, $0, own: own, stages: stages, documents) }
        }.sorted { ($0.cluster, $0.role ?? "", $0.name, $0.id) < ($1.cluster, $1.role ?? "", $1.name, $1.id) }
        self.quarantine = quarantine.map(QuarantinePart.init)
        findings = problems + Self.findings(records, documents, now: now)
    }

    private static func findings(
        _ records: [NodeRecord], _ documents: [RolloutDocument], now: Instant
    ) -> [String] {
        var findings: [String] = []
        let policies = Dictionary(grouping: records, by: \.policy)
        if policies.count > 1 {
            // The largest group first, and in one order where two are alike.
            let sorted = policies.sorted {
                ($1.value.count, $0.key?.hex ?? "") < ($0.value.count, $1.key?.hex ?? "")
            }
            let groups = sorted.map { policy, nodes in
                "\(policy?.short ?? "none") on \(shortened(nodes.map(\.name)))"
            }
            findings.append(
                "the nodes decide by different policies (\(groups.joined(separator: "; "))): a node whose policy is not "
                    + "the rollout's takes no part in it; bring /etc/holdfast/policy.yaml to the same on all")
        }
        for (name, nodes) in Dictionary(grouping: records, by: \.name).sorted(by: { $0.key < $1.key })
        where nodes.count > 1 {
            findings.append(
                "\(nodes.count) machines are called \(name) (\(shortened(nodes.map(\.id)))): was one of them replaced? "
                    + "'holdfast rollout evict ID' for the one that is gone, or give them names in node.yaml")
        }
        for document in documents where !document.state.hasEnded {
            for (track, stage, grant) in document.grants {
                guard let holder = records.first(where: { $0.id == grant.node }) else {
                    findings.append(
                        "\(grant.node) holds a grant of rollout \(document.id) (stage \(stage.name) of \(track.cluster)) "
                            + "and has no record: 'holdfast rollout evict \(grant.node)' frees it")
                    continue
                }
                if now - holder.at > .hours(3) {
                    findings.append(
                        "\(holder.name) holds a grant of rollout \(document.id) and was last heard of at \(holder.at): "
                            + "see to it, or 'holdfast rollout evict \(holder.name)'")
                }
            }
        }
        return findings
    }

    private static func shortened(_ names: [String]) -> String {
        let sorted = names.sorted()
        let shown = sorted.prefix(5).joined(separator: ", ")
        return sorted.count > 5 ? "\(shown) and \(sorted.count - 5) more" : shown
    }

    /// One rollout.
    public struct RolloutPart: Encodable, Hashable, Sendable {
        /// The rollout as the store has it.
        public var document: RolloutDocument
        /// Names of nodes by their ids.
        public var names: [String: String]

        /// Makes the part of a report.
        public init(_ document: RolloutDocument, names: [String: String]) {
            self.document = document
            self.names = names
        }

        private enum Key: String, CodingKey {
            case id, distribution, version, bytes, state, reason, generation, policy, tracks, then, gates
        }
        private enum TrackKey: String, CodingKey { case cluster, kind, stages }
        private enum StageKey: String, CodingKey {
            case name, need, proven, granted, evicted, met, begun, deadline
        }
        private enum GrantKey: String, CodingKey { case node, name, grant }

        /// Writes the keys that scripts rely on.
        public func encode(to encoder: any Encoder) throws {
            var part = encoder.container(keyedBy: Key.self)
            try part.encode(document.id, forKey: .id)
            try part.encode(document.distribution, forKey: .distribution)
            try part.encode(document.artifact.version, forKey: .version)
            try part.encode(document.artifact.bytes, forKey: .bytes)
            try part.encode(document.state, forKey: .state)
            try part.encode(document.reason, forKey: .reason)
            try part.encode(document.generation, forKey: .generation)
            try part.encode(document.policy, forKey: .policy)
            try part.encode(document.then ?? [], forKey: .then)
            try part.encode((document.gates ?? [:]).mapValues(\.text), forKey: .gates)
            var tracks = part.nestedUnkeyedContainer(forKey: .tracks)
            for track in document.tracks {
                var one = tracks.nestedContainer(keyedBy: TrackKey.self)
                try one.encode(track.cluster, forKey: .cluster)
                try one.encode(track.kind, forKey: .kind)
                var stages = one.nestedUnkeyedContainer(forKey: .stages)
                for stage in track.stages {
                    var element = stages.nestedContainer(keyedBy: StageKey.self)
                    try element.encode(stage.name, forKey: .name)
                    try element.encode(stage.effectiveNeed, forKey: .need)
                    try element.encode(stage.proven, forKey: .proven)
                    try element.encode(stage.evicted.map { names[$0] ?? $0 }, forKey: .evicted)
                    try element.encode(stage.met, forKey: .met)
                    try element.encode(stage.begun?.description, forKey: .begun)
                    try element.encode(
                        stage.begun.map { ($0 + stage.deadline).description }, forKey: .deadline)
                    var granted = element.nestedUnkeyedContainer(forKey: .granted)
                    for grant in stage.granted {
                        var holder = granted.nestedContainer(keyedBy: GrantKey.self)
                        try holder.encode(grant.node, forKey: .node)
                        try holder.encode(names[grant.node], forKey: .name)
                        try holder.encode(grant.id, forKey: .grant)
                    }
                }
            }
        }
    }

    /// One installation of one node.
    public struct NodePart: Encodable, Hashable, Sendable {
        /// The node's name.
        public var name: String
        /// Its id.
        public var id: String
        /// Its cluster.
        public var cluster: String
        /// What it does there.
        public var role: String?
        /// Its stage.
        public var stage: String?
        /// Its architecture.
        public var architecture: String
        /// Whose installation.
        public var distribution: Distribution
        /// What runs.
        public var running: String?
        /// Its bytes.
        public var bytes: String?
        /// How far it is in a rollout.
        public var phase: String?
        /// The grant that it holds.
        public var grant: String?
        /// What it still owes of its soak, in seconds; nil where it does not soak.
        public var soakLeft: Int64?
        /// When it was last heard of, by its own clock.
        public var seen: Instant
        /// By which it decides.
        public var policy: Digest?
        /// Whether that is the policy of the node that asks.
        public var hasSamePolicy: Bool

        init(
            _ record: NodeRecord, _ part: NodeRecord.Part, own: Digest?, stages: [Stage],
            _ documents: [RolloutDocument]
        ) {
            name = record.name
            id = record.id
            cluster = record.cluster
            role = part.role?.rawValue
            stage = record.stage
            architecture = record.architecture
            distribution = part.distribution
            running = part.running?.description
            bytes = part.bytes
            phase = part.phase
            grant = part.grant
            if let earned = part.soak, let needed = stages.first(where: { $0.name == record.stage })?.soak {
                soakLeft = max(0, needed.seconds - earned.seconds)
            }
            seen = record.at
            policy = record.policy
            hasSamePolicy = record.policy == own
        }

        private enum Key: String, CodingKey {
            case name, id, cluster, role, stage, architecture, distribution, running, bytes, phase, grant,
                soakLeft,
                seen, policy, hasSamePolicy
        }

        /// Writes the keys that scripts rely on.
        public func encode(to encoder: any Encoder) throws {
            var part = encoder.container(keyedBy: Key.self)
            try part.encode(name, forKey: .name)
            try part.encode(id, forKey: .id)
            try part.encode(cluster, forKey: .cluster)
            try part.encode(role, forKey: .role)
            try part.encode(stage, forKey: .stage)
            try part.encode(architecture, forKey: .architecture)
            try part.encode(distribution, forKey: .distribution)
            try part.encode(running, forKey: .running)
            try part.encode(bytes, forKey: .bytes)
            try part.encode(phase, forKey: .phase)
            try part.encode(grant, forKey: .grant)
            try part.encode(soakLeft, forKey: .soakLeft)
            try part.encode(seen.description, forKey: .seen)
            try part.encode(policy, forKey: .policy)
            try part.encode(hasSamePolicy, forKey: .hasSamePolicy)
        }
    }

    /// One quarantine.
    public struct QuarantinePart: Encodable, Hashable, Sendable {
        /// As the store has it.
        public var entry: FleetQuarantine

        /// Makes the part of a report.
        public init(_ entry: FleetQuarantine) { self.entry = entry }

        private enum Key: String, CodingKey { case bytes, distribution, version, reason, node, at }

        /// Writes the keys that scripts rely on.
        public func encode(to encoder: any Encoder) throws {
            var part = encoder.container(keyedBy: Key.self)
            try part.encode(entry.bytes, forKey: .bytes)
            try part.encode(entry.distribution, forKey: .distribution)
            try part.encode(entry.version, forKey: .version)
            try part.encode(entry.reason, forKey: .reason)
            try part.encode(entry.node, forKey: .node)
            try part.encode(entry.at.description, forKey: .at)
        }
    }
}

extension RolloutDocument {
    /// Every grant that is held, and where.
    public var grants: [(track: Track, stage: StageState, grant: Grant)] {
        tracks.flatMap { track in
            track.stages.flatMap { stage in stage.granted.map { (track, stage, $0) } }
        }
    }
}
