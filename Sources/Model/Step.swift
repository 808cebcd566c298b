/// One change that Holdfast carries out on this node, while it is under way.
///
/// `storing → gating → backingUp → draining → replacing → restarting → probing → soaking`, and where that ends badly
/// `replacingBack → restartingBack → probingBack`; without restarting where snapd does that. What is not asked for is
/// passed through. A node has one at most.
public struct Step: Codable, Hashable, Sendable {
    /// How far a step has come.
    public enum Phase: String, Codable, CaseIterable, Hashable, Sendable {
        /// The bytes go into the vault, and are read there.
        case storing
        /// What the policy asks before a minor is asked.
        case gating
        /// What a way back needs is saved, and the copy verified.
        case backingUp = "backing-up"
        /// Other nodes take over what runs here.
        case draining
        /// Both artifacts are approved, and the new one takes the binary's place, or snapd brings it.
        case replacing
        case restarting
        /// The node is asked whether it is well.
        case probing
        /// It is well, and has to stay so for as long as its stage asks.
        case soaking
        /// The old one alone is approved, and takes its place again.
        case replacingBack = "replacing-back"
        case restartingBack = "restarting-back"
        case probingBack = "probing-back"
    }

    /// A short label, by which its entries are found.
    public var id: String
    /// What is carried out.
    public var change: Change
    /// The record that holds the decision on which it was begun.
    public var decision: String
    /// The approvals that it uses up (invariant 6).
    public var approvals: [String]
    /// Where the bytes were when it was begun.
    public var source: String
    /// What they take the place of.
    public var binary: String
    /// When it was begun.
    public var began: Instant
    /// How far it has come.
    public var phase: Phase
    /// When it came there, by the clocks.
    public var since: ClockReading
    /// The start of the unit that was there when this phase began; a restart is done where another one is.
    public var invocation: String?
    /// Why it goes back; nil while it goes on.
    public var failure: String?
    /// What snapd took back of it by itself; nil where it did not.
    public var takenBack: SnapdUndo?
    /// The rollout that it is part of; nil for a change of this node alone.
    public var rollout: String?
    /// How long the artifact has to run well before the step is over; nil for not at all.
    public var soak: TimeSpan?
    /// The backup that was made for it and verified: where it lies; nil where none was.
    public var backup: String?

    /// Makes a step that is about to begin.
    ///
    /// What runs already is only looked at: such a step begins with probing.
    public init(
        id: String, change: Change, decision: String, approvals: [String], source: String, binary: String,
        since: ClockReading, rollout: String? = nil, soak: TimeSpan? = nil
    ) {
        self.id = id
        self.change = change
        self.decision = decision
        self.approvals = approvals
        self.source = source
        self.binary = binary
        began = since.now
        phase = change.from.isSameBytes(as: change.to) == true ? .probing : .storing
        self.since = since
        self.rollout = rollout
        self.soak = soak
    }

    /// Whether nothing is replaced: the artifact ran here before the step.
    public var isProofOnly: Bool { change.from.isSameBytes(as: change.to) == true }

    /// Whether the new artifact may run: both are approved until the step goes back.
    public var isForward: Bool { !phase.isBack }

    /// Whether the artifact may have been put in place.
    public var hasBegun: Bool {
        switch phase {
        case .storing, .gating, .backingUp, .draining: false
        default: true
        }
    }

    /// Whether nothing may be scheduled here: from when the node is emptied until it is well.
    public var wantsNodeEmpty: Bool {
        switch phase {
        case .storing, .gating, .backingUp, .soaking: false
        default: true
        }
    }
}

extension Step.Phase {
    /// Whether it is one of going back.
    public var isBack: Bool {
        switch self {
        case .storing, .gating, .backingUp, .draining, .replacing, .restarting, .probing, .soaking: false
        case .replacingBack, .restartingBack, .probingBack: true
        }
    }

    /// What it does, for a person: `waits until the node is well`.
    public var summary: String {
        switch self {
        case .storing: "puts its bytes into the vault and reads them"
        case .gating: "asks what the policy has asked before a minor"
        case .backingUp: "makes a backup and verifies it"
        case .draining: "empties the node"
        case .replacing: "puts it in place"
        case .restarting: "restarts the unit"
        case .probing: "waits until the node is well"
        case .soaking: "watches that the node stays well"
        case .replacingBack: "puts the old artifact back"
        case .restartingBack: "restarts the unit with the old artifact"
        case .probingBack: "waits until the node is well with the old artifact"
        }
    }
}

/// A step that came further.
public struct StepMove: Codable, Hashable, Sendable {
    /// The step's id.
    public var step: String
    /// Where it is now.
    public var phase: Step.Phase
    /// When, by the clocks: deadlines count from here.
    public var since: ClockReading
    /// The start of the unit that is there now.
    public var invocation: String?
    /// Why it goes back.
    public var failure: String?
    /// Whose it is and what it changes, for a person.
    public var summary: String
    /// Where the backup lies that was made for it.
    public var backup: String?

    /// Makes a move of a step.
    public init(
        of step: Step, to phase: Step.Phase, since: ClockReading, invocation: String?, failure: String? = nil,
        backup: String? = nil
    ) {
        self.step = step.id
        self.phase = phase
        self.since = since
        self.invocation = invocation
        self.failure = failure
        self.backup = backup
        summary = step.summary
    }
}

/// A step that is over.
public struct StepEnd: Codable, Hashable, Sendable {
    /// How it ended.
    public enum Outcome: Codable, Hashable, Sendable {
        /// The new artifact runs well, and is what this node is meant to run.
        case done
        /// It was left before it changed what runs; the reason.
        case abandoned(String)
        /// The old artifact runs well again; why the new one does not.
        case putBack(String)
        /// It cannot go on by itself; what a person is to do.
        case needsPerson(String)
    }

    /// The step as it ended.
    public var step: Step
    /// How.
    public var outcome: Outcome

    /// Makes an end.
    public init(_ step: Step, _ outcome: Outcome) {
        self.step = step
        self.outcome = outcome
    }
}

extension Step {
    /// For a person: `k3s: v1.31.4+k3s1 → v1.31.5+k3s1`.
    public var summary: String {
        "\(change.installation.name): \(change.from.summary) → \(change.to.summary)"
    }
}

/// A step that was left.
public struct LeftStep: Codable, Hashable, Sendable {
    /// The id of the change that it was about.
    public var change: String
    /// Why it was left.
    public var reason: String
    /// When.
    public var at: Instant
}

/// An approval that a node has used up (invariant 6).
public struct SpentApproval: Codable, Hashable, Sendable {
    /// The approval's id.
    public var approval: String
    /// The node that used it up.
    public var node: String
    /// The step that did.
    public var step: String
    /// For exactly which artifact.
    public var artifact: Artifact

    /// Makes a record.
    public init(approval: String, node: String, step: String, artifact: Artifact) {
        self.approval = approval
        self.node = node
        self.step = step
        self.artifact = artifact
    }
}

/// An artifact that failed on this node: kept out until a person approves it anew.
public struct QuarantinedArtifact: Codable, Hashable, Sendable {
    /// Where it failed.
    public var installation: InstallationID
    /// What failed.
    public var artifact: Artifact
    /// Why, for a person.
    public var reason: String
    /// When.
    public var at: Instant
    /// The rollout in which it failed, whose fleet knows of it; nil for a change of this node alone.
    public var rollout: String?

    /// Makes an entry.
    public init(
        installation: InstallationID, artifact: Artifact, reason: String, at: Instant, rollout: String? = nil
    ) {
        self.installation = installation
        self.artifact = artifact
        self.reason = reason
        self.at = at
        self.rollout = rollout
    }

    /// By which rules name its bytes: a digest's hexadecimal digits, or `revision:N`; nil where neither is known.
    public var bytes: String? { artifact.bytes }

    /// Whether an approval is for exactly these bytes; one that is given later lifts the quarantine.
    public func isLifted(by approval: Approval) -> Bool {
        guard approval.distribution == installation.distribution else { return false }
        if let digest = artifact.sha256 { return approval.digests.values.contains(digest) }
        return artifact.revision != nil && approval.revision == artifact.revision
    }
}

/// A unit that is owed a start: its binary was missing, and has been put back.
public struct OwedStart: Codable, Hashable, Sendable {
    /// Whose unit it is.
    public var installation: InstallationID
    /// With its suffix.
    public var unit: String
    /// When the binary was about to be put back; a person who has had time to look decides from then on.
    public var since: Instant

    /// Makes a record.
    public init(installation: InstallationID, unit: String, since: Instant) {
        self.installation = installation
        self.unit = unit
        self.since = since
    }
}

/// An artifact that takes the place of a binary, or of one that is missing, by a rename.
public struct Replacement: Codable, Hashable, Sendable {
    /// Where the bytes come from.
    public enum Source: Codable, Hashable, Sendable {
        /// The spare, which lies beside the binary and is gone afterwards.
        case spare(StagedSpare)
        /// A path of the vault; copied beside the binary first, flushed.
        case vault(String)
    }

    /// Why, which decides what a person is told.
    public enum Purpose: Codable, Hashable, Sendable {
        /// What was there was not approved, or not there at all.
        case undo
        /// A step carries it out, or takes it back.
        case step(String)
    }

    /// Whose binary it is.
    public var installation: InstallationID
    /// What takes the place; its digest is checked.
    public var artifact: Artifact
    /// Where it comes from.
    public var source: Source
    /// The place.
    public var binary: String
    /// What was there when this was decided, nil where nothing was; anything else is left alone.
    public var seen: FileIdentity?
    /// The directory in which what was there is kept; nil where the vault has it.
    public var pending: String?
    /// The record of what last ran, as it was when this was decided: a start since then decides anew (invariant 12).
    public var lastRan: RecordSeen?
    /// Why.
    public var purpose: Purpose
    /// The unit that did not start for want of the file, and is started afterwards.
    public var owes: OwedStart?

    /// A small file and its text; nil where there was none.
    public struct RecordSeen: Codable, Hashable, Sendable {
        /// The file.
        public var path: String
        /// What it held.
        public var text: String?

        /// Makes a record.
        public init(path: String, text: String?) {
            self.path = path
            self.text = text
        }
    }

    /// Makes a replacement.
    public init(
        installation: InstallationID, artifact: Artifact, source: Source, binary: String, seen: FileIdentity?,
        pending: String?, lastRan: RecordSeen? = nil, purpose: Purpose, owes: OwedStart? = nil
    ) {
        self.installation = installation
        self.artifact = artifact
        self.source = source
        self.binary = binary
        self.seen = seen
        self.pending = pending
        self.lastRan = lastRan
        self.purpose = purpose
        self.owes = owes
    }
}

/// A unit that is to be started anew.
public struct UnitRestart: Codable, Hashable, Sendable {
    /// With its suffix.
    public var unit: String
    /// The start that was there before; it is done where another one is.
    public var invocation: String?

    /// Makes a restart.
    public init(unit: String, invocation: String?) {
        self.unit = unit
        self.invocation = invocation
    }
}
