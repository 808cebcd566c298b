import Model
import Rules

/// What `replay` found, for people and for scripts.
struct ReplayReport: Encodable {
    struct Decision: Encodable {
        var seq: Int64
        var at: Instant
        var id: String?
        /// `same-bytes`, `same-results`, `different`, `dropped`, `unreadable`.
        var outcome: String
        var verdict: Verdict?
        /// The version of the rules that made it.
        var rules: String?
        var isSameEngine: Bool?
        var differences: [Replayed.Difference] = []
        /// Why it cannot be read.
        var reason: String?
    }

    var file: String
    /// The version of this program's rules.
    var rules: String
    var sameBytes: Int
    var sameResults: Int
    var different: Int
    /// Of those that differ, how many were made by these very rules.
    var broken: Int
    var dropped: Int
    var unreadable: Int
    /// For one id all with it, else those that are not the same.
    var decisions: [Decision]
    var hasMore: Bool
    /// Over everything that came out here.
    var digest: String
    /// The same of each other process.
    var processes: [String]

    /// How many decisions are listed.
    static let limit = 100

    /// Whether all processes agree, the rules make again what they made, and each decision could be judged.
    var isProven: Bool {
        let one = sameBytes + sameResults + different
        return broken == 0 && unreadable == 0 && (one > 0 || dropped == 0)
            && processes.allSatisfy { $0 == digest }
    }
}

/// The same for a person.
struct ReplayText {
    let report: ReplayReport
    let style: Style
    let width: Int?

    func text() -> String {
        var text = report.decisions.map(one).joined()
        if report.hasMore { text += "  and more\n" }
        if !text.isEmpty { text += "\n" }
        text += aligned(rows, indent: 2, style: style, width: width)
        return text + "\n" + wrapped(verdict, width: width) + "\n"
    }

    private func one(_ decision: ReplayReport.Decision) -> String {
        let name = "entry \(decision.seq)  \(decision.at)  " + (decision.id ?? "").printable
        let rows: [[Cell]] =
            switch decision.outcome {
            case "unreadable": [[("cannot be read", .bad), ((decision.reason ?? "").printable, nil)]]
            case "dropped":
                [
                    [
                        ("dropped", .waiting),
                        (
                            "its body was dropped by retention (ledger.keep in the policy); an older copy of the "
                                + "ledger still has it: name its directory with --state", nil
                        ),
                    ]
                ]
            default:
                decision.differences.map {
                    [
                        ($0.what, decision.isSameEngine == true ? .bad : .waiting),
                        ("was \($0.stored.printable), comes out as \($0.made.printable)", nil),
                    ]
                }
            }
        let outcome = decision.outcome.split(separator: "-").joined(separator: " ")
        let verdict = decision.verdict.map { "  \($0.rawValue)" } ?? ""
        let rules = decision.rules.map { $0 == report.rules ? "" : ", made by rules \($0.printable)" } ?? ""
        return wrapped(name + verdict + ": \(outcome)\(rules)\n", width: width)
            + aligned(rows, indent: 4, style: style, width: width)
    }

    private var rows: [[Cell]] {
        var rows: [[Cell]] = []
        func add(_ name: String, _ count: Int, _ mark: Style.Mark?) {
            if count > 0 { rows.append([("\(count)", mark), (name, nil)]) }
        }
        add("come out with the same bytes", report.sameBytes, .good)
        add("made by other rules, with the same verdict and rule results", report.sameResults, .good)
        add("come out otherwise, though these very rules made them", report.broken, .bad)
        add("made by other rules, come out otherwise", report.different - report.broken, .waiting)
        add("cannot be read", report.unreadable, .bad)
        add(
            "dropped by retention (ledger.keep), so nothing is left to make them from", report.dropped,
            .waiting)
        if rows.isEmpty { rows.append([("0", nil), ("decisions", nil)]) }
        return rows
    }

    private var verdict: String {
        let agree = report.processes.filter { $0 == report.digest }.count
        let count = report.processes.count
        let others =
            count == 0
            ? "No other process was asked."
            : agree == count
                ? "\(count) other process\(count == 1 ? "" : "es") gave the same bytes: sha256 \(report.digest)."
                : style("Processes differ", .bad)
                    + ": \(count - agree) of \(count) gave other bytes than this one "
                    + "(sha256 \(report.digest))."
        return (report.isProven ? style("Proven", .good) : style("Not proven", .bad))
            + ", by rules \(report.rules). \(others)"
    }
}
