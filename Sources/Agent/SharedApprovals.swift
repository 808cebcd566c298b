import Model
import Ports

/// In whose name an approval is noted as spent where a person took it back for the whole fleet.
public let everyNode = "*"

/// What the fleet's store tells of approvals, as events of this node's own ledger.
///
/// An approval counts here once it is in the ledger, so that what it let pass can be shown later.
func sharedApprovals(_ shared: [Approval], _ state: NodeState, at now: Instant) -> [Event] {
    shared.compactMap { approval in
        let known = state.approvals.first { $0.id == approval.id }
        guard !approval.spentBy.contains(everyNode) else {
            return known.map {
                .revoked(Revocation(revoked: .approval($0), claimedBy: "the fleet's store"))
            }
        }
        guard known == nil, now < approval.expires else { return nil }
        return .approved(approval)
    }
}

/// Approvals of the fleet that this node has used up and that the store does not know to be.
///
/// A store that was restored gets them again (`rollout.md`, "The store").
func unsharedSpending(_ shared: [Approval], _ state: NodeState, node: String) -> [String] {
    state.approvals.filter { approval in
        guard approval.spentBy.contains(node) else { return false }
        return shared.contains { $0.id == approval.id && !$0.spentBy.contains(node) }
    }.map(\.id)
}
