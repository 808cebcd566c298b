/// Something wrong in a file that a person wrote, or worth a warning, with its place.
public struct FileFault: Hashable, Sendable, CustomStringConvertible {
    /// The file as it was given.
    public var file: String
    /// From 1.
    public var line: Int
    /// From 1, in characters.
    public var column: Int
    /// What is wrong and what to write instead: lower case, no full stop, one line, no value that may be secret.
    public var message: String

    /// Makes a fault.
    public init(file: String, line: Int, column: Int, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// `FILE:LINE:COLUMN: message`.
    public var description: String { "\(file):\(line):\(column): \(message)" }
}

/// What became of reading a file: a value past all checks, or everything that is wrong, in the file's order.
public enum ParsedFile<Value: Hashable & Sendable>: Hashable, Sendable {
    case valid(Value, warnings: [FileFault])
    case invalid([FileFault])
}
