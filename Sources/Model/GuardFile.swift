/// The small file that the gate reads before a unit starts, and that a lost ledger is seeded from.
///
/// Written by whoever holds the effect lock, by rename and fsync, after the ledger's commit.
public struct GuardFile: Hashable, Sendable {
    /// The number of the ledger's last entry when this was written; 0 before the first.
    public var ledgerSequence: Int64
    /// The hash of that entry.
    public var ledgerHash: Digest
    /// Until when every guard is lifted; nil where nobody has paused them.
    public var pausedUntil: Instant?
    /// The intent that was committed and not yet closed, in the ledger's own text; the gate does not look into it.
    public var intent: String?
    /// What a lost ledger is seeded from, in the ledger's own text; the gate does not look into it.
    public var seed: String?
    /// What was put in place to keep changes out, to be taken away by `release` and by nobody else (invariant 10).
    public var guards: [PlacedGuard]
    /// What is guarded on this node.
    public var installations: [GuardedInstallation]

    /// No guard file is longer, in bytes; a longer one is not read.
    public static let largest = 65_536

    /// Makes a guard file.
    public init(
        ledgerSequence: Int64 = 0, ledgerHash: Digest = .none, pausedUntil: Instant? = nil,
        intent: String? = nil, seed: String? = nil,
        guards: [PlacedGuard] = [], installations: [GuardedInstallation] = []
    ) {
        self.seed = seed
        self.ledgerSequence = ledgerSequence
        self.ledgerHash = ledgerHash
        self.pausedUntil = pausedUntil
        self.intent = intent
        self.guards = guards
        self.installations = installations
    }

    /// The installation that a unit belongs to; nil where it is not guarded.
    public func installation(ofUnit unit: String) -> GuardedInstallation? {
        installations.first { $0.owns(unit: unit) }
    }
}

/// A guard that we placed, and what was there before.
public struct PlacedGuard: Hashable, Sendable {
    /// The kinds of guards that leave something behind on the node.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        case hold
        case retain
        case channel
        case systemHold = "system-hold"
        case dropIn = "drop-in"
        case planLabel = "plan-label"
        case seal
        case cordon
    }

    /// What was placed.
    public var kind: Kind
    /// Where: a snap, a file, a label.
    public var subject: String
    /// What was there before, in a text that whoever placed it can read back; nil where nothing was.
    public var before: String?

    /// Makes a record of a guard.
    public init(kind: Kind, subject: String, before: String? = nil) {
        self.kind = kind
        self.subject = subject
        self.before = before
    }
}

/// An artifact, and the files that are known to hold exactly its bytes.
public struct GuardedArtifact: Hashable, Sendable {
    /// Version with digest or revision; a channel is not kept.
    public var artifact: Artifact
    /// Files that were hashed and found to be it; one of these is not hashed again.
    public var identities: [FileIdentity]

    /// Makes a known artifact.
    public init(_ artifact: Artifact, identities: [FileIdentity] = []) {
        self.artifact = artifact
        self.identities = identities
    }
}

/// The approved artifact again, on the binary's own file system.
public struct Spare: Hashable, Sendable {
    /// Where it lies.
    public var path: String
    /// Which artifact it is, with its digest.
    public var artifact: Artifact
    /// The file as it was when it was staged and hashed; any other one is not trusted.
    public var identity: FileIdentity

    /// Makes a spare.
    public init(path: String, artifact: Artifact, identity: FileIdentity) {
        self.path = path
        self.artifact = artifact
        self.identity = identity
    }
}

/// A revision of a snap that a tick saw running.
public struct SeenRunning: Hashable, Sendable {
    /// The revision.
    public var revision: String
    /// The boot in which it was seen.
    public var bootID: String
    /// Since when it is guarded; starts that were recorded earlier were those before another guard.
    public var since: Instant

    /// Makes a sighting.
    public init(revision: String, bootID: String, since: Instant) {
        self.revision = revision
        self.bootID = bootID
        self.since = since
    }
}

/// One installation, as far as the gate needs to know it.
public struct GuardedInstallation: Hashable, Sendable {
    /// Which one it is.
    public var id: InstallationID
    /// Its units with their suffix; one that ends in `*` stands for all that begin with what is before it.
    public var units: [String]
    /// Nil where it is not known, which is treated like a server.
    public var role: Role?
    /// What is done about an artifact that is neither approved nor last good; for a snap, `refuse` is the veto.
    public var mode: Enforcement.GateMode
    /// The path that the unit executes, links not followed; for a snap the link `current`, nil where that is below
    /// `/snap`.
    public var binary: String?
    /// Where it keeps its data; nil where that is not known.
    public var dataDirectory: String?
    /// Where artifacts lie by their digest: a path in which `{sha256}` stands for it.
    public var vault: String?
    /// Where artifacts that were turned away are kept, a directory on the binary's own file system.
    public var pending: String?
    /// What may run, the one that is meant to run first; two while one is being replaced by the other.
    public var approved: [GuardedArtifact]
    /// The one that ran well before.
    public var lastGood: GuardedArtifact?
    /// The approved artifact, ready to be renamed into its place.
    public var spare: Spare?
    /// What of a snap was seen running, for services that have not started since the gate stands before them.
    public var ran: SeenRunning?

    /// Makes a guarded installation.
    public init(
        id: InstallationID, units: [String], role: Role?, mode: Enforcement.GateMode, binary: String? = nil,
        dataDirectory: String? = nil, vault: String? = nil, pending: String? = nil,
        approved: [GuardedArtifact] = [], lastGood: GuardedArtifact? = nil, spare: Spare? = nil,
        ran: SeenRunning? = nil
    ) {
        self.id = id
        self.units = units
        self.role = role
        self.mode = mode
        self.binary = binary
        self.dataDirectory = dataDirectory
        self.vault = vault
        self.pending = pending
        self.approved = approved
        self.lastGood = lastGood
        self.spare = spare
        self.ran = ran
    }

    /// Whether a unit is one of its own.
    public func owns(unit: String) -> Bool {
        units.contains { name in
            name.utf8.last == UInt8(ascii: "*") ? unit.hasPrefix(name.dropLast()) : name == unit
        }
    }

    /// Where the vault keeps the bytes of a digest; nil where there is no vault.
    public func vaultPath(of digest: Digest) -> String? {
        guard let vault, let open = vault.firstIndex(of: "{"), vault[open...].hasPrefix("{sha256}") else {
            return nil
        }
        return vault[..<open] + digest.hex + vault[open...].dropFirst("{sha256}".count)
    }
}
