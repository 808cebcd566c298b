public import Model

/// A line of a section that somebody else has worked out: what it is, what it comes to, and why.
public struct ReportFact: Hashable, Sendable {
    /// What it is.
    public var label: String
    /// What it comes to.
    public var value: String
    /// Why, or what to do about it; empty where there is nothing to say.
    public var explanation: String

    /// Makes a line.
    public init(label: String, value: String, explanation: String = "") {
        self.label = label
        self.value = value
        self.explanation = explanation
    }
}

/// What the policies of a ledger's time say of its node, and what staying costs it: worked out by somebody else.
public struct ReportContext: Hashable, Sendable {
    /// Openings of the policy's windows.
    public var windows: [InstallationID: [Stretch]] = [:]
    /// Overrides of the policy that are in force at the end.
    public var overrides: [ReportFact] = []
    /// What holds and pins cost.
    public var debt: [ReportFact] = []
    /// What all this rests on, or why it is not there; empty where there is nothing to say.
    public var note = ""

    /// Makes one that says nothing.
    public init() {}
}

/// What an HTML report is made of, besides the decisions, which follow one by one.
public struct Report: Sendable {
    /// One for each ledger.
    public var chronicles: [Chronicle]
    /// When it is made.
    public var madeAt: Instant
    /// Which decisions the table was asked for, in words; nil for all of the stretch.
    public var filter: String?
    /// One for each chronicle, in their order; without a line of debt in any there is no such section.
    public var contexts: [ReportContext]
    /// The newest checkpoint; without a line it is said that there is none.
    public var checkpoint: [ReportFact] = []

    /// Makes a report of ledgers.
    public init(_ chronicles: [Chronicle], madeAt: Instant) {
        self.chronicles = chronicles
        self.madeAt = madeAt
        contexts = chronicles.map { _ in ReportContext() }
    }

    /// Each chronicle with its context; an empty one where it has none.
    var parts: [(Chronicle, ReportContext)] {
        chronicles.enumerated().map { ($1, $0 < contexts.count ? contexts[$0] : ReportContext()) }
    }
}

/// Writes the HTML report: one file that needs nothing from elsewhere, in constant memory.
///
/// Its policy lets no script and no style run but the two scripts and the style that it begins with, by their hashes,
/// and fetches nothing.
public final class ReportWriter {
    private let report: Report
    private let output: OutputBuffer
    private let hash: ([UInt8]) -> [UInt8]
    private var rows: Int64 = 0

    /// Makes a writer; nothing is written before `begin`.
    ///
    /// - Parameters:
    ///   - hash: the SHA-256 of bytes.
    ///   - sink: is handed the bytes in order, at most 64 KiB at a time; what it throws ends the report.
    public init(
        _ report: Report, hash: @escaping ([UInt8]) -> [UInt8],
        sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) {
        self.report = report
        self.hash = hash
        output = OutputBuffer(sink: sink)
    }

    /// Writes what comes before the decisions.
    public func begin() throws {
        try writeHead()
        let sections = ReportSections(report: report, output: output)
        try sections.writeSummary()
        try sections.writeInForce()
        try sections.writeTimelines()
        try output.append("<h2 id=\"all-decisions\">Decisions</h2>\n")
        try ReportDecisions.writeHead(
            report.filter.map { "Only decisions that fit: \($0)." }
                ?? "Every decision of the stretch, oldest first, with what was not met and why.", to: output)
    }

    /// Writes one decision.
    public func write(_ row: HistoryRow) throws {
        rows += 1
        try ReportDecisions.write(row, to: output)
    }

    /// Writes what comes after the last decision, and hands everything on.
    public func finish() throws {
        try ReportDecisions.writeEnd(rows: rows, to: output)
        try ReportSections(report: report, output: output).writeRest()
        try output.append("<script>\(reportScript)</script>\n</body>\n</html>\n")
        try output.flush()
    }

    private func writeHead() throws {
        let title = "Holdfast report: \(report.chronicles.map(\.node).joined(separator: ", "))"
        func source(_ text: String) -> String { "'sha256-\(base64(hash(Array(text.utf8))))'" }
        try output.append(
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src \(source(reportStyle)); \
            script-src \(source(reportEarlyScript)) \(source(reportScript)); base-uri 'none'; form-action 'none'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="referrer" content="no-referrer">
            <title>\(title.html)</title>
            <style>\(reportStyle)</style>
            <script>\(reportEarlyScript)</script>
            </head>
            <body>
            <a class="skip" href="#all-decisions">To the decisions</a>
            <header>
            <h1>\(title.html)</h1>
            <p class="faint">Made \(report.madeAt.html) UTC by holdfast. All times are UTC.</p>
            </header>
            <main>

            """)
    }
}
