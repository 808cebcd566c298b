import Agent
import CommandLine
import Host
import Ledger
import Model
import Ports

/// `holdfast rollback [NAME] --reason TEXT`: back to what ran well before, as far as that is safe.
func rollback(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    try place.needsRoot("an artifact is put back")
    let reason = invocation.value("reason") ?? ""
    guard !reason.isEmpty else { throw Failure(code: .usage, message: "say why: --reason TEXT") }
    guard let guards = place.guards else {
        throw Failure(
            code: .badConfiguration,
            message: "the state directory is none of the node's own; leave --state out")
    }
    let isDry = invocation.has("dry-run")
    let outcome = isDry ? place.preview().outcome : tick(at: place, on: screen)
    if let failure = outcome.failure { throw Failure(ledger: failure) }
    let adopted = outcome.judgement.state.installations.values.filter { $0.adoption != nil }
        .map(\.installation.id).sorted()
    let named = invocation.value("name").map { name in adopted.filter { $0.name == name } } ?? adopted
    guard let id = named.first, named.count == 1 else {
        throw Failure(
            code: .usage,
            message: adopted.isEmpty
                ? "nothing is guarded here; 'holdfast adopt' first"
                : "say which: \(adopted.map(\.name).joined(separator: ", "))")
    }
    let planned: RequestedRollback
    do throws(RollbackRefusal) {
        planned = try rollback(
            of: id, reason: "\(reason) (\(claimedBy()))", outcome.judgement, port: guards.port,
            site: guards.site, label: label)
    } catch {
        throw Failure(code: .failed, message: error.text.printable)
    }
    if isDry {
        screen.out("would go back: \(planned.summary.printable)\n")
        return .done
    }
    try place.record(planned.events, reading: place.clock.read())
    screen.out("goes back: \(planned.summary.printable)\n")
    _ = try carryOutStep(at: place, on: screen)
    let after = (try? place.readLedger().load().state) ?? NodeState()
    // What was asked for is that the old one runs, and nothing is left to do.
    let isBack = after.step == nil && after.installations[id.description]?.reference == planned.artifact
    return isBack ? .done : .failed
}
