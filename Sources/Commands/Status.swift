import Agent
import CommandLine
import Model
import Ports
import Reports

/// `holdfast status`: the node as it is now and as the ledger knows it; nothing is recorded.
func status(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    if invocation.has("fleet") {
        try statusFleet(place, invocation, on: screen)
        return .done
    }
    let (outcome, lastCheck, ledger) = place.preview()
    if invocation.has("paths"), outcome.failure == nil {
        try statusPaths(outcome, at: place, invocation, on: screen)
        return .done
    }
    let report = place.report(outcome, ledger: ledger)
    // What is wrong with it goes before what is shown in spite of that.
    if let failure = outcome.failure {
        screen.error(
            "Error: what was recorded before cannot be shown\(byGuardFile(outcome)): \(failure.description)")
    }
    if invocation.value("output") == "prometheus" {
        screen.data(place.metrics(outcome, report, ledger: ledger))
    } else if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        let age: NodeReportText.Age =
            outcome.failure == nil ? lastCheck.map { .checked($0) } ?? .never : .notKnown
        screen.out(
            NodeReportText(
                report: report, style: screen.style, now: outcome.judgement.observation.clock.now,
                width: screen.width, age: age, isPastKnown: outcome.knowsPast
            ).text())
        if let site = place.guards?.site, outcome.failure == nil {
            let standing = stepStanding(of: outcome.judgement, site: site, label: label)
            let text = StepText(standing: standing, now: outcome.judgement.observation.clock.now).text()
            screen.out(wrapped(text, width: screen.width))
        }
    }
    if let failure = outcome.failure { return failure.code == .busy ? .busy : .failed }
    return answer(report, outcome, asked: invocation.has("exit-code"))
}

/// What is shown where the ledger cannot be read, and the guard file can.
func byGuardFile(_ outcome: Tick.Outcome) -> String {
    outcome.isSeeded ? ", and what is here goes by the guard file" : ""
}
