/// Which installation of a node is meant: a distribution, and the name of its unit or snap.
public struct InstallationID: Codable, Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Which of the distributions it is.
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
    /// The name by which policy and fleet know this node: that of node.yaml, else its host name.
    public var name: String
    /// The cluster it belongs to, `default` where node.yaml does not say.
    public var cluster: String
    /// The labels that node.yaml gives it; Kubernetes' own are not asked.
    public var labels: [String: String]
    /// This machine's; nil for one that no distribution ships for.
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
    /// Wall clock, in UTC.
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
    /// systemd's SubState (`running`, `auto-restart`, …); nil where systemd was not asked.
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
    /// Version and digest, or version and revision.
    public var artifact: Artifact
    /// The binary, or the mounted snap.
    public var path: String
    /// How the version was learnt.
    public var evidence: Evidence
    /// How far it is certain that the bytes are that release.
    public var origin: Origin
    /// Why `artifact.version` is nil.
    public var unreadable: String?
    /// The file's identity when it was read; nil for a snap.
    public var identity: FileIdentity?
    /// What the binary is built for.
    public var architecture: Architecture?
    /// What last brought another artifact here, as far as it is known.
    public var cause: Trigger

    /// Whether there is nothing at `path`.
    ///
    /// Of an installation as it was just looked at; the ledger keeps no identities.
    public var isMissing: Bool { identity == nil && !artifact.isKnown }

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

        /// Who says so.
        public var source: Name
        /// What it says; nil where it was asked and gave no version.
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
    /// The artifact that the main process was started from, by its bytes or revision; nil where no look saw it.
    public var startedFrom: Artifact?

    /// What runs: the artifact that it was started from where that is known, else its version alone.
    public var artifact: Artifact? { startedFrom ?? version.map { Artifact(version: $0) } }

    /// Makes an observation of what runs.
    public init(
        version: Version?, sources: [Source], invocationID: String? = nil, restartPending: Bool? = nil,
        startedFrom: Artifact? = nil
    ) {
        self.version = version
        self.sources = sources
        self.invocationID = invocationID
        self.restartPending = restartPending
        self.startedFrom = startedFrom
    }
}

/// An artifact that somebody would install if nothing stopped it.
public struct Offer: Codable, Hashable, Sendable {
    /// What would be installed, as far as the one who offers it tells.
    public var artifact: Artifact
    /// Who would install it.
    public var trigger: Trigger
    /// When it was published, by the publisher's word.
    public var published: Instant?
    /// How far its origin is certain before it was downloaded.
    public var origin: Origin
    /// Where on the node its bytes are at hand, kept aside when they were turned away; nil where they are not.
    public var path: String?

    /// Makes an offer.
    public init(
        artifact: Artifact, trigger: Trigger, published: Instant?, origin: Origin, path: String? = nil
    ) {
        self.artifact = artifact
        self.trigger = trigger
        self.published = published
        self.origin = origin
        self.path = path
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
    /// What it is called here, in the ledger, and in messages.
    public var id: InstallationID
    /// Nil where the unit does not tell.
    public var role: Role?
    /// The units that belong to it, the main one first.
    public var units: [UnitObservation]
    /// Where it keeps its data; nil where the unit does not tell.
    public var dataDirectory: String?
    /// What it keeps its cluster state in.
    public var dataStore: DataStore
    /// What is on disk, or that nothing is where the unit wants it; nil where not even that could be found out.
    public var installed: Installed?
    /// What the main process was started from; nil where nothing runs.
    public var running: Running?
    /// What others would install, the likeliest first.
    public var offers: [Offer]
    /// What keeps snapd from refreshing it; nil for anything but a snap, or where nothing does.
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

extension Installation {
    /// What a node that was never seen before seems meant to run.
    ///
    /// Where another version waits on disk for a restart it is the one that runs: what came last is the change. A
    /// binary that is not there is no reference.
    var firstReference: Artifact? {
        guard running?.restartPending == true, let artifact = running?.artifact,
            let version = artifact.version,
            version != installed?.artifact.version
        else { return installed.flatMap { $0.artifact.isKnown ? $0.artifact : nil } }
        return artifact
    }
}

/// Something that a person should know and that keeps the tick from knowing everything.
public struct Problem: Codable, Hashable, Sendable {
    /// A short token that never changes its meaning: `snapd-silent`, `policy-invalid`.
    public var code: String
    /// What is wrong, where, and what to do about it.
    public var text: String
    /// Which unit or file it is about, where a node can have several such problems at once.
    public var about: String?

    /// Makes a problem.
    public init(code: String, text: String, about: String? = nil) {
        self.code = code
        self.text = text
        self.about = about
    }

    /// The code of a binary that a unit runs and that is not there.
    public static let binaryMissing = "binary-missing"

    /// The code of unit files that could not be read.
    public static let unitsUnreadable = "units-unreadable"

    /// The code of an installation that a look no longer found.
    public static let installationUnseen = "installation-unseen"

    /// The code of what the gate has kept aside and a look could not read; it is about the binary that it lies beside.
    public static let pendingUnreadable = "pending-unreadable"

    /// The code of a guard file that was set aside, and may alone know what of ours is in place.
    public static let guardFileAside = "guard-file-aside"

    /// Whether both are one problem, whatever their texts: those can carry a count or a time.
    public func isSame(as other: Problem) -> Bool { code == other.code && about == other.about }
}

/// All that one look at the node found.
public struct Observation: Codable, Hashable, Sendable {
    /// What this node is.
    public var node: NodeFacts
    /// What the clocks said when the look began.
    public var clock: ClockReading
    /// In order of their identifiers.
    public var installations: [Installation]
    /// What kept the look from seeing everything; the rest of it still holds.
    public var problems: [Problem]
    /// What settings were found to be, as far as guards care.
    public var settings: [Setting: SettingReading]
    /// What snapd says of itself; nil where there is no snap that is guarded, or it does not answer.
    public var snapd: SnapdFacts?
    /// By what the cluster's API server can be reached from here; nil where by nothing.
    public var access: ClusterAccess?
    /// What the cluster told, at this look or an earlier one; nil where it was not asked, or never answered.
    public var cluster: ClusterObservation?

    /// Makes an observation.
    public init(
        node: NodeFacts, clock: ClockReading, installations: [Installation], problems: [Problem],
        settings: [Setting: SettingReading] = [:], access: ClusterAccess? = nil, snapd: SnapdFacts? = nil
    ) {
        self.node = node
        self.clock = clock
        self.installations = installations
        self.problems = problems
        self.settings = settings
        self.snapd = snapd
        self.access = access
    }
}
