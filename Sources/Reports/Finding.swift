/// What brings back a part of Holdfast that is not there, however it came.
let installAgain = "install Holdfast again as it was installed (its package, ./install or make install)"

/// Something that is wrong with a node or its guards, and what mends it.
public struct Finding: Encodable, Hashable, Sendable {
    /// How bad it is.
    public enum Severity: String, Codable, Hashable, Sendable {
        /// A guard is not in force, or will fail.
        case fault
        /// Worth knowing, and no reason to call the node ill.
        case warning
    }

    /// A short token that never changes its meaning: `spare-missing`, `timer-off`.
    public var code: String
    /// How bad it is.
    public var severity: Severity
    /// Which unit, file or program it is about.
    public var about: String
    /// What was found.
    public var text: String
    /// The command, or the change by hand, that mends it; empty where the text says that already.
    public var mend: String

    /// Makes a finding.
    public init(
        _ code: String, _ severity: Severity = .fault, about: String, _ text: String, mend: String
    ) {
        self.code = code
        self.severity = severity
        self.about = about
        self.text = text
        self.mend = mend
    }
}
