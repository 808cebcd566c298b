public import Model

/// Where units are known from: systemd itself, or unit files under another root.
public protocol UnitSource {
    /// The service units that are installed and for which `isWanted` holds, in order of their names.
    ///
    /// - Throws: `HostError` where the unit directories are there and cannot be read; without them there are no services.
    func services(where isWanted: (ServiceDefinition) -> Bool) throws(HostError) -> [ServiceDefinition]

    /// How a unit stands now; every field nil where systemd cannot be asked.
    func state(of unit: String) -> UnitObservation

    /// The same source, which reads the unit files once for all questions of one look.
    func snapshot() -> any UnitSource

    /// Why states could not be asked for though systemd should run here; nil where nothing went wrong.
    var silence: HostError? { get }
}

extension UnitSource {
    public func snapshot() -> any UnitSource { self }
    public var silence: HostError? { nil }
}

/// What a service unit says that it runs, drop-ins applied.
///
/// It can hold secrets (tokens among the arguments): it is never stored or shown, only read.
public struct ServiceDefinition: Hashable, Sendable {
    /// With its suffix: `k3s.service`.
    public var name: String
    /// The unit file, drop-ins apart; nil where systemd did not tell.
    public var fragmentPath: String
    /// The last command of ExecStart=, unquoted, its prefix characters (`-`, `@`, `+`, `!`) taken off.
    public var command: [String]
    /// From Environment= and from EnvironmentFile= that can be read.
    public var environment: [String: String]

    /// Makes a definition.
    public init(name: String, fragmentPath: String, command: [String], environment: [String: String]) {
        self.name = name
        self.fragmentPath = fragmentPath
        self.command = command
        self.environment = environment
    }
}
