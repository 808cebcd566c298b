/// Something that this machine would not do, with the path and the reason.
public struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `errno`, or 0 where the system did not give one.
    public var code: Int32
    /// What happened, where, and what to do about it.
    public var description: String

    /// Makes an error.
    public init(code: Int32 = 0, description: String) {
        self.code = code
        self.description = description
    }
}
