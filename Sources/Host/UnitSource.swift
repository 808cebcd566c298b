public import Model
public import Ports

/// Where units are known from: systemd itself, or unit files under another root.
public protocol UnitSource {
    /// The service units that are installed and for which `isWanted` holds, in order of their names.
    ///
    /// One of which a file cannot be read is left out and hides no other.
    ///
    /// - Throws: `HostError` where the unit directories are there and cannot be read; without them there are no services.
    func services(where isWanted: (ServiceDefinition) -> Bool) throws(HostError) -> [ServiceDefinition]

    /// How a unit stands now; every field nil where systemd cannot be asked.
    func state(of unit: String) -> UnitObservation

    /// The same source for one look, whose questions all see the unit files as they are at the first one.
    ///
    /// - Parameters:
    ///   - known: what an earlier look learnt; while it stands, only the files of wanted services are read.
    ///   - question: what decides which services are wanted, the program too; nil where nothing is to be remembered.
    ///   - now: the start of the look.
    func snapshot(known: KnownUnits?, question: String?, now: Instant) -> any UnitSource

    /// The wanted services of all unit files, whatever an earlier look learnt: for a question that is not asked each time.
    func servicesAnew(
        where isWanted: (ServiceDefinition) -> Bool
    ) throws(HostError) -> [ServiceDefinition]

    /// Of a snapshot: what the next look may take over; nil where it has to find out for itself.
    var known: KnownUnits? { get }

    /// Of a snapshot: why a service was left out of what it told; nil where none was.
    var unread: HostError? { get }

    /// Why states could not be asked for though systemd should run here; nil where nothing went wrong.
    var silence: HostError? { get }
}

extension UnitSource {
    public func snapshot(known: KnownUnits?, question: String?, now: Instant) -> any UnitSource { self }
    public func servicesAnew(
        where isWanted: (ServiceDefinition) -> Bool
    ) throws(HostError) -> [ServiceDefinition] { try services(where: isWanted) }
    public var known: KnownUnits? { nil }
    public var unread: HostError? { nil }
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
