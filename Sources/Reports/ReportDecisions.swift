import Model

/// The table of decisions: every row is in the page, and a script that may run shows a hundred of those that fit.
struct ReportDecisions {
    /// What the columns hold, as a script and a link call them, and how they are headed.
    static let columns: [(name: String, title: String)] = [
        ("seq", "Entry"), ("at", "When (UTC)"), ("node", "Node"), ("installation", "Installation"),
        ("from", "From"), ("to", "To"), ("type", "Type"), ("by", "By"), ("phase", "Phase"),
        ("verdict", "Verdict"), ("unmet", "Not met"), ("why", "Why"), ("rollout", "Rollout"),
        ("decision", "Decision"),
    ]

    static func writeHead(_ caption: String, to output: OutputBuffer) throws {
        try output.append(
            """
            <div class="filter" role="search" aria-label="Decisions">
            <label>Words<input id="f-text" type="search" placeholder="any column"></label>
            <label>Verdict<select id="f-verdict"><option value="">any</option><option value="allow">allow</option>\
            <option value="hold">hold</option><option value="deny">deny</option></select></label>
            <label>Node<select id="f-node"><option value="">any</option></select></label>
            <label>Installation<select id="f-installation"><option value="">any</option></select></label>
            <label>Rollout<select id="f-rollout"><option value="">any</option></select></label>
            <label>From<input id="f-since" placeholder="2026-11-24 16:00"></label>
            <label>Before<input id="f-until" placeholder="2026-11-25"></label>
            <button type="button" id="clear">Show all</button>
            </div>
            <p class="pages"><button type="button" id="before">Earlier page</button>\
            <button type="button" id="after">Later page</button> <span id="page"></span> · \
            <span id="count" role="status"></span></p>
            <div class="scroll" tabindex="0" role="region" aria-label="Table of decisions">
            <table id="decisions"><caption>\(caption.html)</caption><thead><tr>
            """)
        for column in columns {
            try output.append(
                "<th scope=\"col\" data-name=\"\(column.name)\"><button type=\"button\">\(column.title)</button></th>"
            )
        }
        try output.append("</tr></thead><tbody>\n")
    }

    static func write(_ row: HistoryRow, to output: OutputBuffer) throws {
        let verdict = row.text(.verdict, longest: 16).flatMap { Verdict(rawValue: $0) }
        try output.append(verdict.map { "<tr class=\"\($0.rawValue)\"><td>" } ?? "<tr><td>")
        try output.append(row.seq)
        // End tags of cells and rows are optional in HTML, and 10,000 rows are a quarter smaller without.
        try output.append("<td>")
        if let at = row.text(.at, longest: 32), let instant = Instant(entryTime: at) {
            try output.append(instant.html)
        }
        try cell(.node, row, output)
        try output.append("<td>")
        try output.append(html: row[Self.distribution])
        try output.append("/")
        try output.append(html: row[Self.installation])
        for column in [HistoryColumn.from, .to] { try cell(column, row, output, "<td class=\"v\">") }
        for column in [HistoryColumn.updateType, .trigger, .phase] { try cell(column, row, output) }
        try cell(.verdict, row, output, "<td class=\"verdict\">")
        try cell(.unmet, row, output)
        try cell(.reason, row, output, "<td class=\"why\">")
        for column in [HistoryColumn.rollout, .decision] { try cell(column, row, output) }
        try output.append("\n")
    }

    static func writeEnd(rows: Int64, to output: OutputBuffer) throws {
        try output.append("</tbody></table></div>\n")
        if rows == 0 { try output.append("<p>No decision is recorded that fits.</p>\n") }
    }

    private static let indices = Dictionary(
        uniqueKeysWithValues: historyColumns.enumerated().map { ($1, $0) })
    private static let distribution = indices[.distribution] ?? 0
    private static let installation = indices[.installation] ?? 0

    private static func cell(
        _ column: HistoryColumn, _ row: HistoryRow, _ output: OutputBuffer, _ tag: String = "<td>"
    ) throws {
        try output.append(tag)
        let field = row[indices[column] ?? 0]
        guard field.baseAddress != nil else { return }
        // Nobody reads more of one cell, and a report is to be kept.
        try output.append(html: UnsafeRawBufferPointer(rebasing: field.prefix(4000)))
    }
}
