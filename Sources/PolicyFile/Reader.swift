import YAML

/// A value in a file and how it is called: `unattended`, `deny[0].reason`.
struct Entry {
    /// Empty for the whole file.
    let path: String
    /// Where its key stands, or the value itself where it has none.
    let position: YAMLPosition
    let value: YAMLNode

    func child(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// Whether what stands here may be a secret, such as the URL of a receiver: no message shows it (invariant 13).
    var isSecret: Bool { path == "notify" || path.hasPrefix("notify[") }

    /// What stands here, in a person's words.
    var kind: String {
        switch value.content {
        case .scalar(let scalar):
            value.isEmpty ? "nothing" : isSecret ? "a text" : "the text \(shown(scalar.text))"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// A text that stands here, as a message shows it.
    func quoted(_ text: String) -> String { isSecret ? "what stands there" : shown(text) }
}

/// Reads values of known types out of a tree and gathers all that is wrong, so that nobody mends one fault a run.
///
/// Its methods give nil for what is wrong; a caller goes on with a default, since any fault makes the whole invalid.
final class Reader {
    /// More than anybody reads, and few enough that a hostile file costs nothing.
    static let mostFaults = 100

    let file: String
    private var faults: [FileFault] = []
    private var unshown = 0
    private(set) var warnings: [FileFault] = []
    /// Line numbers of keys and of mappings in lists, by path.
    private(set) var lines: [String: Int] = [:]

    init(file: String) { self.file = file }

    /// All faults in the order of the file.
    var finished: [FileFault] {
        let sorted = faults.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
        guard unshown > 0, let last = sorted.last else { return sorted }
        return sorted + [
            FileFault(
                file: file, line: last.line, column: last.column,
                message: "\(unshown) more faults are not shown")
        ]
    }

    /// Notes a fault; its message is made only where it will be shown, since a hostile file has thousands.
    func fault(at position: YAMLPosition, _ message: @autoclosure () -> String) {
        guard faults.count < Self.mostFaults else {
            unshown += 1
            return
        }
        let fault = FileFault(file: file, line: position.line, column: position.column, message: message())
        // What stands in the defaults of a file of cases is read once for each case.
        if !faults.contains(fault) { faults.append(fault) }
    }

    func fault(_ entry: Entry, _ problem: @autoclosure () -> String) {
        fault(at: entry.value.position, entry.path.isEmpty ? problem() : "\(entry.path): \(problem())")
    }

    func warn(_ entry: Entry, _ problem: String) {
        guard warnings.count < Self.mostFaults else { return }
        warnings.append(
            FileFault(
                file: file, line: entry.position.line, column: entry.position.column,
                message: entry.path.isEmpty ? problem : "\(entry.path): \(problem)"))
    }

    /// The value where nothing was found wrong.
    func result<Value>(_ value: Value?) -> ParsedFile<Value> {
        let faults = finished
        guard faults.isEmpty, let value else { return .invalid(faults) }
        return .valid(value, warnings: warnings.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
    }

    /// The tree of a file; a text that is no YAML is the only fault then.
    func parse(_ bytes: [UInt8]) -> Entry? {
        do throws(YAMLError) {
            let node = try parseYAML(bytes)
            return Entry(path: "", position: node.position, value: node)
        } catch {
            fault(at: error.position, error.message)
            return nil
        }
    }

    /// The entries of a mapping whose keys are known; unknown and repeated keys are faults.
    ///
    /// - Parameter elsewhere: for keys that belong to another place, what to say of them.
    func mapping(_ entry: Entry, keys: [String], elsewhere: [String: String] = [:]) -> Fields? {
        guard let pairs = entry.value.mapping else {
            fault(entry, "needs a mapping of \(alternatives(keys, cut: 4)); found \(entry.kind)")
            return nil
        }
        var entries: [String: Entry] = [:]
        for pair in pairs {
            guard let name = pair.key.scalar?.text else { continue }
            let place = entry.path.isEmpty ? "" : " in `\(entry.path)`"
            guard keys.contains(name) else {
                fault(
                    at: pair.key.position,
                    "unknown key \(name.allSatisfy(\.isLetter) ? shown(name) : entry.quoted(name))\(place); "
                        + hint(
                            for: name, among: keys, elsewhere: elsewhere,
                            isBare: pair.value.isEmpty && !entries.isEmpty))
                continue
            }
            if let first = entries[name] {
                fault(
                    at: pair.key.position,
                    "duplicate key `\(name)`\(place); it stands in line \(first.position.line) already")
                continue
            }
            let path = entry.child(name)
            lines[path] = pair.key.position.line
            entries[name] = Entry(path: path, position: pair.key.position, value: pair.value)
        }
        return Fields(owner: entry, entries: entries, reader: self)
    }

    /// The entries of a mapping whose keys a table of the schema names.
    func mapping(_ entry: Entry, _ keys: [SchemaKey], elsewhere: [String: String] = [:]) -> Fields? {
        mapping(entry, keys: keys.map(\.name), elsewhere: elsewhere)
    }

    private func hint(for name: String, among keys: [String], elsewhere: [String: String], isBare: Bool)
        -> String
    {
        if let place = elsewhere[name] { return place }
        if let meant = suggestion(for: name, among: keys) { return "did you mean `\(meant)`?" }
        // {reason: this, and that} gives the key "and that".
        return isBare ? "quote a text that contains a comma" : "known are \(alternatives(keys, cut: .max))"
    }

    /// The elements of a list that is not empty.
    func list<Value>(_ entry: Entry, _ read: (Entry) -> Value?) -> [Value]? {
        guard let elements = entry.value.sequence else {
            fault(
                entry,
                "needs a list; found \(entry.kind)" + (entry.isSecret ? "" : listSuggestion(entry.value)))
            return nil
        }
        guard !elements.isEmpty else {
            fault(entry, "an empty list says nothing; leave the key out, or list at least one")
            return nil
        }
        return elements.enumerated().compactMap { index, element in
            let path = "\(entry.path)[\(index)]"
            if element.mapping != nil { lines[path] = element.position.line }
            return read(Entry(path: path, position: element.position, value: element))
        }
    }

    /// A list that says the same thing twice is a slip of the pen.
    func distinctList<Value: Hashable>(_ entry: Entry, _ read: (Entry) -> Value?) -> [Value]? {
        var seen: Set<Value> = []
        return list(entry) { element in
            guard let value = read(element) else { return nil }
            guard seen.insert(value).inserted else {
                fault(
                    element,
                    "\(element.quoted(element.value.scalar?.text ?? "")) is listed twice; take one out")
                return nil
            }
            return value
        }
    }

    private func listSuggestion(_ node: YAMLNode) -> String {
        guard let text = node.scalar?.text, !text.isEmpty, text.utf8.count <= 40,
            text.utf8.allSatisfy({
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45
            })
        else { return "" }
        return "; did you mean `[\(text)]`?"
    }
}

/// `a, b or c`.
func alternatives(_ names: [String], cut: Int = .max) -> String {
    guard names.count <= cut else { return names.prefix(cut).joined(separator: ", ") + ", …" }
    guard names.count > 1, let last = names.last else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " or " + last
}

/// The entries of one mapping, by key.
struct Fields {
    let owner: Entry
    let entries: [String: Entry]
    let reader: Reader

    /// A value that may be left out.
    func read<Value>(_ key: String, _ read: (Entry) -> Value?) -> Value? { entries[key].flatMap(read) }

    /// A value that must be there.
    ///
    /// - Parameter need: what to write, for whoever left it out.
    func require<Value>(_ key: String, _ need: String, _ read: (Entry) -> Value?) -> Value? {
        guard let entry = entries[key] else {
            reader.fault(owner, "`\(key)` is missing; write \(need)")
            return nil
        }
        return read(entry)
    }

    /// Puts a value in the place of its default, where the file sets it.
    func set<Value>(_ target: inout Value, _ key: String, _ read: (Entry) -> Value?) {
        if let value = self.read(key, read) { target = value }
    }
}
