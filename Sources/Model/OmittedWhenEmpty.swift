/// A list that leaves no key behind where it is empty.
///
/// What was written before the list existed still reads, and a value without elements keeps the canonical text that
/// it had then: ledger entries and snapshots are compared byte for byte.
@propertyWrapper
public struct OmittedWhenEmpty<Element: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    /// The list.
    public var wrappedValue: [Element]

    /// Wraps a list.
    public init(wrappedValue: [Element]) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws { wrappedValue = try [Element](from: decoder) }

    public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

extension KeyedDecodingContainer {
    /// What synthesised decoding calls: a missing key is an empty list.
    public func decode<Element>(
        _ type: OmittedWhenEmpty<Element>.Type, forKey key: Key
    ) throws -> OmittedWhenEmpty<Element> {
        OmittedWhenEmpty(wrappedValue: try decodeIfPresent([Element].self, forKey: key) ?? [])
    }
}

extension KeyedEncodingContainer {
    /// What synthesised encoding calls: an empty list has no key.
    public mutating func encode<Element>(_ list: OmittedWhenEmpty<Element>, forKey key: Key) throws {
        if !list.wrappedValue.isEmpty { try encode(list.wrappedValue, forKey: key) }
    }
}
