import Agent
import CommandLine
import Host
import Model
import Ports
import Reports

/// `holdfast deny CHANGE --reason TEXT`: a standing no to exact bytes.
func deny(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let reason = invocation.value("reason") ?? ""
    guard !reason.isEmpty else {
        throw Failure(code: .usage, message: "a denial needs a reason: --reason TEXT")
    }
    let judgement = try place.currentJudgement()
    let records = try oneChange(invocation.value("change") ?? "", in: judgement)
    guard let change = records.first?.subject.change else { return .failed }
    guard change.to.sha256 != nil || change.to.revision != nil else {
        throw Failure(
            code: .failed,
            message:
                "\(change.to.summary.printable) has neither a digest nor a revision that could be denied; "
                + "deny its version in the policy")
    }
    let distribution = change.installation.distribution
    if let standing = judgement.state.denials.first(where: { $0.covers(change.to, of: distribution) }) {
        screen.error("Note: these bytes are denied already by \(standing.claimedBy.printable)")
        return try tell(.denied(standing), of: change.to, at: place, as: invocation, on: screen)
    }
    let reading = place.clock.read()
    let person = claimedBy()
    let denial = Denial(
        id: label(
            "denial \(distribution.rawValue) \(change.id) \(reading.now.seconds) \(person) \(reason)"),
        distribution: distribution, target: change.to, deniedAt: reading.now, reason: reason,
        claimedBy: person)
    try place.record(.denied(denial), reading: reading)
    return try tell(.denied(denial), of: change.to, at: place, as: invocation, on: screen)
}
