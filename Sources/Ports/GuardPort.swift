public import Model

/// The node, as far as guards are put in place on it.
///
/// Paths are those of the node. It is used by one thread.
public protocol GuardPort: SpoolPort {
    /// What is at those places; it never throws, what cannot be examined says so.
    func look(at places: GuardedPlaces) -> GuardPresence

    /// Takes the effect lock.
    ///
    /// - Parameter patience: how long to wait for another process that performs effects, in milliseconds.
    /// - Returns: false where another process performs effects; else the lock is held until `giveLockBack`.
    func takeLock(patience: Int) throws(EffectFailure) -> Bool

    /// Gives the effect lock back; without one it does nothing.
    func giveLockBack()

    /// What is at the place of an effect before it.
    func fingerprint(of effect: Effect) throws(EffectFailure) -> Fingerprint

    /// Performs an effect; where it was done already it does it again, or nothing.
    ///
    /// - Parameter before: the fingerprint that was committed; what is no longer so is not touched.
    func perform(_ effect: Effect, before: Fingerprint) throws(EffectFailure)

    /// Whether an effect that was begun was done.
    func probe(_ intent: Intent) -> EffectProbe

    /// Takes away what a half-performed effect left, so that all is as it was before.
    func undo(_ intent: Intent) throws(EffectFailure)

    /// Replaces the guard file, or takes it away, by a rename and flushed.
    func writeGuardFile(_ text: String?) throws(EffectFailure)

    /// Gives the guard file another name, under which it is told of by `look` until a person has dealt with it.
    ///
    /// A bounded number of them is kept; beyond that the newest gives way.
    func setGuardFileAside() throws(EffectFailure)
}

/// The places that a plan asks about.
public struct GuardedPlaces: Hashable, Sendable {
    /// Files of which the identity is enough.
    public var identities: Set<String>
    /// Small files of which the content is asked.
    public var contents: Set<String>
    /// Settings that the observation does not tell.
    public var settings: Set<Setting>
    /// Units of which more is asked than a look tells: those whose binary was missing, or that it did not find.
    public var units: Set<String>
    /// Binaries beside which the gate may have kept artifacts.
    public var pending: Set<String> = []

    /// Makes a question.
    public init(
        identities: Set<String> = [], contents: Set<String> = [], settings: Set<Setting> = [],
        units: Set<String> = []
    ) {
        self.identities = identities
        self.contents = contents
        self.settings = settings
        self.units = units
    }
}

/// What was found there; a place without an entry has no file.
public struct GuardPresence: Hashable, Sendable {
    /// By path.
    public var identities: [String: FileIdentity] = [:]
    /// By path.
    public var contents: [String: FileContent] = [:]
    /// Those that were asked about; no entry where none were.
    public var settings: [Setting: SettingReading] = [:]
    /// By unit; no entry where systemd did not tell.
    public var units: [String: UnitStanding] = [:]
    /// Units of which systemd was asked and did not tell; empty where none runs.
    public var silentUnits: Set<String> = []
    /// Why one of those is unknown, and what to do about it.
    public var refusals: [Setting: String] = [:]
    /// What the gate has kept, by the binary that was asked about; no entry where nothing is kept.
    public var pending: [String: KeptAside] = [:]
    /// The guard file.
    public var guardFile: FileContent?
    /// What it holds where others than root may have written it: nothing is taken from that, it is only asked whether
    /// the ledger knows as much.
    public var looseGuardFile: [UInt8]?
    /// Guard files that were set aside, oldest first.
    public var guardFilesAside: [String] = []

    /// Nothing is there.
    public init() {}

    /// What a small file holds.
    public enum FileContent: Hashable, Sendable {
        case bytes([UInt8])
        /// It is there, and cannot be read or is no small file.
        case unusable(String)

        /// Its bytes as text; nil where it cannot be read.
        public var text: String? {
            if case .bytes(let bytes) = self { String(validating: bytes, as: UTF8.self) } else { nil }
        }
    }
}

/// How a unit stands whose binary was missing, or which a look did not find.
public struct UnitStanding: Hashable, Sendable {
    /// Whether it is up, or about to be.
    public var isUp: Bool
    /// Whether its last start came to nothing for want of its file: by its condition, or since nothing could be executed.
    ///
    /// What a person stopped was started well before that.
    public var lacksFile: Bool
    /// Whether it is started at boot.
    public var isEnabled: Bool

    /// Makes a standing.
    public init(isUp: Bool, lacksFile: Bool, isEnabled: Bool) {
        self.isUp = isUp
        self.lacksFile = lacksFile
        self.isEnabled = isEnabled
    }
}

/// What is kept beside one binary of what was turned away.
public struct KeptAside: Hashable, Sendable {
    /// Files of the gate's alone, in order of their names.
    public var files: [PendingFile]
    /// Bytes that the file system can still take, and all that it has; nil where it does not tell.
    public var space: Space?

    /// Room on a file system.
    public struct Space: Hashable, Sendable {
        /// In bytes, for others than root.
        public var free: Int64
        /// In bytes.
        public var total: Int64

        /// Makes a finding.
        public init(free: Int64, total: Int64) {
            self.free = free
            self.total = total
        }
    }

    /// Makes a finding.
    public init(files: [PendingFile], space: Space?) {
        self.files = files
        self.space = space
    }
}

/// Whether an effect was done.
public enum EffectProbe: Hashable, Sendable {
    /// The identity of the file that it made, where a later look goes by that.
    case done(FileIdentity?)
    /// A setting is as it should be: how it now reads.
    case reads(String?)
    case notDone
    /// Another carries it out for us and is not done: it is neither begun anew nor taken back.
    case underWay
    /// Another began it for us, and took it back by itself.
    case takenBack(SnapdUndo)
    /// Something is there that neither we nor what was there before explains.
    case unknown(String)
}

/// Why an effect could not be performed: what happened, where, and what to do about it.
public struct EffectFailure: Error, Hashable, CustomStringConvertible {
    /// Lower case, no full stop.
    public var description: String

    /// Makes a failure.
    public init(_ description: String) { self.description = description }
}
