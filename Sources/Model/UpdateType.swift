/// How far a change goes, from the version that is meant to run to another.
public enum UpdateType: String, Codable, CaseIterable, Hashable, Sendable {
    /// The same version in other bytes, or another build of it (`+k3s1` → `+k3s2`).
    case build
    /// Another patch, or to or from a pre-release of the same x.y.z.
    case patch
    case minor
    case major
    /// Older in the total order of versions.
    case downgrade
    /// A version could not be read, or the two cannot be compared.
    case unknown

    /// The type of the change from one version to another; unreadable versions are nil.
    public init(from: Version?, to: Version?) {
        guard let from, let to, from.distribution == to.distribution else {
            self = .unknown
            return
        }
        if to.withoutBuild == from.withoutBuild, to >= from {
            self = .build
        } else if to < from {
            self = .downgrade
        } else if to.major != from.major {
            self = .major
        } else if to.minor != from.minor {
            self = .minor
        } else {
            self = .patch
        }
    }

    /// Whether the change leaves out a minor in between.
    public static func skipsMinor(from: Version?, to: Version?) -> Bool {
        guard let from, let to, from.major == to.major else { return false }
        return to.minor > from.minor + 1
    }
}

extension UpdateType: Comparable {
    private var width: Int {
        switch self {
        case .build: 0
        case .patch: 1
        case .minor: 2
        case .major: 3
        case .downgrade: 4
        case .unknown: 5
        }
    }

    /// Whether less stands against it; against what is not known most does.
    public static func < (left: UpdateType, right: UpdateType) -> Bool { left.width < right.width }
}

/// The widest update type that something lets through.
public enum Ceiling: String, Codable, CaseIterable, Hashable, Comparable, Sendable {
    case none
    case build
    case patch
    case minor

    private var rank: Int {
        switch self {
        case .none: 0
        case .build: 1
        case .patch: 2
        case .minor: 3
        }
    }

    public static func < (left: Ceiling, right: Ceiling) -> Bool { left.rank < right.rank }

    /// Whether a change of that type is within this ceiling; downgrade, major and unknown never are.
    public func admits(_ type: UpdateType) -> Bool {
        switch type {
        case .build: self >= .build
        case .patch: self >= .patch
        case .minor: self >= .minor
        case .major, .downgrade, .unknown: false
        }
    }
}
