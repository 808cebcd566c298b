/// Lines of words under a title, closed by a checksum: what the gate reads and writes.
///
/// One word is one value: `-` for none, `%` for an empty text, bytes up to the space, `%` and DEL as `%0A`. The first
/// line is the title and a format number, the last one `end` and the checksum of all bytes before it. So a file that
/// was cut off, torn or edited is recognised, and the standard library alone can read it.
public struct SealedLines: Sendable {
    private var bytes: [UInt8]

    /// Begins a text.
    ///
    /// - Parameter title: what it is, and the number of its format: `holdfast-guard 1`.
    public init(title: String) { bytes = Array(title.utf8) + [UInt8(ascii: "\n")] }

    /// Adds a line.
    public mutating func add(_ key: String, _ words: String?...) {
        bytes += Array(key.utf8)
        for word in words {
            bytes.append(UInt8(ascii: " "))
            Self.write(word, to: &bytes)
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// The whole text with its checksum.
    public var text: String {
        String(decoding: bytes, as: UTF8.self) + "end \(Self.checksum(bytes[...]))\n"
    }

    /// The lines between title and checksum.
    ///
    /// - Parameters:
    ///   - title: the one title and format that is understood.
    ///   - largest: more bytes than this are not looked at.
    /// - Throws: `GuardFileError`, for whatever bytes.
    public static func read(
        _ bytes: [UInt8], title: String, largest: Int
    ) throws(GuardFileError) -> [SealedLine] {
        guard bytes.count <= largest else {
            throw GuardFileError("it is longer than \(largest) bytes")
        }
        guard let first = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            throw GuardFileError(bytes.isEmpty ? "it is empty" : "its first line has no end")
        }
        guard bytes[..<first].elementsEqual(title.utf8) else {
            throw GuardFileError(
                "its first line is not '\(title)': another program or another version wrote it")
        }
        // "end ", 16 digits and a line feed.
        guard bytes.count - 21 > first,
            bytes[(bytes.count - 21)...].elementsEqual("end \(checksum(bytes[..<(bytes.count - 21)]))\n".utf8)
        else { throw GuardFileError("its checksum is wrong: it was cut off or changed") }
        let body = bytes[(first + 1)..<(bytes.count - 21)]
        guard body.isEmpty || body.last == UInt8(ascii: "\n") else {
            throw GuardFileError("its last line has no end")
        }
        var lines: [SealedLine] = []
        for line in body.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        where !body.isEmpty {
            let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            let number = lines.count + 2
            guard let key = words.first, let name = String(validating: key, as: UTF8.self), !name.isEmpty
            else {
                throw GuardFileError("it has no key", line: number)
            }
            var values: [String?] = []
            for word in words.dropFirst() {
                guard let value = value(of: word) else {
                    throw GuardFileError(
                        "a word of '\(name.printable)' is not escaped as it should be", line: number)
                }
                values.append(value)
            }
            lines.append(SealedLine(number: number, key: name, values: values))
        }
        return lines
    }

    /// FNV-1a over 64 bits, as 16 digits.
    ///
    /// It guards against accidents: each step can be undone, so no change of a single byte leaves it the same. Who
    /// may write the file can write its checksum too.
    public static func checksum(_ bytes: ArraySlice<UInt8>) -> String {
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        let digits = String(sum, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    private static func write(_ word: String?, to bytes: inout [UInt8]) {
        guard let word else {
            bytes.append(UInt8(ascii: "-"))
            return
        }
        if word.utf8.isEmpty { bytes.append(UInt8(ascii: "%")) }
        let isDash = word.utf8.elementsEqual("-".utf8)
        let hex = Array("0123456789ABCDEF".utf8)
        for byte in word.utf8 {
            if byte <= 32 || byte == 127 || byte == UInt8(ascii: "%") || isDash {
                bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            } else {
                bytes.append(byte)
            }
        }
    }

    /// Nil for a word that `write` never makes; nil inside for none.
    private static func value(of word: ArraySlice<UInt8>) -> String?? {
        if word.elementsEqual("-".utf8) { return .some(nil) }
        if word.elementsEqual("%".utf8) { return .some("") }
        var plain: [UInt8] = []
        plain.reserveCapacity(word.count)
        var rest = word
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                guard byte > 32, byte != 127 else { return nil }
                plain.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            plain.append(high << 4 | low)
        }
        // No path, unit or text of ours holds a NUL, and C would end there.
        guard !plain.isEmpty, !plain.contains(0), let text = String(validating: plain, as: UTF8.self) else {
            return nil
        }
        return .some(text)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        default: nil
        }
    }
}

/// One line of such a text.
public struct SealedLine: Hashable, Sendable {
    /// Counted from 1.
    public var number: Int
    /// The first word.
    public var key: String
    /// The others; nil for `-`.
    public var values: [String?]

    /// A value that must be there.
    public func text(_ index: Int) throws(GuardFileError) -> String {
        guard values.indices.contains(index), let value = values[index] else {
            throw wrong("a value is missing")
        }
        return value
    }

    /// A value that may be none.
    public func optional(_ index: Int) throws(GuardFileError) -> String? {
        guard values.indices.contains(index) else { throw wrong("a value is missing") }
        return values[index]
    }

    /// A value that reads as a number.
    public func number(_ index: Int) throws(GuardFileError) -> Int64 {
        guard let number = Int64(try text(index)) else { throw wrong("a number is not one") }
        return number
    }

    /// That many values and no other count.
    public func expect(_ count: Int) throws(GuardFileError) {
        guard values.count == count else { throw wrong("it has \(values.count) values, not \(count)") }
    }

    /// An error about this line.
    public func wrong(_ text: String) -> GuardFileError {
        GuardFileError("\(text) in '\(key.printable)'", line: number)
    }
}

/// Why bytes are no guard file, or none of the gate's other files.
public struct GuardFileError: Error, Hashable, CustomStringConvertible {
    /// What is wrong and where: lower case, no full stop.
    public var description: String

    /// Makes an error.
    public init(_ text: String, line: Int? = nil) {
        description = (line.map { "line \($0): " } ?? "") + text
    }
}
