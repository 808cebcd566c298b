import CYAML

/// Reads one YAML document into a tree.
///
/// What YAML has beyond scalars, sequences and mappings is refused: aliases (a small text could stand for a
/// huge tree), tags, merge keys, keys that are no scalars, and a second document. Neither depth nor size of the
/// text leads to deep recursion or unbounded memory. An empty document is an empty plain scalar at 1:1.
///
/// - Throws: `YAMLError` with the place of the first thing that is wrong.
public func parseYAML(_ bytes: [UInt8], limits: YAMLLimits = YAMLLimits()) throws(YAMLError) -> YAMLNode {
    guard bytes.count <= limits.bytes else {
        throw YAMLError(
            position: YAMLPosition(line: 1, column: 1),
            message: "\(bytes.count) bytes are too many; at most \(limits.bytes) are read")
    }
    // A byte order mark says nothing in UTF-8, and would count as a column.
    let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    try checkText(text)
    var outcome: Result<YAMLNode, YAMLError> = .failure(.outOfMemory)
    text.withUnsafeBufferPointer { outcome = parse($0, limits: limits) }
    return try outcome.get()
}

private func parse(_ text: UnsafeBufferPointer<UInt8>, limits: YAMLLimits) -> Result<YAMLNode, YAMLError> {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    parser.initialize(to: yaml_parser_t())
    guard yaml_parser_initialize(parser) == 1 else { return .failure(.outOfMemory) }
    defer { yaml_parser_delete(parser) }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, text.baseAddress, text.count)

    var tree = Tree(limits: limits)
    while true {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { return .failure(YAMLError(parser.pointee)) }
        defer { yaml_event_delete(&event) }
        do throws(YAMLError) {
            if try tree.take(event) { return .success(tree.root) }
        } catch {
            return .failure(error)
        }
    }
}

/// The tree while it is built: open sequences and mappings stand on a stack, so that depth costs no recursion.
private struct Tree {
    private struct Level {
        let position: YAMLPosition
        let isMapping: Bool
        var elements: [YAMLNode] = []
        var pairs: [YAMLPair] = []
        var key: YAMLNode?

        var awaitsKey: Bool { isMapping && key == nil }
    }

    let limits: YAMLLimits
    private(set) var root = YAMLNode(
        position: YAMLPosition(line: 1, column: 1), content: .scalar(YAMLScalar(text: "", isQuoted: false)))
    private var levels: [Level] = []
    private var nodes = 0
    private var documents = 0

    init(limits: YAMLLimits) { self.limits = limits }

    /// Takes the next event in; true after the last.
    mutating func take(_ event: yaml_event_t) throws(YAMLError) -> Bool {
        let position = YAMLPosition(event.start_mark)
        switch event.type {
        case YAML_STREAM_END_EVENT:
            return true
        case YAML_DOCUMENT_START_EVENT:
            documents += 1
            guard documents == 1 else {
                throw YAMLError(position: position, message: "a second document; one file holds one")
            }
        case YAML_ALIAS_EVENT:
            throw YAMLError(
                position: position,
                message:
                    "aliases (*name) are not taken; write the value out, or quote a text that begins with *")
        case YAML_SCALAR_EVENT:
            try refuse(anchor: event.data.scalar.anchor, tag: event.data.scalar.tag, at: position)
            try count(at: position)
            try add(scalar(event, at: position))
        case YAML_SEQUENCE_START_EVENT:
            try refuse(
                anchor: event.data.sequence_start.anchor, tag: event.data.sequence_start.tag, at: position)
            try open(isMapping: false, at: position)
        case YAML_MAPPING_START_EVENT:
            try refuse(
                anchor: event.data.mapping_start.anchor, tag: event.data.mapping_start.tag, at: position)
            try open(isMapping: true, at: position)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            guard let level = levels.popLast() else { break }
            try add(
                YAMLNode(
                    position: level.position,
                    content: level.isMapping ? .mapping(level.pairs) : .sequence(level.elements)))
        default:
            break
        }
        return false
    }

    private func refuse(
        anchor: UnsafeMutablePointer<yaml_char_t>?, tag: UnsafeMutablePointer<yaml_char_t>?,
        at position: YAMLPosition
    ) throws(YAMLError) {
        if anchor != nil {
            throw YAMLError(
                position: position,
                message: "anchors (&name) are not taken; leave it out, or quote a text that begins with &")
        }
        if tag != nil {
            throw YAMLError(
                position: position,
                message: "tags (!name) are not taken; leave it out, or quote a text that begins with !")
        }
    }

    private mutating func count(at position: YAMLPosition) throws(YAMLError) {
        nodes += 1
        guard nodes <= limits.nodes else {
            throw YAMLError(position: position, message: "more than \(limits.nodes) values; that is too many")
        }
    }

    private mutating func open(isMapping: Bool, at position: YAMLPosition) throws(YAMLError) {
        try count(at: position)
        guard levels.count < limits.depth else {
            throw YAMLError(
                position: position, message: "nested more than \(limits.depth) levels deep; that is too deep")
        }
        if levels.last?.awaitsKey == true {
            throw YAMLError(
                position: position,
                message: "a \(isMapping ? "mapping" : "list") cannot be a key; write a text before the colon")
        }
        levels.append(Level(position: position, isMapping: isMapping))
    }

    private func scalar(_ event: yaml_event_t, at position: YAMLPosition) -> YAMLNode {
        let scalar = event.data.scalar
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        return YAMLNode(
            position: position,
            content: .scalar(
                YAMLScalar(
                    text: String(decoding: bytes, as: UTF8.self),
                    isQuoted: scalar.style != YAML_PLAIN_SCALAR_STYLE)))
    }

    private mutating func add(_ node: YAMLNode) throws(YAMLError) {
        guard let top = levels.indices.last else {
            root = node
            return
        }
        guard levels[top].isMapping else {
            levels[top].elements.append(node)
            return
        }
        if let key = levels[top].key {
            levels[top].pairs.append(YAMLPair(key: key, value: node))
            levels[top].key = nil
        } else {
            if let scalar = node.scalar, scalar.text == "<<", !scalar.isQuoted {
                throw YAMLError(
                    position: node.position, message: "merge keys (<<) are not taken; write the keys out")
            }
            levels[top].key = node
        }
    }
}
