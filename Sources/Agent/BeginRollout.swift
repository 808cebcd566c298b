public import Model
import Ports
public import Rollout
import Rules

/// Begins the rollout of a release that a source offers and that the policy lets in with nobody asked.
///
/// Only where a store is that others see: a node alone just carries it out. Whoever is of the first stage and the first
/// to see it begins; everybody else finds the rollout there.
struct BeginRollout {
    let port: any FleetPort
    let ledger: any LedgerStore
    let label: (String) -> String

    /// Begins one where one is due.
    func run(_ judgement: Judgement, _ view: inout FleetView) throws(LedgerFailure) {
        guard view.isAsked, view.seesOthers, judgement.policyIsCurrent, judgement.state.pause == nil,
            view.known.stranger == nil, let policy = judgement.policy
        else { return }
        view.known.unbegun = nil
        for record in judgement.decisions where record.isOfferedRelease {
            let change = record.subject.change
            let distribution = change.installation.distribution
            guard judgement.state.installations[change.installation.description]?.adoption != nil,
                view.documents[distribution]?.value.state.hasEnded != false,
                !isAborted(change, view.documents[distribution]?.value, judgement),
                let version = change.to.version, let bytes = change.to.bytes,
                let architecture = judgement.observation.node.architecture
            else { continue }
            // What was aborted since is not known to a store that went back: a person looks first.
            let seat = judgement.state.seat(of: distribution)
            if let reason = view.documents[distribution]?.value.reasonToHold(seat) {
                view.known.note("the rollout of \(version) does not begin: \(reason)", distribution)
                continue
            }
            var known = [architecture.rawValue: bytes]
            for entry in try ledger.catalogEntries(of: version, for: distribution) {
                known[entry.architecture.rawValue] = known[entry.architecture.rawValue] ?? entry.sha256.hex
            }
            do throws(FleetFailure) {
                let nodes = try port.nodes().records.flatMap { $0.planned(for: distribution) }
                let last = view.documents[distribution]
                let document: RolloutDocument
                switch plan(
                    RolloutArtifact(version: version, bytes: known), of: change, policy, nodes,
                    over: last?.value,
                    highest: judgement.state.seat(of: distribution).highest)
                {
                case .success(let planned): document = planned
                case .failure(let obstacle):
                    view.known.note("the rollout of \(version) cannot begin: \(obstacle.text)", distribution)
                    continue
                }
                let stored = try port.put(document, over: last)
                view.documents[distribution] = stored
                view.known.documents[distribution.rawValue] = stored.value
            } catch {
                // Where somebody else was first, the next look finds what there is.
                guard error.code != .conflict else { continue }
                view.known.note("the rollout of \(version) did not begin: \(error)", distribution)
            }
        }
    }

    private struct Obstacle: Error { var text: String }

    private func plan(
        _ artifact: RolloutArtifact, of change: Change, _ policy: LoadedPolicy, _ nodes: [PlannedNode],
        over last: RolloutDocument?, highest: Int64
    ) -> Result<RolloutDocument, Obstacle> {
        let planned: RolloutDocument
        do throws(PlanFailure) {
            planned = try RolloutDocument.plan(
                id: label("rollout \(change.id) \(last?.generation ?? 0)"),
                distribution: change.installation.distribution, artifact: artifact, policy: policy.sha256,
                stages: policy.document.stages, nodes: nodes)
        } catch { return .failure(Obstacle(text: error.text)) }
        do throws(Refusal) {
            return .success(try RolloutDocument.create(planned, over: last, highest: highest))
        } catch { return .failure(Obstacle(text: error.text)) }
    }
}

extension KnownFleet {
    fileprivate mutating func note(_ reason: String, _ distribution: Distribution) {
        unbegun = (unbegun ?? [:]).merging([distribution.rawValue: reason]) { _, new in new }
    }
}

/// Whether a person has ended the rollout of just these bytes: then only a person begins it anew.
private func isAborted(_ change: Change, _ last: RolloutDocument?, _ judgement: Judgement) -> Bool {
    guard let last, last.state == .aborted,
        let artifact = last.artifact(for: judgement.observation.node.architecture)
    else { return false }
    return artifact.isSameBytes(as: change.to) == true
}

extension DecisionRecord {
    /// Whether it lets in what a source of releases or snapd offers, and that nobody has brought.
    fileprivate var isOfferedRelease: Bool {
        decision.verdict == .allow && [.rollout, .autoRefresh].contains(subject.change.trigger)
            && subject.change.phase == .offered
    }
}

extension NodeRecord {
    /// The node as it goes into a plan; empty where it has none of the distribution.
    public func planned(for distribution: Distribution) -> [PlannedNode] {
        parts.filter { $0.distribution == distribution }.compactMap { part in
            guard let role = part.role else { return nil }
            return PlannedNode(
                name: name,
                participant: Participant(
                    id: id, cluster: cluster, kind: role.isControlPlane ? .controlPlane : .workers,
                    stage: stage ?? "", architecture: architecture))
        }
    }
}
