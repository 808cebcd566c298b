public import Model

extension Reader {
    /// A point in time as RFC 3339 writes it, to the second.
    func instant(_ entry: Entry) -> Instant? {
        guard let text = text(entry) else { return nil }
        guard let instant = Instant(rfc3339: text) else {
            fault(
                entry,
                "\(shown(text)) is no point in time; write date, time and offset: 2026-11-24T02:30:00Z or 2026-11-24T02:30:00+01:00"
            )
            return nil
        }
        return instant
    }
}

extension Instant {
    /// Reads `2026-11-24T02:30:00Z`, or an offset such as `+01:00` for the `Z`; no fractions, no leap seconds.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 || bytes.count == 25, bytes[10] == UInt8(ascii: "T"),
            let date = CivilDate(String(decoding: bytes[..<10], as: UTF8.self)),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let hour = Self.twoDigits(bytes[11...12], below: 24),
            let minute = Self.twoDigits(bytes[14...15], below: 60),
            let second = Self.twoDigits(bytes[17...18], below: 60)
        else { return nil }
        var offset: Int64 = 0
        switch bytes[19] {
        case UInt8(ascii: "Z") where bytes.count == 20: break
        case UInt8(ascii: "+") where bytes.count == 25, UInt8(ascii: "-") where bytes.count == 25:
            guard bytes[22] == UInt8(ascii: ":"), let hours = Self.twoDigits(bytes[20...21], below: 24),
                let minutes = Self.twoDigits(bytes[23...24], below: 60)
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (bytes[19] == UInt8(ascii: "-") ? -1 : 1)
        default: return nil
        }
        self.init(seconds: date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offset)
    }

    private static func twoDigits(_ digits: ArraySlice<UInt8>, below limit: Int64) -> Int64? {
        guard digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        let number = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 48) }
        return number < limit ? number : nil
    }
}
