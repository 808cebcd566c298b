import Model

/// A cell of a table that is no table of decisions.
enum ReportCell {
    case text(String)
    case time(Instant)

    var html: String {
        switch self {
        case .text(let text): text.html
        case .time(let instant): instant.html
        }
    }
}

/// A table with a caption, or a sentence where it has no row.
struct ReportTable {
    var caption: String
    var columns: [String]
    var rows: [[ReportCell]]
    /// What is said instead where there is no row.
    var none: String
    /// How many older rows are not shown.
    var dropped = 0

    func write(to output: OutputBuffer) throws {
        guard !rows.isEmpty else { return try output.append("<p>\(none.html)</p>\n") }
        try output.append("<div class=\"scroll\"><table><caption>\(caption.html)</caption><thead><tr>")
        for column in columns { try output.append("<th scope=\"col\">\(column.html)</th>") }
        try output.append("</tr></thead><tbody>\n")
        for row in rows {
            try output.append("<tr>" + row.map { "<td>\($0.html)</td>" }.joined() + "</tr>\n")
        }
        try output.append("</tbody></table></div>\n")
        if dropped > 0 {
            try output.append(
                "<p class=\"bad\">\(dropped) older ones are not shown here: a report with a later --since and --until has "
                    + "them, and so has 'holdfast history'.</p>\n")
        }
    }
}

extension Bounded<Note> {
    /// The notes of a stretch of time as rows.
    func rows(from start: Instant, to end: Instant, hasClaims: Bool = false) -> [[ReportCell]] {
        items.filter { start <= $0.at && $0.at <= end }.map { note in
            [.time(note.at), .text(note.title), .text(note.about)]
                + (hasClaims ? [.text(note.claim)] : [])
                + [.text(note.text), .text(note.sequence > 0 ? String(note.sequence) : "")]
        }
    }
}
