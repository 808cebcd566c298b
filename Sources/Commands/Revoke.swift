import Agent
import CommandLine
import Host
import Ledger
import Model
import Ports
import Reports

/// `holdfast revoke ID`: takes an approval or a denial back.
func revoke(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let word = invocation.value("id") ?? ""
    guard !word.isEmpty else { throw Failure(code: .usage, message: "the id is empty") }
    let state: NodeState
    do throws(LedgerFailure) {
        // Read first, since to open it for writing would begin one where there is none.
        state = try place.readLedger().load().state
    } catch {
        throw Failure(ledger: error)
    }
    let found =
        state.approvals.filter { $0.id.hasPrefix(word) }.map(Revocation.Revoked.approval)
        + state.denials.filter { $0.id.hasPrefix(word) }.map(Revocation.Revoked.denial)
    guard let revoked = found.first else {
        throw Failure(
            code: .failed,
            message: "there is no approval and no denial \(word.printable); 'holdfast approve' lists them")
    }
    guard found.count == 1 else {
        throw Failure(
            code: .usage, message: "\(word.printable) is the start of several ids; write more of it")
    }
    let revocation = Revocation(revoked: revoked, claimedBy: claimedBy())
    if case .approval(let approval) = revoked, case .stage = approval.scope {
        try takeBack(approval, at: place)
    }
    if case .approval(let approval) = revoked, case .rollout = approval.scope {
        try takeBack(approval, at: place)
    }
    try place.record(.revoked(revocation), reading: place.clock.read())
    return try tell(.revoked(revocation), of: revoked.target, at: place, as: invocation, on: screen)
}

/// Takes an approval back for the whole fleet: from the next look on it counts nowhere.
private func takeBack(_ approval: Approval, at place: Place) throws(Failure) {
    let port = try place.openFleet().port
    do throws(FleetFailure) {
        guard try port.approvals().contains(where: { $0.id == approval.id }) else { return }
        try port.spend(approval.id, on: everyNode)
    } catch {
        throw Failure(fleet: error)
    }
}
