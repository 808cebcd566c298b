import Model

/// What a plan would install in place of what an installation is meant to run.
struct PlanTarget: Hashable {
    /// The plan: `system-upgrade/server-plan`, or `autopilot`.
    var plan: String
    /// The plan's name alone, which is what its label goes by.
    var name: String
    var installation: InstallationID
    /// Nil where nobody says, or what is said is no version.
    var version: Version?
    /// Whether the version is to be taken for what the plan will install.
    var isRelied: Bool
    var trigger: Trigger
    /// What the plan itself says that the binary is.
    var sha256: Digest?
    /// How far it is certain that this is the release.
    var origin = Origin.claimed
}

/// What plans of system-upgrade-controller would install on this node, as the last look at the cluster found them.
///
/// - Parameter installations: those that plans are of concern to.
func planTargets(_ cluster: ClusterObservation, on installations: [Installation]) -> [PlanTarget] {
    cluster.plans.filter(\.selectsNode).flatMap { plan in
        let version = (plan.version ?? plan.latestVersion).flatMap(planVersion)
        return installations.filter { plan.concerns($0.id.distribution, version: version) }.map {
            PlanTarget(
                plan: plan.path, name: plan.name, installation: $0.id, version: version,
                isRelied: plan.distrust == nil, trigger: .sucPlan, sha256: nil)
        }
    }
}

/// What k0s's autopilot would install on this node; nil where it has nothing before it.
func autopilotTarget(
    _ cluster: ClusterObservation, on installations: [Installation], architecture: Architecture?
) -> PlanTarget? {
    guard let plan = cluster.autopilot?.plan, let text = plan.version, plan.takesNodeIn, !plan.isOver,
        let installation = installations.first(where: { $0.id.distribution == .k0s })
    else { return nil }
    return PlanTarget(
        plan: "autopilot", name: "autopilot", installation: installation.id, version: planVersion(text),
        isRelied: true, trigger: .autopilotPlan,
        sha256: architecture.flatMap { plan.digests["linux-\($0.rawValue)"] }.flatMap { Digest($0) })
}

extension UpgradePlan {
    /// Whether the plan is about that distribution rather than about the system or another one.
    ///
    /// By what its image or its channel names, or by its version. Where neither tells, a version of Kubernetes may be
    /// anybody's; one of anything else is none of ours.
    fileprivate func concerns(_ distribution: Distribution, version: Version?) -> Bool {
        if names.contains(distribution) || version?.distribution == distribution { return true }
        guard names.isEmpty, let version else { return false }
        // `+rke2r1` is a build of another distribution.
        return version.build.isEmpty && version.major == 1 && version.minor >= 16
    }
}

extension Autopilot.AutopilotPlan {
    /// Whether nothing more comes of it.
    var isOver: Bool {
        ["Completed", "ApplyFailed", "IncompleteTargets", "Restricted"].contains(state ?? "")
    }
}

extension Installation {
    /// The installation with what plans would install on it.
    ///
    /// A plan says a version and no bytes. Where imported checksums or an approval say which bytes that version is, it is
    /// judged by those: whatever the plan then brings is compared with them before it starts.
    mutating func offer(_ targets: [PlanTarget], known: (Version) -> (digest: Digest, origin: Origin)?) {
        for target in targets where target.installation == id {
            var offer = Offer(
                artifact: Artifact(version: target.version, sha256: target.sha256), trigger: target.trigger,
                published: nil,
                origin: target.version == nil || !target.isRelied ? .unknown : target.origin)
            if offer.origin != .unknown, let version = target.version, let known = known(version) {
                if target.sha256 == nil || target.sha256 == known.digest {
                    offer.artifact.sha256 = known.digest
                    offer.origin =
                        target.sha256 != nil && target.origin == .verified ? .verified : known.origin
                } else if target.origin == .verified, known.origin == .verified {
                    // Two checksum files of one release that contradict each other.
                    offer.origin = .unknown
                }
            }
            if !offers.contains(where: { $0.artifact == offer.artifact }) { offers.append(offer) }
        }
    }
}
