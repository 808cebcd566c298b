public import Model

/// How decisions of many ledgers are written.
public enum MergeFormat: String, CaseIterable, Hashable, Sendable {
    /// For people.
    case table
    /// One array of objects.
    case json
    /// One object a line.
    case jsonl
    /// As `history` writes it, with the columns of a merge before its own.
    case csv
}

/// What a merge says of the ledger and the clock behind a decision.
public struct MergeLabel: Hashable, Sendable {
    /// Whether a ledger can be relied on.
    public enum Proof: String, Hashable, Sendable {
        /// Its chain is whole, and no checkpoint of it says otherwise.
        case verified
        /// It is not, and was taken in because somebody asked for it.
        case broken
    }

    /// The ledger's origin in hexadecimal digits.
    public var ledger: String
    /// Whether it can be relied on.
    public var proof: Proof
    /// Whether the node's clock was synchronised when the decision was recorded; nil where nobody could say.
    ///
    /// How far a clock was off is known of none.
    public var clockSynchronised: Bool?

    /// Makes a label.
    public init(ledger: String, proof: Proof, clockSynchronised: Bool?) {
        self.ledger = ledger
        self.proof = proof
        self.clockSynchronised = clockSynchronised
    }

    /// `synchronised`, `unsynchronised` or `unknown`.
    public var clock: String {
        switch clockSynchronised {
        case true: "synchronised"
        case false: "unsynchronised"
        case nil: "unknown"
        }
    }
}

/// Writes decisions of many ledgers one after another, in constant memory.
public final class MergeWriter {
    private let format: MergeFormat
    private let output: OutputBuffer
    private var rows: Int64 = 0

    /// Makes a writer; nothing is written before the first row.
    ///
    /// - Parameter sink: is handed the bytes in order, at most 64 KiB at a time; what it throws ends the export.
    public init(format: MergeFormat, sink: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        self.format = format
        output = OutputBuffer(sink: sink)
    }

    /// Writes one row.
    public func write(_ row: HistoryRow, _ label: MergeLabel) throws {
        rows += 1
        switch format {
        case .table: try writeLine(row, label)
        case .json:
            try output.append(rows == 1 ? "[\n" : ",\n")
            try writeObject(row, label)
        case .jsonl:
            try writeObject(row, label)
            try output.append(UInt8(ascii: "\n"))
        case .csv:
            if rows == 1 {
                try output.append("ledger,proof,clock,")
                try writeCSVHeader(to: output)
            }
            // Nothing in these needs quotes.
            try output.append("\(label.ledger),\(label.proof.rawValue),\(label.clock),")
            try writeCSV(row, to: output)
        }
    }

    /// Writes what comes after the last row, and hands everything on.
    public func finish() throws {
        switch format {
        case .table: if rows == 0 { try output.append("No decision is recorded that fits.\n") }
        case .json: try output.append(rows == 0 ? "[]\n" : "\n]\n")
        case .jsonl, .csv: break
        }
        try output.flush()
    }

    private func writeObject(_ row: HistoryRow, _ label: MergeLabel) throws {
        try output.append(
            "{\"ledger\":\"\(label.ledger)\",\"proof\":\"\(label.proof.rawValue)\",\"clock\":\"\(label.clock)\","
        )
        try writeJSON(membersOf: row, to: output)
    }

    // MARK: For people

    /// Columns and how wide they are at least; a wider cell moves its own line only.
    private static let columns: [(title: String, column: HistoryColumn, width: Int)] = [
        ("WHEN", .at, 20), ("NODE", .node, 16), ("INSTALLATION", .installation, 13), ("FROM", .from, 14),
        ("TO", .to, 14), ("VERDICT", .verdict, 7),
    ]

    private func writeLine(_ row: HistoryRow, _ label: MergeLabel) throws {
        if rows == 1 {
            try line(Self.columns.map { ($0.title, $0.width) } + [("CLOCK", 14), ("LEDGER", 8)], "NOT MET")
        }
        var cells = Self.columns.map { (historyText($0.column, of: row) ?? "?", $0.width) }
        let mark = label.proof == .broken ? " BROKEN" : ""
        cells += [(label.clock, 14), (label.ledger.prefix(8) + mark, 8)]
        try line(cells, historyText(.unmet, of: row) ?? "")
    }

    private func line(_ cells: [(text: String, width: Int)], _ last: String) throws {
        var line = ""
        for cell in cells {
            line +=
                cell.text
                + String(repeating: " ", count: max(0, cell.width - columnsOfTerminal(cell.text)) + 2)
        }
        line += last
        while line.hasSuffix(" ") { line.removeLast() }
        try output.append(line + "\n")
    }
}
