import Model

/// Writes one row as an object: every column is a key, `seq` a number, `unmet` an array, and NULL null.
func writeJSON(_ row: HistoryRow, to output: OutputBuffer) throws {
    try output.append(UInt8(ascii: "{"))
    try writeJSON(membersOf: row, to: output)
}

/// Writes the members of a row's object, and the brace after them.
func writeJSON(membersOf row: HistoryRow, to output: OutputBuffer) throws {
    for (index, column) in historyColumns.enumerated() {
        try output.append(keys[index])
        switch column {
        case .seq: try output.append(row.seq)
        case .unmet: try writeJSON(words: row[index], to: output)
        case .at, .node, .distribution, .installation, .change, .trigger, .updateType, .phase, .from, .to,
            .target, .verdict, .decision, .policy, .reason, .rollout:
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

/// `"seq":`, `,"at":` and so on.
private let keys = historyColumns.enumerated().map { index, column in
    (index == 0 ? "" : ",") + "\"\(column.rawValue)\":"
}

func writeJSON(words: UnsafeRawBufferPointer, to output: OutputBuffer) throws {
    try output.append(UInt8(ascii: "["))
    for (index, word) in words.split(separator: UInt8(ascii: " ")).enumerated() {
        if index > 0 { try output.append(UInt8(ascii: ",")) }
        try writeJSON(text: UnsafeRawBufferPointer(rebasing: word), to: output)
    }
    try output.append(UInt8(ascii: "]"))
}

func writeJSON(text: UnsafeRawBufferPointer, to output: OutputBuffer) throws {
    try output.append(UInt8(ascii: "\""))
    if text.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
        try output.append(text)
    } else {
        // Mends what is no UTF-8, which JSON cannot hold.
        var mended = String(decoding: text, as: UTF8.self)
        try mended.withUTF8 { try writeEscaped(UnsafeRawBufferPointer($0), to: output) }
    }
    try output.append(UInt8(ascii: "\""))
}

/// Writes valid UTF-8 with what needs it escaped, and what lies between as it is.
///
/// Beyond what JSON asks for, what could move a terminal's cursor or hide text is escaped: somebody will look at it.
private func writeEscaped(_ text: UnsafeRawBufferPointer, to output: OutputBuffer) throws {
    var start = 0
    var index = 0
    while index < text.count {
        guard let (scalar, length) = escaped(text, at: index) else {
            index += 1
            continue
        }
        try output.append(UnsafeRawBufferPointer(rebasing: text[start..<index]))
        switch scalar {
        case 0x22: try output.append("\\\"")
        case 0x5c: try output.append("\\\\")
        case 0x0a: try output.append("\\n")
        case 0x0d: try output.append("\\r")
        case 0x09: try output.append("\\t")
        default:
            // Two of UTF-16 where one does not hold it (RFC 8259, 7).
            for unit in Unicode.Scalar(scalar).map({ Array(UTF16.encode($0) ?? .init()) }) ?? [] {
                let digits = String(unit, radix: 16)
                try output.append("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
            }
        }
        index += length
        start = index
    }
    try output.append(UnsafeRawBufferPointer(rebasing: text[start...]))
}

/// The scalar at an index and its length in bytes, where it is to be escaped.
private func escaped(_ text: UnsafeRawBufferPointer, at index: Int) -> (scalar: UInt32, length: Int)? {
    let byte = UInt32(text[index])
    func next(_ offset: Int) -> UInt32 {
        index + offset < text.count ? UInt32(text[index + offset]) & 0x3f : 0
    }
    let (value, length): (UInt32, Int)
    switch byte {
    case 0x22, 0x5c: return (byte, 1)
    case ..<0x80: (value, length) = (byte, 1)
    // The only other lead bytes of what `printable` takes away.
    case 0xc2, 0xd8: (value, length) = ((byte & 0x1f) << 6 | next(1), 2)
    case 0xe1, 0xe2, 0xef: (value, length) = ((byte & 0x0f) << 12 | next(1) << 6 | next(2), 3)
    case 0xf0, 0xf3:
        (value, length) = ((byte & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3), 4)
    default: return nil
    }
    if (0x20..<0x7f).contains(value) { return nil }
    guard let scalar = Unicode.Scalar(value), String(scalar).printable.unicodeScalars.first != scalar else {
        return nil
    }
    return (value, length)
}
