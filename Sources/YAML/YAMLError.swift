/// Why a text is not taken as YAML.
public struct YAMLError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where it was noticed.
    public var position: YAMLPosition
    /// What is wrong and what to write instead: lower case, no full stop.
    public var message: String

    /// Makes an error.
    public init(position: YAMLPosition, message: String) {
        self.position = position
        self.message = message
    }

    /// `LINE:COLUMN: message`.
    public var description: String { "\(position.line):\(position.column): \(message)" }
}

/// How much is taken before a text is refused; what is read comes from outside and may be hostile.
public struct YAMLLimits: Hashable, Sendable {
    /// Bytes of the whole text; a longer one is refused before any of it is looked at.
    public var bytes: Int
    /// Sequences and mappings inside each other.
    public var depth: Int
    /// Scalars (keys too), sequences and mappings together.
    public var nodes: Int

    /// Makes limits.
    public init(bytes: Int = 1 << 20, depth: Int = 32, nodes: Int = 50_000) {
        self.bytes = bytes
        self.depth = depth
        self.nodes = nodes
    }
}
