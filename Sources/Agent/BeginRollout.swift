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
        for record in judgement.decisions where record.isOfferedRelease {
            let change = record.subject.change
            let distribution = change.installation.distribution
            guard judgement.state.installations[change.installation.description]?.adoption != nil,
                view.documents[distribution]?.value.state.hasEnded != false,
                !isAborted(change, view.documents[distribution]?.value, judgement),
                let version = change.to.version, let bytes = change.to.bytes,
                let architecture = judgement.observation.node.architecture
            else { continue }
            var known = [architecture.rawValue: bytes]
            for entry in try ledger.catalogEntries(of: version, for: distribution) {
                known[entry.architecture.rawValue] = known[entry.architecture.rawValue] ?? entry.sha256.hex
            }
            do throws(FleetFailure) {
                let nodes = try port.nodes().records.flatMap { $0.planned(for: distribution) }
                let planned = try? RolloutDocument.plan(
                    id: label("rollout \(change.id) \(view.documents[distribution]?.value.generation ?? 0)"),
                    distribution: distribution, artifact: RolloutArtifact(version: version, bytes: known),
                    policy: policy.sha256, stages: policy.document.stages, nodes: nodes)
                let seat = judgement.state.seat(of: distribution)
                guard let planned,
                    let document = try? RolloutDocument.create(
                        planned, over: view.documents[distribution]?.value, highest: seat.highest)
                else { continue }
                let stored = try port.put(document, over: view.documents[distribution])
                view.documents[distribution] = stored
                view.known.documents[distribution.rawValue] = stored.value
            } catch {
                // Somebody else was first, or nobody heard; the next look finds what there is.
                view.known.waits[distribution.rawValue] = error.description
            }
        }
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
