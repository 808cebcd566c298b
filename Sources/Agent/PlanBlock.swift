import Model
import Rules

extension GuardSituation {
    /// Labels of our Node that keep plans away whose target is not allowed.
    ///
    /// A target that is what the installation runs needs none. Where the cluster could never be asked, what was placed
    /// stays as it is.
    var wantedPlanLabels: [WantedSetting] {
        guard let policy else { return [] }
        let blocked = state.installations.values.filter { known in
            known.adoption != nil
                && plansMode(of: known.installation, policy: policy, node: observation.node) == .block
        }
        guard !blocked.isEmpty else { return [] }
        guard let cluster = observation.cluster else {
            return records.settings.filter { $0.setting.kind == .planLabel }.map {
                WantedSetting(setting: $0.setting, value: $0.value)
            }
        }
        let targets = planTargets(cluster, on: blocked.map(\.installation))
        // Two plans of one name in two namespaces share the label: one that is to be kept away keeps both.
        let names = Set(
            targets.filter { target in
                blocked.contains { $0.installation.id == target.installation && !$0.allows(target) }
            }.map(\.name))
        return names.sorted().filter(isLabelName).map { name in
            WantedSetting(
                setting: Setting(.planLabel, name), value: ClusterNode.planDisabled,
                isEnough: { $0 == ClusterNode.planDisabled })
        }
    }
}

/// What the policy has done about plans for an installation.
func plansMode(of installation: Installation, policy: LoadedPolicy, node: NodeFacts) -> Enforcement.Plans {
    resolve(
        policy, isCurrent: true, node: node, distribution: installation.id.distribution,
        role: installation.role
    ).policy.enforce.plans
}

extension InstallationState {
    /// Whether a plan may bring its target here: by what was decided of it, and of nothing else (invariant 2).
    fileprivate func allows(_ target: PlanTarget) -> Bool {
        guard target.isRelied, let version = target.version else { return false }
        if version == reference?.version { return true }
        let verdicts = changes.filter { $0.change.to.version == version }.map(\.verdict)
        return !verdicts.isEmpty && verdicts.allSatisfy { $0 == .allow }
    }
}

/// Whether a name can stand in a label's key; the controller cannot act on a plan of another.
private func isLabelName(_ name: String) -> Bool {
    (1...63).contains(name.utf8.count)
        && name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: ".")
        }
}
