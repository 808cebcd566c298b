/// Refuses bytes that are not a printable UTF-8 text, by the place of the first that is wrong.
///
/// libyaml would refuse most of it too, but names no place for it and takes UTF-16, which nothing here should.
func checkText(_ bytes: ArraySlice<UInt8>) throws(YAMLError) {
    var decoder = Unicode.UTF8()
    var iterator = bytes.makeIterator()
    var place = YAMLPosition(line: 1, column: 1)
    var previousWasReturn = false
    var directives = 0
    while true {
        switch decoder.decode(&iterator) {
        case .emptyInput:
            return
        case .error:
            throw YAMLError(position: place, message: "not valid UTF-8; save the file as UTF-8")
        case .scalarValue(let scalar):
            try check(scalar, at: place)
            if scalar == "%", place.column == 1 {
                directives += 1
                // libyaml compares each %TAG with all before it: 1 MiB of them takes it many seconds.
                guard directives <= 16 else {
                    throw YAMLError(
                        position: place,
                        message: "too many directives (lines that begin with %); take them out")
                }
            }
            switch scalar {
            case "\n" where previousWasReturn:
                break
            // YAML 1.1's line breaks, which libyaml counts as well.
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                place = YAMLPosition(line: place.line + 1, column: 1)
            default:
                place.column += 1
            }
            previousWasReturn = scalar == "\r"
        }
    }
}

/// Refuses what YAML 1.1 counts as not printable.
private func check(_ scalar: Unicode.Scalar, at place: YAMLPosition) throws(YAMLError) {
    switch scalar.value {
    case 0:
        throw YAMLError(
            position: place, message: "a NUL byte; this is not a text, or one in UTF-16: save it as UTF-8")
    case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD,
        0x10000...0x10FFFF:
        return
    default:
        throw YAMLError(
            position: place,
            message: "an invisible character (U+\(hexadecimal(scalar.value))); take it out")
    }
}

private func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
}
