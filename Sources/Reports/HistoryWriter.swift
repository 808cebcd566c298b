public import Model

/// How the history of decisions is written, a row after the other.
public enum HistoryFormat: String, CaseIterable, Hashable, Sendable {
    /// For people: aligned columns, the most useful ones.
    case table
    /// One array of objects.
    case json
    /// One object a line.
    case jsonl
    /// What `sqlite3 -csv -header` writes.
    case csv
    /// A table of GitHub-flavoured Markdown.
    case markdown
    /// One event of CloudEvents 1.0 a line.
    case cloudevents
}

/// Writes rows of the history one after another, in constant memory.
public final class HistoryWriter {
    private let format: HistoryFormat
    private let output: OutputBuffer
    private let events: HistoryCloudEvents
    private var table = HistoryTable()
    private var rows: Int64 = 0

    /// Makes a writer; nothing is written before the first row.
    ///
    /// - Parameters:
    ///   - ledger: the name of the ledger that the rows are from, by which events are told apart.
    ///   - sink: is handed the bytes in order, at most 64 KiB at a time; what it throws ends the export.
    ///   - width: columns that a table is folded at; nil folds nothing.
    public init(
        format: HistoryFormat, ledger: String = "", width: Int? = nil,
        sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) {
        self.format = format
        table.width = width
        events = HistoryCloudEvents(ledger: ledger)
        output = OutputBuffer(sink: sink)
    }

    /// Writes one row.
    public func write(_ row: HistoryRow) throws {
        rows += 1
        switch format {
        case .table: try table.add(row, to: output)
        case .json:
            try output.append(rows == 1 ? "[\n" : ",\n")
            try writeJSON(row, to: output)
        case .jsonl:
            try writeJSON(row, to: output)
            try output.append(UInt8(ascii: "\n"))
        case .csv:
            // The shell writes the header with the first row, and so nothing at all where there is none.
            if rows == 1 { try writeCSVHeader(to: output) }
            try writeCSV(row, to: output)
        case .markdown:
            if rows == 1 { try HistoryMarkdown.writeHeader(to: output) }
            try HistoryMarkdown.write(row, to: output)
        case .cloudevents: try events.write(row, to: output)
        }
    }

    /// Writes what comes after the last row, and hands everything on.
    public func finish() throws {
        switch format {
        case .table: try table.finish(to: output)
        case .json: try output.append(rows == 0 ? "[]\n" : "\n]\n")
        case .markdown: if rows == 0 { try output.append("No decision is recorded that fits.\n") }
        case .jsonl, .csv, .cloudevents: break
        }
        try output.flush()
    }
}

let historyColumns = HistoryColumn.allCases
