/// A version of a distribution: `v1.31.4+k3s1`, `v1.31.4-rc1+k3s1`, `v1.31.4+k0s.0`, `v1.31.4`.
///
/// The order is total over (major, minor, patch, pre-release, build). Unlike SemVer it counts the build:
/// `+k3s2` is newer than `+k3s1`, and `+k0s.14` than `+k0s.3` (renovate#30957, hetzner-k3s#146).
public struct Version: Hashable, Sendable {
    /// The 1 of `v1.31.4`.
    public let major: Int
    /// The 31 of `v1.31.4`; what skew is counted in.
    public let minor: Int
    /// The 4 of `v1.31.4`.
    public let patch: Int
    /// Between `-` and `+`; empty for a release.
    public let prerelease: String
    /// After `+`, with any vendor suffix; empty for upstream Kubernetes and MicroK8s.
    public let build: String

    /// Reads a version, with or without the leading `v`; nil where it is not one.
    ///
    /// At most 128 bytes are taken, so that what is read from a hostile file stays small.
    public init?(_ text: some StringProtocol) {
        var rest = Substring(text)
        guard rest.utf8.count <= 128 else { return nil }
        if rest.utf8.first == UInt8(ascii: "v") { rest = rest.dropFirst() }
        var build = Substring()
        if let plus = rest.firstIndex(of: "+") {
            build = rest[rest.index(after: plus)...]
            rest = rest[..<plus]
            guard Self.areIdentifiers(build) else { return nil }
        }
        var prerelease = Substring()
        if let dash = rest.firstIndex(of: "-") {
            prerelease = rest[rest.index(after: dash)...]
            rest = rest[..<dash]
            guard Self.areIdentifiers(prerelease) else { return nil }
        }
        let numbers = rest.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, let major = Self.number(numbers[0]), let minor = Self.number(numbers[1]),
            let patch = Self.number(numbers[2])
        else { return nil }
        self.major = major
        self.minor = minor
        self.patch = patch
        self.prerelease = String(prerelease)
        self.build = String(build)
    }

    /// The version without its build: `v1.31.4`, which is what Kubernetes itself is.
    public var withoutBuild: String {
        "v\(major).\(minor).\(patch)" + (prerelease.isEmpty ? "" : "-\(prerelease)")
    }

    /// Major and minor: `1.31`.
    public var minorText: String { "\(major).\(minor)" }

    /// The distribution that builds versions of this shape, where the build says so.
    public var distribution: Distribution? {
        if build.hasPrefix("k3s") { return .k3s }
        if build.hasPrefix("k0s") { return .k0s }
        return nil
    }

    // Numbers of up to six digits, without leading zeros: what releases use, and far from any overflow.
    private static func number(_ text: Substring) -> Int? {
        let digits = text.utf8
        guard (1...6).contains(digits.count), digits.allSatisfy({ (48...57).contains($0) }),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { return nil }
        return Int(text)
    }

    private static func areIdentifiers(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { identifier in
            !identifier.isEmpty
                && identifier.utf8.allSatisfy {
                    (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                        || $0 == UInt8(ascii: "-")
                }
        }
    }
}

extension Version: Comparable {
    public static func < (left: Version, right: Version) -> Bool {
        let leftNumbers = (left.major, left.minor, left.patch)
        let rightNumbers = (right.major, right.minor, right.patch)
        if leftNumbers != rightNumbers { return leftNumbers < rightNumbers }
        if left.prerelease != right.prerelease {
            // A pre-release comes before its release (SemVer 11).
            if left.prerelease.isEmpty || right.prerelease.isEmpty { return right.prerelease.isEmpty }
            return naturallyPrecedes(left.prerelease, right.prerelease)
        }
        if left.build != right.build {
            if left.build.isEmpty || right.build.isEmpty { return left.build.isEmpty }
            return naturallyPrecedes(left.build, right.build)
        }
        return false
    }
}

extension Version: CustomStringConvertible, Codable {
    /// The version as the distributions write it, with the leading `v`.
    public var description: String { withoutBuild + (build.isEmpty ? "" : "+\(build)") }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let version = Version(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a version")
        }
        self = version
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Whether `left` comes before `right` when runs of digits are compared as numbers: `rc9` before `rc10`.
///
/// Where that leaves two different texts equal (`rc01`, `rc1`), their bytes decide, so that the order stays total.
private func naturallyPrecedes(_ left: String, _ right: String) -> Bool {
    let leftRuns = runs(left)
    let rightRuns = runs(right)
    for (a, b) in zip(leftRuns, rightRuns) where a != b {
        switch (a, b) {
        case (.digits(let x), .digits(let y)):
            if x.count != y.count { return x.count < y.count }
            return x.lexicographicallyPrecedes(y)
        // SemVer 11: numeric identifiers have lower precedence than others.
        case (.digits, .other): return true
        case (.other, .digits): return false
        case (.other(let x), .other(let y)): return x.lexicographicallyPrecedes(y)
        }
    }
    if leftRuns.count != rightRuns.count { return leftRuns.count < rightRuns.count }
    return left.utf8.lexicographicallyPrecedes(right.utf8)
}

private enum Run: Equatable {
    /// Without leading zeros.
    case digits(ArraySlice<UInt8>)
    case other(ArraySlice<UInt8>)
}

private func runs(_ text: String) -> [Run] {
    let bytes = Array(text.utf8)
    var result: [Run] = []
    var start = 0
    while start < bytes.count {
        let isDigit = (48...57).contains(bytes[start])
        var end = start + 1
        while end < bytes.count, (48...57).contains(bytes[end]) == isDigit { end += 1 }
        if isDigit {
            var first = start
            while first < end - 1, bytes[first] == UInt8(ascii: "0") { first += 1 }
            result.append(.digits(bytes[first..<end]))
        } else {
            result.append(.other(bytes[start..<end]))
        }
        start = end
    }
    return result
}
