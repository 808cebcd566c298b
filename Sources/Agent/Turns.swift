import Model
import Ports
import Rollout
import Rules

/// Whether it is this node's turn to carry out a change.
enum Turn: Hashable {
    /// No rollout is under way, so the rules alone decide.
    case free
    /// The rollout has come to this node.
    case granted(rollout: String, soak: TimeSpan)
    case waits(String)

    /// The rollout that the step is part of.
    var rollout: String? {
        if case .granted(let rollout, _) = self { rollout } else { nil }
    }

    /// How long the artifact has to run well; nil where nobody asks.
    var soak: TimeSpan? {
        if case .granted(_, let soak) = self { soak } else { nil }
    }
}

/// Who may move, as far as rollouts say it.
struct Turns {
    let judgement: Judgement

    init(_ judgement: Judgement) { self.judgement = judgement }

    /// A change goes ahead where no rollout of its distribution is under way, or where it is the rollout's and this
    /// node holds a grant.
    func turn(of change: Change) -> Turn {
        let distribution = change.installation.distribution
        // Two machines under one name would use one approval twice, with a rollout and without.
        if let stranger = judgement.fleet?.stranger { return .waits(stranger) }
        guard let document = document(of: distribution) else {
            guard judgement.fleet == nil || judgement.fleetIsAsked else {
                return .waits("the fleet's store is asked first whether a rollout is under way")
            }
            // What nobody has brought comes by a rollout where there are others.
            guard change.comesByRollout, judgement.fleet?.seesOthers == true else { return .free }
            return .waits(
                judgement.fleet?.unbegun?[distribution.rawValue]
                    ?? "its rollout begins when the store is asked next, within the hour")
        }
        guard let artifact = document.artifact(for: judgement.observation.node.architecture),
            artifact.isSameBytes(as: change.to) == true
        else { return .waits("rollout \(document.id) of \(document.artifact.version) is under way") }
        return turn(in: document, distribution)
    }

    /// Steps that only look whether what runs here already is well, since nobody has watched it yet.
    func proofs(label: (String) -> String) -> [Step] {
        judgement.observation.installations.compactMap { installation in
            let distribution = installation.id.distribution
            guard let known = judgement.state.installations[installation.id.description],
                known.adoption != nil, let reference = known.reference,
                let document = document(of: distribution),
                let artifact = document.artifact(for: judgement.observation.node.architecture),
                reference.isSameBytes(as: artifact) == true, known.proven != artifact.bytes,
                installation.runs(artifact),
                case .granted(let rollout, let soak) = turn(in: document, distribution),
                judgement.state.quarantine.allSatisfy({ $0.bytes != artifact.bytes })
            else { return nil }
            let clock = judgement.observation.clock
            let change = Change(
                id: label(Change.labelText(distribution: distribution, target: artifact)),
                installation: installation.id, trigger: .rollout, phase: .running, from: reference,
                to: reference, origin: .verified)
            return Step(
                id: label("step \(change.id) \(clock.now.seconds)"), change: change, decision: "",
                approvals: [], source: "", binary: installation.installed?.path ?? "", since: clock,
                rollout: rollout, soak: soak)
        }
    }

    private func document(of distribution: Distribution) -> RolloutDocument? {
        judgement.fleet?.documents[distribution.rawValue].flatMap { $0.state.hasEnded ? nil : $0 }
    }

    private func turn(in document: RolloutDocument, _ distribution: Distribution) -> Turn {
        let seat = judgement.state.seat(of: distribution)
        if let reason = judgement.fleet?.reasonToHold(distribution, seat) { return .waits(reason) }
        guard seat.rollout == document.id, seat.phase == .stepping || seat.phase == .soaking else {
            return .waits(
                judgement.fleet?.waits[distribution.rawValue]
                    ?? "rollout \(document.id) has not come to this node yet")
        }
        let stage = judgement.policy?.document.stages.first { stage in
            stage.matches(judgement.observation.node)
        }
        return .granted(rollout: document.id, soak: stage?.soak ?? .zero)
    }
}

extension KnownFleet {
    /// Why nothing of a rollout is begun by what the store says now, though this node holds a grant (invariant 2); nil where
    /// it may be.
    func reasonToHold(_ distribution: Distribution, _ seat: Seat) -> String? {
        failure ?? stranger ?? documents[distribution.rawValue]?.reasonToHold(seat)
    }
}
