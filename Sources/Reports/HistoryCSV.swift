import Model

// What the sqlite3 shell (3.40 to 3.46) writes with -csv -header for the same SELECT, byte for byte. Its rules are
// its own, not RFC 4180's: lines end with LF alone, an empty text is "" and NULL is nothing, a text ends at its
// first NUL, and more than needs it is quoted.

/// Writes the column names.
func writeCSVHeader(to output: OutputBuffer) throws {
    try output.append(historyColumns.map(\.rawValue).joined(separator: ",") + "\n")
}

/// Writes one row and the end of its line.
func writeCSV(_ row: HistoryRow, to output: OutputBuffer) throws {
    try output.append(row.seq)
    for index in 1..<historyColumns.count {
        try output.append(UInt8(ascii: ","))
        try writeCSV(field: row[index], to: output)
    }
    try output.append(UInt8(ascii: "\n"))
}

func writeCSV(field: UnsafeRawBufferPointer, to output: OutputBuffer) throws {
    guard field.baseAddress != nil else { return }
    var length = field.count
    var isQuoted = false
    for index in 0..<field.count {
        let byte = field[index]
        if needsQuotes(byte) {
            if byte == 0 {
                length = index
                break
            }
            isQuoted = true
        }
    }
    let text = UnsafeRawBufferPointer(rebasing: field[..<length])
    guard isQuoted || length == 0 else { return try output.append(text) }
    try output.append(UInt8(ascii: "\""))
    // Half the buffer at a time, since every byte can become two.
    var rest = text[...]
    while !rest.isEmpty {
        let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(32_768))
        try output.fill(piece.count * 2) { room in
            var count = 0
            for byte in piece {
                room[count] = byte
                count += 1
                if byte == UInt8(ascii: "\"") {
                    room[count] = byte
                    count += 1
                }
            }
            return count
        }
        rest = rest.dropFirst(piece.count)
    }
    try output.append(UInt8(ascii: "\""))
}

/// Control characters, space, both quotes, the comma, and everything from DEL on.
@inline(__always)
private func needsQuotes(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte >= 0x7f || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
        || byte == UInt8(ascii: ",")
}
