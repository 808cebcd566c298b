import CommandLine
import Host
import Ledger
import Model
import Ports
import Reports

/// `holdfast merge`: decisions of many ledgers as one stream, each ledger checked first.
func merge(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let now = SystemClock().read().now
    let filter = try historyFilter(invocation, now: now)
    let format = MergeFormat(rawValue: invocation.value("output") ?? "") ?? .table
    let ledgers = MergeLedgers.check(try MergeLedgers.files(invocation.arguments["path"] ?? []), on: screen)
    let takesBroken = invocation.has("include-broken")
    let merged = ledgers.filter { ledger in
        ledger.copyOf == nil && (ledger.isSound || (takesBroken && ledger.report != nil))
    }
    var notes: [String: String] = [:]
    do {
        for ledger in merged { notes[ledger.file] = try ledger.droppedNote(filter) }
        if invocation.value("output") == "html" {
            try writeMergedReport(merged, filter, notes, now: now, on: screen)
        } else {
            let writer = MergeWriter(format: format) { screen.out($0) }
            try mergeDecisions(merged, filter) { label, row in try writer.write(row, label) }
            try writer.finish()
        }
    } catch let failure as LedgerFailure {
        throw Failure(ledger: failure)
    } catch let failure as Failure {
        throw failure
    } catch {
        throw Failure(code: .failed, message: "\(error)")
    }
    let isIn = Set(merged.map(\.file))
    for ledger in ledgers {
        let note = notes[ledger.file].map { "; " + $0 } ?? ""
        screen.error(line(of: ledger, isIn: isIn.contains(ledger.file)) + note)
    }
    screen.error(
        "Order: within a ledger as it was written; between ledgers by their clocks, of which nobody knows how far they "
            + "were apart.")
    return ledgers.allSatisfy(\.isSound) ? .done : .failed
}

/// Hands the decisions of ledgers over as one stream; whatever shows them is behind the closure.
func mergeDecisions(
    _ ledgers: [MergedLedger], _ filter: HistoryFilter, _ handle: (MergeLabel, HistoryRow) throws -> Void
) throws {
    let streams = try ledgers.map { try HistoryStream($0.copies, filter) }
    try mergeHistories(streams) { index, decision in
        let proof: MergeLabel.Proof = ledgers[index].isSound ? .verified : .broken
        try handle(
            MergeLabel(
                ledger: decision.origin, proof: proof, clockSynchronised: decision.clockSynchronised),
            decision.row)
    }
}

extension MergedLedger {
    /// It, and what there is of older copies.
    var copies: [Ledger] { [ledger].compactMap(\.self) + older }

    /// What became of decisions that retention dropped in it; nil where it dropped none.
    fileprivate func droppedNote(_ filter: HistoryFilter) throws(LedgerFailure) -> String? {
        guard let ledger, (report?.droppedBodies ?? 0) > 0 else { return nil }
        return try ledger.dropped(since: filter.since, until: filter.until, older: older).note
    }
}

/// What a person is told of a ledger, beside the stream.
private func line(of ledger: MergedLedger, isIn: Bool) -> String {
    let file = ledger.file.printable
    if let trouble = ledger.trouble {
        let fate = isIn ? "taken in all the same, marked broken" : "left out"
        return "Error: \(file): \(trouble.printable) (\(fate))"
    }
    if let other = ledger.copyOf {
        return
            "\(file): a copy of \(other.printable) up to entry \(ledger.report?.headSeq ?? 0), so it is not listed twice"
    }
    guard let report = ledger.report else { return file }
    let newest = report.checkpoints.newest
    let cover = newest.map { "checkpoint of entry \($0.sequence)" } ?? "no checkpoint beside it"
    return "\(file): ledger \(report.origin), \(report.entries) entries, intact, \(cover)"
}
