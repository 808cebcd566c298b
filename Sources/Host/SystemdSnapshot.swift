internal import Model
internal import Ports

/// The units of one look; systemd is asked only about those that may stand otherwise than at an earlier one.
///
/// To ask takes a connection and messages that wake two daemons, which is a third of a quiet tick.
final class SystemdSnapshot: UnitSource {
    private let systemd: any UnitSource
    private let files: UnitSnapshot
    private let starts: String
    private var states: [String: KnownUnits.State] = [:]

    /// Makes a snapshot.
    ///
    /// - Parameter starts: the directory where systemd keeps, for everybody to read, a link from each unit that is up
    ///   to its InvocationID.
    init(systemd: any UnitSource, files: UnitSnapshot, starts: String = "/run/systemd/units") {
        self.systemd = systemd
        self.files = files
        self.starts = starts
    }

    func services(where isWanted: (ServiceDefinition) -> Bool) throws(HostError) -> [ServiceDefinition] {
        try files.services(where: isWanted)
    }

    func servicesAnew(
        where isWanted: (ServiceDefinition) -> Bool
    ) throws(HostError) -> [ServiceDefinition] { try files.servicesAnew(where: isWanted) }

    func state(of unit: String) -> UnitObservation {
        if let known = files.standing?.states[unit], goesOn(known) {
            states[unit] = known
            return known.observation
        }
        let observation = systemd.state(of: unit)
        states[unit] = remembered(observation)
        return observation
    }

    var silence: HostError? { systemd.silence }

    var unread: HostError? { files.unread }

    var known: KnownUnits? {
        var known = files.known
        known?.states = states
        return known
    }

    /// Whether the same start of the unit goes on with the same main process.
    ///
    /// systemd takes the link away when the unit stops or fails, before it would start it again, and makes another at
    /// each start. A unit that is being stopped keeps both until its process has ended, and is then still called active.
    private func goesOn(_ known: KnownUnits.State) -> Bool {
        let observation = known.observation
        guard let invocation = observation.invocationID,
            let link = try? readLink("\(starts)/invocation:\(observation.name)"), link == invocation,
            let start = try? ProcessFacts.start(of: observation.mainPID)
        else { return false }
        return start.sinceBoot == known.started
    }

    /// What may be gone by later: a unit that runs, not one on its way to another state.
    private func remembered(_ observation: UnitObservation) -> KnownUnits.State? {
        guard observation.activeState == "active", observation.subState == "running",
            observation.invocationID != nil, observation.mainPID > 0,
            let start = try? ProcessFacts.start(of: observation.mainPID)
        else { return nil }
        return KnownUnits.State(observation: observation, started: start.sinceBoot)
    }
}
