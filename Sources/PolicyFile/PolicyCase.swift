public import Model

/// A file of cases for `policy test`: what a policy is expected to say of some changes.
public struct PolicyCases: Hashable, Sendable {
    /// The policy that they are for, as the file names it: relative to the file itself.
    ///
    /// Nil where the file names none.
    public var policy: String?
    /// In the file's order; their names differ.
    public var cases: [PolicyCase]
}

/// One change, all that it is judged on, and what is expected.
public struct PolicyCase: Hashable, Sendable {
    /// What a decision must be.
    public struct Expectation: Hashable, Sendable {
        /// What must be decided.
        public var verdict: Verdict
        /// Exactly the rules that are not met; nil where that does not matter.
        public var notMet: [RuleName]?
        /// A rule that must be among those that make the verdict; nil where that does not matter.
        public var by: RuleName?
        /// From when on the change would be allowed; nil where that does not matter.
        public var notBefore: Instant?
    }

    /// What the case shows, for whoever reads that it failed.
    public var name: String
    /// Where the case stands in its file, from 1.
    public var line: Int
    /// Its zone is nil: which one is known only once the policy is resolved, and the caller puts it in.
    public var subject: Subject
    /// What is known of other nodes.
    public var fleet: FleetSummary
    /// The approvals that are there.
    public var approvals: [Approval]
    /// The time that rules compare with.
    public var now: Instant
    /// What the decision must be.
    public var expected: Expectation
}

extension PolicyCase {
    /// In what a decision differs from what is expected; empty where it does not.
    public func differences(from decision: Decision) -> [String] {
        var differences: [String] = []
        let open = decision.reasons.filter { $0.result != .met }
        if decision.verdict != expected.verdict {
            let why = open.map { "\($0.rule.rawValue): \($0.text)" }.joined(separator: "; ")
            differences.append(
                "expected \(expected.verdict.rawValue), got \(decision.verdict.rawValue)"
                    + (why.isEmpty ? "" : " (\(why))"))
        }
        if let notMet = expected.notMet, Set(open.map(\.rule)) != Set(notMet) {
            func list(_ rules: [RuleName]) -> String {
                // In one order, so that the two can be compared by eye.
                let names = RuleName.allCases.filter(rules.contains).map(\.rawValue)
                return names.isEmpty ? "none" : names.joined(separator: ", ")
            }
            differences.append("expected not met: \(list(notMet)); got: \(list(open.map(\.rule)))")
        }
        if let by = expected.by, !decision.makers.contains(where: { $0.rule == by }) {
            let makers = decision.makers.map(\.rule.rawValue).joined(separator: ", ")
            differences.append(
                "expected to be stopped by \(by.rawValue), got \(makers.isEmpty ? "nothing" : makers)")
        }
        if let notBefore = expected.notBefore, decision.earliest != notBefore {
            let earliest = decision.earliest.map(\.description) ?? "no known time"
            differences.append("expected to be allowed from \(notBefore), got \(earliest)")
        }
        return differences
    }
}

extension Decision {
    /// The reasons that make the verdict: those that deny where it is denied, else all that are not met.
    public var makers: [Reason] {
        let open = reasons.filter { $0.result != .met }
        guard verdict == .deny else { return open }
        return open.filter { $0.result == .unmet && $0.consequence == .deny }
    }
}
