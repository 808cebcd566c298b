import Model
import Ports
import Rollout
import Rules

/// How often the store is asked where no rollout is known to be under way; a node tells of itself as often.
///
/// A rollout that was planned elsewhere is noticed within that time (design, "Budgets").
let fleetInterval = TimeSpan.hours(1)
/// How often a node whose turn it is looks whether a person has approved it by now.
private let approvalsInterval = TimeSpan.minutes(15)
/// How often one that waits for others reads what they say of themselves, though the rollout does not say that it is its
/// turn by now.
private let recordsInterval = TimeSpan.minutes(30)
/// When it is asked again where it did not answer and nothing is under way.
private let fleetRetry = TimeSpan.minutes(10)

/// Which machine this is, to its fleet.
public struct FleetIdentity: Hashable, Sendable {
    /// HMAC of the machine's id.
    public var id: String

    /// Names a machine.
    public init(id: String) { self.id = id }
}

/// The fleet as one tick goes by it.
struct FleetView {
    /// Whether the store was asked in this tick.
    var isAsked = false
    /// Whether the nodes and the quarantine were, too.
    var isFresh = false
    /// Whether approvals were, which a node also asks for that may not move without one.
    var hasApprovals = false
    /// Whether nothing has come to be this node's turn, or was taken from it, since the store was asked before, and no
    /// person asks: then what it waits for is asked for at an interval.
    var isPatient = false
    /// Bytes of which a quarantine stands in the store, in force or cleared; nil where it was not asked.
    var standing: Set<String>?
    /// Bytes whose quarantine this node has made known in this tick.
    var told: Set<String> = []
    /// What it holds, where it was asked.
    var documents: [Distribution: Stored<RolloutDocument>] = [:]
    /// What is known, from this tick or an earlier one.
    var known: KnownFleet
    /// Whether the store sees other machines at all.
    var seesOthers: Bool
}

/// Asks the fleet's store when it is due, and no more of it than is needed.
///
/// A node that waits for its turn makes one read; a node that may be about to move reads the others' records and the
/// quarantine as well, and asks its own cluster who of the control plane is well; without a rollout nothing is asked for
/// an hour. What a node waits for at its turn is asked for at an interval, so that a node that waits makes no more than two
/// operations a look on the whole: three where it looks for approvals, five where it reads what others say, else one.
struct FleetWatch {
    let port: any FleetPort
    let identity: FleetIdentity
    /// The hash by which this node decides: a rollout under another policy is not open to it.
    let policy: Digest?
    /// Who is asked of the control plane before one of it is touched; nil where nobody is.
    let servers: (any StepClusterPort)?
    /// Whether a person asks for something now.
    let isAsked: Bool

    /// Looks where it is due; nil on a node that guards nothing, which is no part of a fleet yet.
    func look(
        _ observation: Observation, state: NodeState, policy: LoadedPolicy?, memory: inout ObserverMemory
    ) -> FleetView? {
        let distributions = state.adoptedDistributions
        guard !distributions.isEmpty else { return nil }
        let now = observation.clock.now
        let known = memory.fleet ?? KnownFleet(askedAt: now)
        var view = FleetView(known: known, seesOthers: port.seesOthers)
        defer { memory.fleet = view.known }
        guard memory.fleet == nil || isAsked || isDue(known, state, at: now) else { return view }
        view.known.askedAt = now
        view.known.failure = nil
        do throws(FleetFailure) {
            for distribution in distributions {
                let stored = try port.rollout(of: distribution)
                view.documents[distribution] = stored
                // Whoever is the first to see that it has ended keeps it; where it is kept already nothing is done.
                if let document = stored?.value, document.state.hasEnded,
                    known.documents[distribution.rawValue].map({ $0.id == document.id && !$0.state.hasEnded })
                        == true
                {
                    // Each node that sees it keeps it, so one that cannot loses nothing.
                    try? port.archive(document)
                }
                view.known.documents[distribution.rawValue] = stored?.value
            }
            view.isAsked = true
            view.isPatient =
                !isAsked
                && open(known, observation, state, policy) == open(view.known, observation, state, policy)
            switch need(view, observation, state, policy) {
            case .nothing: break
            case .approvals:
                if !view.isPatient || !isRecent(known.approvalsAt, approvalsInterval, at: now) {
                    try askApprovals(&view, now)
                }
                askControlPlane(&view, observation)
            case .everything where hasToWait(view, observation, state, policy):
                askControlPlane(&view, observation)
            case .everything: try askOthers(&view, observation)
            }
        } catch {
            view.isAsked = false
            view.known.failure = error.description
        }
        return view
    }

    /// Asks the others after all, where this node may go ahead by what was decided just now, or is kept from it by what
    /// they said some time ago; false where it need not.
    func freshen(
        _ view: inout FleetView, _ judgement: Judgement, memory: inout ObserverMemory
    ) -> Bool {
        let (observation, state, policy) = (judgement.observation, judgement.state, judgement.policy)
        guard view.isAsked, !view.isFresh else { return false }
        let mayMove =
            need(view, observation, state, policy) == .everything
            && !hasToWait(view, observation, state, policy)
        let isEarly =
            view.isPatient && isRecent(view.known.membersAt, recordsInterval, at: observation.clock.now)
        guard mayMove || !isEarly && waitsForOthers(view, judgement) else { return false }
        defer { memory.fleet = view.known }
        do throws(FleetFailure) { try askOthers(&view, judgement.observation) } catch {
            view.isAsked = false
            view.known.failure = error.description
        }
        return true
    }

    /// Whether it would be this node's turn but for a rule that goes by what others are known to run: a worker whose
    /// control plane was behind when it was last asked.
    private func waitsForOthers(_ view: FleetView, _ judgement: Judgement) -> Bool {
        judgement.decisions.contains { record in
            let (change, installation) = (record.subject.change, record.subject.installation)
            let distribution = installation.id.distribution
            guard
                record.decision.reasons.contains(where: {
                    $0.result != .met && [.order, .skew, .quorum, .quarantine].contains($0.rule)
                }), judgement.state.seat(of: distribution).phase == .idle,
                let document = view.documents[distribution]?.value,
                document.artifact(for: judgement.observation.node.architecture)?.isSameBytes(as: change.to)
                    == true,
                let participant = participant(
                    installation, judgement.observation, judgement.policy, identity)
            else { return false }
            return isOpen(
                document, to: participant, judgement.state, at: judgement.observation.clock.now)
        }
    }

    /// Whether the rollout would give a node its turn now, and the node would take it: not one that has had its turn, or is
    /// paused.
    private func isOpen(
        _ document: RolloutDocument, to node: Participant, _ state: NodeState, at now: Instant
    ) -> Bool {
        let seat = state.seat(of: document.distribution)
        if state.pause != nil || seat.failed == document.id { return false }
        if let proven = seat.proven, proven.rollout == document.id,
            document.lost?.contains(proven.generation) != true
        {
            return false
        }
        let granted = try? document.granting(
            Grant(node: node.id, id: ""), to: node, policy: policy ?? .none, now: now)
        return granted != nil
    }

    private func askOthers(_ view: inout FleetView, _ observation: Observation) throws(FleetFailure) {
        view.known.members = try port.nodes().records.filter { $0.cluster == observation.node.cluster }
        let quarantine = try port.quarantine()
        view.known.quarantine = quarantine.filter { $0.cleared == nil }
        view.standing = Set(quarantine.map(\.bytes))
        if !view.hasApprovals { try askApprovals(&view, observation.clock.now) }
        view.known.membersAt = observation.clock.now
        view.known.seesOthers = port.seesOthers
        view.isFresh = true
        askControlPlane(&view, observation)
    }

    private func askApprovals(_ view: inout FleetView, _ now: Instant) throws(FleetFailure) {
        view.known.approvals = try port.approvals()
        view.known.approvalsAt = now
        view.hasApprovals = true
    }

    private func isRecent(_ past: Instant?, _ span: TimeSpan, at now: Instant) -> Bool {
        past.map { $0 <= now && now < $0 + span } ?? false
    }

    /// The rollouts that would give an installation its turn.
    private func open(
        _ known: KnownFleet, _ observation: Observation, _ state: NodeState, _ policy: LoadedPolicy?
    ) -> [String] {
        observation.installations.compactMap { installation in
            guard let document = known.documents[installation.id.distribution.rawValue],
                let node = participant(installation, observation, policy, identity),
                isOpen(document, to: node, state, at: observation.clock.now)
            else { return nil }
            return document.id
        }
    }

    /// Whether every installation that has its turn is kept from going on by something else than what others say, which
    /// they were asked not long ago: then they are asked once that has come to an end.
    private func hasToWait(
        _ view: FleetView, _ observation: Observation, _ state: NodeState, _ policy: LoadedPolicy?
    ) -> Bool {
        guard view.isPatient, isRecent(view.known.membersAt, recordsInterval, at: observation.clock.now)
        else { return false }
        // Nothing holds that but what the others say.
        if mayGoWithoutRollout(view, observation, state) { return false }
        return observation.installations.allSatisfy { installation in
            guard let document = view.known.documents[installation.id.distribution.rawValue],
                let node = participant(installation, observation, policy, identity)
            else { return true }
            let artifact = document.artifact(for: observation.node.architecture)
            let isKept = view.known.stranger != nil || !state.allows(artifact, installation)
            switch state.seat(of: installation.id.distribution).phase {
            case .idle: return isKept || !isOpen(document, to: node, state, at: observation.clock.now)
            case .granted: return isKept || document.state != .running
            case .stepping: return document.state != .running
            case .asking, .failing: return false
            case .soaking, .proving: return true
            }
        }
    }

    /// Whom nobody answers for is not known, and unknown holds: by records alone nobody knows who votes.
    ///
    /// What was told before is kept: where nobody answers, it says that there were others.
    private func askControlPlane(_ view: inout FleetView, _ observation: Observation) {
        guard port.seesOthers else { return }
        guard let servers, let access = observation.access,
            let installation = observation.installations.first(where: {
                $0.id.distribution == access.distribution && $0.role?.isControlPlane == true
            })
        else {
            view.known.controlPlaneFailure = "nothing here leads to the cluster (kubeconfig in node.yaml)"
            return
        }
        do throws(ClusterFailure) {
            view.known.controlPlane = try servers.controlPlane(of: installation, through: access)
            view.known.controlPlaneFailure = nil
        } catch {
            view.known.controlPlaneFailure = error.description
        }
    }

    private func isDue(_ known: KnownFleet, _ state: NodeState, at now: Instant) -> Bool {
        if known.askedAt > now { return true }
        // What was begun is finished without the store; what it has earned is told as it goes.
        if let step = state.step, step.hasBegun, step.phase != .soaking {
            return known.askedAt + fleetRetry <= now
        }
        if state.seats?.values.contains(where: { $0.phase != .idle }) == true { return true }
        // Before anything is carried out it is known whether a rollout is under way.
        if state.hasAllowedChange { return true }
        if known.documents.values.contains(where: { !$0.state.hasEnded }) { return true }
        return known.askedAt + (known.failure == nil ? fleetInterval : fleetRetry) <= now
    }

    /// What has to be known beside the rollout.
    private enum Need: Comparable { case nothing, approvals, everything }

    /// A node that may be about to move has to know how the others stand; one whose turn it would be, but for the rules,
    /// looks whether a person has approved it, and whether the rest of its control plane is well.
    private func need(
        _ view: FleetView, _ observation: Observation, _ state: NodeState, _ policy: LoadedPolicy?
    ) -> Need {
        guard let at = view.known.membersAt, at <= observation.clock.now,
            observation.clock.now < at + fleetInterval
        else { return .everything }
        if mayGoWithoutRollout(view, observation, state) { return .everything }
        return observation.installations.map { installation in
            guard let document = view.documents[installation.id.distribution]?.value,
                let participant = participant(installation, observation, policy, identity)
            else { return .nothing }
            switch state.seat(of: installation.id.distribution).phase {
            case .idle:
                guard isOpen(document, to: participant, state, at: observation.clock.now) else {
                    return .nothing
                }
                let isAllowed = state.allows(
                    document.artifact(for: observation.node.architecture), installation)
                return isAllowed ? .everything : .approvals
            case .asking, .granted, .stepping, .failing: return .everything
            case .soaking, .proving: return .nothing
            }
        }.max() ?? .nothing
    }

    /// Whether something that was brought here may be carried out now, with no rollout to come to this node first.
    ///
    /// What was left is not begun again for an hour, and nobody need be asked for it until then.
    private func mayGoWithoutRollout(
        _ view: FleetView, _ observation: Observation, _ state: NodeState
    ) -> Bool {
        observation.installations.contains { installation in
            guard let known = state.installations[installation.id.description], known.adoption != nil,
                view.documents[installation.id.distribution]?.value.state.hasEnded != false
            else { return false }
            return known.changes.contains { tracked in
                tracked.verdict == .allow && !tracked.change.comesByRollout
                    && !state.hasJustLeft(tracked.change, at: observation.clock.now)
            }
        }
    }
}

extension Change {
    /// Whether nobody has brought it: where there are other nodes it comes by a rollout.
    var comesByRollout: Bool { [.rollout, .autoRefresh].contains(trigger) && phase == .offered }
}

extension NodeState {
    /// Whether an artifact was last judged as one that may go ahead here, or is what is meant to run.
    fileprivate func allows(_ artifact: Artifact?, _ installation: Installation) -> Bool {
        guard let artifact, let known = installations[installation.id.description] else { return false }
        if known.reference?.isSameBytes(as: artifact) == true { return true }
        return known.changes.contains {
            $0.verdict == .allow && $0.change.to.isSameBytes(as: artifact) == true
        }
    }
}

extension NodeState {
    /// Whether a change of something that is guarded was last judged as one that may go ahead.
    var hasAllowedChange: Bool {
        installations.values.contains { known in
            known.adoption != nil && known.changes.contains { $0.verdict == .allow }
        }
    }

    /// Distributions of which something is guarded here, in order.
    var adoptedDistributions: [Distribution] {
        Distribution.allCases.filter { distribution in
            installations.values.contains {
                $0.adoption != nil && $0.installation.id.distribution == distribution
            }
        }
    }
}

/// Where an installation stands in rollouts; nil where no stage takes this node in, or its role is not known.
func participant(
    _ installation: Installation, _ observation: Observation, _ policy: LoadedPolicy?,
    _ identity: FleetIdentity
) -> Participant? {
    guard let policy, let role = installation.role, let architecture = observation.node.architecture,
        let stage = policy.document.stages.first(where: { $0.matches(observation.node) })
    else { return nil }
    return Participant(
        id: identity.id, cluster: observation.node.cluster,
        kind: role.isControlPlane ? .controlPlane : .workers, stage: stage.name,
        architecture: architecture.rawValue)
}

extension RolloutDocument {
    /// The artifact on one architecture; nil where the rollout has no bytes for it.
    func artifact(for architecture: Architecture?) -> Artifact? {
        guard let architecture, let bytes = artifact.bytes[architecture.rawValue] else { return nil }
        let prefix = "revision:"
        guard !bytes.hasPrefix(prefix) else {
            return Artifact(
                version: artifact.version, revision: String(bytes.dropFirst(prefix.count)),
                channel: artifact.channel)
        }
        return Digest(bytes).map { Artifact(version: artifact.version, sha256: $0) }
    }
}
