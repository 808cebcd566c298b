import Model
import Ports

extension NodeGuards {
    /// What a setting is now.
    func read(_ setting: Setting) throws(EffectFailure) -> String? { try port(of: setting).read(setting) }

    /// What a setting is now, to be brought back later.
    func past(_ setting: Setting) throws(EffectFailure) -> String? { try port(of: setting).past(setting) }

    /// Gives a setting back what was there before, unless somebody else has set it since (invariant 10).
    func restore(_ placed: PlacedSetting) throws(EffectFailure) {
        let port = try port(of: placed.setting)
        guard isOurs(placed, try port.read(placed.setting), port) else { return }
        try port.write(placed.setting, placed.before)
    }

    /// Gives a setting a value.
    func set(_ setting: Setting, to value: String) throws(EffectFailure) {
        try port(of: setting).write(setting, value)
    }

    func probe(_ setting: Setting, is value: String) throws(EffectFailure) -> EffectProbe {
        let port = try port(of: setting)
        let reading = try port.read(setting)
        return port.isSame(setting, reading: reading, as: value) ? .reads(reading) : .notDone
    }

    func probe(restored placed: PlacedSetting) throws(EffectFailure) -> EffectProbe {
        let port = try port(of: placed.setting)
        let reading = try port.read(placed.setting)
        // Where what was there before is what we set, there is nothing to tell them apart, and nothing to do.
        if port.isSame(placed.setting, reading: reading, as: placed.before) { return .reads(reading) }
        return isOurs(placed, reading, port) ? .notDone : .reads(reading)
    }

    private func isOurs(_ placed: PlacedSetting, _ reading: String?, _ port: any SettingPort) -> Bool {
        placed.isOurs(reading)
            || (placed.seen == nil && port.isSame(placed.setting, reading: reading, as: placed.value))
    }

    private func port(of setting: Setting) throws(EffectFailure) -> any SettingPort {
        guard let port = settings[setting.kind] else {
            throw EffectFailure("\(setting.summary) cannot be set on this node")
        }
        return port
    }
}
