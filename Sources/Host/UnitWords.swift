/// Splits a unit file's value into words as systemd does: quotes and C escapes taken off.
///
/// - Returns: Nil where a quote is not closed or an escape is none, where systemd ignores the whole line.
func unitWords(_ value: String) -> [String]? {
    var scanner = UnitWordScanner(value)
    var words: [String] = []
    while true {
        switch scanner.next() {
        case .word(let word, _): words.append(word)
        case .end: return words
        case .invalid: return nil
        }
    }
}

/// One command of an ExecStart= line.
struct UnitCommand: Hashable, Sendable {
    /// The program and its arguments; a name for the process that `@` sets is left out.
    var words: [String]
    /// Whether `$NAME` and `${NAME}` stand for variables; the prefix `:` says no.
    var expandsVariables: Bool

    /// The commands of a line, each ended by a `;` of its own.
    ///
    /// - Returns: Nil where systemd ignores the whole line.
    static func parse(_ value: String) -> [UnitCommand]? {
        var scanner = UnitWordScanner(value)
        var commands: [UnitCommand] = []
        var current: (command: UnitCommand, skipsName: Bool)?
        while true {
            switch scanner.next() {
            case .invalid: return nil
            case .end:
                if let current { commands.append(current.command) }
                return commands
            case .word(let word, let source):
                if source == .separator {
                    if let current { commands.append(current.command) }
                    current = nil
                } else if current == nil {
                    current = start(word)
                    if current == nil { return nil }
                } else if current?.skipsName == true {
                    current?.skipsName = false
                } else {
                    current?.command.words.append(word)
                }
            }
        }
    }

    /// The first word, its prefix characters (systemd.service(5), table 2) taken off.
    private static func start(_ word: String) -> (UnitCommand, Bool)? {
        var path = Substring(word)
        var isNamed = false
        var expands = true
        while let first = path.first, "-@:+!|".contains(first) {
            if first == "@" { isNamed = true }
            if first == ":" { expands = false }
            path = path.dropFirst()
        }
        guard !path.isEmpty else { return nil }
        return (UnitCommand(words: [String(path)], expandsVariables: expands), isNamed)
    }
}

/// Reads words one by one (`extract_first_word` with UNQUOTE and CUNESCAPE in systemd's terms).
private struct UnitWordScanner {
    enum Source { case plain, separator }
    enum Step {
        case word(String, Source)
        case end
        case invalid
    }

    private let bytes: [UInt8]
    private var offset = 0

    init(_ value: String) { bytes = Array(value.utf8) }

    mutating func next() -> Step {
        while let byte = peek(), isSeparator(byte) { offset += 1 }
        guard let first = peek() else { return .end }
        if first == UInt8(ascii: ";"), endsWord(at: offset + 1) {
            offset += 1
            return .word(";", .separator)
        }
        if first == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: ";"), endsWord(at: offset + 2) {
            offset += 2
            return .word(";", .plain)
        }
        var word: [UInt8] = []
        var quote: UInt8?
        while let byte = peek() {
            offset += 1
            if byte == UInt8(ascii: "\\") {
                guard escape(into: &word) else { return .invalid }
            } else if let open = quote {
                if byte == open { quote = nil } else { word.append(byte) }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if isSeparator(byte) {
                break
            } else {
                word.append(byte)
            }
        }
        return quote == nil ? .word(String(decoding: word, as: UTF8.self), .plain) : .invalid
    }

    private func peek(_ ahead: Int = 0) -> UInt8? {
        offset + ahead < bytes.count ? bytes[offset + ahead] : nil
    }

    private func endsWord(at index: Int) -> Bool { index >= bytes.count || isSeparator(bytes[index]) }

    private func isSeparator(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 }

    /// Reads what follows a backslash (systemd.syntax(7), table 1).
    private mutating func escape(into word: inout [UInt8]) -> Bool {
        guard let kind = peek() else { return false }
        offset += 1
        switch kind {
        case UInt8(ascii: "a"): word.append(7)
        case UInt8(ascii: "b"): word.append(8)
        case UInt8(ascii: "f"): word.append(12)
        case UInt8(ascii: "n"): word.append(10)
        case UInt8(ascii: "r"): word.append(13)
        case UInt8(ascii: "t"): word.append(9)
        case UInt8(ascii: "v"): word.append(11)
        case UInt8(ascii: "s"): word.append(32)
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): word.append(kind)
        case UInt8(ascii: "x"):
            guard let value = number(digits: 2, radix: 16), let byte = UInt8(exactly: value), byte > 0 else {
                return false
            }
            word.append(byte)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            guard let value = number(digits: kind == UInt8(ascii: "u") ? 4 : 8, radix: 16), value > 0,
                let scalar = Unicode.Scalar(value)
            else { return false }
            word.append(contentsOf: String(Character(scalar)).utf8)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            offset -= 1
            guard let value = number(digits: 3, radix: 8), let byte = UInt8(exactly: value), byte > 0 else {
                return false
            }
            word.append(byte)
        default: return false
        }
        return true
    }

    private mutating func number(digits: Int, radix: UInt32) -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix
            else {
                return nil
            }
            offset += 1
            value = value << (radix == 16 ? 4 : 3) | UInt32(digit)
        }
        return value
    }
}
