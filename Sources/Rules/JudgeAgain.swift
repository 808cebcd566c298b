public import Model

/// What another policy says of a past decision, judged alone: its own change, fleet, approvals, denials and time.
///
/// - Parameters:
///   - loaded: the other policy, resolved here for the decision's node and installation.
///   - zone: the time zone of a name, for a policy whose zone is not the one that was stored.
public func judgeAgain(
    _ record: DecisionRecord, under loaded: LoadedPolicy, zone: (String) -> Zone?
) -> Decision {
    var subject = record.subject
    let resolved = resolve(
        loaded, isCurrent: true, node: subject.node, distribution: subject.change.installation.distribution,
        role: subject.installation.role)
    if subject.zone?.name != resolved.policy.timezone { subject.zone = zone(resolved.policy.timezone) }
    return evaluate(
        policy: resolved, subject: subject, fleet: record.fleet, approvals: record.approvals,
        denials: record.denials, now: record.now)
}
