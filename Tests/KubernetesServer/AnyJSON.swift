import FoundationEssentials

/// Any JSON, for a server that keeps whatever it is given.
public indirect enum AnyJSON: Codable, Hashable, Sendable, ExpressibleByStringLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([AnyJSON])
    case object([String: AnyJSON])

    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([AnyJSON].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: AnyJSON].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        case .number(let number):
            if let whole = Int(exactly: number) {
                try container.encode(whole)
            } else {
                try container.encode(number)
            }
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .object(let members): try container.encode(members)
        }
    }

    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: AnyJSON...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, AnyJSON)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { first, _ in first }))
    }

    /// A member of an object; setting nil takes it away.
    public subscript(key: String) -> AnyJSON? {
        get { if case .object(let members) = self { members[key] } else { nil } }
        set {
            guard case .object(var members) = self else {
                self = .object(newValue.map { [key: $0] } ?? [:])
                return
            }
            members[key] = newValue
            self = .object(members)
        }
    }

    /// What a path of members leads to.
    public func at(_ keys: String...) -> AnyJSON? {
        keys.reduce(self as AnyJSON?) { $0?[$1] }
    }

    /// The text, where it is one.
    public var text: String? { if case .text(let text) = self { text } else { nil } }

    /// The members, where it is an object.
    public var members: [String: AnyJSON] { if case .object(let members) = self { members } else { [:] } }

    /// A merge patch applied (RFC 7386).
    public func merged(with patch: AnyJSON) -> AnyJSON {
        guard case .object(let changes) = patch else { return patch }
        var result = members
        for (key, value) in changes {
            if value == .null {
                result[key] = nil
            } else {
                result[key] = (result[key] ?? .object([:])).merged(with: value)
            }
        }
        return .object(result)
    }

    /// Whether all that stands in another value stands here too.
    public func holds(_ other: AnyJSON) -> Bool {
        switch (self, other) {
        case (.object(let mine), .object(let theirs)):
            theirs.allSatisfy { key, value in mine[key].map { $0.holds(value) } ?? false }
        case (.list(let mine), .list(let theirs)):
            mine.count == theirs.count && zip(mine, theirs).allSatisfy { $0.holds($1) }
        default: self == other
        }
    }

    /// Reads a text.
    public init(bytes: some Collection<UInt8>) throws {
        self = try JSONDecoder().decode(AnyJSON.self, from: Data(bytes))
    }

    /// As a text.
    public var bytes: [UInt8] { (try? JSONEncoder().encode(self)).map(Array.init) ?? [] }
}
