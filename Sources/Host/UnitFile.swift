/// One unit file or drop-in, read by the rules of systemd.syntax(7) as systemd's own parser keeps them.
///
/// Lines that systemd warns about and skips are skipped: no `=`, no key, before any section, not UTF-8. At a
/// broken section header systemd stops reading the file, and so does this.
public struct UnitFile: Hashable, Sendable {
    /// One `Key=value` line.
    public struct Assignment: Hashable, Sendable {
        /// Without its brackets: `Service`.
        public var section: String
        /// As it was written, in its case: `ExecStart`.
        public var key: String
        /// Without white space around it, continuation lines joined; quotes and escapes as they were written.
        public var value: String

        /// Makes an assignment.
        public init(section: String, key: String, value: String) {
            self.section = section
            self.key = key
            self.value = value
        }
    }

    /// In the order of the file.
    public var assignments: [Assignment]

    /// The longest line that systemd takes, in bytes (its LONG_LINE_MAX); it stops reading at a longer one.
    public static let longestLine = 1 << 20

    /// Reads a file.
    ///
    /// - Parameter isKept: which keys of which sections to keep; the rest is skipped unread.
    public init(
        parsing bytes: [UInt8], keeping isKept: (_ section: String, _ key: String) -> Bool = { _, _ in true }
    ) {
        assignments = []
        bytes.withUnsafeBufferPointer { file in
            var lines = UnitFileLines(file)
            var section: String?
            var joined: [UInt8] = []
            var isContinued = false
            while let line = lines.next() {
                let text = trimmedFront(file[line])
                // A comment between continued lines is left out; it does not end them.
                if let first = text.first, first == UInt8(ascii: "#") || first == UInt8(ascii: ";") {
                    continue
                }
                let goesOn = endsInBackslash(text)
                if isContinued || goesOn {
                    guard joined.count + text.count <= Self.longestLine else { return }
                    joined.append(contentsOf: text)
                    if goesOn { joined[joined.count - 1] = UInt8(ascii: " ") }
                    isContinued = goesOn
                    if goesOn { continue }
                    let isSound = joined.withUnsafeBufferPointer { take($0[...], section: &section, isKept) }
                    joined.removeAll(keepingCapacity: true)
                    if !isSound { return }
                } else {
                    guard text.count <= Self.longestLine, take(text, section: &section, isKept) else {
                        return
                    }
                }
            }
            if isContinued {
                _ = joined.withUnsafeBufferPointer { take($0[...], section: &section, isKept) }
            }
        }
    }

    /// Takes one whole line in; false where systemd would stop reading the file.
    private mutating func take(
        _ line: Slice<UnsafeBufferPointer<UInt8>>, section: inout String?, _ isKept: (String, String) -> Bool
    ) -> Bool {
        let line = trimmed(line)
        guard let first = line.first else { return true }
        if first == UInt8(ascii: "[") {
            guard line.last == UInt8(ascii: "]"),
                let name = String(validating: line.dropFirst().dropLast(), as: UTF8.self)
            else { return false }
            section = name
            return true
        }
        guard let section, let equals = line.firstIndex(of: UInt8(ascii: "=")),
            let key = String(validating: trimmed(line[..<equals]), as: UTF8.self), !key.isEmpty,
            isKept(section, key),
            let value = String(validating: trimmed(line[line.index(after: equals)...]), as: UTF8.self)
        else { return true }
        assignments.append(Assignment(section: section, key: key, value: value))
        return true
    }
}

/// Where the lines of a file are; NUL, CR and LF end one, each combination of different ones only once.
private struct UnitFileLines {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var offset: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        offset = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    mutating func next() -> Range<Int>? {
        guard offset < bytes.count else { return nil }
        let start = offset
        while offset < bytes.count, !isEnd(bytes[offset]) { offset += 1 }
        let end = offset
        var seen: (UInt8?, UInt8?) = (nil, nil)
        while offset < bytes.count, isEnd(bytes[offset]), bytes[offset] != seen.0, bytes[offset] != seen.1 {
            seen = (bytes[offset], seen.0)
            offset += 1
        }
        return start..<end
    }

    private func isEnd(_ byte: UInt8) -> Bool { byte == 10 || byte == 13 || byte == 0 }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 }

private func trimmedFront(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Slice<UnsafeBufferPointer<UInt8>> {
    bytes.drop(while: isBlank)
}

private func trimmed(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Slice<UnsafeBufferPointer<UInt8>> {
    var rest = bytes.drop(while: isBlank)
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return rest
}

/// Whether the last backslash is not itself escaped; white space after it makes it none.
private func endsInBackslash(_ line: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    var count = 0
    for byte in line.reversed() {
        guard byte == UInt8(ascii: "\\") else { break }
        count += 1
    }
    return count % 2 == 1
}
