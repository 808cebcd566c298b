/// A set of versions: `>=1.31.4 <1.33`, `1.31.x`, `1.31`, `v1.31.4+k3s1`; parts in a row must all hold, `||` means or.
///
/// A bound without a build speaks of the whole x.y.z: `<=1.31.4` takes in `v1.31.4+k3s2`, and `>1.31.4` leaves
/// it out. A bound without a patch speaks of the whole minor, so `<1.33` leaves out `v1.33.0-rc1` too. A
/// pre-release of a bound x.y.z is neither `>=x.y.z` (it is older) nor `<x.y.z` (nobody means it by that).
public struct VersionRange: Hashable, Sendable {
    /// The text that was read, with white space folded.
    public let text: String
    private let alternatives: [[Comparator]]

    /// Takes in every version; written as the empty text.
    public static let any = VersionRange(text: "", alternatives: [])

    private init(text: String, alternatives: [[Comparator]]) {
        self.text = text
        self.alternatives = alternatives
    }

    /// Reads a range.
    ///
    /// - Throws: `VersionRangeError`, which names the part that is wrong.
    public init(_ text: String) throws(VersionRangeError) {
        guard text.utf8.count <= 512 else {
            throw VersionRangeError(part: "", problem: "longer than 512 bytes")
        }
        let folded = text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "," })
        guard !folded.isEmpty else {
            self = .any
            return
        }
        var alternatives: [[Comparator]] = [[]]
        var pendingOperator: Substring?
        for part in folded {
            if part == "||" {
                guard pendingOperator == nil, alternatives[alternatives.count - 1].isEmpty == false else {
                    throw VersionRangeError(part: "||", problem: "nothing before it")
                }
                alternatives.append([])
            } else if Comparator.isOperator(part) {
                // ">= 1.31" with a space: the operator belongs to what follows.
                guard pendingOperator == nil else {
                    throw VersionRangeError(part: String(part), problem: "no version after it")
                }
                pendingOperator = part
            } else {
                let comparator = try Comparator((pendingOperator ?? "") + part)
                alternatives[alternatives.count - 1].append(comparator)
                pendingOperator = nil
            }
        }
        if let pendingOperator {
            throw VersionRangeError(part: String(pendingOperator), problem: "no version after it")
        }
        guard alternatives[alternatives.count - 1].isEmpty == false else {
            throw VersionRangeError(part: "||", problem: "nothing after it")
        }
        self.init(text: folded.joined(separator: " "), alternatives: alternatives)
    }

    /// Whether the version is in the range.
    public func contains(_ version: Version) -> Bool {
        alternatives.isEmpty || alternatives.contains { $0.allSatisfy { $0.holds(for: version) } }
    }
}

/// Why a text is not a version range.
public struct VersionRangeError: Error, Hashable, CustomStringConvertible {
    /// The part that is wrong; empty where it is the whole.
    public let part: String
    /// What is wrong with the text, for a message with its place.
    public let problem: String

    public var description: String {
        part.isEmpty
            ? problem
            : "\"\(part.printable)\": \(problem) (write for example \">=1.31.4 <1.33\", \"1.31.x\" or \"v1.31.4+k3s1\")"
    }
}

private struct Comparator: Hashable, Sendable {
    enum Relation: String {
        case less = "<", atMost = "<=", equal = "=", atLeast = ">=", greater = ">", differs = "!="
    }

    let relation: Relation
    let bound: Bound

    static func isOperator(_ text: Substring) -> Bool { Relation(rawValue: String(text)) != nil }

    init(_ text: Substring) throws(VersionRangeError) {
        let symbols = text.prefix { "<>=!".contains($0) }
        guard symbols.isEmpty || Relation(rawValue: String(symbols)) != nil else {
            throw VersionRangeError(part: String(text), problem: "no such comparison")
        }
        relation = Relation(rawValue: String(symbols)) ?? .equal
        bound = try Bound(text.dropFirst(symbols.count))
    }

    func holds(for version: Version) -> Bool {
        let position = bound.position(of: version)
        if position == .within, bound.isRelease, !version.prerelease.isEmpty {
            return relation == .atMost || relation == .differs
        }
        return switch relation {
        case .less: position == .below
        case .atMost: position != .above
        case .equal: position == .within
        case .atLeast: position != .below
        case .greater: position == .above
        case .differs: position != .within
        }
    }
}

/// What a comparison is made with: a whole major, a whole minor, a whole x.y.z, or one exact version.
private enum Bound: Hashable, Sendable {
    case major(Int)
    case minor(Int, Int)
    case release(Int, Int, Int)
    case exact(Version)

    enum Position { case below, within, above }

    var isRelease: Bool {
        if case .release = self { true } else { false }
    }

    init(_ text: Substring) throws(VersionRangeError) {
        let problem = VersionRangeError(part: String(text), problem: "not a version")
        if text.contains("+") || text.contains("-") {
            guard let version = Version(text) else { throw problem }
            self = .exact(version)
            return
        }
        var parts = (text.utf8.first == UInt8(ascii: "v") ? text.dropFirst() : text)
            .split(separator: ".", omittingEmptySubsequences: false)
        while parts.count > 1, let last = parts.last, last == "x" || last == "*" { parts.removeLast() }
        var numbers: [Int] = []
        for part in parts {
            guard (1...6).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                let number = Int(part)
            else { throw problem }
            numbers.append(number)
        }
        switch numbers.count {
        case 1: self = .major(numbers[0])
        case 2: self = .minor(numbers[0], numbers[1])
        case 3: self = .release(numbers[0], numbers[1], numbers[2])
        default: throw problem
        }
    }

    func position(of version: Version) -> Position {
        func compare(_ version: [Int], _ bound: [Int]) -> Position {
            if version == bound { return .within }
            return version.lexicographicallyPrecedes(bound) ? .below : .above
        }
        switch self {
        case .major(let major): return compare([version.major], [major])
        case .minor(let major, let minor): return compare([version.major, version.minor], [major, minor])
        case .release(let major, let minor, let patch):
            return compare([version.major, version.minor, version.patch], [major, minor, patch])
        case .exact(let bound):
            if bound.build.isEmpty, version.withoutBuild == bound.withoutBuild { return .within }
            return version == bound ? .within : (version < bound ? .below : .above)
        }
    }
}

extension VersionRange: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do {
            try self.init(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
