import Model
import Ports

/// What one round of checks found.
struct HealthRound: Hashable {
    /// By the checks' order in the policy.
    var answers: [HealthAnswer]
    /// The start of the unit that they are about.
    var invocation: String?
}

/// What rounds of checks come to.
enum HealthVerdict: Hashable {
    case well
    /// Not decided: another round follows.
    case undecided
    case unwell(String)
}

/// Counts rounds of checks, of which so many in a row decide (policy.md, `health`).
struct HealthCount: Hashable {
    private(set) var successes = 0
    private(set) var failures = 0
    private var wasWell: Bool
    private var invocation: String?

    /// Begins to count.
    ///
    /// - Parameter wasWell: whether it was well before, so that whatever is not well now has gone wrong.
    init(wasWell: Bool = false) { self.wasWell = wasWell }

    /// Takes in one more round.
    ///
    /// A unit that is still starting has not failed; one that was started anew by itself has, and so has anything that
    /// goes wrong once the node was well.
    ///
    /// - Parameters:
    ///   - isLate: whether the deadline is over.
    mutating func take(_ round: HealthRound, _ policy: HealthPolicy, isLate: Bool) -> HealthVerdict {
        let restarted = invocation != nil && round.invocation != invocation
        invocation = round.invocation
        var text = restarted ? "its unit was started anew by itself" : nil
        var isFailure = restarted
        for answer in round.answers {
            switch answer {
            case .well: break
            case .notYet(let reason), .unknown(let reason):
                text = text ?? reason
                isFailure = isFailure || wasWell
            case .failed(let reason):
                text = text ?? reason
                isFailure = true
            }
        }
        guard let text else {
            wasWell = true
            failures = 0
            successes += 1
            return successes >= policy.consecutiveSuccesses ? .well : .undecided
        }
        successes = 0
        if isFailure { failures += 1 }
        if failures >= policy.failureLimit { return .unwell(text) }
        return isLate ? .unwell("\(text), and its time is over (health.deadline)") : .undecided
    }
}

/// Answers the checks that a look at the node answers; nil for the others.
func answer(
    _ check: HealthPolicy.Check, of installation: Installation, expecting artifact: Artifact
) -> HealthAnswer? {
    switch check {
    case .unit: unitAnswer(installation)
    case .running: runningAnswer(installation, artifact)
    case .readyz, .nodeReady, .etcdVoter, .dqliteVoters, .http, .command: nil
    }
}

private func unitAnswer(_ installation: Installation) -> HealthAnswer {
    guard let unit = installation.mainUnit else { return .unknown("it has no unit") }
    // A snap has services beside it, of which some are never up: only what goes wrong counts there.
    for other in installation.units where other.name != unit.name {
        switch unitAnswer(other) {
        case .failed(let text) where other.activeState != "inactive": return .failed(text)
        case .notYet(let text): return .notYet(text)
        default: break
        }
    }
    return unitAnswer(unit)
}

private func unitAnswer(_ unit: UnitObservation) -> HealthAnswer {
    switch (unit.activeState, unit.subState) {
    case ("active", _): .well
    // Between two starts of a unit that keeps ending.
    case ("activating", "auto-restart"), ("activating", "auto-restart-queued"):
        .failed("\(unit.name) ended, and is started again")
    case ("activating", _), ("reloading", _), ("refreshing", _): .notYet("\(unit.name) is still starting")
    case (nil, _): .unknown("systemd does not tell how \(unit.name) stands")
    case (let state, _): .failed("\(unit.name) is \(state ?? "down")")
    }
}

private func runningAnswer(_ installation: Installation, _ artifact: Artifact) -> HealthAnswer {
    guard let running = installation.running else { return .notYet("nothing of it runs yet") }
    if let from = running.startedFrom, let isSame = from.isSameBytes(as: artifact) {
        // What an API says is newer than what bytes say: both have to agree.
        guard isSame else { return .failed("\(from.summary) runs in its place") }
        let other = running.sources.first { $0.version != nil && $0.version != artifact.version }
        return other.map {
            .failed("\($0.source.rawValue) says that \($0.version.map(\.description) ?? "?") runs")
        }
            ?? .well
    }
    guard let version = running.version else { return .notYet("nobody says yet which version runs") }
    return version == artifact.version ? .well : .failed("\(version) runs in its place")
}
