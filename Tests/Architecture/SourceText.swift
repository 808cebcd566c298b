/// A Swift source with its comments and the texts of its strings blanked, and its words with their surroundings.
///
/// Rules look at words, so that a comment that names `print(` breaks none. Lines keep their numbers.
struct SourceText {
    /// The module (the folder below `Sources`) it belongs to.
    let module: String
    /// From the repository's top.
    let path: String
    /// As written.
    let lines: [Substring]
    /// Without comments and without what stands in strings; the code in an interpolation is kept.
    let codeLines: [Substring]
    let words: [Word]
    let imports: [Import]

    /// An identifier or keyword.
    struct Word {
        let text: Substring
        /// From 1.
        let line: Int
        /// The word before a dot, empty for a leading dot (`.name`), nil where there is no dot before it.
        let receiver: Substring?
        /// The word before it with nothing but white space between: `func` of `func open`.
        let previous: Substring
        /// Whether a `(` follows at once.
        let isCall: Bool
        /// Whether a `#` stands before it.
        let isDirective: Bool
    }

    struct Import {
        let module: String
        let line: Int
    }

    init(module: String, path: String, text: String) {
        self.module = module
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let code = Self.withoutCommentsAndStrings(text)
        codeLines = code.split(separator: "\n", omittingEmptySubsequences: false)
        words = Self.words(in: codeLines)
        imports = Self.imports(in: codeLines)
    }

    /// Where something was found, for a message.
    func place(_ line: Int) -> String { "\(path):\(line)" }

    // MARK: Blanking

    private enum Mode {
        /// Parentheses that are open since the interpolation began; 0 at the top, where none can close it.
        case code(open: Int)
        case string(hashes: Int, isMultiline: Bool)
    }

    private static func withoutCommentsAndStrings(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var modes: [Mode] = [.code(open: 0)]
        var at = 0

        func follows(_ word: String, _ index: Int) -> Bool {
            bytes[min(index, bytes.count)...].starts(with: word.utf8)
        }
        func blank(_ count: Int) {
            for byte in bytes[at..<min(at + count, bytes.count)] {
                result.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
            }
            at += count
        }

        while at < bytes.count {
            switch modes[modes.count - 1] {
            case .code(let open):
                if follows("//", at) {
                    blank(bytes[at...].prefix { $0 != UInt8(ascii: "\n") }.count)
                } else if follows("/*", at) {
                    var depth = 0
                    repeat {
                        if follows("/*", at) {
                            depth += 1
                            blank(2)
                        } else if follows("*/", at) {
                            depth -= 1
                            blank(2)
                        } else {
                            blank(1)
                        }
                    } while depth > 0 && at < bytes.count
                } else if let opening = openingQuote(bytes, at) {
                    blank(opening.hashes + (opening.isMultiline ? 3 : 1))
                    modes.append(.string(hashes: opening.hashes, isMultiline: opening.isMultiline))
                } else {
                    let byte = bytes[at]
                    result.append(byte)
                    at += 1
                    guard open > 0 else { continue }
                    if byte == UInt8(ascii: "(") { modes[modes.count - 1] = .code(open: open + 1) }
                    if byte == UInt8(ascii: ")") {
                        if open == 1 {
                            modes.removeLast()
                        } else {
                            modes[modes.count - 1] = .code(open: open - 1)
                        }
                    }
                }
            case .string(let hashes, let isMultiline):
                let fence = String(repeating: "#", count: hashes)
                let quote = isMultiline ? "\"\"\"" : "\""
                if follows("\\" + fence + "(", at) {
                    blank(1 + hashes)
                    result.append(bytes[at])
                    at += 1
                    modes.append(.code(open: 1))
                } else if follows("\\" + fence, at) {
                    blank(2 + hashes)
                } else if follows(quote + fence, at) {
                    blank(quote.utf8.count + hashes)
                    modes.removeLast()
                } else {
                    blank(1)
                }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func openingQuote(_ bytes: [UInt8], _ at: Int) -> (hashes: Int, isMultiline: Bool)? {
        let hashes = bytes[at...].prefix { $0 == UInt8(ascii: "#") }.count
        let rest = bytes[(at + hashes)...]
        guard rest.first == UInt8(ascii: "\"") else { return nil }
        return (hashes, rest.starts(with: "\"\"\"".utf8))
    }

    // MARK: Words

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...:
            true
        default: false
        }
    }

    private static func words(in lines: [Substring]) -> [Word] {
        var words: [Word] = []
        for (number, line) in lines.enumerated() {
            let utf8 = line.utf8
            var previous: Substring = ""
            var between: Substring = ""
            var at = utf8.startIndex
            while at < utf8.endIndex {
                let start = at
                while at < utf8.endIndex, isWordByte(utf8[at]) { at = utf8.index(after: at) }
                guard start < at else {
                    let gap = at
                    while at < utf8.endIndex, !isWordByte(utf8[at]) { at = utf8.index(after: at) }
                    between = line[gap..<at]
                    continue
                }
                let hasDot = between.hasSuffix(".") && !between.hasSuffix("..")
                words.append(
                    Word(
                        text: line[start..<at], line: number + 1,
                        receiver: hasDot ? (between == "." ? previous : "") : nil,
                        previous: between.allSatisfy { $0 == " " } ? previous : "",
                        isCall: at < utf8.endIndex && utf8[at] == UInt8(ascii: "("),
                        isDirective: between.hasSuffix("#")))
                previous = line[start..<at]
                between = ""
            }
        }
        return words
    }

    private static func imports(in lines: [Substring]) -> [Import] {
        let before: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
        let kinds: Set<Substring> = [
            "struct", "class", "enum", "protocol", "typealias", "func", "let", "var",
        ]
        return lines.enumerated().compactMap { number, line in
            var words = line.split(separator: " ")[...]
            words = words.drop { $0.hasPrefix("@") || before.contains($0) }
            guard words.first == "import" else { return nil }
            words = words.dropFirst().drop { kinds.contains($0) }
            guard let name = words.first?.split(separator: ".").first else { return nil }
            return Import(module: String(name), line: number + 1)
        }
    }
}
