import Model
import Rules

/// What a sealed file reads as.
let sealed = "immutable"

extension GuardSituation {
    /// Whether the policy seals anything that is adopted here.
    var wantsSeal: Bool { state.installations.values.contains(where: isToBeSealed) }

    /// The immutable flag of each binary that is what this node is meant to run.
    ///
    /// Never of other bytes: what is to be put back or replaced must be free to go, so a seal is lifted as soon as
    /// something else is meant, before the binary is replaced. One that an admin set stays the admin's.
    var wantedSeals: [WantedSetting] {
        state.installations.sorted { $0.key < $1.key }.compactMap { _, known in
            guard isToBeSealed(known), let meant = known.reference?.sha256 else { return nil }
            let seen = observation.installations.first { $0.id == known.installation.id }
            // What could not be looked at stays as it is.
            guard let installed = (seen ?? known.installation).installed,
                installed.artifact.sha256 == meant
            else { return nil }
            // A step replaces it next.
            if let step = state.step, step.change.installation == known.installation.id, step.hasBegun {
                return nil
            }
            let setting = Setting(.seal, installed.path)
            guard site.mayChangeFlags || records.setting(setting) != nil else { return nil }
            return WantedSetting(setting: setting, value: sealed) { $0 == sealed }
        }
    }

    private func isToBeSealed(_ known: InstallationState) -> Bool {
        let installation = known.installation
        guard let policy, known.adoption != nil, installation.id.distribution != .microk8s else {
            return false
        }
        return resolve(
            policy, isCurrent: true, node: observation.node, distribution: installation.id.distribution,
            role: installation.role
        ).policy.enforce.seal
    }
}
