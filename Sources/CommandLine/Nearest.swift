/// The known word that was probably meant: the nearest within a third of its length, at least one edit and at most three.
public func nearest(to word: String, among known: [String]) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let scored = known.map { (name: $0, edits: edits(from: Array(word.utf8), to: Array($0.utf8))) }
    guard let best = scored.min(by: { $0.edits < $1.edits }),
        best.edits <= max(1, min(3, best.name.utf8.count / 3))
    else { return nil }
    return best.name
}

/// Edits (insertion, removal, replacement, exchange of two neighbours) between two words.
private func edits(from source: [UInt8], to target: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...target.count)
    for (row, byte) in source.enumerated() {
        var current = [row + 1]
        for (column, other) in target.enumerated() {
            var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (byte == other ? 0 : 1))
            if row > 0, column > 0, byte == target[column - 1], source[row - 1] == other {
                cost = min(cost, beforeLast[column - 1] + 1)
            }
            current.append(cost)
        }
        beforeLast = last
        last = current
    }
    return last[target.count]
}
