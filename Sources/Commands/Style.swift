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
/// - Parameter width: columns at which the last cell of a row is folded under itself, or under the row where little room
///   is left; nil folds nothing.
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
        let start = indent + widths.prefix(max(row.count - 1, 0)).reduce(0) { $0 + $1 + 2 }
        let room = width.map { $0 - start } ?? .max
        guard let last = row.last, last.text.isEmpty || last.text.count <= room || room >= leastRoom else {
            return flowed(row, indent: indent, hanging: indent + 4, style: style, width: width)
        }
        if let width, start - 2 > width {
            return flowed(row, indent: indent, hanging: indent + 4, style: style, width: width)
        }
        var line = blanks(indent)
        for (column, cell) in row.dropLast().enumerated() {
            line += mark(cell.text, cell.mark, style) + blanks(widths[column] - cell.text.count + 2)
        }
        let lines = folded(last.text, width: width.map { max($0 - start, leastRoom) })
        return line + lines.map { mark($0, last.mark, style) }.joined(separator: "\n" + blanks(start)) + "\n"
    }.joined()
}

/// Where a cell has fewer columns than that it goes below its row.
private let leastRoom = 20

/// Cells one after the other on a line, and on further ones what does not fit; a cell of several words is broken between
/// them.
///
/// - Parameters:
///   - hanging: where further lines begin.
///   - gap: what stands between two cells on one line.
func flowed(
    _ cells: [Cell], indent: Int = 0, hanging: Int, gap: String = "  ", style: Style, width: Int?
) -> String {
    var text = blanks(indent)
    var column = indent
    var isFirst = true
    for cell in cells where !cell.text.isEmpty {
        if !isFirst, let width, column + gap.count + cell.text.count > width {
            text += "\n" + blanks(hanging)
            column = hanging
        } else if !isFirst {
            text += gap
            column += gap.count
        }
        let lines = folded(cell.text, width: width.map { max($0 - max(column, hanging), 1) })
        text += lines.map { mark($0, cell.mark, style) }.joined(separator: "\n" + blanks(hanging))
        column = (lines.count > 1 ? hanging : column) + (lines.last?.count ?? 0)
        isFirst = false
    }
    return text + "\n"
}

/// Paragraphs with each line folded under its own indentation.
func wrapped(_ text: String, width: Int?) -> String {
    guard let width else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        let indent = line.prefix { $0 == " " }.count
        guard line.count > width else { return String(line) }
        return folded(String(line.dropFirst(indent)), width: max(width - indent, leastRoom))
            .map { blanks(indent) + $0 }.joined(separator: "\n")
    }.joined(separator: "\n")
}

private func blanks(_ count: Int) -> String { String(repeating: " ", count: max(count, 0)) }

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
