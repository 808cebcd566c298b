import Model
import YAML

// One method for each type that a key can have. Each says what it found and what to write instead.
extension Reader {
    /// A text of one line; empty only where it was written as `""` and `canBeEmpty`.
    func text(_ entry: Entry, canBeEmpty: Bool = false, limit: Int = 1024) -> String? {
        guard let scalar = entry.value.scalar else {
            fault(entry, "needs a text; found \(entry.kind)")
            return nil
        }
        guard !entry.value.isEmpty else {
            fault(entry, "has no value; write one, or leave the key out")
            return nil
        }
        guard canBeEmpty || !scalar.text.isEmpty else {
            fault(entry, "is empty; write a text")
            return nil
        }
        guard scalar.text.utf8.count <= limit else {
            fault(entry, "\(scalar.text.utf8.count) bytes are too many; at most \(limit) are taken")
            return nil
        }
        guard scalar.text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            fault(entry, "a line break or an invisible character in a text that is one line; take it out")
            return nil
        }
        return scalar.text
    }

    /// A person's reason: it must say something, and may fill several lines, which are joined.
    func reason(_ entry: Entry) -> String? {
        let blanks = entry.value.scalar?.text.split(whereSeparator: \.isWhitespace) ?? []
        guard let scalar = entry.value.scalar, !blanks.isEmpty else {
            guard entry.value.scalar != nil else { return text(entry) }
            fault(entry, "is empty; write why, for whoever is held by it")
            return nil
        }
        let joined = YAMLScalar(text: blanks.joined(separator: " "), isQuoted: scalar.isQuoted)
        return text(
            Entry(
                path: entry.path, position: entry.position,
                value: YAMLNode(position: entry.value.position, content: .scalar(joined))))
    }

    /// One of the words that a type knows.
    func token<Token: RawRepresentable & CaseIterable>(_ entry: Entry) -> Token?
    where Token.RawValue == String {
        word(entry, Token.allCases.map { ($0.rawValue, $0) })
    }

    /// One of some words, and what it means.
    func word<Value>(_ entry: Entry, _ words: [(name: String, value: Value)]) -> Value? {
        guard let text = text(entry) else { return nil }
        if let match = words.first(where: { $0.name == text }) { return match.value }
        let names = words.map(\.name)
        fault(
            entry,
            "\(entry.quoted(text)) is not \(alternatives(names))"
                + didYouMean(suggestion(for: text, among: names)))
        return nil
    }

    /// `true` or `false`, without quotation marks; YAML 1.1's `yes`, `on` and `True` are not taken for it.
    func flag(_ entry: Entry) -> Bool? {
        guard let text = text(entry) else { return nil }
        switch (text, entry.value.scalar?.isQuoted ?? true) {
        case ("true", false): return true
        case ("false", false): return false
        case ("true", true), ("false", true):
            fault(entry, "\(shown(text)) is a text here; write \(text) without quotation marks")
        default:
            let meant: String? =
                switch text.lowercased() {
                case "yes", "on", "y", "true", "1": "true"
                case "no", "off", "n", "false", "0": "false"
                default: suggestion(for: text, among: ["true", "false"])
                }
            fault(entry, "\(shown(text)) is not true or false" + didYouMean(meant))
        }
        return nil
    }

    /// A whole number in decimal digits, without quotation marks, sign or leading zeros.
    func integer(_ entry: Entry, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(entry) else { return nil }
        let need = "write a whole number from \(range.lowerBound) to \(range.upperBound)"
        let digits = text.utf8
        guard entry.value.scalar?.isQuoted == false else {
            fault(entry, "\(shown(text)) is a text here; \(need) without quotation marks")
            return nil
        }
        let isNegative = digits.first == UInt8(ascii: "-")
        guard digits.dropFirst(isNegative ? 1 : 0).allSatisfy({ (48...57).contains($0) }),
            digits.count > (isNegative ? 1 : 0), digits.count == 1 || digits.first != UInt8(ascii: "0")
        else {
            fault(entry, "\(shown(text)) is not a whole number; \(need)")
            return nil
        }
        guard let number = Int(text), range.contains(number) else {
            fault(entry, "\(shown(text)) is out of range; \(need)")
            return nil
        }
        return number
    }

    /// A length of time: a whole number and one of s, m, h, d, w.
    func duration(_ entry: Entry, in range: ClosedRange<TimeSpan>) -> TimeSpan? {
        guard let text = text(entry) else { return nil }
        guard let span = TimeSpan(policyText: text) else {
            fault(
                entry,
                "\(shown(text)) is not a duration; write a whole number and one unit: 90s, 15m, 24h, 3d, 2w"
                    + didYouMean(TimeSpan.guess(text)?.policyText))
            return nil
        }
        guard range.contains(span) else {
            fault(
                entry,
                "\(shown(text)) is out of range; write a duration from \(range.lowerBound.policyText) to \(range.upperBound.policyText)"
            )
            return nil
        }
        return span
    }

    /// A day of the calendar: `2026-12-18`.
    func date(_ entry: Entry) -> CivilDate? {
        guard let text = text(entry) else { return nil }
        guard let date = CivilDate(text) else {
            fault(entry, "\(shown(text)) is no day of the calendar; write year, month and day: 2026-12-18")
            return nil
        }
        return date
    }

    /// Minutes after midnight, from `HH:MM`.
    func timeOfDay(_ entry: Entry) -> Int? {
        guard let text = text(entry) else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
        else {
            fault(entry, "\(shown(text)) is no time of day; write hours and minutes from 00:00 to 23:59")
            return nil
        }
        return hour * 60 + minute
    }

    /// A set of versions.
    func range(_ entry: Entry, canBeEmpty: Bool = false) -> VersionRange? {
        guard let text = text(entry, canBeEmpty: canBeEmpty) else { return nil }
        do throws(VersionRangeError) {
            let range = try VersionRange(text)
            guard canBeEmpty || range != .any else {
                fault(entry, "is empty, which would mean every version; write a range: \">=1.31.4 <1.33\"")
                return nil
            }
            return range
        } catch {
            fault(
                entry,
                "not a version range: \(shown(error.part)): \(error.problem); write for example \">=1.31.4 <1.33\", \"1.31.x\" or \"v1.31.4+k3s1\""
            )
            return nil
        }
    }

    /// One exact version.
    func version(_ entry: Entry) -> Version? {
        guard let text = text(entry) else { return nil }
        guard let version = Version(text) else {
            fault(
                entry, "\(shown(text)) is no version; write all of it: v1.31.4+k3s1, v1.31.4+k0s.0 or v1.31.4"
            )
            return nil
        }
        return version
    }

    /// A SHA-256 digest.
    func digest(_ entry: Entry) -> Digest? {
        guard let text = text(entry) else { return nil }
        guard let digest = Digest(text) else {
            fault(entry, "\(shown(text)) is no digest; write sha256: and 64 hexadecimal digits")
            return nil
        }
        return digest
    }

    /// A name with `*` for any characters and `?` for one.
    func glob(_ entry: Entry) -> String? {
        guard let text = text(entry, limit: 253) else { return nil }
        for scalar in text.unicodeScalars where !Self.isInGlob(scalar) {
            fault(
                entry,
                "\(shown(text)) is no name pattern: \(shown(String(scalar))) cannot be in it; letters, digits, - . _ : / @ stand for themselves, * for any characters, ? for one"
            )
            return nil
        }
        guard text.utf8.count(where: { $0 == UInt8(ascii: "*") }) <= 8 else {
            fault(entry, "\(shown(text)) has more than 8 asterisks; write fewer")
            return nil
        }
        return text
    }

    private static func isInGlob(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            || "-._:/@*?".unicodeScalars.contains(scalar)
    }

    /// A command as a list of its words, run without a shell, and without a search for its program.
    func command(_ entry: Entry) -> [String]? {
        let words = list(entry) { text($0, canBeEmpty: true, limit: 4096) }
        guard let words, let program = words.first else { return nil }
        guard program.hasPrefix("/"), !program.contains(" ") else {
            fault(
                entry,
                "the first word of a command is the program; write its absolute path, and each argument as an element of its own"
            )
            return nil
        }
        return words
    }

    /// An absolute path of a file.
    func path(_ entry: Entry, canBeEmpty: Bool = false) -> String? {
        guard let text = text(entry, canBeEmpty: canBeEmpty, limit: 4096) else { return nil }
        guard text.hasPrefix("/") || text.isEmpty else {
            fault(entry, "\(shown(text)) is not an absolute path; begin it with /")
            return nil
        }
        guard !text.split(separator: "/").contains("..") else {
            fault(entry, "\(shown(text)) goes up by ..; write the path as it is")
            return nil
        }
        return text
    }

    /// An http or https URL; its text appears in no message, since people put tokens into URLs.
    func url(_ entry: Entry, canBeEmpty: Bool = false) -> String? {
        guard let text = text(entry, canBeEmpty: canBeEmpty, limit: 2048) else { return nil }
        if text.isEmpty { return text }
        let scheme = ["https://", "http://"].first { text.hasPrefix($0) }
        guard let scheme, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            fault(entry, "is no URL; write one that begins with https:// or http://, without blanks")
            return nil
        }
        let authority = text.dropFirst(scheme.utf8.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, authority.first != ":" else {
            fault(entry, "is a URL without a host; write https://HOST/PATH")
            return nil
        }
        guard !authority.contains("@") else {
            fault(
                entry,
                "credentials cannot be in it, because a policy is kept in the ledger; take out what stands before the @"
            )
            return nil
        }
        return text
    }

    /// Names and values of a mapping whose keys are free, such as labels.
    func labels(_ entry: Entry) -> [String: String]? {
        guard let pairs = entry.value.mapping else {
            fault(entry, "needs a mapping of names to values; found \(entry.kind)")
            return nil
        }
        var labels: [String: String] = [:]
        for pair in pairs {
            let keyEntry = Entry(path: entry.path, position: pair.key.position, value: pair.key)
            guard let name = text(keyEntry, limit: 253) else { continue }
            let value = Entry(
                path: "\(entry.path).\(cut(name))", position: pair.key.position, value: pair.value)
            guard labels[name] == nil else {
                fault(keyEntry, "duplicate key \(shown(name)); take one out")
                continue
            }
            labels[name] = text(value, canBeEmpty: true, limit: 253) ?? ""
        }
        return labels
    }

    private func cut(_ name: String) -> String { String(shown(name).dropFirst().dropLast()) }
}
