import CommandLine
import Ledger
import Model
import Ports

/// `holdfast verify`: the ledger's chain, from its first entry to its last.
func verify(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    let report: VerifyReport
    do throws(LedgerFailure) {
        report = try place.readLedger().verify()
    } catch {
        throw Failure(ledger: error)
    }
    if invocation.value("output") == "json" {
        try screen.json(report)
    } else {
        screen.out(text(of: report, style: screen.style))
    }
    return report.isIntact ? .done : .failed
}

private func text(of report: VerifyReport, style: Style) -> String {
    var text = style(report.file.printable, .strong) + "\n"
    var rows: [[Cell]] = [
        [("entries", .faint), ("\(report.entries)", nil)], [("origin", .faint), (report.origin, nil)],
        [("head", .faint), ("\(report.headSeq) \(report.headHash)", nil)],
    ]
    if let first = report.first, let last = report.last {
        rows.append([("from", .faint), ("\(first) to \(last)", nil)])
    }
    if let replaces = report.replaces { rows.append([("replaces", .faint), (replaces.printable, nil)]) }
    text += aligned(rows, indent: 2, style: style) + "\n"
    if report.isIntact {
        text +=
            style("Intact", .good) + ": every entry is as it was written, and follows the one before it.\n"
        return text + "Not seen by this: \(VerifyReport.blindSpot).\n"
    }
    text += style("Not intact", .bad) + "\n"
    text += aligned(
        report.findings.map { finding in
            [("entry \(finding.seq)", .bad), (finding.kind.rawValue, nil), (finding.text.printable, nil)]
        }, indent: 2, style: style)
    if report.hasMore { text += "  and more\n" }
    return text
        + "\nKeep this file as it is, and compare it with a backup; 'holdfast check' goes on recording.\n"
}
