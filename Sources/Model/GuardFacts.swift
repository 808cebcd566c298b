/// How a unit stands to systemd, as far as guards care.
public struct UnitFacts: Hashable, Sendable {
    /// systemd's LoadState, such as `loaded`, `not-found` or `masked`.
    public var loadState: String
    /// systemd's ActiveState, such as `active` or `failed`.
    public var activeState: String
    /// systemd's UnitFileState: `enabled`, `disabled`, …; nil where there is no unit file.
    public var fileState: String?
    /// systemd's Result of the last run, such as `success` or `exit-code`.
    public var result: String
    /// The drop-ins that systemd has read.
    public var dropIns: [String]
    /// Whether a file of the unit has changed since systemd read it.
    public var needsReload: Bool

    /// Makes facts of a unit.
    public init(
        loadState: String = "loaded", activeState: String = "active", fileState: String? = nil,
        result: String = "success", dropIns: [String] = [], needsReload: Bool = false
    ) {
        self.loadState = loadState
        self.activeState = activeState
        self.fileState = fileState
        self.result = result
        self.dropIns = dropIns
        self.needsReload = needsReload
    }
}

/// What systemd said of the units that guards rest on.
public enum UnitsFinding: Hashable, Sendable {
    /// Nobody could be asked, and why.
    case unknown(String)
    /// By name, and when systemd last read its unit files.
    case told([String: UnitFacts], readAt: Instant?)

    /// What it said of one unit; nil where it was not asked.
    public func of(_ unit: String) -> UnitFacts? {
        if case .told(let units, _) = self { units[unit] } else { nil }
    }
}

/// What became of a file that we placed.
public enum PlacedFile: Hashable, Sendable {
    case asPlaced
    case gone
    /// Something else is there, or it cannot be read.
    case changed(String)
}

/// What the gate would read.
public enum GuardFileFinding: Hashable, Sendable {
    case missing
    case unusable(String)
    /// The number of the ledger's entry that it was written after, and the mode of each guarded unit.
    case read(sequence: Int64, modes: [String: Enforcement.GateMode])
}

/// Which package a file belongs to, as far as files tell: no package manager is run.
public enum PackageOwner: Hashable, Sendable {
    case nobody
    /// The binary package that lists it, without its architecture.
    case dpkg(String)
    /// There is an RPM database, which is not read; outside /usr/local a package may own the file.
    case mayBeRPM
}

/// What was found of the guards, beyond what a look at the installations tells.
public struct GuardFacts: Hashable, Sendable {
    /// The program that the gate's drop-ins name.
    public var gateProgram: String
    /// Whether it is there and can be executed.
    public var gateIsExecutable = true
    /// What systemd said of the guarded units and of ours.
    public var units: UnitsFinding
    /// Drop-ins that we placed, by path.
    public var dropIns: [String: PlacedFile] = [:]
    /// Spares that we staged, by path.
    public var spares: [String: PlacedFile] = [:]
    /// Artifacts in the vault, by path.
    public var vault: [String: PlacedFile] = [:]
    /// The file that the gate goes by.
    public var guardFile = GuardFileFinding.missing
    /// The number of the ledger's newest entry; nil where it could not be read.
    public var ledgerSequence: Int64?
    /// Why what is meant to run would not be put back over the data of an installation (invariant 12), by its id; no
    /// entry where it would.
    public var objections: [String: String] = [:]
    /// Who owns the binary of an installation, by its id.
    public var owners: [String: PackageOwner] = [:]
    /// Installations whose unit switches k0s's autopilot off, by their ids.
    public var withoutAutopilot: Set<String> = []

    /// Facts of which nothing is known yet.
    public init(gateProgram: String, units: UnitsFinding) {
        self.gateProgram = gateProgram
        self.units = units
    }
}
