/// One member of a cluster's control plane, as the cluster itself tells of it.
public struct ControlPlaneMember: Codable, Hashable, Sendable {
    /// What the cluster calls it.
    public var name: String
    /// Whether it is this node.
    public var isOwn: Bool
    /// Whether its kubelet says that it is Ready; nil where it has none, as a k0s controller without workloads.
    public var isReady: Bool?
    /// Whether it is cordoned, by whomever; nil where it has no Node.
    public var isCordoned: Bool?
    /// What its kubelet runs.
    public var kubelet: Version?
    /// What its API server says that it runs, or k0s says of its controller.
    public var running: Version?
    /// Whether its own API server answers that it is ready; nil where nobody knows where it listens, or there is none.
    public var answers: Bool?
    /// Whether it votes in the data store; nil where that is not known, or the store has no votes among members.
    public var votes: Bool?
    /// Whether a part of the data store is there; a K3s server can have its etcd on others.
    public var keepsState = true

    /// Makes a member of which nothing is known.
    public init(name: String, isOwn: Bool) {
        self.name = name
        self.isOwn = isOwn
    }

    /// Whether it is fit to carry the control plane; nil where nobody can tell.
    ///
    /// What is known to be wrong goes before what is not known.
    public var isHealthy: Bool? {
        if isReady == false || answers == false || isCordoned == true { return false }
        if answers == nil { return nil }
        // A controller without workloads has no kubelet that could be Ready.
        return isReady ?? (isCordoned == nil ? true : nil)
    }

    /// What is wrong with it, or not known, for a person; nil where nothing is.
    public var complaint: String? {
        if isReady == false { return "\(name) is not Ready" }
        if answers == false { return "the API server of \(name) does not answer" }
        if isCordoned == true { return "\(name) is cordoned" }
        if isHealthy == nil { return "nobody knows whether \(name) is well" }
        return nil
    }

    /// The same for the rules, which know of one version and one state.
    ///
    /// - Parameters:
    ///   - role: what members of this distribution do.
    public func fleetMember(cluster: String, role: Role) -> FleetSummary.Member {
        FleetSummary.Member(
            name: name, cluster: cluster, role: role, running: running ?? kubelet, healthy: isHealthy,
            votes: votes)
    }
}

/// A cluster's control plane, as one look found it.
public struct ControlPlane: Codable, Hashable, Sendable {
    /// Every member that the cluster tells of, this node among them, in order of their names.
    public var members: [ControlPlaneMember]
    /// What could not be learnt and why, for a person; the members are those that are known all the same.
    public var gaps: [String]
    /// Whether there may be members that nobody told of.
    public var mayHaveOthers: Bool

    /// Makes a finding.
    public init(members: [ControlPlaneMember], gaps: [String] = [], mayHaveOthers: Bool = false) {
        self.members = members
        self.gaps = gaps
        self.mayHaveOthers = mayHaveOthers
    }

    /// This node; nil where the cluster does not tell of it.
    public var own: ControlPlaneMember? { members.first(where: \.isOwn) }
    /// All but this node.
    public var others: [ControlPlaneMember] { members.filter { !$0.isOwn } }
    /// The oldest version that any of them runs; nil where one of them is not known.
    public var oldest: Version? {
        let versions = members.compactMap { $0.running ?? $0.kubelet }
        return versions.count == members.count ? versions.min() : nil
    }
}

extension ControlPlane {
    /// Why no member may be touched now; nil where this one may (rollout.md, "Who may move next").
    ///
    /// Every other member answers, votes, is Ready and not cordoned, and the quorum survives without this one; unknown
    /// holds. Of one there is no quorum to lose. MicroK8s keeps members beyond its voters on purpose.
    ///
    /// - Parameters:
    ///   - store: what the members keep their state in.
    public func objection(store: DataStore) -> String? {
        if let gap = gap() { return gap }
        if others.isEmpty { return nil }
        if let complaint = others.lazy.compactMap(\.complaint).first { return complaint + because }
        guard store == .etcd || store == .dqlite else {
            return store == .external ? nil : "nobody knows who of the control plane votes" + because
        }
        let keepers = others.filter(\.keepsState)
        if let silent = keepers.first(where: { $0.votes == nil }) {
            return "nobody knows whether \(silent.name) votes in the data store" + because
        }
        if store == .etcd, let mute = keepers.first(where: { $0.votes == false }) {
            return "\(mute.name) does not vote in the data store"
        }
        let voters = keepers.filter { $0.votes == true }.count
        // This one counts as a voter: whatever else it is, nothing is lost with it.
        guard voters > (voters + 1) / 2 else {
            return "with \(voters + 1) voters none may be away: the API stops during the step"
        }
        return nil
    }

    /// Why there may be members of which nothing is told; nil where these are all, this node among them.
    ///
    /// - Parameter name: what this node calls itself: by it a member without a Node is known to be this one.
    public func gap(node name: String? = nil) -> String? {
        guard own != nil || members.contains(where: { $0.name == name }) else {
            return "the cluster does not tell of this node as one of its control plane" + because
        }
        return mayHaveOthers ? "nobody knows all members of the control plane" + because : nil
    }

    private var because: String { gaps.first.map { " (\($0))" } ?? "" }
}
