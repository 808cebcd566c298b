import Host
import Model
import Ports

extension NodeGuards {
    /// How a unit stands whose binary was missing, or that was not found; nil where systemd does not answer.
    func standing(of unit: String) -> UnitStanding? { unitStanding(unit) }

    /// Starts a unit anew, and waits until the new start has begun.
    func restart(_ restart: UnitRestart) throws(HostError) {
        try expectSystemd(restart.unit)
        try restartUnit(restart.unit, invocation: restart.invocation)
    }

    /// Whether another start is there than before.
    func probe(_ restart: UnitRestart) throws(HostError) -> EffectProbe {
        let systemd = SystemdUnits()
        let state = systemd.state(of: restart.unit)
        if let silence = systemd.silence { throw silence }
        guard let invocation = state.invocationID, invocation != restart.invocation else { return .notDone }
        return .done(nil)
    }

    /// Starts a unit whose binary was missing.
    func start(_ owed: OwedStart) throws(HostError) {
        try expectSystemd(owed.unit)
        try startUnit(owed.unit)
    }

    /// Whether it is up, or about to be.
    func probe(_ owed: OwedStart) throws(HostError) -> EffectProbe {
        let systemd = SystemdUnits()
        let state = systemd.state(of: owed.unit)
        if let silence = systemd.silence { throw silence }
        return state.isUp ? .done(nil) : .notDone
    }

    private func expectSystemd(_ unit: String) throws(HostError) {
        guard root.isLive else {
            throw HostError(
                description: "\(unit): no systemd runs below another root, so nothing is started there")
        }
    }
}
