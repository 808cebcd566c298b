import Model

/// One decision as a CloudEvents 1.0 event in structured mode (`application/cloudevents+json`), one a line.
///
/// `source` and `id` together name a decision for ever: the ledger by its 16 random bytes as a UUID, and the entry in
/// it. Types are an interface: `dev.holdfast.decision.allow`, `.hold`, `.deny`. `data` has every column, as `json` does.
/// Source of the attributes: CloudEvents 1.0.2, "Context Attributes".
struct HistoryCloudEvents {
    private let head: String

    /// - Parameter ledger: the ledger's name, 32 hexadecimal digits.
    init(ledger: String) {
        head = "{\"specversion\":\"1.0\",\"source\":\"\(Self.source(ledger))\",\"id\":\"\(Self.word(ledger))-"
    }

    func write(_ row: HistoryRow, to output: OutputBuffer) throws {
        try output.append(head)
        try output.append(row.seq)
        try output.append("\",\"type\":\"dev.holdfast.decision")
        if let verdict = row.text(.verdict, longest: 16).flatMap({ Verdict(rawValue: $0) }) {
            try output.append(".\(verdict.rawValue)")
        }
        try output.append("\"")
        // Optional, and then a timestamp of RFC 3339 or not there at all.
        if let at = row.text(.at, longest: 32), Instant(entryTime: at)?.description == at,
            !at.hasPrefix("@")
        {
            try output.append(",\"time\":\"\(at)\"")
        }
        try output.append(",\"subject\":\"\(Self.subject(of: row))\"")
        try output.append(",\"datacontenttype\":\"application/json\",\"data\":")
        try writeJSON(row, to: output)
        try output.append("}\n")
    }

    private static func source(_ ledger: String) -> String {
        let digits = word(ledger)
        var text = "urn:uuid:"
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }

    private static func word(_ ledger: String) -> String {
        let digits = ledger.filter { $0.isASCII && $0.isHexDigit }
        return digits.utf8.count == 32 ? digits : String(repeating: "0", count: 32)
    }

    /// The node and the installation: no control character and no noncharacter, which the type String forbids, and
    /// nothing that JSON would have to escape.
    private static func subject(of row: HistoryRow) -> String {
        let parts: [HistoryColumn] = [.node, .distribution, .installation]
        let text = parts.map { row.text($0, longest: 200) ?? "?" }.joined(separator: "/")
        var scalars = String.UnicodeScalarView()
        for scalar in text.printable.unicodeScalars {
            let isForbidden =
                scalar == "\"" || scalar == "\\" || scalar.value & 0xfffe == 0xfffe
                || (0xfdd0...0xfdef).contains(scalar.value)
            scalars.append(isForbidden ? "?" : scalar)
        }
        return String(scalars)
    }
}

extension Instant {
    /// Reads what `description` writes; nil for anything else.
    init?(entryTime text: String) {
        let bytes = Array(text.utf8)
        if bytes.first == UInt8(ascii: "@") {
            guard let seconds = Int64(text.dropFirst()) else { return nil }
            self.init(seconds: seconds)
            return
        }
        guard bytes.count == 20, bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":"), bytes[19] == UInt8(ascii: "Z"),
            let date = CivilDate(text.prefix(10)),
            let hour = Int64(text.dropFirst(11).prefix(2)), let minute = Int64(text.dropFirst(14).prefix(2)),
            let second = Int64(text.dropFirst(17).prefix(2)), (0..<24).contains(hour),
            (0..<60).contains(minute), (0..<60).contains(second)
        else { return nil }
        self.init(seconds: date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second)
    }
}
