import Agent
import CommandLine
import Ledger
import Model
import Ports
import Reports

/// `holdfast check`: one tick.
func check(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let isDry = invocation.has("dry-run")
    let (outcome, ledger) =
        isDry ? previewed(at: place) : ticked(at: place, on: screen, asksFleet: invocation.has("fleet"))
    let report = place.report(outcome, ledger: ledger)
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        var text = NodeReportText(
            report: report, style: screen.style, now: outcome.judgement.observation.clock.now,
            width: screen.width, age: .now, isPastKnown: outcome.knowsPast)
        if isDry { text.age = .dryRun } else if outcome.failure != nil { text.age = .notRecorded }
        screen.out(text.text())
        if isDry, !outcome.events.isEmpty {
            screen.out("\nDry run: \(outcome.events.count) ledger entries were not written.\n")
        }
    }
    if !isDry {
        startStep(after: outcome, at: place, on: screen)
        place.publishMetrics(outcome, report, ledger: ledger)
        // The last of all: whoever is told can be slow. The path unit is blind meanwhile, so that it is looked again.
        if let ledger, outcome.failure == nil, place.notify(outcome.judgement.receivers, from: ledger),
            place.hasMoved(since: outcome.judgement.observation)
        {
            startStep(after: tick(at: place, on: screen), at: place, on: screen)
        }
    }
    if let trouble = outcome.guards?.trouble { screen.error("Warning: \(trouble)") }
    if let failure = outcome.failure {
        screen.error("Error: nothing was \(isDry ? "known of before" : "recorded"): \(failure.description)")
        return failure.code == .busy ? .busy : .failed
    }
    if !report.policy.valid, report.policy.sha256 != nil || outcome.judgement.state.rejection != nil {
        return .badConfiguration
    }
    return answer(report, outcome, asked: invocation.has("exit-code"))
}

/// Ticks once for real; without a ledger it still looks and decides, and says why nothing was recorded.
///
/// - Parameter asksFleet: whether the fleet's store is asked though it is not due.
func tick(
    at place: Place, on screen: Screen, request: GuardRequest? = nil, asksFleet: Bool = false
) -> Tick.Outcome { ticked(at: place, on: screen, request: request, asksFleet: asksFleet).outcome }

private func previewed(at place: Place) -> (outcome: Tick.Outcome, ledger: Ledger?) {
    let (outcome, _, ledger) = place.preview()
    return (outcome, ledger)
}

/// The same, with the ledger that it was recorded in; nil where that could not be opened.
private func ticked(
    at place: Place, on screen: Screen, request: GuardRequest? = nil, asksFleet: Bool = false
) -> (outcome: Tick.Outcome, ledger: Ledger?) {
    let happened: [Event]
    do {
        let first = tickedOnce(at: place, on: screen, request: request, asksFleet: asksFleet)
        guard first.ledger != nil, first.outcome.failure?.code == .corrupt else { return first }
        happened = first.outcome.events
    }
    // Damage that opening had not met is noted; opened anew, the ledger is put aside. What came before it in the tick
    // is recorded there, or was to be, and what the gate had left is taken away: the second tick finds none of that.
    var second = tickedOnce(at: place, on: screen, request: request, asksFleet: asksFleet)
    second.outcome.events = happened + second.outcome.events
    return second
}

private func tickedOnce(
    at place: Place, on screen: Screen, request: GuardRequest?, asksFleet: Bool
) -> (outcome: Tick.Outcome, ledger: Ledger?) {
    do throws(LedgerFailure) {
        let ledger = try place.openLedger()
        if let begun = ledger.begun, let damaged = begun.replaces {
            let text =
                "the ledger was damaged and is kept as \(damaged); a new one is begun: \(begun.reason ?? "")"
            screen.error("Warning: \(text)")
            place.ledgerJournal.write(
                JournalEntry(message: .ledgerBegun, priority: .error, text: text, fields: [:]))
        }
        let outcome = place.tick(over: ledger).run(dryRun: false, request: request, asksFleet: asksFleet)
        return (outcome, ledger)
    } catch {
        var outcome = place.preview().outcome
        outcome.failure = error
        return (outcome, nil)
    }
}

/// The exit code that `--exit-code` asks for.
func answer(_ report: NodeReport, _ outcome: Tick.Outcome, asked: Bool) -> ExitCode {
    guard asked else { return .done }
    let verdicts = report.installations.flatMap(\.decisions).map(\.decision.verdict)
    // What was undone, or kept from starting, since the last tick.
    let isUndone = outcome.events.contains { event in
        if case .gateActed(let act) = event { act.kind == .putBack || act.kind == .refused } else { false }
    }
    return isUndone || verdicts.contains(.deny) ? .denied : verdicts.contains(.hold) ? .held : .done
}
