import Model
import Ports

/// A cluster that a simulated node belongs to; its labels are settings of the simulated guards.
final class SimulatedCluster: ClusterPort {
    private unowned let guards: SimulatedGuards
    var plans: [UpgradePlan] = []
    var autopilot: Autopilot?
    var failure: ClusterFailure?
    private(set) var looks = 0
    private(set) var session: ClusterSession?
    private(set) var told: [NodeEvent] = []
    var tellFailure: ClusterFailure?
    private(set) var tellings = 0

    init(guards: SimulatedGuards) { self.guards = guards }

    func look(through access: ClusterAccess) throws(ClusterFailure) -> ClusterObservation {
        looks += 1
        if let failure { throw failure }
        var labels: [String: String] = [:]
        for (setting, value) in guards.settings where setting.kind == .planLabel {
            labels[setting.subject] = value
        }
        return ClusterObservation(
            node: ClusterNode(name: "sim-1", planLabels: labels), plans: plans, autopilot: autopilot)
    }

    func settle(_ session: ClusterSession?) {
        self.session = session
        let isThere = session != nil && session?.silence == nil && failure == nil
        if isThere { guards.silent.remove(.cluster) } else { guards.silent.insert(.cluster) }
    }

    func tell(_ events: [NodeEvent]) throws(ClusterFailure) {
        tellings += 1
        if let tellFailure { throw tellFailure }
        told += events
    }
}
