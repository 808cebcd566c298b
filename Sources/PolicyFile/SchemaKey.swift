/// A key of a policy or node file: what the reader takes, and what the manual says of it.
///
/// The reader refuses each key that is in no table, so that the manual, which is made from the tables, names them all.
public struct SchemaKey: Hashable, Sendable {
    /// As it is written in the file.
    public var name: String
    /// What may stand behind it, in a few words: `none | build | patch | minor`, `duration`.
    public var form: String
    /// What counts where the key is left out, as it would be written; nil where nothing does.
    public var defaultValue: String?
    /// What it is for, in sentences.
    public var meaning: String
    /// Whether a mapping without it is refused.
    public var isRequired: Bool
    /// Those of the mapping, or of each mapping in the list, that stands behind it.
    public var keys: [SchemaKey]

    /// Makes a key.
    public init(
        _ name: String, _ form: String, default defaultValue: String? = nil, required: Bool = false,
        _ meaning: String, keys: [SchemaKey] = []
    ) {
        self.name = name
        self.form = form
        self.defaultValue = defaultValue
        isRequired = required
        self.meaning = meaning
        self.keys = keys
    }

    /// `a | b | c`: the words that a key takes.
    static func words<Word: CaseIterable & RawRepresentable>(_: Word.Type) -> String
    where Word.RawValue == String { Word.allCases.map(\.rawValue).joined(separator: " | ") }
}

extension [SchemaKey] {
    /// The keys of the mapping behind a key; none where there is no such key.
    func below(_ name: String) -> [SchemaKey] { first { $0.name == name }?.keys ?? [] }
}

/// What a policy and a node file can say.
public enum Schema {}
