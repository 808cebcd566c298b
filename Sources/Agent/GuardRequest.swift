public import Model

/// What a person asks of the guards; it only changes what is desired, and the tick brings that about.
public enum GuardRequest: Hashable, Sendable {
    /// Confirm what is installed, and guard it.
    case adopt
    /// Guard nothing any longer.
    case release
    /// Lift every guard until then.
    case pause(until: Instant, reason: String)
    case resume
}

/// What a request comes to.
public struct GuardAnswer: Hashable, Sendable {
    /// What is to be recorded; empty where all was so already.
    public var events: [Event] = []
    /// What could not be done, and what to do about it.
    public var refusals: [String] = []
}

/// Answers a request by what a look found.
///
/// Pure, and empty where it was answered before.
///
/// - Parameters:
///   - unproven: installations of which nobody knows what last ran: to adopt them again begins its record anew.
///   - isContested: whether another machine writes under this node's id: who adopts last keeps it.
func answer(
    _ request: GuardRequest, state: NodeState, observation: Observation, unproven: Set<InstallationID> = [],
    isContested: Bool = false
) -> GuardAnswer {
    var answer = GuardAnswer()
    switch request {
    case .adopt:
        for installation in observation.installations {
            let known = state.installations[installation.id.description]
            guard let installed = installation.installed, installed.artifact.version != nil,
                installed.artifact.sha256 != nil || installed.artifact.revision != nil
            else {
                answer.refusals.append(refusal(of: installation))
                continue
            }
            let isSame = known?.reference?.isSameBytes(as: installed.artifact) == true
            let isProven = !unproven.contains(installation.id)
            if known?.adoption != nil, known?.confirmed == true, isSame, isProven, !isContested { continue }
            answer.events.append(
                .adopted(
                    Adoption(
                        installation: installation.id, artifact: installed.artifact,
                        at: observation.clock.now)))
        }
    case .release:
        for known in state.installations.values.sorted(by: { $0.installation.id < $1.installation.id })
        where known.adoption != nil {
            answer.events.append(.released(known.installation.id))
        }
    case .pause(let until, let reason):
        answer.events = [.paused(Pause(until: until, reason: reason))]
    case .resume:
        if let pause = state.pause { answer.events = [.resumed(Resumption(pause: pause, isByTime: false))] }
    }
    return answer
}

private func refusal(of installation: Installation) -> String {
    let name = installation.id.name
    guard let installed = installation.installed else {
        return "\(name): nothing is installed that could be adopted"
    }
    let reason = installed.unreadable ?? "its bytes could not be read whole"
    return
        "\(name): \(installed.path) cannot be adopted: \(reason); put a release in its place, or import the "
        + "checksums of the release that it is ('holdfast catalog import')"
}
