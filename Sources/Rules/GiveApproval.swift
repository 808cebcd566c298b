public import Model

/// What a person asks for who approves a change.
public struct ApprovalRequest: Hashable, Sendable {
    /// Whom it is to speak for; nil for this node alone.
    public var scope: Approval.Scope?
    /// How long it is to last; nil for as long as the policy lets it.
    public var lasts: TimeSpan?
    /// The versions that it may start from; empty for what each installation is meant to run now.
    public var from: [Version]
    /// The rules that it is to waive besides the ceiling.
    public var waives: [RuleName]
    /// Why, in the person's words.
    public var reason: String
    /// The version of bytes that do not tell it themselves.
    public var statedVersion: Version?
    /// What the system says of who approves.
    public var claimedBy: String

    /// Makes a request for what policy and node give by themselves.
    public init(claimedBy: String) {
        from = []
        waives = []
        reason = ""
        self.claimedBy = claimedBy
    }
}

/// Why an approval cannot be given.
public struct ApprovalRefusal: Error, Hashable, CustomStringConvertible {
    /// Whose fault it is.
    public enum Cause: Hashable, Sendable {
        /// What was asked for makes no sense as it was asked.
        case request
        /// There is no valid policy to say what may be approved.
        case policy
        /// The rules forbid it.
        case rules
    }

    /// Whose fault it is.
    public var cause: Cause
    /// What stands in the way, and what to do about it.
    public var description: String
}

/// The approval that a person asks for, of the change that a record decided on.
///
/// It is for exactly the record's target (invariant 6). What no approval can release is refused here, so that nobody
/// waits for what cannot come: an unknown type of update, more than the policy lets a person approve, and whatever
/// would be denied with the approval as well as without.
///
/// - Parameters:
///   - record: as the change stands now.
///   - label: makes a short label of a text.
public func approval(
    of record: DecisionRecord, as request: ApprovalRequest, at now: Instant, label: (String) -> String
) throws(ApprovalRefusal) -> Approval {
    let policy = record.policy.policy
    let source = record.policy.source(of: "approval")
    guard record.policy.isCurrent else {
        throw ApprovalRefusal(
            cause: .policy,
            description: "there is no valid policy that could say what may be approved; correct the file "
                + "first: holdfast policy lint")
    }
    let subject = try stating(request.statedVersion, in: record.subject)
    let target = subject.change.to
    guard let pins = pins(of: target, on: subject.node) else {
        throw ApprovalRefusal(
            cause: .rules,
            description: "\(target.summary) has neither a digest nor a revision that could be approved; let "
                + "Holdfast read the file first: holdfast check")
    }
    let longest = policy.approval.expires
    let lasts = request.lasts ?? longest
    guard lasts > .zero, lasts <= longest else {
        throw ApprovalRefusal(
            cause: .request,
            description: "an approval lasts for at most \(longest.policyText) (approval.expires, \(source)), "
                + "not for \(lasts.policyText); ask for less")
    }
    for rule in request.waives where !policy.approval.mayWaive.contains(rule) {
        let names = policy.approval.mayWaive.map(\.rawValue).joined(separator: ", ")
        throw ApprovalRefusal(
            cause: .request,
            description: "\(rule.rawValue) cannot be waived: approval.mayWaive (\(source)) lets an approval "
                + "waive \(names.isEmpty ? "nothing" : names)")
    }
    guard request.waives.isEmpty || !request.reason.isEmpty else {
        throw ApprovalRefusal(
            cause: .request, description: "a waiver needs a reason: --waive RULE --reason TEXT")
    }
    let scope = request.scope ?? .node(subject.node.name)
    try check(scope, of: record)
    var given = Approval(
        id: "", distribution: subject.change.installation.distribution, version: target.version,
        digests: pins.digests, revision: pins.revision,
        from: request.from.isEmpty ? [subject.change.from.version].compactMap(\.self) : request.from,
        scope: scope, approvedAt: now, expires: now + lasts, waives: request.waives,
        reason: request.reason, claimedBy: request.claimedBy, spentBy: [])
    given.id = label(given.labelText)
    try refuseInVain(given, record: record, subject: subject, now: now)
    return given
}

/// The subject with the version that a person states for bytes that do not tell it.
private func stating(_ stated: Version?, in subject: Subject) throws(ApprovalRefusal) -> Subject {
    guard let stated else { return subject }
    let change = subject.change
    if let version = change.to.version {
        guard version == stated else {
            throw ApprovalRefusal(
                cause: .request,
                description: "the target is known to be \(version), not \(stated); a version is stated only "
                    + "for bytes that do not tell it")
        }
        return subject
    }
    var subject = subject
    var target = change.to
    target.version = stated
    subject.change = Change(
        id: change.id, installation: change.installation, trigger: change.trigger, phase: change.phase,
        from: change.from, to: target, origin: .verified, published: change.published,
        firstSeen: change.firstSeen)
    return subject
}

private func pins(
    of target: Artifact, on node: NodeFacts
) -> (digests: [String: Digest], revision: String?)? {
    if let revision = target.revision { return ([:], revision) }
    guard let sha256 = target.sha256, let architecture = node.architecture else { return nil }
    return ([architecture.rawValue: sha256], nil)
}

// One for a node is kept there, so one for another node would never be read; a fleet's store carries the others.
private func check(_ scope: Approval.Scope, of record: DecisionRecord) throws(ApprovalRefusal) {
    let own = record.subject.node.name
    let stages = record.policy.stages
    switch scope {
    case .node(let name) where name != own:
        throw ApprovalRefusal(
            cause: .request,
            description: "an approval that is given here speaks for \(own) alone; give it on \(name)")
    case .stage(let name) where !stages.contains { $0.name == name }:
        let names = stages.map(\.name).joined(separator: ", ")
        throw ApprovalRefusal(
            cause: .request, description: "the policy has no stage \(name); it has \(names)")
    case .stage(let name)
    where !record.fleet.seesOthers && record.policy.stage.map({ stages[$0].name }) != name:
        throw ApprovalRefusal(
            cause: .request,
            description: "\(own) is not in stage \(name), and an approval that is given here is read by no "
                + "other node; give it on a node of that stage")
    case .rollout(let name) where name != record.fleet.rollout:
        throw ApprovalRefusal(
            cause: .request,
            description: record.fleet.rollout.map { "rollout \(name) is not under way; \($0) is" }
                ?? "no rollout is under way; 'holdfast upgrade' begins one")
    case .node, .stage, .rollout: break
    }
}

/// Refuses what would be of no avail: with the approval in force the change would still be denied, or not known.
private func refuseInVain(
    _ given: Approval, record: DecisionRecord, subject: Subject, now: Instant
) throws(ApprovalRefusal) {
    var fleet = record.fleet
    // What failed here is lifted by the very approval that is asked for.
    fleet.quarantine.removeAll { $0.isOwn == true }
    let question = Question(
        resolved: record.policy, subject: subject, fleet: fleet,
        approvals: record.approvals + [given], denials: record.denials, now: now)
    if subject.change.to.version == nil {
        throw ApprovalRefusal(
            cause: .rules,
            description: "the version of \(subject.change.to.summary) cannot be read; import the release's "
                + "checksums (holdfast catalog import FILE), or state it: --version VERSION")
    }
    let reasons = question.reasons()
    let inVain = reasons.filter { reason in
        switch (reason.result, reason.rule) {
        case (.met, _): false
        case (.unmet, _) where reason.consequence == .deny: true
        case (_, .identity): true
        case (_, .ceiling): question.updateType == .unknown
        default: false
        }
    }
    guard let first = inVain.first else { return }
    let texts = inVain.map { "\($0.text) (\($0.rule.rawValue), \($0.source))" }.joined(separator: "; ")
    let lever = inVain.lazy.compactMap(\.lever).first.map { "; what can change that: \($0)" } ?? ""
    let what = first.consequence == .deny ? "an approval cannot release it" : "it cannot be approved"
    throw ApprovalRefusal(cause: .rules, description: "\(what): \(texts)\(lever)")
}

extension Approval {
    /// What its id is the digest of.
    fileprivate var labelText: String {
        let pins = digests.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.hex)" }
        let parts =
            [
                "approval", distribution.rawValue, version?.description ?? "any", revision ?? "none",
                scope.description, "\(approvedAt.seconds)", "\(expires.seconds)", claimedBy,
            ] + pins + from.map(\.description) + waives.map(\.rawValue)
        return parts.joined(separator: " ")
    }
}
