/// Bytes that appear in no log, error or report (invariant 13), whoever prints what holds them.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// What is kept secret.
    public let bytes: [UInt8]

    /// Keeps bytes secret.
    public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    /// For `dump`: nothing.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
