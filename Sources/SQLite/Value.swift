/// A value that is bound to a placeholder.
///
/// Its description names the type alone: bound values appear in no error and no log (invariant 13).
public enum Value: Hashable, Sendable {
    case null
    case integer(Int64)
    /// May hold NUL; it is bound with its length.
    case text(String)
    case blob([UInt8])
}

extension Value {
    /// Text, or NULL for nil.
    public init(_ text: String?) { self = text.map { .text($0) } ?? .null }

    /// An integer, or NULL for nil.
    public init(_ number: Int64?) { self = number.map { .integer($0) } ?? .null }
}

extension Value: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The type alone.
    public var description: String {
        switch self {
        case .null: "null"
        case .integer: "an integer"
        case .text: "a text"
        case .blob: "a blob"
        }
    }

    public var debugDescription: String { description }

    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(stringLiteral value: String) { self = .text(value) }
    public init(nilLiteral: ()) { self = .null }
}
