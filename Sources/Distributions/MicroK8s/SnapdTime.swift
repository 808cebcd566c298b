import Model

extension Instant {
    /// Reads a time as snapd writes it (RFC 3339), and drops what is below a second; nil for anything else.
    ///
    /// It has 0 to 9 fractional digits, an offset or `Z`, and reaches the year 2319, which is how "forever" reads back.
    init?(snapd text: some StringProtocol) {
        let bytes = Array(text.utf8)
        // 2026-11-24T14:46:35 … Z
        guard (20...40).contains(bytes.count),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let date = CivilDate(String(decoding: bytes[..<10], as: UTF8.self)),
            let hour = twoDigits(bytes[11...12], upTo: 23), let minute = twoDigits(bytes[14...15], upTo: 59),
            // A leap second is the last second of its minute.
            let second = twoDigits(bytes[17...18], upTo: 60)
        else { return nil }
        var rest = bytes[19...]
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { (48...57).contains($0) }
            guard (1...9).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count + 1)
        }
        guard let offset = offsetSeconds(rest) else { return nil }
        let ofDay = Int64(hour * 3600 + minute * 60 + min(second, 59))
        self.init(seconds: date.daysSinceEpoch * 86_400 + ofDay - offset)
    }
}

/// Seconds east of UTC: `Z`, `+02:00`, `-09:30`.
private func offsetSeconds(_ bytes: ArraySlice<UInt8>) -> Int64? {
    let bytes = Array(bytes)
    if bytes == [UInt8(ascii: "Z")] || bytes == [UInt8(ascii: "z")] { return 0 }
    guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), let hours = twoDigits(bytes[1...2], upTo: 23),
        let minutes = twoDigits(bytes[4...5], upTo: 59)
    else { return nil }
    let seconds = Int64(hours * 3600 + minutes * 60)
    switch bytes[0] {
    case UInt8(ascii: "+"): return seconds
    case UInt8(ascii: "-"): return -seconds
    default: return nil
    }
}

private func twoDigits(_ bytes: ArraySlice<UInt8>, upTo most: Int) -> Int? {
    guard bytes.allSatisfy({ (48...57).contains($0) }) else { return nil }
    let number = bytes.reduce(0) { $0 * 10 + Int($1 - 48) }
    return number <= most ? number : nil
}
