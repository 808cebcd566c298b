import CommandLine
import Host
import Ledger
import Model
import Ports
import Reports

/// `holdfast quarantine list`: what failed somewhere in the fleet and is begun with nowhere.
func quarantineList(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let report = try place.fleetReport(try place.openFleet(), nodes: false)
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
    let found: [FleetQuarantine]
    do throws(FleetFailure) {
        found = try fleet.port.quarantine().filter {
            $0.bytes.hasPrefix(word) || $0.version?.description == word
        }
    } catch {
        throw Failure(fleet: error)
    }
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
    do throws(FleetFailure) {
        _ = try fleet.port.clearQuarantine(bytes: entry.bytes)
    } catch {
        throw Failure(fleet: error)
    }
    let said = RolloutWord(
        distribution: entry.distribution, rollout: nil, version: entry.version,
        word: .clear(bytes: entry.bytes), reason: invocation.value("reason") ?? "", claimedBy: claimedBy())
    try place.record(.rolloutSaid(said), reading: place.clock.read())
    screen.out("\(said.summary.printable)\n")
    let own = (try? place.readLedger().load().state.quarantine) ?? []
    if own.contains(where: { $0.bytes == entry.bytes }) {
        screen.out(
            "It failed on this node, which keeps that to itself until it is approved anew: 'holdfast approve'.\n"
        )
    }
    return .done
}
