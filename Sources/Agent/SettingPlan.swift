import Model
import Ports

/// A setting that the policy wants to have a value.
struct WantedSetting: Hashable {
    var setting: Setting
    /// What it is set to.
    var value: String
    /// Readings that do as well as `value` though they are not ours; what an admin set so stays as it is.
    var isEnough: @Sendable (String) -> Bool = { _ in false }

    static func == (left: WantedSetting, right: WantedSetting) -> Bool {
        left.setting == right.setting && left.value == right.value
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(setting)
        hasher.combine(value)
    }
}

extension GuardSituation {
    /// Whether a person has lifted every guard.
    var isPaused: Bool { state.pause.map { observation.clock.now < $0.until } ?? false }

    /// Settings that guards ask for now; none while the guards are paused.
    var wantedSettings: [WantedSetting] {
        if isPaused { return [] }
        return wantedSeals + wantedPlanLabels + wantedSnapSettings
    }
}

extension GuardSituation {
    /// Whether a setting is a step's own: a cordon stays until the node is well, or the step is left.
    ///
    /// Not that of an installation that was released: no step goes on there, so nobody else would set it back.
    fileprivate func keeps(_ setting: Setting) -> Bool {
        guard setting.kind == .cordon, let step = state.step, step.wantsNodeEmpty else { return false }
        return state.installations[step.change.installation.description]?.adoption != nil
    }
}

/// What is to be set, and what is to be set back.
struct SettingPlan {
    var restores: [Effect] = []
    var sets: [Effect] = []
    /// Settings of ours that somebody has taken away or weakened; each is among `sets`.
    var broken: [Setting: BrokenGuard] = [:]
    /// What cannot be set here, and why.
    var problems: [Problem] = []

    /// Plans from what is wanted, what we placed, and what is read.
    init(_ situation: GuardSituation, _ presence: GuardPresence) {
        let wanted = situation.wantedSettings
        let read = situation.readings.merging(presence.settings) { _, second in second }
        let isPaused = situation.state.pause.map { situation.observation.clock.now < $0.until } ?? false
        // What was placed for a policy that a lost ledger knew stays until there is one.
        let kept = situation.hasLostPolicy && !isPaused
        for placed in kept ? [] : situation.records.settings
        where !wanted.contains(where: { $0.setting == placed.setting }) && !situation.keeps(placed.setting) {
            // What cannot be read is set back when it can.
            if read[placed.setting] != .unknown { restores.append(.restore(placed)) }
        }
        for want in wanted {
            // Without a reading nothing is known of it, and nothing is done.
            guard case .value(let value) = read[want.setting] ?? .unknown else {
                if let reason = presence.refusals[want.setting] {
                    problems.append(
                        Problem(
                            code: "\(want.setting.kind.rawValue)-refused", text: reason,
                            about: want.setting.subject))
                }
                continue
            }
            let placed = situation.records.setting(want.setting)
            if let placed {
                if placed.isOurs(value), placed.value == want.value { continue }
                if !placed.isOurs(value), placed.seen != nil {
                    broken[want.setting] = BrokenGuard(summary: want.setting.summary, found: value)
                }
            } else if let value, want.isEnough(value) {
                continue
            }
            sets.append(.set(want.setting, to: want.value))
        }
    }
}
