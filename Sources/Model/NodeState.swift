/// What the ledger's entries add up to: the state from which the next tick goes on.
///
/// It is a fold over events and nothing else, so it can be rebuilt from the ledger at any time.
public struct NodeState: Codable, Hashable, Sendable {
    /// The hash of the last valid policy, which the ledger's newest `policy-loaded` entry holds whole.
    ///
    /// Nil on a node that never had one. The policy itself is read only where it is needed: while the file is valid
    /// it is not, and to decode it would be a third of a quiet tick.
    public var policy: Digest?
    /// Why the newest policy file is not in force; nil while it is.
    public var rejection: PolicyRejection?
    /// By `InstallationID.description`.
    public var installations: [String: InstallationState] = [:]
    /// Problems that have not ended.
    public var problems: [Problem] = []
    /// Approvals that were not revoked; whether one has ended is for who judges by it to say.
    @OmittedWhenEmpty public var approvals: [Approval] = []
    /// Denials that were not revoked.
    @OmittedWhenEmpty public var denials: [Denial] = []

    /// How long after its end an approval is kept, so that a decision can say that there was one.
    private static let memoryOfEnded = TimeSpan.days(30)
    /// What we did to the node to keep changes out; nil where nothing is left of it.
    public var guards: GuardRecords?
    /// The change that is being carried out; nil where none is.
    public var step: Step?
    /// The step that was left last; nil where the last one was carried through.
    public var lastStep: LeftStep?
    /// Artifacts that failed here and that nobody has approved since.
    @OmittedWhenEmpty public var quarantine: [QuarantinedArtifact] = []
    /// Until when a person has lifted every guard; nil where nobody has.
    public var pause: Pause?
    /// Records of the gate that were taken from the spool last: where a tick died before it took their files away, they
    /// are still there.
    @OmittedWhenEmpty public var spooled: [String] = []
    /// This node's part in rollouts, by distribution; nil where it never had one.
    public var seats: [String: Seat]?
    /// What the newest seeding was made from; nil where there was none.
    public var seededFrom: SeedSource?
    /// Verifier keys of checkpoints: the first one, and after it those that took its place, the newest last.
    @OmittedWhenEmpty public var checkpointKeys: [String] = []

    /// The state before the first entry.
    public init() {}

    /// Takes one more event in.
    ///
    /// - Parameter at: when the entry was written.
    public mutating func apply(_ event: Event, at: Instant) {
        switch event {
        case .policyLoaded(let policy):
            self.policy = policy.sha256
            rejection = nil
        case .policyRejected(let rejection):
            self.rejection = rejection
        case .installationFound(let installation):
            let key = installation.id.description
            // Two processes can find it at once; what one of them was told of it since must not be lost.
            if installations[key] == nil {
                installations[key] = InstallationState(
                    installation: installation, reference: installation.firstReference, since: at)
            } else {
                installations[key]?.installation = installation
            }
            installations[installation.id.description]?.noteStart(of: installation)
        case .installationGone(let id):
            installations[id.description] = nil
        case .installationObserved(let installation):
            let key = installation.id.description
            installations[key]?.installation = installation
            installations[key]?.noteStart(of: installation)
            // What could not be read at first sight becomes the reference when it first can, and so do the bytes of
            // a version that only ran then.
            let reference = installations[key]?.reference
            if reference == nil {
                installations[key]?.reference = installation.firstReference
            } else if let artifact = installation.installed?.artifact, reference?.hasBytes == false,
                artifact.version == reference?.version
            {
                installations[key]?.reference = artifact
            }
        case .decided(let record):
            let key = record.subject.change.installation.description
            installations[key]?.changes.removeAll { $0.change.id == record.subject.change.id }
            installations[key]?.changes.append(
                TrackedChange(
                    change: record.subject.change, decisionID: record.id, verdict: record.decision.verdict,
                    decidedAt: at))
        case .changeEnded(let end):
            installations[end.change.installation.description]?.changes.removeAll {
                $0.change.id == end.change.id
            }
        case .problemBegan(let problem):
            problems.removeAll { $0.isSame(as: problem) }
            problems.append(problem)
            note(problem, since: at)
        case .problemEnded(let problem):
            problems.removeAll { $0.isSame(as: problem) }
            note(problem, since: nil)
        case .approved(let approval):
            approvals.removeAll { $0.id == approval.id || $0.expires + Self.memoryOfEnded < at }
            approvals.append(approval)
            quarantine.removeAll { $0.isLifted(by: approval) }
        case .denied(let denial):
            denials.removeAll { $0.id == denial.id }
            denials.append(denial)
        case .revoked(let revocation):
            switch revocation.revoked {
            case .approval(let approval): approvals.removeAll { $0.id == approval.id }
            case .denial(let denial): denials.removeAll { $0.id == denial.id }
            }
        case .adopted, .released, .paused, .resumed, .intended, .effected:
            applyGuarding(event, at: at)
        case .stepBegan, .stepMoved, .stepEnded, .approvalSpent, .quarantined: applyStep(event, at: at)
        case .gateActed(let act): take(act)
        case .seatTaken(let taking):
            seats = (seats ?? [:]).merging([taking.distribution.rawValue: taking.seat]) { $1 }
        case .seeded(let seeding): take(seeding)
        case .rolloutSaid(let word):
            if case .clear(let bytes) = word.word { quarantine.removeAll { $0.bytes == bytes } }
        case .checkpointKey(let key):
            // The first is never forgotten.
            if checkpointKeys.count > 7 { checkpointKeys.remove(at: 1) }
            checkpointKeys.append(key.verifier)
        case .bodiesDropped(let retention): self = retention.state
        case .coverage, .catalogImported, .guardBroken:
            break
        }
    }

    private mutating func applyGuarding(_ event: Event, at: Instant) {
        var records = guards ?? GuardRecords()
        switch event {
        case .adopted(let adoption):
            let key = adoption.installation.description
            guard let known = installations[key] else { return }
            if known.confirmed, let reference = known.reference,
                reference.isSameBytes(as: adoption.artifact) == false
            {
                installations[key]?.lastGood = reference
            }
            installations[key]?.reference = adoption.artifact
            installations[key]?.confirmed = true
            installations[key]?.adoption = adoption
        case .released(let id):
            installations[id.description]?.adoption = nil
            records.owedStarts.removeAll { $0.installation == id }
            // What the gate kept aside goes with the guards.
            installations[id.description]?.acts = []
        case .paused(let pause): self.pause = pause
        case .resumed: pause = nil
        case .intended(let intent): records.begin(intent)
        case .effected(let end):
            noteHold(end, records, at: at)
            if case .takenBack(let undo) = end.outcome { step?.takenBack = undo }
            records.end(end)
        default: break
        }
        guards = records.isEmpty ? nil : records
    }
}

extension NodeState {
    private mutating func applyStep(_ event: Event, at: Instant) {
        switch event {
        case .stepBegan(let step):
            self.step = step
            let key = step.change.installation.description
            // A person has it go back from what was approved: the old one alone is approved from now on.
            if step.phase.isBack, installations[key]?.reference?.isSameBytes(as: step.change.to) == true {
                installations[key]?.reference = step.change.from
                installations[key]?.lastGood = nil
            }
        case .stepMoved(let move):
            guard step?.id == move.step else { return }
            step?.phase = move.phase
            step?.since = move.since
            step?.invocation = move.invocation
            if let backup = move.backup { step?.backup = backup }
            if let failure = move.failure { step?.failure = failure }
        case .stepEnded(let end):
            guard step?.id == end.step.id else { return }
            step = nil
            lastStep = nil
            if case .abandoned(let reason) = end.outcome {
                lastStep = LeftStep(change: end.step.change.id, reason: reason, at: at)
            }
            let key = end.step.change.installation.description
            guard end.outcome == .done else { return }
            guard let reference = installations[key]?.reference else { return }
            installations[key]?.proven = end.step.change.to.bytes
            if reference.isSameBytes(as: end.step.change.to) == false {
                installations[key]?.lastGood = reference
            }
            installations[key]?.reference = end.step.change.to
        case .approvalSpent(let spent):
            for index in approvals.indices
            where approvals[index].id == spent.approval && !approvals[index].isSpent(on: spent.node) {
                approvals[index].spentBy += [spent.node, Approval.thisNode]
            }
        case .quarantined(let entry):
            quarantine.removeAll { $0.installation == entry.installation && $0.bytes == entry.bytes }
            quarantine.append(entry)
        default: break
        }
    }

    /// Notes since when there is a problem whose age counts.
    private mutating func note(_ problem: Problem, since: Instant?) {
        switch problem.code {
        case Problem.binaryMissing:
            for (key, known) in installations where known.installation.installed?.path == problem.about {
                installations[key]?.missingSince = since
            }
        case Problem.installationUnseen:
            if let key = problem.about { installations[key]?.unseenSince = since }
        default: break
        }
    }

    /// Notes when a hold was placed: whether it is proven rests on it.
    private mutating func noteHold(_ end: EffectEnd, _ records: GuardRecords, at: Instant) {
        guard case .reads = end.outcome,
            case .set(let setting, _) = records.intents.first(where: { $0.id == end.intent })?.effect,
            setting.kind == .snapHold || setting.kind == .systemHold
        else { return }
        for (key, known) in installations where known.installation.id.distribution == .microk8s {
            installations[key]?.hold = HoldPlacement(
                at: at, wasInhibited: known.installation.hold?.inhibitProceed != nil)
        }
    }

    /// This node's part in the rollouts of a distribution.
    public func seat(of distribution: Distribution) -> Seat { seats?[distribution.rawValue] ?? Seat() }

    /// The approvals that have neither ended nor been used up by a node.
    public func approvals(inForceOn node: String, at now: Instant) -> [Approval] {
        approvals.filter { now < $0.expires && !$0.isSpent(on: node) }
    }
}

/// What is remembered of one installation.
public struct InstallationState: Codable, Hashable, Sendable {
    /// As it was last recorded.
    public var installation: Installation
    /// The artifact that this node is meant to run; nil where none could be read yet.
    public var reference: Artifact?
    /// Whether a person has confirmed the reference (`adopt`); until then it allows nothing.
    public var confirmed: Bool
    /// Since when and for what it is guarded; nil before `adopt` and after `release`.
    public var adoption: Adoption?
    /// The artifact that it was meant to run before, and ran well; nil where there was none.
    public var lastGood: Artifact?
    /// The bytes that a step has brought here, or looked at here, and found well to its end; nil where none was.
    public var proven: String?
    /// Whether its unit was up when its binary was last there; nil where no look has told.
    public var wasUp: Bool?
    /// Since when its binary has been missing; nil while it is there.
    public var missingSince: Instant?
    /// Since when looks have not found it; nil while they do.
    public var unseenSince: Instant?
    /// When our hold of it was placed; nil where it never was.
    public var hold: HoldPlacement?
    /// When it was first seen.
    public var since: Instant
    /// Changes that are there now, as they were last judged.
    public var changes: [TrackedChange]
    /// What the gate did last, oldest first: the newest few of what it put back, the newest one of each other kind.
    @OmittedWhenEmpty public var acts: [GateAct] = []
    /// How the gate stood when the ledger was lost; it counts until there is a policy.
    ///
    /// Nil for all but what was seeded.
    public var seededMode: Enforcement.GateMode?

    /// Makes the state of an installation at first sight.
    public init(installation: Installation, reference: Artifact?, since: Instant) {
        self.installation = installation
        self.reference = reference
        confirmed = false
        self.since = since
        changes = []
    }
}

extension InstallationState {
    /// Whether the unit was up is learnt only while its binary is there: without one nobody needs to have stopped it.
    fileprivate mutating func noteStart(of installation: Installation) {
        switch installation.units.first?.activeState {
        case "active", "reloading", "refreshing": wasUp = true
        case "inactive", "failed", "deactivating":
            if installation.installed?.artifact.isKnown == true { wasUp = false }
        default: break
        }
    }
}

/// A change and what was last decided of it.
public struct TrackedChange: Codable, Hashable, Sendable {
    /// The change as it was judged.
    public var change: Change
    /// The record that holds the decision and its reasons.
    public var decisionID: String
    /// What was decided.
    public var verdict: Verdict
    /// When the entry was written; later ticks with the same outcome do not move it.
    public var decidedAt: Instant

    /// Makes a tracked change.
    public init(change: Change, decisionID: String, verdict: Verdict, decidedAt: Instant) {
        self.change = change
        self.decisionID = decisionID
        self.verdict = verdict
        self.decidedAt = decidedAt
    }
}
