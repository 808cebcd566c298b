import Agent
import FoundationEssentials
import Ledger
import Model
import Testing

@testable import Host

/// A text that comes from outside, and what may be left of it wherever it is shown.
enum HostileText {
    /// What moves a cursor, sets a title, turns text round, ends a line, is HTML, Markdown, a label's end or a formula.
    static let whole =
        "x\u{1b}[31m\u{1b}]0;pwn\u{7}\u{9b}2J\u{202e}\u{2066}\u{2028}\u{61c}\u{200b}<script>alert(1)</script>\"'|`&\n=cmd|' /C calc'!A0"

    /// The same without what its place would end at: a line, a quote, a name of a file.
    static let line = String(whole.filter { !"\n\"'/".contains($0) }.prefix(60))

    /// A way of showing, and what is asked of it.
    enum Form: Sendable { case text, json, jsonLines, csv, markdown, html }

    /// Every way in which a node, its fleet and its past are shown.
    static let forms: [(words: [String], form: Form)] = [
        (["check"], .text), (["check", "--output", "json"], .json), (["status"], .text),
        (["status", "--output", "json"], .json), (["status", "--output", "prometheus"], .text),
        (["status", "--paths"], .text), (["status", "--paths", "--output", "json"], .json),
        (["explain"], .text), (["explain", "--output", "json"], .json), (["doctor"], .text),
        (["doctor", "--output", "json"], .json), (["status", "--fleet"], .text),
        (["status", "--fleet", "--output", "json"], .json), (["rollout", "status"], .text),
        (["rollout", "status", "--output", "json"], .json),
        (["approve"], .text), (["approve", "--output", "json"], .json), (["verify"], .text),
        (["verify", "--output", "json"], .json), (["catalog", "list"], .text),
        (["catalog", "list", "--output", "json"], .json), (["quarantine", "list"], .text),
        (["quarantine", "list", "--output", "json"], .json),
        (["upgrade", "k3s", "v1.32.1+k3s1", "--plan"], .text),
        (["upgrade", "k3s", "v1.32.1+k3s1", "--plan", "--output", "json"], .text),
        (["step", "--dry-run"], .text),
        (["release", "--dry-run"], .text), (["history"], .text),
        (["history", "--output", "json"], .json), (["history", "--output", "jsonl"], .jsonLines),
        (["history", "--output", "cloudevents"], .jsonLines), (["history", "--output", "csv"], .csv),
        (["history", "--output", "markdown"], .markdown), (["history", "--output", "html"], .html),
        (["history", "--absence", "k3s.service", "--since", "1d"], .text), (["replay", "--all"], .text),
    ]

    /// Shows a node in each of those ways.
    ///
    /// - Parameters:
    ///   - first: how many of them; nil for all.
    ///   - run: runs a verb on the node.
    ///   - isAnswered: whether what was asked for comes; else nothing may, and an error.
    static func expectForms(
        first: Int? = nil, _ run: ([String]) throws -> SampleNode.Answer, isAnswered: Bool = true
    ) throws {
        for (words, form) in forms.prefix(first ?? .max) {
            let answer = try run(words)
            // None of them is a verb that does not know its options.
            #expect(answer.code >= 0 && !answer.errors.contains("Unknown option"), "\(words): \(answer)")
            if isAnswered || !answer.output.isEmpty { try expect(answer.output, is: form, of: words) }
            expectPlain(answer.errors, words)
        }
    }

    static func expect(_ text: String, is form: Form, of words: [String]) throws {
        expectPlain(text, words)
        switch form {
        case .text: break
        case .json where text.isEmpty: Issue.record("\(words): nothing")
        case .json: _ = try JSONDecoder().decode(Anything.self, from: Data(text.utf8))
        case .jsonLines:
            for line in text.split(separator: "\n") {
                _ = try JSONDecoder().decode(Anything.self, from: Data(line.utf8))
            }
        case .csv:
            // Each cell, quoted or not.
            for cell in text.split(whereSeparator: { ",\n".contains($0) }) {
                let start = cell.drop { $0 == "\"" }.first.map(String.init) ?? ""
                #expect(!["=", "+", "-", "@"].contains(start), "\(words): \(cell)")
            }
        case .markdown, .html: #expect(!text.contains("<script>alert"), "\(words)")
        }
    }

    /// Nothing but lines of what can be seen, none of which the text itself has begun.
    static func expectPlain(_ text: String, _ words: [String]) {
        for line in text.split(separator: "\n")
        where String(line).printable != line || line.drop(while: { $0 == " " }).hasPrefix("=cmd") {
            Issue.record("\(words.map(\.printable)): \(line.debugDescription.prefix(300))")
        }
    }

    /// What is left of such texts outside, once they were shown on a node that writes metrics and tells a command.
    static func expectPlainTraces(of node: SampleNode) throws {
        let metrics = try readFile(
            node.root + "/var/lib/prometheus/node-exporter/holdfast.prom", limit: 1 << 20)
        expectPlain(String(decoding: metrics, as: UTF8.self), ["the metrics"])
        let told = try readFile(node.directory + "/told", limit: 1 << 20)
        #expect(!told.isEmpty)
        expectPlain(String(decoding: told, as: UTF8.self), ["a notification"])
        try expectOwnJournalFields(of: node.root + "/var/lib/holdfast")
    }

    /// That no text becomes the name of a field, or adds one, in what the journal is sent of each event of a ledger.
    ///
    /// What is left of their values, JournalWriterTests look at as the journal gets them.
    private static func expectOwnJournalFields(of state: String) throws {
        var count = 0
        try Ledger.openForReading(stateDirectory: state).entries { entry in
            guard case .event(let event) = entry.content else { return }
            for said in journalEntries(for: event) {
                let fields = journalFields(of: said)
                let names = fields.map { String($0.prefix { $0 != "=" }) }
                #expect(Set(names).count == names.count, "\(entry.kind)")
                let own = ["MESSAGE", "MESSAGE_ID", "PRIORITY", "SYSLOG_IDENTIFIER"]
                for name in names {
                    #expect(own.contains(name) || name.hasPrefix("HOLDFAST_"), "\(entry.kind): \(name)")
                }
                count += 1
            }
        }
        #expect(count > 5)
    }
}

/// Any JSON at all.
struct Anything: Decodable {
    init(from decoder: any Decoder) throws { _ = try decoder.singleValueContainer() }
}
