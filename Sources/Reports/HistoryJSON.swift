import Model

/// Writes one row as an object: every column is a key, `seq` a number, `unmet` an array, and NULL null.
func writeJSON(_ row: HistoryRow, to output: OutputBuffer) throws {
    for (index, column) in historyColumns.enumerated() {
        try output.append(keys[index])
        switch column {
        case .seq: try output.append(row.seq)
        case .unmet: try writeJSON(words: row[index], to: output)
        case .at, .node, .distribution, .installation, .change, .trigger, .updateType, .phase, .from, .to,
            .target, .verdict, .decision, .policy, .reason:
            let field = row[index]
            if field.baseAddress == nil {
                try output.append("null")
            } else {
                try writeJSON(text: field, to: output)
            }
        }
    }
    try output.append(UInt8(ascii: "}"))
}

/// `{"seq":`, `,"at":` and so on.
private let keys = historyColumns.enumerated().map { index, column in
    (index == 0 ? "{" : ",") + "\"\(column.rawValue)\":"
}

private func writeJSON(words: UnsafeRawBufferPointer, to output: OutputBuffer) throws {
    try output.append(UInt8(ascii: "["))
    for (index, word) in words.split(separator: UInt8(ascii: " ")).enumerated() {
        if index > 0 { try output.append(UInt8(ascii: ",")) }
        try writeJSON(text: UnsafeRawBufferPointer(rebasing: word), to: output)
    }
    try output.append(UInt8(ascii: "]"))
}

private func writeJSON(text: UnsafeRawBufferPointer, to output: OutputBuffer) throws {
    try output.append(UInt8(ascii: "\""))
    if text.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
        try output.append(text)
    } else {
        // Mends what is no UTF-8, which JSON cannot hold.
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars { try write(scalar, to: output) }
    }
    try output.append(UInt8(ascii: "\""))
}

// Beyond what JSON asks for, what could move a terminal's cursor or hide text is escaped: somebody will look at it.
private func write(_ scalar: Unicode.Scalar, to output: OutputBuffer) throws {
    switch scalar {
    case "\"": try output.append("\\\"")
    case "\\": try output.append("\\\\")
    case "\n": try output.append("\\n")
    case "\r": try output.append("\\r")
    case "\t": try output.append("\\t")
    default:
        let needsEscape = String(scalar).printable.unicodeScalars.first != scalar
        // What `printable` takes away lies below U+10000, where JSON needs no surrogates.
        guard needsEscape, scalar.value <= 0xffff else { return try output.append(String(scalar)) }
        let digits = String(scalar.value, radix: 16)
        try output.append("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
    }
}
