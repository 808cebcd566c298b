/// What the ledger records, one entry each.
///
/// The name of a case is the entry's kind.
public enum Event: Codable, Hashable, Sendable {
    /// Another valid policy is in force.
    case policyLoaded(LoadedPolicy)
    /// The policy file is not valid, or has gone; the last valid one goes on forbidding.
    case policyRejected(PolicyRejection)
    /// An installation is seen for the first time; what it seems meant to run is the reference.
    case installationFound(Installation)
    /// An installation is no longer there.
    case installationGone(InstallationID)
    /// Something about an installation is no longer as it was.
    case installationObserved(Installation)
    /// A change was judged, for the first time or with another result.
    case decided(DecisionRecord)
    /// A change is no longer there: withdrawn, or put back.
    case changeEnded(ChangeEnd)
    case problemBegan(Problem)
    case problemEnded(Problem)
    /// Proof that ticks ran.
    case coverage(Coverage)
    case catalogImported(CatalogImport)
    /// A person lets exact bytes pass the ceiling.
    case approved(Approval)
    /// A person says no to exact bytes, until it is revoked.
    case denied(Denial)
    /// A person takes an approval or a denial back.
    case revoked(Revocation)
    /// A person confirms what an installation is meant to run, and has it guarded.
    case adopted(Adoption)
    /// A person has an installation guarded no longer.
    case released(InstallationID)
    case paused(Pause)
    case resumed(Resumption)
    /// An effect is about to begin (invariant 7).
    case intended(Intent)
    case effected(EffectEnd)
    /// Somebody else took away or weakened a guard that was in force; it is put back.
    case guardBroken(BrokenGuard)
    /// Holdfast begins to carry out a change.
    case stepBegan(Step)
    case stepMoved(StepMove)
    case stepEnded(StepEnd)
    /// A node has used an approval up (invariant 6).
    case approvalSpent(SpentApproval)
    /// An artifact failed here; it is kept out until a person approves it anew.
    case quarantined(QuarantinedArtifact)
    /// The start gate put something back, let something through, or refused a start.
    case gateActed(GateAct)
    /// What this node's part in a rollout is from now on.
    case seatTaken(SeatTaking)
    /// A person has said something of a rollout.
    case rolloutSaid(RolloutWord)
    /// The ledger was lost, or lagged behind; what guards was taken over from the guard file.
    case seeded(Seeding)
    /// The key by which checkpoints are signed from now on.
    case checkpointKey(CheckpointKey)
    /// Bodies of old entries were dropped (invariant 8).
    case bodiesDropped(Retention)

    /// The kind of entries from which the last valid policy is read.
    public static let policyLoadedKind = "policy-loaded"

    /// The kind of entries that say which bodies were dropped.
    public static let bodiesDroppedKind = "bodies-dropped"

    /// The entry's kind as the ledger stores it.
    public var kind: String {
        switch self {
        case .policyLoaded: Self.policyLoadedKind
        case .policyRejected: "policy-rejected"
        case .installationFound: "installation-found"
        case .installationGone: "installation-gone"
        case .installationObserved: "installation-observed"
        case .decided: "decided"
        case .changeEnded: "change-ended"
        case .problemBegan: "problem-began"
        case .problemEnded: "problem-ended"
        case .coverage: "coverage"
        case .catalogImported: "catalog-imported"
        case .approved: "approved"
        case .denied: "denied"
        case .revoked: "revoked"
        case .adopted: "adopted"
        case .released: "released"
        case .paused: "paused"
        case .resumed: "resumed"
        case .intended: "intended"
        case .effected: "effected"
        case .guardBroken: "guard-broken"
        case .stepBegan: "step-began"
        case .stepMoved: "step-moved"
        case .stepEnded: "step-ended"
        case .approvalSpent: "approval-spent"
        case .quarantined: "quarantined"
        case .gateActed: "gate-acted"
        case .seatTaken: "seat-taken"
        case .rolloutSaid: "rollout-said"
        case .seeded: "seeded"
        case .checkpointKey: "checkpoint-key"
        case .bodiesDropped: Self.bodiesDroppedKind
        }
    }
}

/// Why a policy file is not in force.
public struct PolicyRejection: Codable, Hashable, Sendable {
    /// The file that was rejected.
    public var file: String
    /// Each with its `FILE:LINE:COLUMN`.
    public var errors: [String]

    /// Makes a rejection.
    public init(file: String, errors: [String]) {
        self.file = file
        self.errors = errors
    }
}

/// A change that is over.
public struct ChangeEnd: Codable, Hashable, Sendable {
    /// The change as it was last judged.
    public var change: Change

    /// Makes the end of a change.
    public init(change: Change) { self.change = change }
}

/// A stretch of time in which ticks ran and found nothing new.
public struct Coverage: Codable, Hashable, Sendable {
    /// The boot that all its ticks belong to; a reboot ends the stretch.
    public var bootID: String
    /// Wall clock and monotonic nanoseconds of the first and the last tick.
    public var first: Instant
    /// The last tick's wall clock; may lie before `first` where the clock was set back.
    public var last: Instant
    /// Nanoseconds since boot at the first tick.
    public var firstMonotonic: Int64
    /// Nanoseconds since boot at the last tick.
    public var lastMonotonic: Int64
    /// How many ticks ran, the first and the last included.
    public var ticks: Int64
    /// The longest time between two ticks, in nanoseconds.
    public var longestGap: Int64

    /// Makes a stretch.
    public init(
        bootID: String, first: Instant, last: Instant, firstMonotonic: Int64, lastMonotonic: Int64,
        ticks: Int64,
        longestGap: Int64
    ) {
        self.bootID = bootID
        self.first = first
        self.last = last
        self.firstMonotonic = firstMonotonic
        self.lastMonotonic = lastMonotonic
        self.ticks = ticks
        self.longestGap = longestGap
    }
}

/// Checksums that a person brought in.
public struct CatalogImport: Codable, Hashable, Sendable {
    /// The file's path as it was given.
    public var file: String
    /// The imported file's own digest.
    public var sha256: Digest
    /// One for each binary that the file names and that we know a name for.
    public var entries: [CatalogEntry]

    /// Makes an import.
    public init(file: String, sha256: Digest, entries: [CatalogEntry]) {
        self.file = file
        self.sha256 = sha256
        self.entries = entries
    }
}
