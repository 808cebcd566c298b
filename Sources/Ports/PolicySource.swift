public import Model

/// Where the policy comes from.
public protocol PolicySource {
    /// Reads the policy.
    func load() -> PolicyReading
}

/// What reading the policy gave.
public enum PolicyReading: Hashable, Sendable {
    /// There is no policy file.
    case absent(file: String)
    case valid(LoadedPolicy)
    case invalid(PolicyRejection)

    /// Whether there is a policy to go by.
    public var isValid: Bool {
        if case .valid = self { true } else { false }
    }
}

/// Where time zones come from.
public protocol ZoneSource {
    /// The zone of that IANA name, and which data it is from; nil where there is none.
    func zone(named name: String) -> (zone: Zone, dataVersion: String)?
}
