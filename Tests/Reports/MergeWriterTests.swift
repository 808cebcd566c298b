import Model
import Testing

@testable import Reports

@Suite("Decisions of many ledgers, written")
struct MergeWriterTests {
    private func written(_ format: MergeFormat, _ rows: [(Row, MergeLabel)]) throws -> String {
        var bytes: [UInt8] = []
        let writer = MergeWriter(format: format) { bytes += $0 }
        for (row, label) in rows { try row.withRow { try writer.write($0, label) } }
        try writer.finish()
        return String(decoding: bytes, as: UTF8.self)
    }

    private let sound = MergeLabel(
        ledger: String(repeating: "a", count: 32), proof: .verified, clockSynchronised: true)
    private let broken = MergeLabel(
        ledger: String(repeating: "b", count: 32), proof: .broken, clockSynchronised: nil)

    @Test("csv has the ledger, its proof and the clock before the columns of history")
    func csv() throws {
        let text = try written(.csv, [(Row(seq: 4), sound), (Row(seq: 9), broken)])
        let lines = text.split(separator: "\n")
        #expect(lines[0].hasPrefix("ledger,proof,clock,seq,at,"))
        #expect(lines[1].hasPrefix("\(sound.ledger),verified,synchronised,4,2026-11-24T16:27:44Z,"))
        #expect(lines[2].hasPrefix("\(broken.ledger),broken,unknown,9,"))
        #expect(try written(.csv, []) == "")
    }

    @Test("json is one array, jsonl a line each, of the same objects")
    func json() throws {
        let rows = [(Row(seq: 4), sound), (Row(seq: 9), broken)]
        let lines = try written(.jsonl, rows)
        #expect(try written(.json, rows) == "[\n" + lines.dropLast().replacing("\n", with: ",\n") + "\n]\n")
        #expect(
            lines.hasPrefix(
                "{\"ledger\":\"\(sound.ledger)\",\"proof\":\"verified\",\"clock\":\"synchronised\",\"seq\":4,"
            ))
        #expect(try written(.json, []) == "[]\n")
    }

    @Test("the table marks what is broken, and nothing in it moves a terminal's cursor")
    func table() throws {
        let text = try written(.table, [(Row(seq: 4), sound), (Row([.to: "\u{1b}[2J\u{202e}evil"]), broken)])
        #expect(text.contains("aaaaaaaa") && text.contains("bbbbbbbb BROKEN"))
        #expect(text.contains("unknown") && !text.contains("\u{1b}") && !text.contains("\u{202e}"))
        #expect(try written(.table, []).contains("No decision"))
    }

    @Test("a clock that was off is told from one of which nobody knows")
    func clocks() {
        #expect(
            [true, false, nil].map { MergeLabel(ledger: "", proof: .verified, clockSynchronised: $0).clock }
                == ["synchronised", "unsynchronised", "unknown"])
    }
}
