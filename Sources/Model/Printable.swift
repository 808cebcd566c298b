extension StringProtocol {
    /// The text without what could move a terminal's cursor, hide other text or end a line: shown as `?`.
    ///
    /// Version strings, unit names and channels come from outside; whatever is shown to a person passes here.
    public var printable: String {
        var scalars = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            // Control characters, zero-width and bidirectional controls, line and paragraph separators.
            case 0..<32, 127...159, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF:
                scalars.append("?")
            default: scalars.append(scalar)
            }
        }
        return String(scalars)
    }
}
