/// The one encoding in which decisions and what they were made from are stored and hashed (invariant 5).
///
/// Keys in the order of their UTF-8 bytes, no white space, integers only, no key for a nil, `/` and everything
/// outside ASCII as it is. `JSONEncoder` orders keys anew in each process, which is why this is written by hand.
public enum CanonicalJSON {
    /// The canonical text of a value.
    ///
    /// - Throws: `EncodingError` for a floating-point number, which has no place in what is compared.
    public static func text(of value: some Encodable) throws -> String {
        var bytes: [UInt8] = []
        try JSONValue(encoding: value).write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A JSON value without floating-point numbers.
public indirect enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// What a value encodes to.
    public init(encoding value: some Encodable) throws {
        let box = Box()
        try value.encode(to: CanonicalEncoder(box: box, codingPath: []))
        self.init(finishing: box)
    }

    /// Appends the canonical text.
    public func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .integer(let number): bytes.append(contentsOf: String(number).utf8)
        case .string(let text): Self.write(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        let hex = Array("0123456789abcdef".utf8)
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
            case 0..<32, 127:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(contentsOf: [hex[Int(byte >> 4)], hex[Int(byte & 15)]])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// Where an encoder leaves what it has made.
private final class Box {
    var value: JSONValue = .null
    // Containers fill these, so that a nested container can be filled after it was handed out.
    var members: [String: Box]?
    var elements: [Box]?

    func finished() -> JSONValue {
        if let members { return .object(members.mapValues { $0.finished() }) }
        if let elements { return .array(elements.map { $0.finished() }) }
        return value
    }
}

extension JSONValue {
    fileprivate init(finishing box: Box) { self = box.finished() }
}

private struct CanonicalEncoder: Encoder {
    let box: Box
    var codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if box.members == nil { box.members = [:] }
        return KeyedEncodingContainer(KeyedContainer<Key>(box: box, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if box.elements == nil { box.elements = [] }
        return UnkeyedContainer(box: box, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        ValueContainer(box: box, codingPath: codingPath)
    }
}

private func put(_ value: some Encodable, into box: Box, path: [any CodingKey]) throws {
    try value.encode(to: CanonicalEncoder(box: box, codingPath: path))
}

private func refuse(_ value: some Any, _ path: [any CodingKey]) -> EncodingError {
    EncodingError.invalidValue(
        value, .init(codingPath: path, debugDescription: "has no canonical form: integers up to 64 bits only")
    )
}

private struct KeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let box: Box
    var codingPath: [any CodingKey]

    private func child(_ key: any CodingKey) -> Box {
        if let known = box.members?[key.stringValue] { return known }
        let child = Box()
        box.members?[key.stringValue] = child
        return child
    }

    mutating func encodeNil(forKey key: Key) throws { child(key).value = .null }
    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try put(value, into: child(key), path: codingPath + [key])
    }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        CanonicalEncoder(box: child(key), codingPath: codingPath + [key]).container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        CanonicalEncoder(box: child(key), codingPath: codingPath + [key]).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { CanonicalEncoder(box: box, codingPath: codingPath) }
    mutating func superEncoder(forKey key: Key) -> any Encoder {
        CanonicalEncoder(box: child(key), codingPath: codingPath + [key])
    }
}

private struct UnkeyedContainer: UnkeyedEncodingContainer {
    let box: Box
    var codingPath: [any CodingKey]
    var count: Int { box.elements?.count ?? 0 }

    private func next() -> Box {
        let child = Box()
        box.elements?.append(child)
        return child
    }

    mutating func encodeNil() throws { next().value = .null }
    mutating func encode<T: Encodable>(_ value: T) throws { try put(value, into: next(), path: codingPath) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<
        Nested
    > {
        CanonicalEncoder(box: next(), codingPath: codingPath).container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        CanonicalEncoder(box: next(), codingPath: codingPath).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { CanonicalEncoder(box: next(), codingPath: codingPath) }
}

private struct ValueContainer: SingleValueEncodingContainer {
    let box: Box
    var codingPath: [any CodingKey]

    private func integer(_ value: some BinaryInteger) throws {
        guard let exact = Int64(exactly: value) else { throw refuse(value, codingPath) }
        box.value = .integer(exact)
    }

    mutating func encodeNil() throws { box.value = .null }
    mutating func encode(_ value: Bool) throws { box.value = .bool(value) }
    mutating func encode(_ value: String) throws { box.value = .string(value) }
    mutating func encode(_ value: Double) throws { throw refuse(value, codingPath) }
    mutating func encode(_ value: Float) throws { throw refuse(value, codingPath) }
    mutating func encode(_ value: Int) throws { try integer(value) }
    mutating func encode(_ value: Int8) throws { try integer(value) }
    mutating func encode(_ value: Int16) throws { try integer(value) }
    mutating func encode(_ value: Int32) throws { try integer(value) }
    mutating func encode(_ value: Int64) throws { try integer(value) }
    mutating func encode(_ value: UInt) throws { try integer(value) }
    mutating func encode(_ value: UInt8) throws { try integer(value) }
    mutating func encode(_ value: UInt16) throws { try integer(value) }
    mutating func encode(_ value: UInt32) throws { try integer(value) }
    mutating func encode(_ value: UInt64) throws { try integer(value) }
    mutating func encode<T: Encodable>(_ value: T) throws { try put(value, into: box, path: codingPath) }
}
