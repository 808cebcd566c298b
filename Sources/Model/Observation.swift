/// Which installation of a node is meant: a distribution, and the name of its unit or snap.
public struct InstallationID: Codable, Hashable, Sendable, Comparable, CustomStringConvertible {
    public var distribution: Distribution
    /// The unit without `.service`, or the snap's name: `k3s`, `k3s-agent`, `k0scontroller`, `microk8s`.
    public var name: String

    /// Makes an identifier.
    public init(distribution: Distribution, name: String) {
        self.distribution = distribution
        self.name = name
    }

    public var description: String { "\(distribution.rawValue)/\(name)" }

    public static func < (left: InstallationID, right: InstallationID) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }
}

/// What this node is, as far as policy asks.
public struct NodeFacts: Codable, Hashable, Sendable {
    public var name: String
    public var cluster: String
    public var labels: [String: String]
    public var architecture: Architecture?

    /// Makes the facts.
    public init(name: String, cluster: String, labels: [String: String], architecture: Architecture?) {
        self.name = name
        self.cluster = cluster
        self.labels = labels
        self.architecture = architecture
    }
}

/// What the clocks said once.
public struct ClockReading: Codable, Hashable, Sendable {
    public var now: Instant
    /// Nanoseconds since boot, suspension included.
    public var monotonic: Int64
    /// The kernel's random boot id.
    public var bootID: String
    /// What timedated would say; nil where it could not be asked.
    public var synchronised: Bool?

    /// Makes a reading.
    public init(now: Instant, monotonic: Int64, bootID: String, synchronised: Bool?) {
        self.now = now
        self.monotonic = monotonic
        self.bootID = bootID
        self.synchronised = synchronised
    }
}

/// A systemd unit of an installation.
///
/// Arguments are left out on purpose: they can carry tokens.
public struct UnitObservation: Codable, Hashable, Sendable {
    /// With its suffix: `k3s.service`.
    public var name: String
    /// systemd's ActiveState (`active`, `failed`, …); nil where systemd was not asked.
    public var activeState: String?
    public var subState: String?
    /// systemd's UnitFileState (`enabled`, `disabled`, …).
    public var fileState: String?
    /// 0 where nothing runs.
    public var mainPID: Int32
    /// Changes with every start of the unit.
    public var invocationID: String?
    /// The unit file.
    public var fragmentPath: String?

    /// Makes an observation of a unit.
    public init(
        name: String, activeState: String? = nil, subState: String? = nil, fileState: String? = nil,
        mainPID: Int32 = 0, invocationID: String? = nil, fragmentPath: String? = nil
    ) {
        self.name = name
        self.activeState = activeState
        self.subState = subState
        self.fileState = fileState
        self.mainPID = mainPID
        self.invocationID = invocationID
        self.fragmentPath = fragmentPath
    }
}

/// What is on disk.
public struct Installed: Codable, Hashable, Sendable {
    public var artifact: Artifact
    /// The binary, or the mounted snap.
    public var path: String
    public var evidence: Evidence
    public var origin: Origin
    /// Why `artifact.version` is nil.
    public var unreadable: String?
    public var identity: FileIdentity?
    /// What the binary is built for.
    public var architecture: Architecture?
    /// What last brought another artifact here, as far as it is known.
    public var cause: Trigger

    /// Makes an observation of what is on disk.
    public init(
        artifact: Artifact, path: String, evidence: Evidence, origin: Origin, unreadable: String? = nil,
        identity: FileIdentity? = nil, architecture: Architecture? = nil, cause: Trigger = .unknown
    ) {
        self.artifact = artifact
        self.path = path
        self.evidence = evidence
        self.origin = origin
        self.unreadable = unreadable
        self.identity = identity
        self.architecture = architecture
        self.cause = cause
    }
}

/// What the main process was started from.
public struct Running: Codable, Hashable, Sendable {
    /// One answer to the question which version runs.
    public struct Source: Codable, Hashable, Sendable {
        /// Who says so.
        public enum Name: String, Codable, Hashable, Sendable {
            /// The executable of the main process, read as bytes.
            case processExecutable = "process-executable"
            /// The file on disk, which has not changed since the main process started.
            case installedFile = "installed-file"
            /// The API server's `/version`.
            case api
            /// k0s's status socket.
            case k0sStatus = "k0s-status"
            case snapd
        }

        public var source: Name
        public var version: Version?

        /// Makes an answer.
        public init(source: Name, version: Version?) {
            self.source = source
            self.version = version
        }
    }

    /// The answer that is believed: the first of `sources` that has a version.
    public var version: Version?
    /// All answers, the most trustworthy first; two that differ are both kept.
    public var sources: [Source]
    /// The unit's InvocationID that they are about.
    public var invocationID: String?
    /// Whether the file on disk is no longer what the main process was started from; nil where unknown.
    public var restartPending: Bool?

    /// Makes an observation of what runs.
    public init(
        version: Version?, sources: [Source], invocationID: String? = nil, restartPending: Bool? = nil
    ) {
        self.version = version
        self.sources = sources
        self.invocationID = invocationID
        self.restartPending = restartPending
    }
}

/// An artifact that somebody would install if nothing stopped it.
public struct Offer: Codable, Hashable, Sendable {
    public var artifact: Artifact
    /// Who would install it.
    public var trigger: Trigger
    /// When it was published, by the publisher's word.
    public var published: Instant?
    public var origin: Origin

    /// Makes an offer.
    public init(artifact: Artifact, trigger: Trigger, published: Instant?, origin: Origin) {
        self.artifact = artifact
        self.trigger = trigger
        self.published = published
        self.origin = origin
    }
}

/// What keeps snapd from refreshing a snap.
public struct SnapHold: Codable, Hashable, Sendable {
    /// The end of a hold that is in force; snapd's "forever" is some time in 2319.
    public var until: Instant?
    /// When a refresh that waits for running commands goes on regardless; such a refresh ignores later holds.
    public var inhibitProceed: Instant?

    /// Makes a hold.
    public init(until: Instant?, inhibitProceed: Instant?) {
        self.until = until
        self.inhibitProceed = inhibitProceed
    }
}

/// One distribution on this node, as one look found it.
public struct Installation: Codable, Hashable, Sendable {
    public var id: InstallationID
    /// Nil where the unit does not tell.
    public var role: Role?
    public var units: [UnitObservation]
    public var dataDirectory: String?
    public var dataStore: DataStore
    public var installed: Installed?
    public var running: Running?
    public var offers: [Offer]
    public var hold: SnapHold?

    /// Makes an observation of an installation.
    public init(
        id: InstallationID, role: Role?, units: [UnitObservation], dataDirectory: String? = nil,
        dataStore: DataStore = .unknown, installed: Installed?, running: Running?, offers: [Offer] = [],
        hold: SnapHold? = nil
    ) {
        self.id = id
        self.role = role
        self.units = units
        self.dataDirectory = dataDirectory
        self.dataStore = dataStore
        self.installed = installed
        self.running = running
        self.offers = offers
        self.hold = hold
    }
}

/// Something that a person should know and that keeps the tick from knowing everything.
public struct Problem: Codable, Hashable, Sendable {
    /// A short token that never changes its meaning: `snapd-silent`, `policy-invalid`.
    public var code: String
    /// What is wrong, where, and what to do about it.
    public var text: String

    /// Makes a problem.
    public init(code: String, text: String) {
        self.code = code
        self.text = text
    }
}

/// All that one look at the node found.
public struct Observation: Codable, Hashable, Sendable {
    public var node: NodeFacts
    public var clock: ClockReading
    /// In order of their identifiers.
    public var installations: [Installation]
    public var problems: [Problem]

    /// Makes an observation.
    public init(
        node: NodeFacts, clock: ClockReading, installations: [Installation], problems: [Problem]
    ) {
        self.node = node
        self.clock = clock
        self.installations = installations
        self.problems = problems
    }
}
