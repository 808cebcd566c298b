/// One thing done to a node in order to keep changes out, or to stop keeping them out.
///
/// | effect | fingerprint of before | done where | not done where | undo |
/// |---|---|---|---|---|
/// | storeInVault | the file at its path | the file there has the digest | anything else | the draft goes, and an empty vault |
/// | removeFromVault | the file at its path | no file is there, nor an empty vault | one is | nothing |
/// | stageSpare | the file at its path | the file there has the digest and can be executed | none is there, or that of before | the draft goes |
/// | removeSpare | the file at its path | no file is there, or not ours | the file that we staged | nothing |
/// | placeDropIn | its content, or whether its directory was there | the text is there | none is there, or that of before | the directory goes if we made it and it is empty |
/// | removeDropIn | its content | no file is there | our text is there | nothing |
/// | reloadUnits | nothing | never known: it may be repeated | always | nothing |
/// | restartWatch | nothing | never known: it may be repeated | always | nothing |
/// | writeLastRan | its content | the text is there, or a newer one by the gate | that of before is there | the draft goes |
/// | removeLastRan | its content | no file is there | one is | nothing |
/// | removePending | the file at its path | that file is gone, and its directory where nothing else is in it | it is there | nothing |
/// | set | its value | it has the value that was asked for | it has another | nothing |
/// | restore | its value | it no longer has ours | it has ours | nothing |
/// | replace | the file at its path | the file there has the digest | anything else | the draft goes, and what changed places is kept |
/// | restart | the unit's InvocationID | it has another | it has that of before | nothing |
/// | start | nothing | the unit is active, or about to be | it is not | nothing |
/// | abortRefresh | the change's status | it is over, or being undone | it goes on | nothing |
/// | startServices | nothing | all of them run | one does not | nothing |
/// | refreshSnap | the installed revision | the revision is installed, and snapd is at no change of the snap | snapd has no change that came of it | nothing; snapd's own undo is told apart |
/// | backUp | whether the backup is there | it is, whole and verified | it is not; its program runs: under way | what a program that is gone left; not what one ended with, which the next one to perform it takes |
/// | removeBackup | whether the backup is there | it is not | it is | nothing |
///
/// Whatever is none of these is unknown: nothing further is done, and a person is told. Paths are those of the node.
public enum Effect: Codable, Hashable, Sendable {
    /// Copies the bytes of a digest to where the vault keeps them: a copy of their own, never a second name.
    case storeInVault(ArtifactCopy)
    case removeFromVault(path: String, digest: Digest)
    /// Copies an artifact to the binary's own file system, with the binary's owner and label.
    case stageSpare(ArtifactCopy)
    case removeSpare(StagedSpare)
    /// Puts a drop-in beside a unit: the gate's, or one that tells a unit of ours what this node has elsewhere.
    case placeDropIn(path: String, text: String)
    case removeDropIn(PlacedDropIn)
    /// Has systemd read its unit files again.
    case reloadUnits
    /// Has our path units watch what their drop-ins now name; one that is off stays off.
    case restartWatch
    /// Writes what has started on a data directory, in the gate's own text.
    case writeLastRan(StartRecord)
    case removeLastRan(path: String)
    /// Lets an artifact go that the gate turned away and kept aside.
    case removePending(PendingFile)
    /// Gives a setting a value, whatever it is now.
    case set(Setting, to: String)
    /// Gives a setting back what it was before us, unless somebody else has set it since.
    case restore(PlacedSetting)
    /// Puts an artifact in a binary's place: under the artifact lock, and only where all is as it was decided on.
    case replace(Replacement)
    case restart(UnitRestart)
    /// Starts a unit whose binary was missing.
    case start(OwedStart)
    /// Has snapd give up a refresh that has not stopped anything yet.
    case abortRefresh(AbortedRefresh)
    /// Starts services of a snap that a refresh has left stopped.
    case startServices([String])
    /// Has snapd bring exactly one revision; it may go on for minutes, and is never asked for twice at a time.
    case refreshSnap(RevisionRefresh)
    /// Saves the state of a cluster; where a program does that, it is performed again once the program has ended.
    case backUp(BackUp)
    /// Lets the oldest backup go.
    case removeBackup(KeptBackup)

    /// What it does, for a person: `put the gate's drop-in at …`.
    public var summary: String {
        switch self {
        case .storeInVault(let copy): "keep \(copy.artifact.summary) in the vault"
        case .removeFromVault(_, let digest): "take sha256 \(digest.short) out of the vault"
        case .stageSpare(let copy): "stage \(copy.artifact.summary) as the spare \(copy.to)"
        case .removeSpare(let spare): "take the spare \(spare.path) away"
        case .placeDropIn(let path, _):
            isOfOwnUnit(path)
                ? "tell Holdfast's own unit of this node's places: \(path)"
                : "put the gate in front of the unit: \(path)"
        case .removeDropIn(let dropIn):
            isOfOwnUnit(dropIn.path)
                ? "take the drop-in of Holdfast's own unit away: \(dropIn.path)"
                : "take the gate away: \(dropIn.path)"
        case .reloadUnits: "have systemd read its units again"
        case .restartWatch: "have systemd watch this node's places"
        case .writeLastRan: "record what runs now as what last ran"
        case .removeLastRan: "forget what last ran, since starts are no longer recorded"
        case .removePending(let file): "let go of what was turned away and kept as \(file.path)"
        case .set(let setting, let value): "set \(setting.summary) to \(value)"
        case .restore(let placed):
            placed.before.map { "set \(placed.setting.summary) back to \($0)" }
                ?? "take \(placed.setting.summary) away"
        case .replace(let replacement):
            switch replacement.purpose {
            case .undo:
                "put \(replacement.artifact.summary) back as \(replacement.binary), where "
                    + (replacement.seen == nil ? "nothing was" : "something else was")
            case .step: "put \(replacement.artifact.summary) in place as \(replacement.binary)"
            }
        case .restart(let restart): "restart \(restart.unit)"
        case .start(let owed): "start \(owed.unit), whose binary was missing"
        case .abortRefresh(let refresh):
            "have snapd give up its change \(refresh.change), a refresh of \(refresh.snap) to revision "
                + "\(refresh.revision), which is not allowed"
        case .refreshSnap(let refresh):
            "have snapd refresh \(refresh.snap) from revision \(refresh.from) to \(refresh.revision)"
        case .backUp(let backUp):
            "back \(backUp.installation.name) up by \(backUp.method.summary) as \(backUp.directory)"
        case .removeBackup(let backup): "let the backup \(backup.directory) go"
        case .startServices(let units): "start what a refresh left stopped: \(units.joined(separator: ", "))"
        }
    }

    /// Whether it leaves something behind by which a probe can tell that it was done.
    public var leavesTrace: Bool { self != .reloadUnits && self != .restartWatch }

    /// Who has to answer for it to be done: what one of them keeps from being done keeps no other from it.
    public var lane: Lane {
        switch self {
        case .set(let setting, _): setting.lane
        case .restore(let placed): placed.setting.lane
        case .abortRefresh, .startServices, .refreshSnap: .snapd
        case .backUp: .program
        default: .node
        }
    }

    /// Whom an effect depends on.
    public enum Lane: String, Codable, CaseIterable, Hashable, Sendable {
        /// Files and systemd.
        case node
        case snapd
        /// The cluster's API server.
        case cluster
        /// A program that runs for minutes in a unit of its own: nothing else waits for it.
        case program
    }
}

/// Whether a drop-in is of a unit that `make install` put there, and not of a distribution's.
///
/// By the parts of its path: a search for a text would bring regular expressions into the gate, a fifth of its size.
private func isOfOwnUnit(_ dropIn: String) -> Bool {
    dropIn.split(separator: "/").contains { $0.hasPrefix("holdfast") }
}

extension Setting {
    fileprivate var lane: Effect.Lane {
        switch kind {
        case .snapHold, .snapRetain, .snapChannel, .systemHold: .snapd
        case .planLabel, .cordon: .cluster
        case .seal: .node
        }
    }
}

/// An artifact that is copied from one path of the node to another.
public struct ArtifactCopy: Codable, Hashable, Sendable {
    /// Whose artifact it is.
    public var installation: InstallationID
    /// What is copied; its digest is checked on the way.
    public var artifact: Artifact
    /// Where its bytes are.
    public var from: String
    /// Where they shall be.
    public var to: String
    /// The file whose owner and label the copy takes; nil for a copy that is root's alone.
    public var like: String?
    /// Where what lies in the copy's place is kept, being none that we put there; nil where nothing has to be kept.
    public var pending: String?

    /// Makes a copy that is to be made.
    public init(
        installation: InstallationID, artifact: Artifact, from: String, to: String, like: String? = nil,
        pending: String? = nil
    ) {
        self.installation = installation
        self.artifact = artifact
        self.from = from
        self.to = to
        self.like = like
        self.pending = pending
    }
}

/// What is known to have started on a data directory, as the gate reads it.
public struct StartRecord: Codable, Hashable, Sendable {
    /// The record's file.
    public var path: String
    /// The gate's own text.
    public var text: String
    /// The adoption at which recording began.
    public var since: Instant
    /// Marks of unrecorded starts that the text takes in; they go with it.
    public var marks: [String]

    /// Makes a record that is to be written.
    public init(path: String, text: String, since: Instant, marks: [String]) {
        self.path = path
        self.text = text
        self.since = since
        self.marks = marks
    }
}

/// An artifact that was turned away and is kept aside.
public struct PendingFile: Codable, Hashable, Sendable {
    /// Where it lies.
    public var path: String
    /// The file as it was found there.
    public var identity: FileIdentity

    /// Makes a finding.
    public init(path: String, identity: FileIdentity) {
        self.path = path
        self.identity = identity
    }
}

/// A spare that we staged.
public struct StagedSpare: Codable, Hashable, Sendable {
    /// Whose spare it is.
    public var installation: InstallationID
    /// Where it lies.
    public var path: String
    /// Which artifact it is.
    public var artifact: Artifact
    /// The file as it was when it was staged and hashed.
    public var identity: FileIdentity

    /// Makes a record of a spare.
    public init(installation: InstallationID, path: String, artifact: Artifact, identity: FileIdentity) {
        self.installation = installation
        self.path = path
        self.artifact = artifact
        self.identity = identity
    }
}

/// A drop-in that we placed.
public struct PlacedDropIn: Codable, Hashable, Sendable {
    /// The file.
    public var path: String
    /// What we wrote there.
    public var text: String
    /// Whether its directory was not there before.
    public var madeDirectory: Bool

    /// Makes a record of a drop-in.
    public init(path: String, text: String, madeDirectory: Bool) {
        self.path = path
        self.text = text
        self.madeDirectory = madeDirectory
    }
}

/// What was at the place of an effect before it.
public enum Fingerprint: Codable, Hashable, Sendable {
    /// It leaves no trace.
    case nothing
    case missing
    /// Not even the directory was there.
    case missingDirectory
    /// A small file, by its content.
    case content(Digest)
    /// A large file, or one that is not regular, by its identity.
    case identity(FileIdentity)
    /// What a setting, or the status of a change of snapd's, was; nil where it was not set.
    case setting(String?)
    /// The start of a unit that was there before, as systemd names it.
    case start(String?)
}

/// The committed word on what an effect is about to do (invariant 7).
public struct Intent: Codable, Hashable, Sendable {
    /// Names it in the entry that closes it, and a transient unit where one is needed.
    public var id: String
    /// What is about to be done.
    public var effect: Effect
    /// What was there before.
    public var before: Fingerprint

    /// Makes an intent.
    public init(id: String, effect: Effect, before: Fingerprint) {
        self.id = id
        self.effect = effect
        self.before = before
    }
}

/// What became of an intent.
public struct EffectEnd: Codable, Hashable, Sendable {
    /// How an intent can stand.
    public enum Outcome: Codable, Hashable, Sendable {
        /// It is done; the file that it made, where it made one that is later told by its identity.
        case done(FileIdentity?)
        /// The setting is set, or was set back: how it now reads.
        case reads(String?)
        /// It was not done, and nothing of it is left.
        case undone
        /// snapd began it and took it back by itself.
        case takenBack(SnapdUndo)
        /// It could not be done, and will be tried again: the intent stays open.
        case failed(String)
        /// Nobody can tell whether it was done: the intent stays open, and nothing further is done.
        case unknown(String)
    }

    /// The intent's id.
    public var intent: String
    /// What it was about, for a person.
    public var summary: String
    /// What became of it.
    public var outcome: Outcome

    /// Makes an end.
    public init(of intent: Intent, outcome: Outcome) {
        self.intent = intent.id
        summary = intent.effect.summary
        self.outcome = outcome
    }
}
