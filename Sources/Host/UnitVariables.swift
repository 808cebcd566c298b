/// Puts a unit's name and the system manager's fixed directories in place of specifiers (systemd.unit(5)).
///
/// Only what follows from the unit's name or is the same on every machine; other specifiers are left as they are.
func expandingSpecifiers(_ text: String, unit: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
    let name = UnitName(unit)
    var result = ""
    var rest = Substring(text)
    while let percent = rest.firstIndex(of: "%") {
        result += rest[..<percent]
        let after = rest.index(after: percent)
        guard after < rest.endIndex else {
            rest = rest[percent...]
            break
        }
        let value: String? =
            switch rest[after] {
            case "%": "%"
            case "n": unit
            case "N": name.withoutSuffix
            case "p": name.prefix
            case "i": name.instance
            case "j": name.prefix.split(separator: "-").last.map(String.init) ?? name.prefix
            case "t": "/run"
            case "S": "/var/lib"
            case "C": "/var/cache"
            case "L": "/var/log"
            case "E": "/etc"
            case "T": "/tmp"
            case "V": "/var/tmp"
            case "h": "/root"
            default: nil
            }
        if let value { result += value } else { result += rest[percent...after] }
        rest = rest[rest.index(after: after)...]
    }
    return result + rest
}

/// The parts of a unit's name: `prefix@instance.suffix`.
struct UnitName: Hashable {
    /// `k3s@edge`.
    var withoutSuffix: String
    /// `k3s`.
    var prefix: String
    /// `edge`; empty where it is no instance.
    var instance: String
    /// `k3s@.service`; nil where it is no instance.
    var template: String?

    init(_ name: String) {
        // By bytes: this is asked of every unit at every tick, and characters are ten times as slow.
        let bytes = name.utf8
        let dot = bytes.lastIndex(of: UInt8(ascii: ".")) ?? bytes.endIndex
        withoutSuffix = String(name[..<dot])
        if let at = bytes[..<dot].firstIndex(of: UInt8(ascii: "@")) {
            prefix = String(name[..<at])
            instance = String(name[bytes.index(after: at)..<dot])
            template = instance.isEmpty ? nil : "\(prefix)@\(name[dot...])"
        } else {
            prefix = withoutSuffix
            instance = ""
        }
    }
}

/// Puts variables in place of `$NAME` and `${NAME}`, as systemd.service(5) has it under "Command lines".
///
/// A word `$NAME` becomes as many words as its value has; `${NAME}` becomes part of its word; the program's own
/// path is left as it is.
func expandingVariables(_ command: UnitCommand, _ environment: [String: String]) -> [String] {
    guard command.expandsVariables, let program = command.words.first else { return command.words }
    var words = [program]
    for word in command.words.dropFirst() {
        if word.hasPrefix("$"), isVariableName(word.dropFirst()) {
            words += unitWords(environment[String(word.dropFirst())] ?? "") ?? []
        } else {
            words.append(expandingBraces(word, environment))
        }
    }
    return words
}

private func expandingBraces(_ word: String, _ environment: [String: String]) -> String {
    guard word.utf8.contains(UInt8(ascii: "$")) else { return word }
    var result = ""
    var rest = Substring(word)
    while let dollar = rest.firstIndex(of: "$") {
        result += rest[..<dollar]
        rest = rest[rest.index(after: dollar)...]
        if rest.first == "$" {
            result += "$"
            rest = rest.dropFirst()
        } else if rest.first == "{", let close = rest.firstIndex(of: "}") {
            result += environment[String(rest[rest.index(after: rest.startIndex)..<close])] ?? ""
            rest = rest[rest.index(after: close)...]
        } else {
            result += "$"
        }
    }
    return result + rest
}

private func isVariableName(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
    return text.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == UInt8(ascii: "_")
    }
}

/// Reads assignments `NAME=value` as Environment= lists them; what is none is left out, as systemd does.
func environmentAssignments(_ value: String) -> [(name: String, value: String)]? {
    guard let words = unitWords(value) else { return nil }
    return words.compactMap { word in
        guard let equals = word.firstIndex(of: "="), isVariableName(word[..<equals]) else { return nil }
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }
}

/// Reads a file that EnvironmentFile= names (systemd.exec(5)): shell-like, comments, quotes, continued lines.
func environmentFile(_ bytes: [UInt8]) -> [String: String] {
    var scanner = EnvironmentFileScanner(bytes)
    return scanner.scan()
}

private struct EnvironmentFileScanner {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func scan() -> [String: String] {
        var result: [String: String] = [:]
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == 10 || byte == 13 || byte == 32 || byte == 9 {
                offset += 1
            } else if byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
                skipLine()
            } else if let (name, value) = assignment(), isVariableName(name[...]) {
                result[name] = value
            }
        }
        return result
    }

    private mutating func skipLine() {
        while offset < bytes.count, bytes[offset] != 10, bytes[offset] != 13 {
            // A backslash carries a comment on to the next line too.
            if bytes[offset] == UInt8(ascii: "\\") { offset += 1 }
            offset += 1
        }
    }

    private mutating func assignment() -> (String, String)? {
        let start = offset
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "="), bytes[offset] != 10,
            bytes[offset] != 13
        {
            offset += 1
        }
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "=") else { return nil }
        var name = bytes[start..<offset]
        while let last = name.last, last == 32 || last == 9 { name = name.dropLast() }
        offset += 1
        return (String(decoding: name, as: UTF8.self), String(decoding: value(), as: UTF8.self))
    }

    private mutating func value() -> [UInt8] {
        var value: [UInt8] = []
        // Up to here nothing may be cut off the end: it was quoted or escaped.
        var fixed = 0
        while offset < bytes.count, bytes[offset] == 32 || bytes[offset] == 9 { offset += 1 }
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case 10, 13:
                while value.count > fixed, let last = value.last, last == 32 || last == 9 {
                    value.removeLast()
                }
                return value
            case UInt8(ascii: "\\"):
                guard offset < bytes.count else { return value }
                if bytes[offset] != 10 { value.append(bytes[offset]) }
                offset += 1
                fixed = value.count
            case UInt8(ascii: "'") where value.count == fixed, UInt8(ascii: "\"") where value.count == fixed:
                quoted(by: byte, into: &value)
                fixed = value.count
                while offset < bytes.count, bytes[offset] == 32 || bytes[offset] == 9 { offset += 1 }
            default: value.append(byte)
            }
        }
        while value.count > fixed, let last = value.last, last == 32 || last == 9 { value.removeLast() }
        return value
    }

    private mutating func quoted(by quote: UInt8, into value: inout [UInt8]) {
        while offset < bytes.count, bytes[offset] != quote {
            let byte = bytes[offset]
            offset += 1
            guard byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\""), offset < bytes.count else {
                value.append(byte)
                continue
            }
            let escaped = bytes[offset]
            offset += 1
            if "\"\\`$".utf8.contains(escaped) {
                value.append(escaped)
            } else if escaped != 10 {
                value += [byte, escaped]
            }
        }
        if offset < bytes.count { offset += 1 }
    }
}
