public import Model

// The transitions of `rollout.md`, each of which is one compare-and-swap of the document. They are pure: who read a
// document makes the next one here and puts it where nobody has put another meanwhile.

/// Where a node stands in a rollout.
public struct Participant: Codable, Hashable, Sendable {
    /// The id under which it writes its own record.
    public var id: String
    /// Its cluster.
    public var cluster: String
    /// Which of the cluster's tracks it belongs to.
    public var kind: Track.Kind
    /// The name of its stage: the policy's first that matches it.
    public var stage: String
    /// As in `RolloutArtifact.bytes`.
    public var architecture: String

    /// Makes a participant.
    public init(id: String, cluster: String, kind: Track.Kind, stage: String, architecture: String) {
        self.id = id
        self.cluster = cluster
        self.kind = kind
        self.stage = stage
        self.architecture = architecture
    }
}

extension RolloutDocument {
    /// *Create*: takes the place of a rollout that was never there or has ended.
    ///
    /// - Parameter highest: the greatest generation that the creating node has seen; the new one is beyond it.
    public static func create(
        _ planned: RolloutDocument, over existing: RolloutDocument?, highest: Int64
    ) throws(Refusal) -> RolloutDocument {
        if let existing {
            guard existing.format <= newestFormat else { throw .newerFormat(existing.format) }
            guard existing.state.hasEnded else { throw .underWay(id: existing.id, existing.state) }
        }
        guard planned.tracks.contains(where: { !$0.stages.isEmpty }) else { throw .nobody }
        var created = planned
        created.generation = max(existing?.generation ?? 0, highest) + 1
        return created
    }

    /// *Grant*: lets a node begin its step.
    ///
    /// - Parameters:
    ///   - grant: its id was committed in the node's ledger before this is put, so that a lost reply can be told.
    ///   - policy: the hash by which the node decides.
    public func granting(
        _ grant: Grant, to node: Participant, policy: Digest, now: Instant
    ) throws(Refusal) -> RolloutDocument {
        let place = try place(of: node)
        guard state == .running else { throw .notRunning(reason ?? state.rawValue) }
        guard policy == self.policy else { throw .otherPolicy }
        let stage = self[place]
        guard self.grant(of: node) == nil else { throw .alreadyGranted }
        guard !hasEvicted(node) else { throw .evicted }
        try checkOrder(of: place)
        let isControlPlane = tracks[place.track].kind == .controlPlane
        let inTrack = tracks[place.track].stages.reduce(0) { $0 + $1.granted.count }
        // One control-plane node of a cluster at a time, whatever the stage says.
        guard stage.granted.count < stage.max, !isControlPlane || inTrack == 0 else { throw .full }
        // A stage that has what it needs under way asks for no more until that has ended.
        guard stage.met || stage.provenCount + stage.granted.count < stage.effectiveNeed else { throw .full }
        return changing { document in
            document[place].granted.append(grant)
            if document[place].begun == nil { document[place].begun = now }
        }
    }

    /// Gives a grant back with which nothing was begun.
    public func givingBack(_ grant: Grant, of node: Participant) throws(Refusal) -> RolloutDocument {
        let place = try holding(grant, node)
        return changing { $0[place].granted.removeAll { $0 == grant } }
    }

    /// *Prove*: the node's own soak is over; its grant becomes one more proof of the stage that gave it.
    ///
    /// The last one finishes the rollout. The node writes its own record first. It counts whatever the state: what was
    /// granted may end.
    public func proving(_ grant: Grant, by node: Participant) throws(Refusal) -> RolloutDocument {
        let place = try holding(grant, node)
        return changing { document in
            document[place].granted.removeAll { $0 == grant }
            document[place].proven[node.architecture, default: 0] += 1
            if document[place].isFulfilled { document[place].met = true }
            if document.state == .running, document.isComplete { document.state = .done }
        }
    }

    /// *Fail*: the artifact failed on a node that holds a grant; it is quarantined before this is put.
    public func failing(_ grant: Grant, of node: Participant, reason: String) throws(Refusal)
        -> RolloutDocument
    {
        let place = try holding(grant, node)
        return changing { document in
            document[place].granted.removeAll { $0 == grant }
            guard !document.state.hasEnded else { return }
            document.state = .halted
            document.reason = reason
        }
    }

    /// Keeps what the gates of a cluster have answered, which lets its nodes go on.
    public func notingGates(_ answer: GateAnswer, of cluster: String) throws(Refusal) -> RolloutDocument {
        try checkFormat()
        guard !state.hasEnded else { throw .notPossible(from: state) }
        return changing { $0.gates = ($0.gates ?? [:]).merging([cluster: answer]) { $1 } }
    }

    /// *Pause*, by a person.
    public func pausing(reason: String) throws(Refusal) -> RolloutDocument {
        try checkFormat()
        guard state == .running else { throw .notPossible(from: state) }
        return changing { document in
            document.state = .paused
            document.reason = reason
        }
    }

    /// *Pause*, by a stage's deadline; nil where none is over.
    public func pausingOverdue(now: Instant) throws(Refusal) -> RolloutDocument? {
        try checkFormat()
        guard state == .running else { return nil }
        for track in tracks {
            for stage in track.stages where !stage.met {
                guard let begun = stage.begun, begun + stage.deadline < now else { continue }
                return try pausing(
                    reason:
                        "stage \(stage.name) of cluster \(track.cluster) was not met within its deadline; see who "
                        + "holds a grant ('holdfast status --fleet'), then 'holdfast rollout evict NODE' or "
                        + "'holdfast rollout resume'")
            }
        }
        return nil
    }

    /// *Resume*, by a person: from a pause, after a failure was cleared, or after the store went back in time.
    ///
    /// - Parameter highest: the greatest generation that the resuming node has seen; the next one is beyond it. Stages
    ///   that had begun get their whole deadline again.
    public func resuming(highest: Int64, now: Instant) throws(Refusal) -> RolloutDocument {
        try checkFormat()
        guard !state.hasEnded else { throw .notPossible(from: state) }
        guard state != .running || highest > generation else { throw .notPossible(from: state) }
        var document = changing { document in
            document.state = .running
            document.reason = nil
            for track in document.tracks.indices {
                for stage in document.tracks[track].stages.indices
                where document.tracks[track].stages[stage].begun != nil
                    && !document.tracks[track].stages[stage].met
                {
                    document.tracks[track].stages[stage].begun = now
                }
            }
        }
        if highest > generation {
            document.generation = highest + 1
            document.lost = LostSpan(
                after: min(lost?.after ?? generation, generation), before: document.generation)
        }
        return document
    }

    /// *Abort*, by a person: no grant is given any more; those who hold one finish or go back by themselves.
    public func aborting(reason: String) throws(Refusal) -> RolloutDocument {
        try checkFormat()
        guard !state.hasEnded else { throw .notPossible(from: state) }
        return changing { document in
            document.state = .aborted
            document.reason = reason
        }
    }

    /// *Evict*, by a person: frees the node's grant, and waits for the node no longer.
    public func evicting(_ node: Participant) throws(Refusal) -> RolloutDocument {
        let place = if let grant = grant(of: node) { try holding(grant, node) } else { try place(of: node) }
        guard !self[place].evicted.contains(node.id) else { throw .evicted }
        return changing { document in
            document[place].granted.removeAll { $0.node == node.id }
            document[place].evicted.append(node.id)
            if document[place].isFulfilled, document[place].provenCount > 0 { document[place].met = true }
            if document.state == .running, document.isComplete { document.state = .done }
        }
    }

    /// The grant that a node holds, of whichever stage; nil where it holds none.
    ///
    /// A node can come to another stage, cluster or role while it holds one.
    public func grant(of node: Participant) -> Grant? {
        for track in tracks {
            for stage in track.stages {
                if let grant = stage.granted.first(where: { $0.node == node.id }) { return grant }
            }
        }
        return nil
    }

    /// Whether the node holds a grant of a stage in which it is no longer.
    public func hasMoved(_ node: Participant) -> Bool {
        guard let grant = grant(of: node) else { return false }
        guard let place = try? place(of: node) else { return true }
        return !self[place].granted.contains(grant)
    }

    /// Whether a person took the node out, of whichever stage it was in.
    public func hasEvicted(_ node: Participant) -> Bool {
        tracks.contains { $0.stages.contains { $0.evicted.contains(node.id) } }
    }

    /// Whether every stage was met and nobody is at it.
    var isComplete: Bool {
        tracks.allSatisfy { track in track.stages.allSatisfy { $0.met && $0.granted.isEmpty } }
    }

    // MARK: Order

    /// Control plane before workers of the same cluster; stage k of any track after stage k−1 of all tracks of the kind.
    private func checkOrder(of place: Place) throws(Refusal) {
        let own = tracks[place.track]
        let position = self[place].position
        for track in tracks where track.kind == own.kind {
            for stage in track.stages where stage.position < position && !stage.met {
                throw .stageNotMet(name: stage.name, cluster: track.cluster)
            }
        }
        guard own.kind == .workers else { return }
        for track in tracks where track.kind == .controlPlane && track.cluster == own.cluster {
            guard track.stages.allSatisfy(\.met) else { throw .controlPlaneFirst(cluster: own.cluster) }
        }
    }

    // MARK: Places

    private struct Place {
        var track: Int
        var stage: Int
    }

    private subscript(place: Place) -> StageState {
        get { tracks[place.track].stages[place.stage] }
        set { tracks[place.track].stages[place.stage] = newValue }
    }

    private func checkFormat() throws(Refusal) {
        guard format <= Self.newestFormat else { throw .newerFormat(format) }
    }

    private func place(of node: Participant) throws(Refusal) -> Place {
        try checkFormat()
        guard let track = tracks.firstIndex(where: { $0.cluster == node.cluster && $0.kind == node.kind }),
            let stage = tracks[track].stages.firstIndex(where: { $0.name == node.stage })
        else { throw .noStage }
        return Place(track: track, stage: stage)
    }

    /// Where a node's grant is, whatever stage it is in by now.
    private func holding(_ grant: Grant, _ node: Participant) throws(Refusal) -> Place {
        try checkFormat()
        for track in tracks.indices where grant.node == node.id {
            if let stage = tracks[track].stages.firstIndex(where: { $0.granted.contains(grant) }) {
                return Place(track: track, stage: stage)
            }
        }
        throw .noGrant
    }

    private func changing(_ change: (inout RolloutDocument) -> Void) -> RolloutDocument {
        var document = self
        change(&document)
        document.generation += 1
        return document
    }
}
