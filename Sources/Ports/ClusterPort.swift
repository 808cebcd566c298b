public import Model

/// The cluster's API server, as far as plans, labels and events go.
///
/// Every call is bounded in time. It is used by one thread.
public protocol ClusterPort: AnyObject {
    /// Asks for our Node and for every plan.
    func look(through access: ClusterAccess) throws(ClusterFailure) -> ClusterObservation

    /// Settles by what labels are set and events told from now on.
    ///
    /// - Parameter session: nil where there is no way to the cluster.
    func settle(_ session: ClusterSession?)

    /// Tells people of what happened, where there is a way to them; what was told under the same key is not told again.
    func tell(_ events: [NodeEvent]) throws(ClusterFailure)
}

/// On which terms the cluster is spoken to after a look.
public struct ClusterSession: Hashable, Sendable {
    /// How it is reached.
    public var access: ClusterAccess
    /// What it calls our Node; nil where that is not known yet.
    public var node: String?
    /// Why it is not asked for now; nil where it may be.
    public var silence: String?

    /// Makes a session.
    public init(access: ClusterAccess, node: String?, silence: String?) {
        self.access = access
        self.node = node
        self.silence = silence
    }
}

/// Why the cluster could not be asked or told: what happened, where, and what to do about it.
public struct ClusterFailure: Error, Hashable, CustomStringConvertible {
    /// Lower case, no full stop; without a credential (invariant 13).
    public var description: String
    /// Whether the cluster does not let us, which time alone does not mend.
    public var isForbidden: Bool

    /// Makes a failure.
    public init(_ description: String, isForbidden: Bool = false) {
        self.description = description
        self.isForbidden = isForbidden
    }
}
