/// Every public declaration says what it is for.
enum DocumentationRules {
    /// Public declarations, and requirements of public protocols, without a doc comment.
    ///
    /// Cases of enumerations are left to their author. Members that a conformance asks for are exempt, since the
    /// protocol has said what they do; so are those of a type that says their meanings are another type's.
    ///
    /// - Parameter promises: what the package's own protocols ask for, by protocol.
    static func undocumented(in source: SourceText, promises: [String: Set<String>] = [:]) -> [String] {
        // A file that names a protocol is taken to conform to it.
        let named = Set(source.words.map { String($0.text) })
        let promised = Set(promises.filter { named.contains($0.key) }.flatMap(\.value))
        var findings: [String] = []
        // Bodies that are open, by the indentation of their members; layout is the formatter's, so it can be relied on.
        var requirementsAt: Int?
        var borrowedAt: Int?
        for (index, code) in source.codeLines.enumerated() {
            let words = code.split { $0 == " " }.map(String.init)
            guard let first = words.first else { continue }
            let indentation = code.prefix { $0 == " " }.count
            if first.hasPrefix("}") {
                if let at = requirementsAt, indentation < at { requirementsAt = nil }
                if let at = borrowedAt, indentation < at { borrowedAt = nil }
            }
            let isRequirement = requirementsAt == indentation && requirementKeywords.contains(name(first))
            guard words.prefix(3).contains("public") || isRequirement, let declared = declaration(words)
            else {
                continue
            }
            let comment = comment(above: index, in: source.lines)
            if declared.keyword == "protocol" { requirementsAt = indentation + 4 }
            if comment.contains("meanings are those of") { borrowedAt = indentation + 4 }
            if exempt.contains(declared.name) || conformingInitialisers.contains(where: { code.contains($0) })
                || borrowedAt == indentation || (!isRequirement && promised.contains(declared.name))
            {
                continue
            }
            if comment.isEmpty {
                findings.append(
                    "\(source.place(index + 1)): \(declared.keyword) \(declared.name) has no doc comment")
            }
        }
        return findings
    }

    /// The names that each public protocol asks its conformers for.
    static func promises(in sources: [SourceText]) -> [String: Set<String>] {
        var promises: [String: Set<String>] = [:]
        for source in sources {
            var open: String?
            for code in source.codeLines {
                let words = code.split { $0 == " " }.map(String.init)
                if code.hasPrefix("}") { open = nil }
                guard let declared = declaration(words) else { continue }
                if code.hasPrefix("public protocol ") {
                    open = declared.name
                } else if let open, code.hasPrefix("    "), !code.hasPrefix("     ") {
                    promises[open, default: []].insert(declared.name)
                }
            }
        }
        return promises
    }

    private static let requirementKeywords: Set<String> = [
        "func", "var", "init", "static", "mutating", "associatedtype",
    ]

    private static let keywords: Set<String> = [
        "struct", "class", "enum", "actor", "protocol", "func", "var", "let", "init", "subscript",
        "typealias",
        "associatedtype",
    ]

    private static let conformingInitialisers = [
        "init(from ", "init(integerLiteral ", "init(stringLiteral ", "init(nilLiteral:",
    ]

    private static let exempt: Set<String> = [
        "encode", "==", "<", "hash", "description", "debugDescription", "customMirror", "allCases",
        "rawValue",
    ]

    /// The keyword of a declaration and what it declares; nil for an import or an attribute.
    private static func declaration(_ words: [String]) -> (keyword: String, name: String)? {
        guard !words.contains("import"), !words.contains("extension"), !words.contains("case") else {
            return nil
        }
        guard let at = words.firstIndex(where: { keywords.contains(name($0)) }) else { return nil }
        let keyword = name(words[at])
        let rest = at + 1 < words.count ? words[at + 1] : ""
        let declared =
            rest.hasPrefix("=") || rest.hasPrefix("<")
            ? String(rest.prefix { "=<".contains($0) }) : name(rest)
        return (keyword, keyword == "init" ? "init" : declared)
    }

    /// A word without what follows it: `init` of `init(_`, `count` of `count:`.
    private static func name(_ word: String) -> String {
        String(word.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
    }

    /// The doc comment of a declaration in one line; empty where there is none.
    private static func comment(above index: Int, in lines: [Substring]) -> String {
        var text: [Substring] = []
        for line in lines[..<index].reversed() {
            let line = line.drop { $0 == " " }
            if line.hasPrefix("///") {
                text.insert(line.dropFirst(3).drop { $0 == " " }, at: 0)
            } else if !text.isEmpty || !(line.hasPrefix("@") || line.hasPrefix("#")) {
                // Attributes and conditions may stand between.
                break
            }
        }
        return text.joined(separator: " ")
    }
}
