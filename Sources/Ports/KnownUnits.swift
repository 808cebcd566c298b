public import Model

/// What a look at a node's units may take over from earlier ones.
///
/// A node has a hundred unit files of which one or two are wanted. No unit can come, go or change its drop-ins while
/// no directory moves; only a file that was written to in place can, for which all are read again within the hour.
public struct KnownUnits: Codable, Hashable, Sendable {
    /// What decides which services are wanted; another question may want others.
    public var question: String
    /// Every directory that was listed, with what moves when its content does.
    public var directories: [String]
    /// The wanted services, in order of their names.
    public var services: [Service]
    /// When all unit files were last read.
    public var readAt: Instant
    /// How units stood whose main process ran, by name; kept no longer than the rest of this.
    public var states: [String: State] = [:]

    /// Makes what is known of a node's units.
    public init(question: String, directories: [String], services: [Service], readAt: Instant) {
        self.question = question
        self.directories = directories
        self.services = services
        self.readAt = readAt
    }

    /// A unit as systemd told of it, and the main process that it had.
    public struct State: Codable, Hashable, Sendable {
        /// What systemd said.
        public var observation: UnitObservation
        /// When the main process started, in nanoseconds since boot.
        public var started: Int64

        /// Makes a known state.
        public init(observation: UnitObservation, started: Int64) {
            self.observation = observation
            self.started = started
        }
    }

    /// Which files make a service up; what they hold can be secret, and is read anew at each look.
    public struct Service: Codable, Hashable, Sendable {
        /// With its suffix: `k3s.service`.
        public var name: String
        /// The unit file, as the node has it.
        public var fragmentPath: String
        /// Those that apply, in the order in which they do.
        public var dropIns: [String]

        /// Makes what is known of a service.
        public init(name: String, fragmentPath: String, dropIns: [String]) {
            self.name = name
            self.fragmentPath = fragmentPath
            self.dropIns = dropIns
        }
    }
}
