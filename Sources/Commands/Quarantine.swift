import CommandLine
import Host
import Ledger
import Model
import Ports
import Reports

/// `holdfast quarantine list`: what failed somewhere in the fleet and is begun with nowhere.
func quarantineList(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    var report = try place.fleetReport(try place.openFleet(), nodes: false)
    report.quarantine += place.ownQuarantine.filter { own in
        !report.quarantine.contains { $0.entry.bytes == own.bytes }
    }.map(FleetReport.QuarantinePart.init)
    if invocation.value("output") == "json" {
        try screen.json(report.quarantine)
    } else {
        screen.out(place.text(report, on: screen).quarantine())
    }
    return .done
}

/// `holdfast quarantine clear BYTES`: lets an artifact be rolled out again, after a person has looked at why it failed.
func quarantineClear(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    try place.needsRoot("a quarantine is cleared")
    let word = invocation.value("bytes") ?? ""
    guard !word.isEmpty else { throw Failure(code: .usage, message: "the bytes are empty") }
    let fleet = try place.openFleet()
    var known: [FleetQuarantine]
    do throws(FleetFailure) { known = try fleet.port.quarantine().filter { $0.cleared == nil } } catch {
        throw Failure(fleet: error)
    }
    known += place.ownQuarantine.filter { own in !known.contains { $0.bytes == own.bytes } }
    let found = known.filter { $0.bytes.hasPrefix(word) || $0.version?.description == word }
    guard let entry = found.first else {
        throw Failure(
            code: .failed,
            message: "nothing quarantined begins with \(word.printable); 'holdfast quarantine list' shows all"
        )
    }
    guard found.count == 1 else {
        throw Failure(
            code: .usage,
            message: "\(word.printable) fits several: \(found.map(\.bytes).joined(separator: ", "))")
    }
    let reading = place.clock.read()
    let said = RolloutWord(
        distribution: entry.distribution, rollout: nil, version: entry.version,
        word: .clear(bytes: entry.bytes), reason: invocation.value("reason") ?? "", claimedBy: claimedBy())
    do throws(FleetFailure) {
        let word = FleetQuarantine.Clearing(
            at: reading.now, claimedBy: said.claimedBy, reason: said.reason)
        _ = try fleet.port.clear(entry, word)
    } catch {
        throw Failure(fleet: error)
    }
    try place.record(.rolloutSaid(said), reading: reading)
    screen.out("\(said.summary.printable)\n")
    if fleet.port.seesOthers {
        screen.out(
            "A node on which it failed keeps it out of itself until it is cleared, or approved anew, there.\n"
        )
    }
    return .done
}

extension Place {
    /// What failed on this very node, whoever else knows of it.
    fileprivate var ownQuarantine: [FleetQuarantine] {
        let state = (try? readLedger().load().state) ?? NodeState()
        return state.quarantine.compactMap { entry in
            entry.bytes.map { bytes in
                FleetQuarantine(
                    bytes: bytes, distribution: entry.installation.distribution,
                    version: entry.artifact.version,
                    reason: entry.reason, node: "this node", at: entry.at)
            }
        }
    }
}
