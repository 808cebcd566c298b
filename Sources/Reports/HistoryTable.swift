import Model

/// The history for people: aligned columns, the most useful ones.
///
/// The first rows are kept to find the widths; later ones follow at once, and one that is wider moves its own line
/// only. So memory stays constant. A line that is wider than the terminal goes on below itself.
struct HistoryTable {
    private static let columns: [HistoryColumn] = [
        .at, .installation, .change, .from, .to, .updateType, .phase, .trigger, .verdict, .unmet,
    ]
    /// Columns of the terminal; nil where nobody said.
    var width: Int?

    /// How many rows are kept.
    private static let keptRows = 200

    private var kept: [[String]] = [
        ["WHEN", "INSTALLATION", "CHANGE", "FROM", "TO", "TYPE", "PHASE", "BY", "VERDICT", "NOT MET"]
    ]
    private var widths: [Int]?

    mutating func add(_ row: HistoryRow, to output: OutputBuffer) throws {
        let cells = Self.columns.map { Self.cell($0, of: row) }
        if let widths { return try write(cells, widths: widths, to: output) }
        kept.append(cells)
        if kept.count > Self.keptRows { try writeKept(to: output) }
    }

    mutating func finish(to output: OutputBuffer) throws {
        if widths != nil { return }
        guard kept.count > 1 else { return try output.append("No decision is recorded that fits.\n") }
        try writeKept(to: output)
    }

    private mutating func writeKept(to output: OutputBuffer) throws {
        let widths = Self.columns.indices.map { column in
            kept.map { columnsOfTerminal($0[column]) }.max() ?? 0
        }
        self.widths = widths
        for cells in kept { try write(cells, widths: widths, to: output) }
        kept = []
    }

    private func write(_ cells: [String], widths: [Int], to output: OutputBuffer) throws {
        var line = ""
        for (index, cell) in cells.enumerated() {
            line += cell
            guard index < cells.count - 1 else { break }
            line += String(repeating: " ", count: max(0, widths[index] - columnsOfTerminal(cell)) + 2)
        }
        while line.hasSuffix(" ") { line.removeLast() }
        if let width, columnsOfTerminal(line) > width { line = Self.flowed(cells, width: width) }
        try output.append(line + "\n")
    }

    /// As many cells on a line as fit, words of the last one too.
    private static func flowed(_ cells: [String], width: Int) -> String {
        var text = ""
        var column = 0
        for cell in cells.dropLast() + (cells.last ?? "").split(separator: " ").map(String.init) {
            let columns = columnsOfTerminal(cell)
            if column > 0, column + 1 + columns > width {
                text += "\n    "
                column = 4
            } else if column > 0 {
                text += " "
                column += 1
            }
            text += cell
            column += columns
        }
        return text
    }

    private static func cell(_ column: HistoryColumn, of row: HistoryRow) -> String {
        let text = historyText(column, of: row)
        guard column == .installation, let text else { return text ?? (column == .unmet ? "" : "?") }
        // `k3s`, but `k3s/k3s-agent`: the distribution only where the unit's name is not its own.
        let distribution = historyText(.distribution, of: row) ?? ""
        return text == distribution ? text : "\(distribution)/\(text)"
    }
}

/// How long a cell is, in characters.
private let longestCell = 200

/// A column of a row as people may see it: printable, and not too long; nil for NULL.
func historyText(_ column: HistoryColumn, of row: HistoryRow) -> String? {
    guard let index = historyColumns.firstIndex(of: column) else { return nil }
    let field = row[index]
    guard field.baseAddress != nil else { return nil }
    // Four bytes a character at the most.
    let start = UnsafeRawBufferPointer(rebasing: field.prefix(longestCell * 4))
    let text = String(decoding: start, as: UTF8.self).printable
    return text.count > longestCell ? text.prefix(longestCell - 1) + "…" : text
}

/// How many columns of a terminal a text takes.
///
/// Marks that combine take none, and the wide blocks of East Asian scripts and emoji two (UAX #11, in the rough).
func columnsOfTerminal(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { sum, scalar in
        switch scalar.value {
        case ..<0x300: return sum + 1
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return sum + 2
        default:
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: return sum
            default: return sum + 1
            }
        }
    }
}
