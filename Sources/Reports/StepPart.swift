import Model

/// The change that is being carried out, as JSON.
struct StepPart: Encodable {
    let step: Step

    private enum Key: String, CodingKey {
        case id, change, distribution, name, from, to, phase, since, began, failure
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(step.id, forKey: .id)
        try container.encode(step.change.id, forKey: .change)
        try container.encode(step.change.installation.distribution, forKey: .distribution)
        try container.encode(step.change.installation.name, forKey: .name)
        try container.encode(ArtifactPart(artifact: step.change.from), forKey: .from)
        try container.encode(ArtifactPart(artifact: step.change.to), forKey: .to)
        try container.encode(step.phase, forKey: .phase)
        try container.encode(step.since.now.description, forKey: .since)
        try container.encode(step.began.description, forKey: .began)
        try container.encode(step.failure, forKey: .failure)
    }
}
