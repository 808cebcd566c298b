import Agent
import CommandLine
import Host
import Ledger
import Model
import PolicyFile
import Ports
import Reports
import Rules

/// `holdfast approve [CHANGE]`: lets exact bytes pass the ceiling, or lists what waits.
func approve(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let judgement = try place.currentJudgement()
    var request = try approvalRequest(invocation)
    guard let word = invocation.value("change") else {
        guard request == ApprovalRequest(claimedBy: request.claimedBy) else {
            throw Failure(
                code: .usage, message: "name the change to approve; 'holdfast approve' lists what waits")
        }
        return try listWaiting(judgement, as: invocation, on: screen)
    }
    let records = try oneChange(word, in: judgement)
    guard let record = records.first else { return .failed }
    if request.from.isEmpty {
        // The same bytes can be on their way to more than one installation.
        request.from = Set(records.compactMap(\.subject.change.from.version)).sorted()
    }
    let reading = place.clock.read()
    if invocation.has("rollout") {
        guard let rollout = record.fleet.rollout else {
            throw Failure(
                code: .failed, message: "no rollout is under way; 'holdfast upgrade' begins one")
        }
        request.scope = .rollout(rollout)
        request.from = []
    }
    var given: Approval
    do throws(ApprovalRefusal) {
        given = try approval(of: record, as: request, at: reading.now, label: label)
    } catch {
        throw Failure(refusal: error)
    }
    try share(&given, judgement, at: place)
    try place.record(.approved(given), reading: reading)
    return try tell(
        .approved(given), of: record.subject.change.to, at: place, as: invocation, on: screen)
}

/// Makes an approval known to the others whom it speaks for; one for this node alone stays here.
private func share(_ given: inout Approval, _ judgement: Judgement, at place: Place) throws(Failure) {
    switch given.scope {
    case .node: return
    case .stage: guard judgement.fleet != nil else { return }
    case .rollout:
        // It is for the same release in every build of it.
        let document = judgement.fleet?.documents[given.distribution.rawValue]
        for (architecture, bytes) in document?.artifact.bytes ?? [:] {
            if let digest = Digest(bytes) { given.digests[architecture] = digest }
        }
    }
    let fleet = try place.openFleet()
    do throws(FleetFailure) { try fleet.port.share(given) } catch { throw Failure(fleet: error) }
}

private func listWaiting(
    _ judgement: Judgement, as invocation: Invocation, on screen: Screen
) throws(Failure) -> ExitCode {
    let now = judgement.observation.clock.now
    let node = judgement.observation.node.name
    let waiting = judgement.decisions.filter { $0.decision.verdict != .allow }.map { record in
        WaitingReport.WaitingPart(record: record, refusal: refusal(of: record, at: now))
    }
    let report = WaitingReport(
        node: node, waiting: waiting, approvals: judgement.state.approvals(inForceOn: node, at: now),
        denials: judgement.state.denials)
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        screen.out(WaitingText(report: report, style: screen.style, width: screen.width, now: now).text())
    }
    return .done
}

/// Why no approval that policy and node give by themselves can release a change.
private func refusal(of record: DecisionRecord, at now: Instant) -> String? {
    do throws(ApprovalRefusal) {
        _ = try approval(of: record, as: ApprovalRequest(claimedBy: ""), at: now, label: label)
        return nil
    } catch {
        return error.description
    }
}

/// What the options ask for.
private func approvalRequest(_ invocation: Invocation) throws(Failure) -> ApprovalRequest {
    var request = ApprovalRequest(claimedBy: claimedBy())
    request.reason = invocation.value("reason") ?? ""
    if invocation.has("rollout"), invocation.value("node") ?? invocation.value("stage") != nil {
        throw Failure(code: .usage, message: "--rollout speaks for every node; leave --node and --stage out")
    }
    switch (invocation.value("node"), invocation.value("stage")) {
    case (nil, nil): break
    case (let name?, nil): request.scope = .node(name)
    case (nil, let name?): request.scope = .stage(name)
    case (_?, _?):
        throw Failure(code: .usage, message: "--node and --stage cannot both be given; take one of them")
    }
    if let text = invocation.value("expires") {
        guard let lasts = TimeSpan(policyText: text) else {
            throw Failure(code: .usage, message: "--expires \(text.printable) is no duration: write 12h, 3d")
        }
        request.lasts = lasts
    }
    for text in list(invocation.value("from")) { request.from.append(try version(text, of: "from")) }
    for text in list(invocation.value("waive")) {
        guard let rule = RuleName(rawValue: text) else {
            let meant = nearest(to: text, among: RuleName.allCases.map(\.rawValue))
            throw Failure(
                code: .usage,
                message: "--waive \(text.printable) is no rule"
                    + (meant.map { "; did you mean \($0)" } ?? "; 'holdfast explain' names them"))
        }
        request.waives.append(rule)
    }
    if let text = invocation.value("version") { request.statedVersion = try version(text, of: "version") }
    return request
}

private func list(_ text: String?) -> [String] {
    (text ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
}

private func version(_ text: String, of option: String) throws(Failure) -> Version {
    guard let version = Version(text) else {
        throw Failure(
            code: .usage, message: "--\(option) \(text.printable) is no version: write v1.31.4+k3s1")
    }
    return version
}

extension Failure {
    fileprivate init(refusal: ApprovalRefusal) {
        let code: ExitCode =
            switch refusal.cause {
            case .request: .usage
            case .policy: .badConfiguration
            case .rules: .failed
            }
        self.init(code: code, message: refusal.description.printable)
    }
}
