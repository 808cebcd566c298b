/// A place in a text: line and column from 1, the column counted in characters.
public struct YAMLPosition: Hashable, Sendable {
    /// From 1.
    public var line: Int
    /// From 1, in characters.
    public var column: Int

    /// Makes a place.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// A node of a YAML document, with the place where it begins.
///
/// A scalar is the text that stands in the file and nothing else: whether `no`, `1.30` or `0644` is a text, a
/// number or a truth value is for whoever knows the key, never for the parser to guess.
public struct YAMLNode: Hashable, Sendable {
    /// What a node is.
    public enum Content: Hashable, Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([YAMLPair])
    }

    /// Where it begins.
    public var position: YAMLPosition
    /// What stands there.
    public var content: Content

    /// Makes a node.
    public init(position: YAMLPosition, content: Content) {
        self.position = position
        self.content = content
    }

    /// The scalar, where this is one.
    public var scalar: YAMLScalar? {
        if case .scalar(let scalar) = content { scalar } else { nil }
    }

    /// The elements, where this is a sequence.
    public var sequence: [YAMLNode]? {
        if case .sequence(let elements) = content { elements } else { nil }
    }

    /// The pairs in the order of the file, where this is a mapping; a key can be there twice.
    public var mapping: [YAMLPair]? {
        if case .mapping(let pairs) = content { pairs } else { nil }
    }

    /// Whether nothing stands here: `key:` with no value, or a document without content.
    public var isEmpty: Bool {
        if case .scalar(let scalar) = content { scalar.text.isEmpty && !scalar.isQuoted } else { false }
    }
}

/// A text, and whether it was written in a way that makes it one beyond doubt.
public struct YAMLScalar: Hashable, Sendable {
    /// What it says, quotes and escapes resolved.
    public var text: String
    /// In quotation marks, or as a block (`|`, `>`); false for a plain scalar.
    public var isQuoted: Bool

    /// Makes a scalar.
    public init(text: String, isQuoted: Bool) {
        self.text = text
        self.isQuoted = isQuoted
    }
}

/// A key, which is always a scalar, and its value.
public struct YAMLPair: Hashable, Sendable {
    /// Always a scalar.
    public var key: YAMLNode
    /// An empty scalar where nothing was written.
    public var value: YAMLNode

    /// Makes a pair.
    public init(key: YAMLNode, value: YAMLNode) {
        self.key = key
        self.value = value
    }
}
