/// How text is marked for a person's eyes: colours on a terminal, nothing anywhere else.
struct Style {
    /// Whether escape sequences are written.
    let isColoured: Bool

    enum Mark: String {
        case good = "32"
        case waiting = "33"
        case bad = "31"
        case faint = "2"
        case strong = "1"
    }

    func callAsFunction(_ text: String, _ mark: Mark) -> String {
        isColoured ? "\u{1b}[\(mark.rawValue)m\(text)\u{1b}[0m" : text
    }
}

/// One cell of a table: its text, and how it is marked.
typealias Cell = (text: String, mark: Style.Mark?)

/// Columns of text, each as wide as its widest cell; the last one is not padded.
///
/// Cells are padded before they are marked, so that colours do not move columns.
///
/// - Parameter width: columns at which the last cell of a row is folded under itself; nil folds nothing.
func aligned(_ rows: [[Cell]], indent: Int, style: Style, width: Int? = nil) -> String {
    var widths: [Int] = []
    for row in rows {
        for (column, cell) in row.enumerated() {
            if column == widths.count { widths.append(0) }
            // What is folded is not as wide as its text.
            if column < row.count - 1 { widths[column] = max(widths[column], cell.text.count) }
        }
    }
    return rows.map { row in
        var line = String(repeating: " ", count: indent)
        for (column, cell) in row.dropLast().enumerated() {
            line +=
                mark(cell.text, cell.mark, style)
                + String(repeating: " ", count: widths[column] - cell.text.count + 2)
        }
        guard let last = row.last else { return line + "\n" }
        let start = indent + widths.prefix(row.count - 1).reduce(0) { $0 + $1 + 2 }
        let lines = folded(last.text, width: width.map { max($0 - start, 20) })
        let margin = "\n" + String(repeating: " ", count: start)
        return line + lines.map { mark($0, last.mark, style) }.joined(separator: margin) + "\n"
    }.joined()
}

private func mark(_ text: String, _ mark: Style.Mark?, _ style: Style) -> String {
    guard let mark, !text.isEmpty else { return text }
    return style(text, mark)
}

/// A text in lines of at most `width` columns, broken between words; a longer word stays whole.
func folded(_ text: String, width: Int?) -> [String] {
    guard let width, text.count > width else { return [text] }
    var lines: [String] = []
    for word in text.split(separator: " ") {
        if let last = lines.last, last.count + 1 + word.count <= width {
            lines[lines.count - 1] = last + " " + word
        } else {
            lines.append(String(word))
        }
    }
    return lines
}
