public import Model

/// A past decision that another policy would have made otherwise.
public struct Flip: Hashable, Sendable {
    /// One rule that comes out otherwise; nil where it was not asked.
    public struct Turn: Hashable, Sendable {
        /// Which rule.
        public var rule: RuleName
        /// What it came to under the policy of that time.
        public var was: Reason?
        /// What it comes to under the other policy.
        public var becomes: Reason?
    }

    /// The entry's number in the ledger.
    public var sequence: Int64
    /// When it was recorded.
    public var at: Instant
    /// As it was decided.
    public var record: DecisionRecord
    /// As the other policy has it.
    public var decision: Decision

    /// The flip of a decision; nil where the verdict stays.
    public init?(sequence: Int64, at: Instant, record: DecisionRecord, decision: Decision) {
        guard record.decision.verdict != decision.verdict else { return nil }
        self.sequence = sequence
        self.at = at
        self.record = record
        self.decision = decision
    }

    /// The rules that made the difference, in the rules' order.
    public var turns: [Turn] {
        RuleName.allCases.compactMap { rule in
            let was = record.decision.reasons.first { $0.rule == rule }
            let becomes = decision.reasons.first { $0.rule == rule }
            guard was?.result != becomes?.result || was?.consequence != becomes?.consequence else {
                return nil
            }
            return Turn(rule: rule, was: was, becomes: becomes)
        }
    }
}

extension Flip: Encodable {
    private enum Key: String, CodingKey {
        case seq, at, decision, change, node, distribution, installation, from, to, was, becomes, rules,
            earliest
    }

    /// Writes the names that the history has for the same things.
    public func encode(to encoder: any Encoder) throws {
        let change = record.subject.change
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(sequence, forKey: .seq)
        try container.encode(at.description, forKey: .at)
        try container.encode(record.id, forKey: .decision)
        try container.encode(change.id, forKey: .change)
        try container.encode(record.subject.node.name, forKey: .node)
        try container.encode(change.installation.distribution, forKey: .distribution)
        try container.encode(change.installation.name, forKey: .installation)
        try container.encode(change.from.version, forKey: .from)
        try container.encode(change.to.version, forKey: .to)
        try container.encode(record.decision.verdict, forKey: .was)
        try container.encode(decision.verdict, forKey: .becomes)
        try container.encode(decision.earliest?.description, forKey: .earliest)
        try container.encode(turns, forKey: .rules)
    }
}

extension Flip.Turn: Encodable {
    private enum Key: String, CodingKey { case rule, was, becomes }
    private enum ReasonKey: String, CodingKey { case result, text, source }

    /// Writes both reasons.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(rule, forKey: .rule)
        for (key, reason) in [(Key.was, was), (.becomes, becomes)] {
            guard let reason else { continue }
            var part = container.nestedContainer(keyedBy: ReasonKey.self, forKey: key)
            try part.encode(reason.result, forKey: .result)
            try part.encode(reason.text, forKey: .text)
            try part.encode(reason.source, forKey: .source)
        }
    }
}
