public import Model

/// Where settings of some kinds are read and written; each call is bounded in time.
public protocol SettingPort {
    /// What a setting is now; nil where it is not set.
    func read(_ setting: Setting) throws(EffectFailure) -> String?

    /// What a setting is now, with all that is needed to bring it back later; asked before it is set.
    func past(_ setting: Setting) throws(EffectFailure) -> String?

    /// Gives a setting a value; nil takes it away.
    func write(_ setting: Setting, _ value: String?) throws(EffectFailure)

    /// Whether what is read is what that value comes to; snapd's "forever" reads back as a time.
    func isSame(_ setting: Setting, reading: String?, as value: String?) -> Bool
}

extension SettingPort {
    /// What is read, where that is all.
    public func past(_ setting: Setting) throws(EffectFailure) -> String? { try read(setting) }
}
