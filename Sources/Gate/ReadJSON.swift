internal import Model

/// Reads JSON with the standard library alone: what snapd answers, and whatever else comes over its socket.
///
/// Numbers that are no 64-bit integers become null, since nothing that is asked for is one.
struct ReadJSON {
    private var rest: ArraySlice<UInt8>

    /// The value that the bytes are; nil where they are none, or are nested more than 32 deep.
    static func value(of bytes: [UInt8]) -> JSONValue? {
        var reader = ReadJSON(rest: bytes[...])
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipSpace()
        return reader.rest.isEmpty ? value : nil
    }

    private mutating func skipSpace() {
        while let byte = rest.first, [9, 10, 13, 32].contains(byte) { rest.removeFirst() }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func value(depth: Int) -> JSONValue? {
        guard depth <= 32 else { return nil }
        skipSpace()
        switch rest.first {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "\""): return string().map(JSONValue.string)
        default: return word()
        }
    }

    private mutating func object(depth: Int) -> JSONValue? {
        rest.removeFirst()
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard rest.first == UInt8(ascii: "\""), let key = string() else { return nil }
            skipSpace()
            guard take(UInt8(ascii: ":")), let value = value(depth: depth + 1) else { return nil }
            members[key] = value
            skipSpace()
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}")) ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> JSONValue? {
        rest.removeFirst()
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            elements.append(value)
            skipSpace()
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]")) ? .array(elements) : nil
    }

    private mutating func string() -> String? {
        rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"): guard escape(into: &bytes) else { return nil }
            case 0..<32: return nil
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(into bytes: inout [UInt8]) -> Bool {
        switch rest.popFirst() {
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case .some(let byte)
        where byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "/"):
            bytes.append(byte)
        case UInt8(ascii: "u"):
            guard let text = String(validating: rest.prefix(4), as: UTF8.self), text.utf8.count == 4,
                let code = UInt32(text, radix: 16)
            else { return false }
            rest = rest.dropFirst(4)
            // Halves of a pair name nothing that is asked for here.
            bytes += Array(String(Unicode.Scalar(code).map(Character.init) ?? "\u{fffd}").utf8)
        default: return false
        }
        return true
    }

    private mutating func word() -> JSONValue? {
        let end = rest.firstIndex { ",]} \t\r\n".utf8.contains($0) } ?? rest.endIndex
        guard let text = String(validating: rest[..<end], as: UTF8.self), !text.isEmpty else { return nil }
        rest = rest[end...]
        switch text {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default:
            if let number = Int64(text) { return .integer(number) }
            return text.utf8.allSatisfy { "+-.0123456789eE".utf8.contains($0) } ? .null : nil
        }
    }
}

extension JSONValue {
    subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }
}
