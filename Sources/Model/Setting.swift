/// Something of the node, or of its cluster, that has one value at a time and that a guard sets.
///
/// Values are texts, in a form that whoever reads and writes the kind has settled on.
public struct Setting: Codable, Hashable, Sendable, Comparable {
    /// What can be set.
    public enum Kind: String, Codable, CaseIterable, Hashable, Sendable {
        /// snapd's hold of one snap; the subject is the snap.
        case snapHold = "snap-hold"
        /// How many revisions of a snap snapd keeps; the subject is `system`.
        case snapRetain = "snap-retain"
        /// The channel that a snap follows; the subject is the snap.
        case snapChannel = "snap-channel"
        /// snapd's hold of every snap, where it knows no other; the subject is `system`.
        case systemHold = "system-hold"
        /// The label of our Node that keeps system-upgrade-controller away; the subject is the plan's name.
        case planLabel = "plan-label"
        /// The immutable flag of a file; the subject is its path.
        case seal
        /// Whether our Node takes no new Pods; the subject is what the cluster calls it.
        case cordon
    }

    /// What is set.
    public var kind: Kind
    /// Of what.
    public var subject: String

    /// Names a setting.
    public init(_ kind: Kind, _ subject: String) {
        self.kind = kind
        self.subject = subject
    }

    public static func < (left: Setting, right: Setting) -> Bool {
        (left.kind.rawValue, left.subject) < (right.kind.rawValue, right.subject)
    }

    /// What it is called, for a person.
    public var summary: String {
        switch kind {
        case .snapHold: "snapd's hold of \(subject)"
        case .snapRetain: "how many revisions snapd keeps"
        case .snapChannel: "the channel that \(subject) follows"
        case .systemHold: "snapd's hold of every snap"
        case .planLabel: "the label that keeps the plan \(subject) from this node"
        case .seal: "the immutable flag of \(subject)"
        case .cordon: "the cordon of \(subject)"
        }
    }
}

/// What a setting was found to be.
public enum SettingReading: Codable, Hashable, Sendable {
    /// Nil where it is not set.
    case value(String?)
    /// It could not be asked; why stands among the observation's problems.
    case unknown
}

/// A setting that we placed, and what was there before.
public struct PlacedSetting: Codable, Hashable, Sendable {
    /// What was set.
    public var setting: Setting
    /// What we set it to.
    public var value: String
    /// How that reads back; nil until it was read once.
    public var seen: String?
    /// What was there before; nil where nothing was.
    public var before: String?

    /// Makes a record of a setting.
    public init(setting: Setting, value: String, seen: String? = nil, before: String? = nil) {
        self.setting = setting
        self.value = value
        self.seen = seen
        self.before = before
    }

    /// Whether a reading is what we left, so that nobody has touched it since.
    public func isOurs(_ reading: String?) -> Bool {
        guard let reading else { return false }
        return reading == seen || (seen == nil && reading == value)
    }
}

/// A guard that was in force and that somebody else has taken away or weakened.
public struct BrokenGuard: Codable, Hashable, Sendable {
    /// What it was, for a person: `snapd's hold of microk8s`.
    public var summary: String
    /// What was found in its place; nil where nothing was.
    public var found: String?

    /// Makes a finding.
    public init(summary: String, found: String?) {
        self.summary = summary
        self.found = found
    }
}
