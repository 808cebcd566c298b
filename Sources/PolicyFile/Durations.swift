public import Model

extension TimeSpan {
    /// Reads `90s`, `15m`, `24h`, `3d`, `2w`; nil for anything else, and past nine digits.
    public init?(policyText text: String) {
        let bytes = Array(text.utf8)
        guard let unit = bytes.last, let length = Self.length(ofUnit: unit), (2...10).contains(bytes.count),
            bytes.dropLast().allSatisfy({ (48...57).contains($0) }),
            let count = Int64(String(decoding: bytes.dropLast(), as: UTF8.self))
        else { return nil }
        self.init(seconds: count * length)
    }

    private static func length(ofUnit unit: UInt8) -> Int64? {
        switch unit {
        case UInt8(ascii: "s"): 1
        case UInt8(ascii: "m"): 60
        case UInt8(ascii: "h"): 3600
        case UInt8(ascii: "d"): 86_400
        case UInt8(ascii: "w"): 604_800
        default: nil
        }
    }

    /// What somebody may have meant by `90`, `1h30m`, `3 days` or `24H`; nil where nothing comes to mind.
    static func guess(_ text: String) -> TimeSpan? {
        let words = text.lowercased().filter { $0 != " " }
        guard words.utf8.count <= 32 else { return nil }
        if !words.isEmpty, words.utf8.allSatisfy({ (48...57).contains($0) }) {
            return TimeSpan(policyText: words + "s")
        }
        var total: Int64 = 0
        var rest = Substring(words)
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
            // "mo" and "ms" are no minutes.
            guard !digits.isEmpty, let first = unit.first, !unit.hasPrefix("mo"), !unit.hasPrefix("ms"),
                let part = TimeSpan(policyText: "\(digits)\(first)")
            else { return nil }
            total += part.seconds
            rest = rest.dropFirst(digits.count + unit.count)
        }
        return words.isEmpty ? nil : TimeSpan(seconds: total)
    }
}
