public import Model

extension Question {
    /// Why an approval does not speak for this change here, leaving its end aside; nil where it does.
    func refusal(of approval: Approval) -> String? {
        guard approval.distribution == distribution else { return "is for another distribution" }
        // Exact bytes (invariant 6): the revision of a snap, the digest for this architecture of a binary.
        if let revision = change.to.revision {
            guard approval.revision == revision else { return "is for another revision" }
        } else {
            guard let sha256 = change.to.sha256, let architecture = node.architecture else {
                return "cannot be compared: the target's digest or this node's architecture is not known"
            }
            guard let approved = approval.digests[architecture.rawValue] else {
                return "has no digest for \(architecture.rawValue)"
            }
            guard approved == sha256 else { return "is for another digest" }
        }
        if let version = approval.version, version != to { return "is for \(version)" }
        if !approval.from.isEmpty {
            guard let from, approval.from.contains(from) else {
                return "does not list \(from.map(\.description) ?? "the present version") as a start"
            }
        }
        switch approval.scope {
        case .node(let name) where name != node.name: return "is for node \(name)"
        case .stage(let name) where name != stage?.name: return "is for stage \(name)"
        case .rollout(let name) where name != fleet.rollout: return "is for rollout \(name)"
        case .node, .stage, .rollout: break
        }
        if approval.isSpent(on: node.name) { return "is spent on this node" }
        let tooMuch = approval.waives.filter { !policy.approval.mayWaive.contains($0) }
        if !tooMuch.isEmpty {
            let names = tooMuch.map(\.rawValue).joined(separator: ", ")
            return "waives \(names), which approval.mayWaive does not let"
        }
        return nil
    }

    /// The denial that speaks of this change's target; it outweighs every approval.
    var denial: Denial? { denials.first { $0.covers(change.to, of: distribution) } }

    /// The approvals that speak for this change, whether or not their end has come.
    var matchingApprovals: [Approval] { approvals.filter { refusal(of: $0) == nil } }

    /// Those that count now; none while the clock cannot say whether their end has come.
    var approvalsInForce: [Approval] {
        clockIsGood ? matchingApprovals.filter { now < $0.expires } : []
    }
}

/// The approvals that speak for a change as it was decided on, and that carrying it out uses up (invariant 6).
public func approvalsInForce(_ record: DecisionRecord) -> [Approval] { Question(record).approvalsInForce }

/// The same, and those too whose end cannot be told to have come, since the clock is not known to be right.
public func approvalsNotEnded(_ record: DecisionRecord) -> [Approval] {
    Question(record).matchingApprovals.filter { record.now < $0.expires }
}

extension Question {
    fileprivate init(_ record: DecisionRecord) {
        self.init(
            resolved: record.policy, subject: record.subject, fleet: record.fleet,
            approvals: record.approvals,
            denials: record.denials, now: record.now)
    }
}
