import Model
import Testing

@testable import Host

@Suite("Journal entries")
struct JournalWriterTests {
    private func entry(_ text: String, _ fields: [String: String] = [:]) -> JournalEntry {
        JournalEntry(message: .decided, priority: .warning, text: text, fields: fields)
    }

    @Test("an entry carries its message, id, priority, identifier and fields")
    func fields() {
        #expect(
            journalFields(of: entry("held", ["HOLDFAST_VERDICT": "hold", "HOLDFAST_CHANGE": "3f9a"])) == [
                "MESSAGE=held", "MESSAGE_ID=36f675cc81e74ef5a8e25d940ed90475", "PRIORITY=4",
                "SYSLOG_IDENTIFIER=holdfast",
                "HOLDFAST_CHANGE=3f9a", "HOLDFAST_VERDICT=hold",
            ])
    }

    @Test("a value can forge neither another line nor another field")
    func oneLine() {
        let fields = journalFields(
            of: entry("a\nPRIORITY=0\r\u{1B}[2J\0b", ["HOLDFAST_CHANNEL": "1.32\n_UID=0"]))
        #expect(fields[0] == "MESSAGE=a?PRIORITY=0??[2J?b")
        #expect(fields.last == "HOLDFAST_CHANNEL=1.32?_UID=0")
    }

    @Test(
        "a field under a name that the journal refuses, or that is taken, is left out",
        arguments: [
            "", "_UID", "lower", "A B", "A=B", "1A", "MESSAGE", "PRIORITY", String(repeating: "A", count: 65),
        ])
    func names(_ name: String) { #expect(journalFields(of: entry("x", [name: "y"])).count == 4) }

    @Test("a value of any length is cut to a bound")
    func long() {
        let fields = journalFields(of: entry(String(repeating: "x", count: 1 << 20)))
        #expect(fields[0].utf8.count < 9000)
        #expect(fields[0].hasSuffix("…"))
    }

    @Test("writing without a journal does no harm")
    func writing() { JournalWriter().write(entry("holdfast's tests say hello", ["HOLDFAST_TEST": "1"])) }
}
