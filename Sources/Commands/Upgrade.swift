import Agent
import Artifacts
import CommandLine
import Host
import Ledger
import Model
import Ports
import Reports
import Rollout
import Rules

/// `holdfast upgrade DISTRIBUTION TARGET`: plans the way to a release, and begins the rollout of its first step.
func upgrade(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let isPlan = invocation.has("plan")
    if !isPlan { try place.needsRoot("a rollout is begun") }
    let isJSON = invocation.value("output") == "json"
    let distribution = try Distribution(argument: invocation.value("distribution") ?? "")
    let fleet = try place.openFleet()
    let before = try stored(distribution, fleet)?.value
    // Looked at anew, so that this node's own record is there for the plan.
    let outcome =
        isPlan ? place.preview().outcome : tick(at: place, on: screen, asksFleet: true)
    if let failure = outcome.failure { throw Failure(ledger: failure) }
    let planning = try UpgradePlanning(place, fleet, distribution, outcome.judgement, invocation)
    var plan = try planning.plan()
    guard !isPlan, let document = plan.document else {
        try show(plan, asJSON: isJSON, on: screen)
        return .done
    }
    let written = try begin(document, fleet, place)
    // What the look above has begun by itself is this person's word too; what was there before is not begun again.
    let isOld = written.id == before?.id
    try place.record(catalogue: plan.artifacts, reading: place.clock.read())
    if !isOld {
        try place.record(
            .rolloutSaid(
                RolloutWord(
                    distribution: distribution, rollout: written.id, version: written.artifact.version,
                    word: .begin,
                    reason: invocation.value("reason") ?? "", claimedBy: claimedBy())),
            reading: place.clock.read())
    }
    plan.document = written
    try show(plan, asJSON: isJSON, on: screen)
    if !isJSON {
        screen.out(
            isOld
                ? "\nRollout \(written.id) of this release is under way since before; nothing new was begun.\n"
                : "\nRollout \(written.id) has begun.\n")
    }
    let after = tick(at: place, on: screen, asksFleet: true)
    startStep(after: after, at: place, on: screen)
    if !isJSON { screen.out(next(after.judgement, written, screen)) }
    return .done
}

private func show(_ plan: UpgradeOutline, asJSON isJSON: Bool, on screen: Screen) throws(Failure) {
    if isJSON { return try screen.json(plan) }
    screen.out(plan.text(screen.style, width: screen.width))
}

private func stored(
    _ distribution: Distribution, _ fleet: FleetPlace
) throws(Failure) -> Stored<RolloutDocument>? {
    do throws(FleetFailure) { return try fleet.port.rollout(of: distribution) } catch {
        throw Failure(fleet: error)
    }
}

private func begin(
    _ planned: RolloutDocument, _ fleet: FleetPlace, _ place: Place
) throws(Failure) -> RolloutDocument {
    let seat = (try? place.readLedger().load().state.seat(of: planned.distribution)) ?? Seat()
    let existing = try stored(planned.distribution, fleet)
    // What the policy lets in with nobody asked may have begun by itself at this moment.
    if let running = existing?.value, running.state == .running, running.artifact == planned.artifact {
        return running
    }
    let document: RolloutDocument
    do throws(Refusal) {
        document = try RolloutDocument.create(planned, over: existing?.value, highest: seat.highest)
    } catch {
        throw Failure(code: .failed, message: error.text)
    }
    do throws(FleetFailure) { return try fleet.port.put(document, over: existing).value } catch {
        guard error.code != .conflict else {
            throw Failure(
                code: .failed,
                message: "somebody else began a rollout at this moment; 'holdfast rollout status' shows it")
        }
        throw Failure(fleet: error)
    }
}

/// What a person does now.
private func next(_ judgement: Judgement, _ document: RolloutDocument, _ screen: Screen) -> String {
    let change = judgement.decisions.first { record in
        record.subject.change.installation.distribution == document.distribution
            && record.subject.change.to.version == document.artifact.version
    }
    var text = "\n" + screen.style("Next", .strong) + "\n"
    var rows: [[Cell]] = []
    if let change, change.decision.reasons.contains(where: { $0.rule == .ceiling && $0.result != .met }) {
        rows.append([
            ("holdfast approve \(change.subject.change.id) --rollout", nil),
            ("nothing is touched before that: the policy asks for an approval", nil),
        ])
    }
    rows.append([
        ("holdfast rollout status", nil),
        ("how far it is, and what the node where it is given waits for", nil),
    ])
    rows.append([("holdfast status --fleet", nil), ("every node", nil)])
    text += aligned(rows, indent: 2, style: screen.style, width: screen.width)
    text +=
        "Other nodes look at the store once an hour without a rollout; 'holdfast check --fleet' there looks at once.\n"
    return text
}

extension Place {
    /// Records checksums that the release's own file has told, so that its bytes are known to be the release.
    fileprivate func record(catalogue artifacts: [FoundArtifact], reading: ClockReading) throws(Failure) {
        let proven = artifacts.filter { $0.proof == .release || $0.proof == .imported }
        guard !proven.isEmpty else { return }
        let event = catalogImport(of: proven, at: reading.now) { digest(Array($0.utf8)) }
        try record(event, reading: reading)
    }
}
