import Agent
import CommandLine
import Host
import Ledger
import Model
import PolicyFile
import Ports
import Reports
import Rollout

/// `holdfast rollout status`: what is rolled out, how far it is, and who is at it.
func rolloutStatus(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let report = try place.fleetReport(try place.openFleet(), nodes: true)
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        screen.out(place.text(report, on: screen).rollouts())
    }
    return .done
}

/// `holdfast rollout pause --reason TEXT`: no grant is given until it is resumed.
func rolloutPause(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let reason = invocation.value("reason") ?? ""
    guard !reason.isEmpty else { throw Failure(code: .usage, message: "say why: --reason TEXT") }
    return try change(invocation, .pause, reason, on: screen) { document, _, _ throws(Refusal) in
        try document.pausing(reason: "\(reason) (\(claimedBy()))")
    }
}

/// `holdfast rollout resume`: it goes on, after a pause, a failure, or a store that went back in time.
func rolloutResume(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    try change(invocation, .resume, "", on: screen) { document, highest, now throws(Refusal) in
        try document.resuming(highest: highest, now: now)
    }
}

/// `holdfast rollout abort --reason TEXT`: nobody begins any more; who has begun finishes or goes back.
func rolloutAbort(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let reason = invocation.value("reason") ?? ""
    guard !reason.isEmpty else { throw Failure(code: .usage, message: "say why: --reason TEXT") }
    return try change(invocation, .abort, reason, on: screen) { document, _, _ throws(Refusal) in
        try document.aborting(reason: "\(reason) (\(claimedBy()))")
    }
}

/// `holdfast rollout evict NODE`: frees the grant of a node that is gone, and waits for it no longer.
func rolloutEvict(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let name = invocation.value("node") ?? ""
    let fleet = try place.openFleet()
    let records: [NodeRecord]
    do throws(FleetFailure) { records = try fleet.port.nodes().records } catch { throw Failure(fleet: error) }
    return try change(invocation, .evict(node: name), "", on: screen) { document, _, _ throws(Refusal) in
        let participants = document.participants(called: name, records)
        guard let participant = participants.first else { throw .unknownNode(name.printable) }
        guard participants.count == 1 else { throw .severalNodes(participants.map(\.id)) }
        return try document.evicting(participant)
    }
}

extension RolloutDocument {
    /// The places in the rollout of a node that a person has named, by its name or its id.
    func participants(called name: String, _ records: [NodeRecord]) -> [Participant] {
        let known = records.filter { $0.name == name || $0.id == name }
        let ids = Set(known.map(\.id) + [name])
        // A grant is freed where it is held: the record may be gone, or say another stage by now.
        let holders = grants.filter { ids.contains($0.grant.node) }.map { track, stage, grant in
            Participant(
                id: grant.node, cluster: track.cluster, kind: track.kind, stage: stage.name, architecture: "")
        }
        let others = known.filter { record in !holders.contains { $0.id == record.id } }
        return holders
            + others.flatMap { record in
                record.parts.filter { $0.distribution == distribution }.compactMap { part in
                    guard let role = part.role, let stage = record.stage else { return nil }
                    return Participant(
                        id: record.id, cluster: record.cluster,
                        kind: role.isControlPlane ? .controlPlane : .workers, stage: stage,
                        architecture: record.architecture)
                }
            }
    }
}

/// Changes the rollout that is under way, and shows it.
///
/// - Parameter transition: the next document; it is made anew where somebody else was first.
private func change(
    _ invocation: Invocation, _ word: RolloutWord.Word, _ reason: String, on screen: Screen,
    _ transition: (RolloutDocument, _ highest: Int64, _ now: Instant) throws(Refusal) -> RolloutDocument
) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    try place.needsRoot("a rollout is changed")
    let fleet = try place.openFleet()
    let distribution = try place.distribution(of: invocation, in: fleet)
    let highest = (try? place.readLedger().load().state.seat(of: distribution).highest) ?? 0
    let reading = place.clock.read()
    var written: RolloutDocument?
    for _ in 0..<10 where written == nil {
        do throws(FleetFailure) {
            guard let stored = try fleet.port.rollout(of: distribution) else {
                throw FleetFailure(
                    .forbidden,
                    "no rollout of \(distribution.displayName) was ever begun; 'holdfast rollout status' shows all"
                )
            }
            let next: RolloutDocument
            do throws(Refusal) { next = try transition(stored.value, highest, reading.now) } catch {
                throw FleetFailure(.forbidden, error.text)
            }
            written = try fleet.port.put(next, over: stored).value
            if next.state.hasEnded { try? fleet.port.archive(next) }
        } catch {
            // Somebody else was first, or nobody heard: what is there now says what to do.
            guard error.code == .conflict || error.code == .unanswered else {
                throw Failure(code: .failed, message: error.description)
            }
        }
    }
    guard let written else {
        throw Failure(
            code: .busy, message: "the rollout changes faster than it can be written; try again")
    }
    try place.record(
        .rolloutSaid(
            RolloutWord(
                distribution: distribution, rollout: written.id, version: written.artifact.version,
                word: word,
                reason: reason, claimedBy: claimedBy())), reading: reading)
    let report = try place.fleetReport(fleet, nodes: true)
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        screen.out(place.text(report, on: screen).rollouts())
    }
    return .done
}

extension Place {
    /// Refuses what only root may do.
    func needsRoot(_ what: String) throws(Failure) {
        guard !root.isLive || Machine.effectiveUser == 0 else {
            throw Failure(code: .failed, message: "\(what) by root alone: run this as root")
        }
    }

    /// Whose rollout is meant: the one that was named, else the only one that is under way.
    func distribution(
        of invocation: Invocation, in fleet: FleetPlace
    ) throws(Failure) -> Distribution {
        if let name = invocation.value("distribution") { return try Distribution(argument: name) }
        var active: [Distribution] = []
        do throws(FleetFailure) {
            for distribution in Distribution.allCases {
                let state = try fleet.port.rollout(of: distribution)?.value.state
                if state?.hasEnded == false { active.append(distribution) }
            }
        } catch {
            throw Failure(fleet: error)
        }
        guard let only = active.first else {
            throw Failure(
                code: .failed,
                message: "no rollout is under way; 'holdfast rollout status' shows the last one")
        }
        guard active.count == 1 else {
            throw Failure(
                code: .usage,
                message:
                    "rollouts of \(active.map(\.rawValue).joined(separator: " and ")) are under way; say which: "
                    + "--distribution \(only.rawValue)")
        }
        return only
    }

    /// What the store holds, as it is shown.
    func fleetReport(_ fleet: FleetPlace, nodes: Bool) throws(Failure) -> FleetReport {
        var loaded: LoadedPolicy?
        if let bytes = try? policyBytes(), case .valid(let policy, warnings: _) = parse(bytes) {
            loaded = policy
        }
        do throws(FleetFailure) {
            var documents: [RolloutDocument] = []
            for distribution in Distribution.allCases {
                if let stored = try fleet.port.rollout(of: distribution) { documents.append(stored.value) }
            }
            let found = nodes ? try fleet.port.nodes() : ([], [])
            return FleetReport(
                seesOthers: fleet.port.seesOthers, documents: documents, records: found.0,
                quarantine: try fleet.port.quarantine().filter { $0.cleared == nil }, own: loaded?.sha256,
                stages: loaded?.document.stages ?? [], now: clock.read().now,
                problems: found.1.map(\.text))
        } catch {
            throw Failure(fleet: error)
        }
    }

    /// The same for a person.
    func text(_ report: FleetReport, on screen: Screen) -> FleetText {
        let known = try? readLedger().load().memory.fleet
        return FleetText(
            report: report, style: screen.style, width: screen.width, now: clock.read().now,
            waits: known?.waits ?? [:], unbegun: known?.unbegun ?? [:])
    }
}

extension Distribution {
    /// The distribution that a person has named.
    init(argument name: String) throws(Failure) {
        guard let distribution = Distribution(rawValue: name.lowercased()) else {
            let all = Distribution.allCases.map(\.rawValue)
            throw Failure(
                code: .usage,
                message: "\(name.printable) is no distribution; there is \(all.joined(separator: ", "))")
        }
        self = distribution
    }
}
