import CYAML

extension YAMLPosition {
    /// libyaml counts from 0.
    init(_ mark: yaml_mark_t) {
        self.init(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
    }
}

extension YAMLError {
    static let outOfMemory = YAMLError(
        position: YAMLPosition(line: 1, column: 1), message: "there is not enough memory to read it")

    /// What libyaml stopped at, in the words of somebody who wants to mend the file.
    init(_ parser: yaml_parser_t) {
        guard parser.error != YAML_MEMORY_ERROR, let problem = parser.problem else {
            self = .outOfMemory
            return
        }
        let text = String(cString: problem)
        let context = parser.context.map { String(cString: $0) } ?? ""
        var mark = parser.problem_mark
        let message: String
        switch (text, context) {
        case ("found unexpected end of stream", "while scanning a quoted scalar"),
            ("found unexpected document indicator", "while scanning a quoted scalar"):
            mark = parser.context_mark
            message = "the quotation mark that opens here is never closed"
        case ("did not find expected ',' or ']'", _):
            mark = parser.context_mark
            message =
                "the list that opens here has no \",\" or \"]\" where one is due (line \(Self.line(parser)))"
        case ("did not find expected ',' or '}'", _):
            mark = parser.context_mark
            message =
                "the mapping that opens here has no \",\" or \"}\" where one is due (line \(Self.line(parser)))"
        case ("mapping values are not allowed in this context", _):
            message = "a colon cannot stand here; check the indentation, or quote a text that contains \": \""
        case ("found character that cannot start any token", _):
            message =
                "this character cannot begin a value; indent with spaces, not tabs, and quote a text that begins with @, ` or %"
        case (_, "while scanning a block scalar"):
            message = "> and | begin a block of lines; quote a text that begins with them: \">=1.31.4 <1.33\""
        case (_, "while scanning an alias"):
            message = "* begins an alias, which is not taken; quote a text that begins with it: \"*\""
        case (_, "while scanning an anchor"):
            message = "& begins an anchor, which is not taken; quote a text that begins with it"
        case (_, "while scanning a tag"), (_, "while parsing a tag"), ("found undefined tag handle", _):
            message = "! begins a tag, which is not taken; quote a text that begins with it"
        case ("could not find expected ':'", _):
            message = "a key has no \":\" after it; write \"key: value\""
        case ("did not find expected key", _), ("did not find expected '-' indicator", _),
            ("block sequence entries are not allowed in this context", _):
            message = "this does not fit the lines above it; check the indentation and the quotation marks"
        case (_, ""):
            message = text
        default:
            message = "\(text) \(context)"
        }
        // Errors of the reader carry an offset and no mark; checkText has refused all of them before.
        self.init(position: YAMLPosition(mark), message: message)
    }

    private static func line(_ parser: yaml_parser_t) -> Int { YAMLPosition(parser.problem_mark).line }
}
