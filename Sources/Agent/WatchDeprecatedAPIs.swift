import Model
import Ports
import Rules

/// Watches, for a gate that will ask, which deprecated APIs clients ask for: it takes a day to know that none is.
struct WatchDeprecatedAPIs {
    let port: any StepClusterPort

    /// Asks every API server where a policy has such a gate and it is due, no more often than the cluster is looked at.
    ///
    /// - Parameter policy: the policy in force, or the last valid one.
    func look(_ observation: Observation, policy: LoadedPolicy?, memory: inout ObserverMemory) {
        guard let policy, let access = observation.access,
            observation.installations.contains(where: { isAsked(of: $0, policy, observation.node) })
        else {
            memory.deprecatedAPIs = nil
            return
        }
        // A cluster that does not answer is asked by the look at it alone, less and less often.
        guard memory.cluster?.failure == nil else { return }
        let now = observation.clock.now
        var watch = memory.deprecatedAPIs ?? DeprecatedAPIWatch(askedAt: now)
        if memory.deprecatedAPIs != nil, watch.askedAt <= now, now - watch.askedAt < clusterInterval {
            return
        }
        do {
            watch.take(try port.deprecatedAPIs(through: access), at: now)
        } catch {
            // Without the list of them nobody knows which there are: each stays with what it last said, and is too old
            // to count before long.
            watch.askedAt = now
        }
        memory.deprecatedAPIs = watch
    }

    private func isAsked(of installation: Installation, _ policy: LoadedPolicy, _ node: NodeFacts) -> Bool {
        // A role without an API server has the gate left out.
        guard installation.role?.isControlPlane == true else { return false }
        let settings = resolve(
            policy, isCurrent: true, node: node, distribution: installation.id.distribution,
            role: installation.role
        ).policy
        // Where no minor can come, nobody will ask.
        guard max(settings.unattended, settings.approvable) >= .minor else { return false }
        return settings.gates.contains { if case .deprecatedAPIs = $0 { true } else { false } }
    }
}

/// What the gate `deprecatedAPIs` says of a minor now.
///
/// - Parameter target: the version that is to be gone to.
func deprecatedAPIs(
    goingTo target: Version, coverage: TimeSpan, known: DeprecatedAPIWatch?, at now: Instant
) -> DeprecatedAPIVerdict {
    guard let known else {
        return .unknown(reason: "no API server was asked yet", covered: .zero, needed: coverage)
    }
    return known.verdict(goingTo: target, coverage: coverage, at: now)
}
