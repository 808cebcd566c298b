public import Model

extension DecisionRecord {
    /// Where the target's bytes are kept on this node since they were turned away; nil where they are not.
    public var keptAs: String? {
        subject.installation.offers.first { offer in
            offer.path != nil && offer.artifact.isSameBytes(as: subject.change.to) == true
        }?.path
    }

    /// What the gate did, as far as it was about the target of this change: the newest last.
    ///
    /// A start that was let through or refused names no bytes; it counts where it is younger than the change.
    public func acts(among acts: [GateAct]) -> [GateAct] {
        acts.filter { act in
            if let pending = act.pending { return pending == keptAs }
            return act.kind != .putBack && subject.change.firstSeen.map { $0 <= act.at } ?? true
        }
    }
}

extension GateAct.Kind {
    /// What came of a start, in a sentence.
    public var spoken: String {
        switch self {
        case .putBack: "put back"
        case .letThrough: "let through"
        case .refused: "refused"
        case .unrecorded: "not recorded"
        case .overflow: "more than could be told"
        case .unreadable: "not readable"
        }
    }
}

/// What the gate did at one start, as JSON.
struct GatePart: Encodable {
    let act: GateAct

    private enum Key: String, CodingKey {
        case kind, reason, unit, at, invocationID, text, restored, pending
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(act.kind, forKey: .kind)
        try container.encode(act.reason, forKey: .reason)
        try container.encode(act.unit, forKey: .unit)
        try container.encode(act.at.description, forKey: .at)
        try container.encode(act.invocationID, forKey: .invocationID)
        try container.encode(act.text, forKey: .text)
        try container.encode(act.restored.map(ArtifactPart.init), forKey: .restored)
        try container.encode(act.pending, forKey: .pending)
    }
}

/// What pins an artifact, as JSON.
struct ArtifactPart: Encodable {
    let artifact: Artifact

    private enum Key: String, CodingKey { case version, sha256, revision }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(artifact.version, forKey: .version)
        try container.encode(artifact.sha256, forKey: .sha256)
        try container.encode(artifact.revision, forKey: .revision)
    }
}

/// An artifact that was turned away and is kept, as JSON.
struct PendingPart: Encodable {
    let offer: Offer

    private enum Key: String, CodingKey { case version, sha256, origin, path }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(offer.artifact.version, forKey: .version)
        try container.encode(offer.artifact.sha256, forKey: .sha256)
        try container.encode(offer.origin, forKey: .origin)
        try container.encode(offer.path, forKey: .path)
    }
}
