import Model
import Ports

/// In whose name an approval is noted as spent where a person took it back for the whole fleet.
public let everyNode = "*"

/// What the fleet's store tells of approvals, as events of this node's own ledger.
///
/// An approval counts here once it is in the ledger, so that what it let pass can be shown later. Who else has used it up
/// is no concern of this node: two nodes can be called by one name.
///
/// - Parameter node: this node's id.
func sharedApprovals(_ shared: [Approval], _ state: NodeState, node: String, at now: Instant) -> [Event] {
    shared.compactMap { approval in
        let known = state.approvals.first { $0.id == approval.id }
        guard !approval.spentBy.contains(everyNode) else {
            return known.map {
                .revoked(Revocation(revoked: .approval($0), claimedBy: "the fleet's store"))
            }
        }
        guard known == nil, now < approval.expires else { return nil }
        var own = approval
        own.spentBy = approval.spentBy.contains(node) ? [Approval.thisNode] : []
        return .approved(own)
    }
}

/// Approvals of the fleet that this node has used up and that the store does not know to be.
///
/// A store that was restored gets them again (`rollout.md`, "The store").
///
/// - Parameters:
///   - node: this node's id, under which the store knows it whatever it is called.
///   - name: what it is called.
func unsharedSpending(
    _ shared: [Approval], _ state: NodeState, node: String, called name: String
) -> [String] {
    state.approvals.filter { approval in
        guard approval.isSpent(on: name) else { return false }
        return shared.contains { $0.id == approval.id && !$0.spentBy.contains(node) }
    }.map(\.id)
}
