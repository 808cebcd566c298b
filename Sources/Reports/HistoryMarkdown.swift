import Model

/// The history as a table of GitHub-flavoured Markdown: what a ticket or a review takes in.
///
/// Nothing of a cell becomes markup: what Markdown could read is escaped, and what HTML could is an entity.
enum HistoryMarkdown {
    private static let columns: [(HistoryColumn, String)] = [
        (.at, "When"), (.node, "Node"), (.distribution, "Distribution"), (.installation, "Installation"),
        (.change, "Change"), (.from, "From"), (.to, "To"), (.updateType, "Type"), (.phase, "Phase"),
        (.trigger, "By"), (.verdict, "Verdict"), (.unmet, "Not met"), (.reason, "Why"),
        (.rollout, "Rollout"),
    ]
    /// In bytes; a cell is read by a person.
    private static let longestCell = 2000

    static func writeHeader(to output: OutputBuffer) throws {
        try output.append("| " + columns.map(\.1).joined(separator: " | ") + " |\n")
        try output.append("|" + String(repeating: " --- |", count: columns.count) + "\n")
    }

    static func write(_ row: HistoryRow, to output: OutputBuffer) throws {
        for (column, _) in columns {
            try output.append("| ")
            if let text = row.text(column, longest: longestCell) { try output.append(escaped(text)) }
            try output.append(UInt8(ascii: " "))
        }
        try output.append("|\n")
    }

    /// A text that Markdown shows as it is.
    static func escaped(_ text: String) -> String {
        var result = ""
        var before: Unicode.Scalar = " "
        for scalar in text.printable.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\\", "`", "*", "_", "[", "]", "|", "~", "$", "@", "#", "!", "{", "}":
                result += "\\"
                result.unicodeScalars.append(scalar)
            // GitHub makes links of bare addresses too.
            case "/" where before == ":", "." where before == "w" || before == "W":
                result += "\\"
                result.unicodeScalars.append(scalar)
            default: result.unicodeScalars.append(scalar)
            }
            before = scalar
        }
        return result
    }
}

extension HistoryRow {
    /// A column as text, mended where it is no UTF-8 and cut where it is too long; nil for NULL.
    func text(_ column: HistoryColumn, longest: Int) -> String? {
        guard let index = historyColumns.firstIndex(of: column) else { return nil }
        let field = self[index]
        guard field.baseAddress != nil else { return nil }
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: field.prefix(longest)), as: UTF8.self)
        return field.count > longest ? text + "…" : text
    }
}
