public import Model

/// What waits on a node and what persons have said, as `approve` lists it and answers with it.
public struct WaitingReport: Encodable, Hashable, Sendable {
    /// The node's name.
    public var node: String
    /// Changes that are not allowed as things stand.
    public var waiting: [WaitingPart]
    /// Approvals that are in force.
    public var approvals: [ApprovalPart]
    /// Denials that were not revoked.
    public var denials: [DenialPart]

    /// Makes a report.
    public init(node: String, waiting: [WaitingPart], approvals: [Approval], denials: [Denial]) {
        self.node = node
        self.waiting = waiting
        self.approvals = approvals.map(ApprovalPart.init)
        self.denials = denials.map(DenialPart.init)
    }

    /// One change that waits.
    public struct WaitingPart: Encodable, Hashable, Sendable {
        /// The decision on it.
        public var record: DecisionRecord
        /// Why no approval can release it; nil where one can.
        public var refusal: String?

        /// Makes the part of a change.
        public init(record: DecisionRecord, refusal: String?) {
            self.record = record
            self.refusal = refusal
        }

        private enum Key: String, CodingKey { case distribution, installation, change, approvable, refusal }

        /// Writes the keys that scripts rely on.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            let installation = record.subject.change.installation
            try container.encode(installation.distribution, forKey: .distribution)
            try container.encode(installation.name, forKey: .installation)
            try container.encode(ChangePart(record: record), forKey: .change)
            try container.encode(refusal == nil, forKey: .approvable)
            try container.encodeIfPresent(refusal, forKey: .refusal)
        }
    }
}

/// What came of a person's word: the word itself, and how the change it is about now stands.
public struct PersonsWordReport: Encodable, Hashable, Sendable {
    /// What was given or taken back.
    public enum Word: Hashable, Sendable {
        case approved(Approval)
        case denied(Denial)
        case revoked(Revocation)
    }

    /// What was given or taken back.
    public var word: Word
    /// The decision on each change to these bytes, as it is now.
    public var decisions: [DecisionRecord]

    /// Makes a report.
    public init(word: Word, decisions: [DecisionRecord]) {
        self.word = word
        self.decisions = decisions
    }

    private enum Key: String, CodingKey { case approval, denial, revoked, revokedBy, changes }
    private enum RevokedKey: String, CodingKey { case approval, denial }

    /// Writes the keys that scripts rely on.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch word {
        case .approved(let approval):
            try container.encode(ApprovalPart(approval: approval), forKey: .approval)
        case .denied(let denial): try container.encode(DenialPart(denial: denial), forKey: .denial)
        case .revoked(let revocation):
            var part = container.nestedContainer(keyedBy: RevokedKey.self, forKey: .revoked)
            switch revocation.revoked {
            case .approval(let approval): try part.encode(ApprovalPart(approval: approval), forKey: .approval)
            case .denial(let denial): try part.encode(DenialPart(denial: denial), forKey: .denial)
            }
            try container.encode(revocation.claimedBy, forKey: .revokedBy)
        }
        try container.encode(decisions.map(ChangePart.init), forKey: .changes)
    }
}
