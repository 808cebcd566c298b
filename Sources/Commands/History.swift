import CommandLine
import Host
import Ledger
import Model
import PolicyFile
import Ports
import Reports

/// `holdfast history`: decisions from the ledger, oldest first; as a report; or whether nothing unapproved was started.
func history(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let filter = try historyFilter(invocation, now: place.clock.read().now)
    let output = invocation.value("output") ?? ""
    do {
        let ledger = try place.readLedger()
        if let unit = invocation.value("absence") {
            return try absence(of: unit, filter, ledger, place, output: output, on: screen)
        }
        if output == "html" {
            try writeReport(filter, ledger, place, on: screen)
            return .done
        }
        let writer = HistoryWriter(
            format: HistoryFormat(rawValue: output) ?? .table, ledger: ledger.originName,
            width: screen.width
        ) {
            screen.out($0)
        }
        try ledger.history(filter, writer.write)
        try writer.finish()
        if let note = try ledger.droppedDecisions()?.note { screen.error("Note: \(note)") }
    } catch let failure as LedgerFailure {
        throw Failure(ledger: failure)
    } catch let failure as Failure {
        throw failure
    } catch {
        throw Failure(code: .failed, message: "\(error)")
    }
    return .done
}

/// The decisions that the command line asks for.
func historyFilter(_ invocation: Invocation, now: Instant) throws(Failure) -> HistoryFilter {
    var filter = HistoryFilter()
    filter.since = try time("since", of: invocation, now: now)
    filter.until = try time("until", of: invocation, now: now)
    filter.distribution = invocation.value("distribution").flatMap { Distribution(rawValue: $0) }
    filter.verdict = invocation.value("verdict").flatMap { Verdict(rawValue: $0) }
    filter.node = invocation.value("node")
    filter.rollout = invocation.value("rollout")
    return filter
}

/// A point in time from the command line: a date, an instant, or how long ago.
func time(_ option: String, of invocation: Invocation, now: Instant) throws(Failure) -> Instant? {
    guard let text = invocation.value(option) else { return nil }
    if let instant = Instant(rfc3339: text) { return instant }
    if let date = CivilDate(text) { return Instant(seconds: date.daysSinceEpoch * 86_400) }
    if let ago = TimeSpan(policyText: text) { return now + TimeSpan(seconds: -ago.seconds) }
    throw Failure(
        code: .usage,
        message:
            "--\(option) \(text.printable) is no time: write 2026-11-24, 2026-11-24T16:00:00Z, or 36h for that long ago"
    )
}
