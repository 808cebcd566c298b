import Agent
import CommandLine
import Host
import Model
import PolicyFile

/// `holdfast pause`: every guard is lifted for a while, and comes back by itself.
func pause(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    guard let text = invocation.value("for") else {
        throw Failure(code: .usage, message: "say for how long: holdfast pause --for 2h --reason '…'")
    }
    // A pause that somebody forgets must end in a time that somebody remembers.
    guard let span = TimeSpan(policyText: text), span > .zero, span <= .days(30) else {
        throw Failure(
            code: .usage, message: "--for \(text.printable) is no time of up to 30 days: write 30m, 2h or 1d")
    }
    guard let reason = invocation.value("reason"), reason.contains(where: { !$0.isWhitespace }),
        reason.utf8.count <= 500
    else {
        throw Failure(
            code: .usage,
            message: "say why, in up to 500 bytes: holdfast pause --for \(text.printable) --reason '…'")
    }
    let until = place.clock.read().now + span
    return try change(.pause(until: until, reason: reason), at: place, invocation, on: screen)
}

/// `holdfast resume`: a pause ends now.
func resume(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    try change(.resume, at: try Place(invocation), invocation, on: screen)
}
