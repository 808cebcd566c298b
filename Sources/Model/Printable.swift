extension StringProtocol {
    /// The text without what could move a terminal's cursor, hide other text or end a line: shown as `?`.
    ///
    /// Version strings, unit names and channels come from outside; whatever is shown to a person passes here.
    public var printable: String {
        var scalars = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            // Control characters, what cannot be seen, bidirectional controls, line and paragraph separators.
            case 0..<32, 127...159, 0xAD, 0x61C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F,
                0xFEFF, 0xFFF9...0xFFFB, 0x1BCA0...0x1BCA3, 0x1D173...0x1D17A, 0xE0000...0xE0FFF:
                scalars.append("?")
            default: scalars.append(scalar)
            }
        }
        return String(scalars)
    }

    /// Its first so many Unicode scalars, each at most four bytes: a single character can have any number of them.
    public func cut(to count: Int) -> String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: unicodeScalars.prefix(count))
        return String(scalars)
    }
}

extension String {
    /// A text of JSON in which what `printable` would take away is written as `\u202e`: it means the same, and a terminal
    /// neither heeds nor hides it (RFC 8259, 7).
    public var plainJSON: String {
        guard !utf8.allSatisfy({ $0 < 0x7f }) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            // JSON has escaped those below a space; what is left of them stands between its words.
            guard scalar.value >= 0x7f, String(scalar).printable != String(scalar) else {
                text.unicodeScalars.append(scalar)
                continue
            }
            for unit in UTF16.encode(scalar) ?? .init() {
                let digits = String(unit, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            }
        }
        return text
    }
}
