import Model
import Ports

/// What a fleet's story is told to get wrong, so that it is seen that it would be found.
///
/// Each is planted in a port or in a policy: the agent is the real one, and the watch knows of none of them.
enum StoryBug: String, CaseIterable, Sendable {
    case allowsMinors = "a node's policy lets minors in with nobody asked"
    case remembersStore = "a node that does not reach the store goes by what it saw last"
    case takesItselfForCanary = "the nodes of one cluster take themselves for canaries"
    case takesOthersApprovals = "an approval for another node is taken for this one's"
    case commitsIntentsLate = "what is about to be done is committed with what comes after it"
    case misreadsSkips = "a release that skips a minor is read as the next one"
    case recordsWhatRanBefore = "the gate takes each start for one of what ran before"

    /// The number of the invariant that it breaks.
    var invariant: Int {
        switch self {
        case .allowsMinors: 1
        case .remembersStore: 2
        case .takesItselfForCanary: 4
        case .takesOthersApprovals: 6
        case .commitsIntentsLate: 7
        case .misreadsSkips: 9
        case .recordsWhatRanBefore: 12
        }
    }

    /// Plants it in the ports of a node.
    func plant(in node: World, _ port: SimulatedFleetPort) {
        let name = node.name
        switch self {
        case .remembersStore: port.client.bug = .remembers
        case .takesOthersApprovals:
            port.misreadsApprovals = { approval in
                var approval = approval
                if case .node = approval.scope { approval.scope = .node(name) }
                return approval
            }
        case .commitsIntentsLate: node.ledger.bug = .commitsIntentsLate
        case .recordsWhatRanBefore: node.guards.bug = .recordsWhatRanBefore
        // In policies and in what is told of releases.
        case .allowsMinors, .takesItselfForCanary, .misreadsSkips: break
        }
    }
}
