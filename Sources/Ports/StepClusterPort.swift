public import Model

/// The cluster, as far as a step asks it while it has the node changed.
///
/// Every call is bounded in time. It is used by one thread.
public protocol StepClusterPort {
    /// What the cluster calls this node; nil where it has no Node that is this machine.
    func nodeName(through access: ClusterAccess) throws(ClusterFailure) -> String?

    /// Asks every Pod to leave that is still on this node, once; it waits for none of them.
    ///
    /// A Pod that a disruption budget keeps is tried again by the next call; whoever calls decides for how long.
    func drainOnce(through access: ClusterAccess) throws(ClusterFailure) -> DrainProgress

    /// The control plane of this cluster, this node included.
    func controlPlane(
        of installation: Installation, through access: ClusterAccess
    ) throws(ClusterFailure) -> ControlPlane

    /// What every API server of the cluster says of deprecated APIs; one that cannot be asked says why.
    func deprecatedAPIs(through access: ClusterAccess) throws(ClusterFailure) -> [APIServerSample]
}
