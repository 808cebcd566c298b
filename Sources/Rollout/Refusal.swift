public import Model

/// Why a transition is not possible as things stand; nothing was changed.
public enum Refusal: Error, Hashable, Sendable {
    /// It does not run; its reason, for a person.
    case notRunning(String)
    /// Another rollout of this distribution has not ended.
    case underWay(id: String, RolloutDocument.State)
    /// The document is of a newer format than this program acts on.
    case newerFormat(Int)
    /// The node decides by another policy than the rollout was planned under.
    case otherPolicy
    /// No track or stage takes the node in.
    case noStage
    /// An earlier stage, of this track or of another, has not been met: its name and cluster.
    case stageNotMet(name: String, cluster: String)
    /// The cluster's control plane comes first.
    case controlPlaneFirst(cluster: String)
    /// As many nodes are at it as may be.
    case full
    /// The node holds a grant already.
    case alreadyGranted
    /// A person took the node out.
    case evicted
    /// The node holds no grant of that id.
    case noGrant
    /// It is not in a state from which that is possible.
    case notPossible(from: RolloutDocument.State)
    /// A person has named none that is known, or that the rollout takes in.
    case unknownNode(String)
    /// A person has named more than one node.
    case severalNodes([String])
    /// It would have no stage at all that a node is in.
    case nobody

    /// One sentence for a person: lower case, no full stop.
    public var text: String {
        switch self {
        case .notRunning(let reason): "the rollout does not run: \(reason)"
        case .underWay(let id, .running):
            "rollout \(id) is under way; end it first ('holdfast rollout abort'), or wait for it"
        case .underWay(let id, let state):
            "rollout \(id) is \(state.rawValue) and has not ended; 'holdfast rollout status' says why, and 'holdfast "
                + "rollout abort' ends it\(state == .paused ? ", 'holdfast rollout resume' goes on with it" : "")"
        case .newerFormat(let format):
            "the rollout is written in format \(format), newer than this Holdfast acts on; update Holdfast on this node"
        case .otherPolicy: "this node's policy is not the one that the rollout was planned under"
        case .noStage: "no stage of the rollout takes this node in"
        case .stageNotMet(let name, let cluster): "stage \(name) of cluster \(cluster) comes first"
        case .controlPlaneFirst(let cluster): "the control plane of cluster \(cluster) comes first"
        case .full: "as many nodes are at it as may be at once"
        case .alreadyGranted: "this node holds a grant already"
        case .evicted: "a person took this node out of the rollout"
        case .noGrant: "this node holds no such grant"
        case .notPossible(let state): "the rollout is \(state.rawValue)"
        case .unknownNode(let name):
            "the rollout takes in no node that is called \(name); 'holdfast status --fleet' shows all"
        case .severalNodes(let ids):
            "several nodes are called so; name one by its id: \(ids.joined(separator: ", "))"
        case .nobody: "no node is in any stage"
        }
    }
}
