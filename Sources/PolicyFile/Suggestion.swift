/// The known word that was probably meant: the same but for case, else cut short or spelt out, else the nearest by edits.
func suggestion(for word: String, among known: [String]) -> String? {
    guard (1...64).contains(word.utf8.count) else { return nil }
    let plain = word.lowercased()
    if let same = known.first(where: { $0.lowercased() == plain }) { return same }
    // Names of the same things in other tools' spelling: maxconcurrent, max_concurrent, max-concurrent.
    let joined = plain.filter { $0 != "_" && $0 != "-" && $0 != " " }
    if let same = known.first(where: { $0.lowercased().filter { $0 != "-" } == joined }) { return same }
    let scored = known.map {
        (name: $0, edits: edits(from: Array(plain.utf8), to: Array($0.lowercased().utf8)))
    }
    if let best = scored.min(by: { $0.edits < $1.edits }),
        best.edits <= max(1, min(3, best.name.utf8.count / 3))
    {
        return best.name
    }
    // "monday" for "mon".
    return known.first {
        $0.utf8.count >= 3 && (plain.hasPrefix($0.lowercased()) || $0.lowercased().hasPrefix(plain))
    }
}

/// Edits (insertion, removal, replacement, exchange of two neighbours) between two words.
private func edits(from source: [UInt8], to target: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...target.count)
    for (row, byte) in source.enumerated() {
        var current = [row + 1]
        for (column, other) in target.enumerated() {
            var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (byte == other ? 0 : 1))
            if row > 0, column > 0, byte == target[column - 1], source[row - 1] == other {
                cost = min(cost, beforeLast[column - 1] + 1)
            }
            current.append(cost)
        }
        beforeLast = last
        last = current
    }
    return last[target.count]
}

/// A text from outside as a message shows it: quoted, on one line, cut short, nothing a terminal would obey.
func shown(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars.prefix(60) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result + (text.unicodeScalars.count > 60 ? "…\"" : "\"")
}

/// ` (did you mean `x`?)`, or nothing.
func didYouMean(_ name: String?) -> String { name.map { "; did you mean `\($0)`?" } ?? "" }
