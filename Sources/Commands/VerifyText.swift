import Ledger
import Model

/// What `verify` says to a person.
struct VerifyText {
    let report: VerifyReport
    let style: Style
    let width: Int?

    func text() -> String {
        var text =
            style(report.file.printable, .strong) + "\n"
            + aligned(rows, indent: 2, style: style, width: width) + "\n"
        if report.isIntact {
            let words = "every entry is as it was written, and follows the one before it."
            text += flowed(
                [("Intact:", .good), (words, nil)], hanging: 2, gap: " ", style: style, width: width)
            return text + wrapped("Not seen by this: \(report.blindSpot).\n", width: width)
        }
        text += style("Not intact", .bad) + "\n"
        text += aligned(
            report.findings.map { finding in
                [
                    ("entry \(finding.seq)", .bad), (finding.kind.rawValue, nil),
                    (finding.text.printable, nil),
                ]
            }, indent: 2, style: style, width: width)
        if report.hasMore { text += "  and more\n" }
        return text
            + wrapped(
                "\nKeep this file as it is, and compare it with a backup; 'holdfast check' goes on recording.\n",
                width: width)
    }

    private var rows: [[Cell]] {
        var rows: [[Cell]] = [
            [("entries", .faint), ("\(report.entries)", nil)], [("origin", .faint), (report.origin, nil)],
            [("head", .faint), ("\(report.headSeq) \(report.headHash)", nil)],
        ]
        if let first = report.first, let last = report.last {
            rows.append([("from", .faint), ("\(first) to \(last)", nil)])
        }
        if let replaces = report.replaces { rows.append([("replaces", .faint), (replaces.printable, nil)]) }
        if let entry = report.retention {
            let text =
                "what \(report.droppedBodies) entries held was dropped by ledger.keep, says entry \(entry)"
            rows.append([("retention", .faint), (text, nil)])
        }
        rows.append([("checkpoint", .faint), (checkpoint, report.checkpoints.newest == nil ? .waiting : nil)])
        if let signer = report.checkpoints.signedBy {
            rows.append([("signed by", .faint), (signer.printable, nil)])
        }
        if let key = report.checkpointKeys.last, key != report.checkpoints.signedBy {
            rows.append([("key", .faint), (key.printable, nil)])
        }
        if report.checkpointKeys.count > 1, let first = report.checkpointKeys.first {
            let text =
                "\(first.printable), and replaced \(report.checkpointKeys.count - 1) times since: ask who did"
            rows.append([("first key", .faint), (text, .waiting)])
        }
        return rows
    }

    private var checkpoint: String {
        guard let newest = report.checkpoints.newest else { return "none covers this ledger" }
        let rest = report.checkpoints.uncovered
        let after = rest == 0 ? "nothing lies after it" : "\(rest) after it are not covered yet"
        return "entry \(newest.sequence), signed \(newest.at); \(after)"
    }
}
