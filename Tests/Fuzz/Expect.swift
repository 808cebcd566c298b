import Model

/// Traps where something that must hold does not: libFuzzer then keeps the input.
func expect(_ holds: Bool, _ what: @autoclosure () -> String, line: Int = #line, file: String = #fileID) {
    guard !holds else { return }
    fatalError("\(file):\(line): \(what())")
}

/// Traps unless a text can be shown to a person: no control characters, and not without end.
func expectShowable(_ text: String, most: Int = 8192, line: Int = #line, file: String = #fileID) {
    // By bytes, since Swift takes canonically equivalent texts for equal.
    expect(
        text.printable.utf8.elementsEqual(text.utf8), "control characters in \(text.debugDescription)",
        line: line,
        file: file)
    expect(text.utf8.count <= most, "\(text.utf8.count) bytes are too long a text", line: line, file: file)
}

/// Whether two texts are the same bytes.
func areSame(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

extension [UInt8] {
    /// As text, whatever the bytes are.
    var text: String { String(decoding: self, as: UTF8.self) }

    /// The pieces between line feeds, at most so many; the last one has the rest.
    func lines(atMost count: Int) -> [[UInt8]] {
        split(separator: 10, maxSplits: count - 1, omittingEmptySubsequences: false).map(Array.init)
    }
}
