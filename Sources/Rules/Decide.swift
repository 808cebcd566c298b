public import Model

/// Makes the record of a decision: what the rules say, all that they were given, and the label of the result.
///
/// The one way by which records come to be, so that each can be made again from what it holds (invariant 5).
///
/// - Parameters:
///   - zoneData: the version of the time zone's data, of which the subject holds what was read.
///   - label: makes a short label of a text, the same in every process.
public func decide(
    policy: ResolvedPolicy, subject: Subject, fleet: FleetSummary, approvals: [Approval],
    denials: [Denial], now: Instant, zoneData: String, label: (String) -> String
) -> DecisionRecord {
    let decision = evaluate(
        policy: policy, subject: subject, fleet: fleet, approvals: approvals, denials: denials, now: now)
    let text = DecisionRecord.labelText(change: subject.change, policy: policy.sha256, decision: decision)
    return DecisionRecord(
        id: label(text), decision: decision, subject: subject, policy: policy, fleet: fleet,
        approvals: approvals, denials: denials, now: now,
        dataVersions: [rulesKey: rulesVersion, zoneDataKey: zoneData])
}

/// Under these names a record says which rules and which time zone data it was made with.
let rulesKey = "rules"
let zoneDataKey = "tzdata"
