public import Model

/// A change that is allowed and cannot begin, and why.
public struct WaitingStep: Encodable, Hashable, Sendable {
    /// What waits.
    public var change: Change
    /// What it waits for, for a person.
    public var reason: String

    /// Makes the part of a report.
    public init(change: Change, reason: String) {
        self.change = change
        self.reason = reason
    }

    private enum Key: String, CodingKey { case change, distribution, name, version, reason }

    /// Writes the keys that scripts rely on.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(change.id, forKey: .change)
        try container.encode(change.installation.distribution, forKey: .distribution)
        try container.encode(change.installation.name, forKey: .name)
        try container.encode(change.to.version, forKey: .version)
        try container.encode(reason, forKey: .reason)
    }
}
