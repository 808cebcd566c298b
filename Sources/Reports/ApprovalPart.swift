public import Model

/// An approval as JSON; instants as text, null where something is not known.
public struct ApprovalPart: Encodable, Hashable, Sendable {
    /// As it was given.
    public var approval: Approval

    /// Makes the part of a report.
    public init(approval: Approval) { self.approval = approval }

    private enum Key: String, CodingKey {
        case id, distribution, version, digests, revision, from, scope, approvedAt, expires, waives, reason,
            claimedBy
    }

    /// Writes the keys that scripts rely on.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(approval.id, forKey: .id)
        try container.encode(approval.distribution, forKey: .distribution)
        try container.encode(approval.version, forKey: .version)
        try container.encode(approval.digests, forKey: .digests)
        try container.encode(approval.revision, forKey: .revision)
        try container.encode(approval.from, forKey: .from)
        try container.encode(approval.scope.description, forKey: .scope)
        try container.encode(approval.approvedAt.description, forKey: .approvedAt)
        try container.encode(approval.expires.description, forKey: .expires)
        try container.encode(approval.waives, forKey: .waives)
        try container.encode(approval.reason, forKey: .reason)
        try container.encode(approval.claimedBy, forKey: .claimedBy)
    }
}

/// A denial as JSON; instants as text, null where something is not known.
public struct DenialPart: Encodable, Hashable, Sendable {
    /// As it was given.
    public var denial: Denial

    /// Makes the part of a report.
    public init(denial: Denial) { self.denial = denial }

    private enum Key: String, CodingKey {
        case id, distribution, version, sha256, revision, deniedAt, reason, claimedBy
    }

    /// Writes the keys that scripts rely on.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(denial.id, forKey: .id)
        try container.encode(denial.distribution, forKey: .distribution)
        try container.encode(denial.target.version, forKey: .version)
        try container.encode(denial.target.sha256, forKey: .sha256)
        try container.encode(denial.target.revision, forKey: .revision)
        try container.encode(denial.deniedAt.description, forKey: .deniedAt)
        try container.encode(denial.reason, forKey: .reason)
        try container.encode(denial.claimedBy, forKey: .claimedBy)
    }
}
