import Crypto
import Host
import Ledger
import Model
import PolicyFile
import Reports

/// `holdfast merge --output html`: one report of many ledgers, each of which was checked before.
///
/// - Parameter notes: what became of decisions that retention dropped, by file.
func writeMergedReport(
    _ ledgers: [MergedLedger], _ filter: HistoryFilter, _ notes: [String: String], now: Instant,
    on screen: Screen
) throws {
    let zones = ZoneFiles(root: Root("/"))
    var chronicles: [Chronicle] = []
    var contexts: [ReportContext] = []
    var proofs: [ReportFact] = []
    for merged in ledgers {
        guard let ledger = merged.ledger else { continue }
        let gathered = try gather(filter, ledger, older: merged.older, node: merged.file, now: now)
        chronicles.append(gathered.chronicle)
        contexts.append(try context(of: gathered, merged.copies, zones))
        proofs.append(proof(merged, gathered.chronicle, notes[merged.file]))
    }
    var report = Report(chronicles, madeAt: now)
    report.contexts = contexts
    report.filter = words(of: filter)
    report.checkpoint = proofs
    let writer = ReportWriter(report, hash: { sha256($0) }) { screen.out($0) }
    try writer.begin()
    try mergeDecisions(ledgers, filter) { _, row in try writer.write(row) }
    try writer.finish()
}

/// What a ledger says of its node's windows, overrides and hold debt, as of its newest entry.
///
/// The node's labels and its cluster, by which rules match, are those of the newest decision: node.yaml is not here.
private func context(
    of gathered: Gathered, _ copies: [Ledger], _ zones: ZoneFiles
) throws -> ReportContext {
    let missing = "Windows, overrides and hold debt are not shown"
    var context = ReportContext()
    guard let written = gathered.chronicle.written, !gathered.policies.isEmpty else {
        context.note = "\(missing): this ledger names no policy."
        return context
    }
    for copy in copies {
        guard let stored = try copy.newestDecision(), case .record(let record, _) = stored.content else {
            continue
        }
        context = gathered.context(
            record.subject.node, copies[0], zones: zones, table: .shipped, at: written.last)
        context.note =
            "Windows, overrides and hold debt are as of this ledger's newest entry, \(written.last); the node's labels and "
            + "cluster as of its newest decision (entry \(stored.sequence), \(stored.at)); support by the table that this "
            + "program ships with."
        return context
    }
    context.note =
        "\(missing): they go by the node's labels and cluster, which a decision tells, and this ledger holds none. "
        + "'holdfast history --output html' on the node knows them from its node.yaml."
    return context
}

/// What the check of a ledger has shown.
private func proof(_ merged: MergedLedger, _ chronicle: Chronicle, _ note: String?) -> ReportFact {
    let label = "\(chronicle.node), ledger \(merged.report?.origin ?? "unknown")"
    let more = note.map { "; " + $0 } ?? ""
    guard let report = merged.report, merged.isSound else {
        return ReportFact(
            label: label, value: "not intact", explanation: (merged.trouble ?? "it could not be read") + more)
    }
    guard let newest = report.checkpoints.newest else {
        return ReportFact(
            label: label, value: "\(report.entries) entries, intact",
            explanation: "no checkpoint beside it" + more)
    }
    let cover =
        report.checkpoints.uncovered == 0
        ? "the checkpoint covers all of it" : "\(report.checkpoints.uncovered) entries lie after it"
    return ReportFact(
        label: label,
        value: "\(report.entries) entries, intact; entry \(newest.sequence) signed \(newest.at)",
        explanation: cover + more)
}
