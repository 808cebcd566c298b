/// A pattern over names: `*` is any run of characters, `?` is any one, everything else is itself.
///
/// Only the last `*` is ever gone back to, so a match takes at most pattern times name steps, however the
/// pattern is made.
struct Glob {
    private let pattern: [Unicode.Scalar]

    init(_ pattern: String) { self.pattern = Array(pattern.unicodeScalars) }

    func matches(_ name: String) -> Bool {
        let name = Array(name.unicodeScalars)
        var position = 0
        var next = 0
        // Where to go on after the last star, and how much of the name that star has taken so far.
        var afterStar: Int?
        var taken = 0
        while position < name.count {
            if next < pattern.count, pattern[next] == "*" {
                next += 1
                afterStar = next
                taken = position
            } else if next < pattern.count, pattern[next] == "?" || pattern[next] == name[position] {
                next += 1
                position += 1
            } else if let star = afterStar {
                taken += 1
                position = taken
                next = star
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == "*" }
    }
}

/// Whether a name matches at least one of the patterns.
func matchesAny(of patterns: [String], _ name: String) -> Bool {
    patterns.contains { Glob($0).matches(name) }
}
