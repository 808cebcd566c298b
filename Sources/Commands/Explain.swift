import Agent
import CommandLine
import Model
import Ports

/// `holdfast explain [CHANGE]`: why a change that is there now is held, denied or allowed.
func explain(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let outcome = place.preview().outcome
    let all = outcome.judgement.decisions
    var chosen = all
    if let id = invocation.value("change") {
        chosen = all.filter { $0.subject.change.id.hasPrefix(id) }
        guard !chosen.isEmpty else {
            let known = all.map(\.subject.change.id)
            throw Failure(
                code: .failed,
                message: "there is no change \(id.printable) now; "
                    + (known.isEmpty
                        ? "nothing differs from what is approved"
                        : "there is \(known.joined(separator: ", "))")
                    + " ('holdfast history' lists past decisions)")
        }
    }
    if invocation.value("output") == "json" {
        try screen.json(chosen)
    } else if chosen.isEmpty {
        screen.out("Nothing to explain: nothing differs from what is approved, and nothing is offered.\n")
    } else {
        screen.out(
            chosen.map { Explanation(record: $0, style: screen.style, width: screen.width).text() }.joined(
                separator: "\n"))
    }
    if let failure = outcome.failure {
        screen.error("Error: what was recorded before cannot be read: \(failure.description)")
        return failure.code == .busy ? .busy : .failed
    }
    return .done
}
