import Model
import Reports

/// Whether nothing unapproved was started, for a person.
func text(of absence: Absence, _ style: Style, _ width: Int?) -> String {
    let mark: Style.Mark =
        switch absence.answer {
        case .holds: .good
        case .violated: .bad
        case .notProven: .waiting
        }
    var text = style(absence.answer.word, mark) + ": \(absence.sentence.printable).\n"
    text += "Starts that were seen and were approved: \(absence.approvedStarts).\n"
    if !absence.violations.isEmpty {
        text += "\n" + style("Started", .strong) + "\n"
        text += aligned(
            absence.violations.map { note in
                [("\(note.at)", nil), (note.title.printable, .bad), (note.text.printable, nil)]
            }, indent: 2, style: style, width: width)
    }
    if !absence.gaps.isEmpty {
        text += "\n" + style("Not covered", .strong) + "\n"
        text += aligned(
            absence.gaps.map { gap in
                [
                    ("\(gap.start)", nil), ("\(gap.end)", nil), (gap.kind.rawValue, .waiting),
                    (gap.text.printable, nil),
                ]
            }, indent: 2, style: style, width: width)
    }
    return text
}

extension Absence.Answer {
    fileprivate var word: String {
        switch self {
        case .holds: "Proven"
        case .violated: "Violated"
        case .notProven: "Not proven"
        }
    }
}

/// The same as JSON; its keys are an interface.
struct AbsenceAnswer: Encodable {
    struct Violation: Encodable {
        var at: String
        var reason: String
        var start: String
        var text: String
        /// The ledger's entry; nil where a look found it.
        var entry: Int64?
    }
    struct Gap: Encodable {
        var from: String
        var to: String
        var kind: String
        var text: String
    }

    var installation: String
    var from: String
    var to: String
    /// `holds`, `violated` or `not-proven`.
    var answer: String
    var approvedStarts: Int
    var violations: [Violation]
    var gaps: [Gap]

    init(_ absence: Absence) {
        installation = absence.installation.description
        from = absence.from.description
        to = absence.to.description
        answer = absence.answer.rawValue
        approvedStarts = absence.approvedStarts
        violations = absence.violations.map {
            Violation(
                at: $0.at.description, reason: $0.title, start: $0.about, text: $0.text,
                entry: $0.sequence > 0 ? $0.sequence : nil)
        }
        gaps = absence.gaps.map {
            Gap(from: $0.start.description, to: $0.end.description, kind: $0.kind.rawValue, text: $0.text)
        }
    }
}
