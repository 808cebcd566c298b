import Crypto
import Ledger
import Model
import Reports

/// `holdfast merge --output html`: one report of many ledgers, each of which was checked before.
///
/// What only a node itself can say is left to its own report: its policy's windows and overrides, and what holding costs.
func writeMergedReport(
    _ ledgers: [MergedLedger], _ filter: HistoryFilter, now: Instant, on screen: Screen
) throws {
    var chronicles: [Chronicle] = []
    for merged in ledgers {
        let ledger = try Ledger.openForReading(file: merged.file)
        chronicles.append(try gather(filter, ledger, node: merged.file, now: now).chronicle)
    }
    var report = Report(chronicles, madeAt: now)
    report.filter = words(of: filter)
    report.checkpoint = zip(ledgers, chronicles).map(proof)
    let writer = ReportWriter(report, hash: { sha256($0) }) { screen.out($0) }
    try writer.begin()
    try mergeDecisions(ledgers, filter) { _, row in try writer.write(row) }
    try writer.finish()
}

/// What the check of a ledger has shown.
private func proof(_ merged: MergedLedger, _ chronicle: Chronicle) -> ReportFact {
    let label = "\(chronicle.node), ledger \(merged.report?.origin ?? "unknown")"
    guard let report = merged.report, merged.isSound else {
        return ReportFact(
            label: label, value: "not intact", explanation: merged.trouble ?? "it could not be read")
    }
    guard let newest = report.checkpoints.newest else {
        return ReportFact(
            label: label, value: "\(report.entries) entries, intact", explanation: "no checkpoint beside it")
    }
    return ReportFact(
        label: label,
        value: "\(report.entries) entries, intact; entry \(newest.sequence) signed \(newest.at)",
        explanation: report.checkpoints.uncovered == 0
            ? "the checkpoint covers all of it" : "\(report.checkpoints.uncovered) entries lie after it")
}
