import Model
import Ports

/// How often the cluster is asked for plans while it answers; the controller itself asks a channel every 15 minutes.
///
/// A plan that is made and run between two looks meets the gate.
let clusterInterval = TimeSpan.minutes(10)
/// The longest time for which a cluster that does not answer is left alone.
let longestClusterRest = TimeSpan.minutes(40)
/// How long people are told that an event could not be told.
private let untoldMemory = TimeSpan.days(1)

/// Looks at the cluster at intervals, and takes what it told into the observation.
///
/// Between two looks what the last one told stands: a quiet tick makes no network. A cluster that does not answer is
/// asked less and less often, and what was known before stays known.
struct ClusterWatch {
    let port: any ClusterPort
    /// Whether a person asks for something now, so that it is asked whatever it did before.
    let isAsked: Bool

    /// Looks where it is due.
    ///
    /// - Parameter policy: the policy in force, or the last valid one.
    func look(
        _ observation: inout Observation, state: NodeState, policy: LoadedPolicy?,
        memory: inout ObserverMemory
    ) {
        let now = observation.clock.now
        let labels = (state.guards?.settings ?? []).filter { $0.setting.kind == .planLabel }
        let concerned = concerned(observation, policy)
        if let untold = memory.cluster?.untold, let at = memory.cluster?.untoldAt, at <= now,
            now - at < untoldMemory
        {
            observation.problems.append(untold)
        }
        let cordons = (state.guards?.settings ?? []).filter { $0.setting.kind == .cordon }
        defer {
            // What a cordon now is shows where it is taken away; until somebody answers nobody tries.
            if observation.access == nil || memory.cluster?.failure != nil {
                for placed in cordons { observation.settings[placed.setting] = .unknown }
            }
        }
        port.settle(nil)
        guard let access = observation.access else {
            for placed in labels { observation.settings[placed.setting] = .unknown }
            report(unseen: concerned, policy, &observation)
            return
        }
        guard !concerned.isEmpty || !labels.isEmpty else {
            port.settle(
                ClusterSession(access: access, node: memory.cluster?.seen?.node?.name, silence: nil))
            return
        }
        var known = memory.cluster ?? KnownCluster(askedAt: now)
        var isFresh = false
        if memory.cluster == nil || isAsked || known.isDue(at: now) {
            isFresh = ask(access, &known, now: now)
        }
        memory.cluster = known
        let seen = known.trusted
        port.settle(ClusterSession(access: access, node: seen?.node?.name, silence: known.failure))
        observation.cluster = seen
        observation.settings.merge(
            readings(known, labels: labels, isFresh: isFresh)
        ) { first, _ in first }
        if let failure = known.failure {
            observation.problems.append(
                Problem(
                    code: "cluster-silent",
                    text: "\(failure), so plans that would change this node are not seen anew"
                        + (labels.isEmpty ? "" : ", and labels stay as they are")))
        }
        if let seen { observation.problems += clusterProblems(seen, access, on: concerned) }
    }

    /// Installations that plans are of concern to.
    func concerned(_ observation: Observation, _ policy: LoadedPolicy?) -> [Installation] {
        guard let policy else { return [] }
        return observation.installations.filter {
            plansMode(of: $0, policy: policy, node: observation.node) != .off
        }
    }

    private func ask(_ access: ClusterAccess, _ known: inout KnownCluster, now: Instant) -> Bool {
        known.askedAt = now
        do {
            let seen = try port.look(through: access)
            known.seen = seen
            known.claims = claims(after: known.claims, seen.plans, at: now)
            known.failures = 0
            known.failure = nil
            known.hasActed = false
            return true
        } catch {
            known.failures += 1
            known.failure = error.description
            return false
        }
    }

    /// What labels are now, as far as anybody knows.
    ///
    /// What we set ourselves since the last look is known from the ledger; what was there of it before no longer counts.
    private func readings(
        _ known: KnownCluster, labels: [PlacedSetting], isFresh: Bool
    ) -> [Setting: SettingReading] {
        var readings: [Setting: SettingReading] = [:]
        let isSilent = known.failure != nil
        if let seen = known.seen, let node = seen.node, !isSilent, !known.hasActed {
            for name in seen.plans.map(\.name) + labels.map(\.setting.subject) {
                readings[Setting(.planLabel, name)] = .value(node.planLabels[name])
            }
        }
        for placed in labels where !isFresh {
            // What cannot be reached is neither found broken nor set.
            readings[placed.setting] =
                isSilent ? .unknown : placed.seen.map { .value($0) } ?? readings[placed.setting] ?? .unknown
        }
        for placed in labels where readings[placed.setting] == nil { readings[placed.setting] = .unknown }
        return readings
    }

    private func report(
        unseen concerned: [Installation], _ policy: LoadedPolicy?, _ observation: inout Observation
    ) {
        guard let policy else { return }
        let blocked = concerned.filter {
            plansMode(of: $0, policy: policy, node: observation.node) == .block
        }
        guard let first = blocked.first else { return }
        observation.problems.append(
            Problem(
                code: "plans-unseen",
                text:
                    "enforce.plans is block for \(first.id.name), but nothing here leads to the cluster, so no plan is "
                    + "seen or kept away, and one meets the gate alone; name a kubeconfig in /etc/holdfast/node.yaml "
                    + "(kubeconfig: PATH, with the rights of /usr/share/holdfast/kubernetes (or below /usr/local)), or set "
                    + "plans: off for its role"
            ))
    }
}

extension KnownCluster {
    /// Whether the cluster is to be asked again.
    fileprivate func isDue(at now: Instant) -> Bool {
        // A clock that was set back must not keep us waiting.
        guard askedAt <= now else { return true }
        if hasActed, failure == nil { return true }
        var rest = clusterInterval
        for _ in 0..<min(max(failures - 1, 0), 8) where rest < longestClusterRest {
            rest = TimeSpan(seconds: rest.seconds * 2)
        }
        return now - askedAt >= min(rest, longestClusterRest)
    }

    /// What it told, each plan with what speaks against its channel.
    fileprivate var trusted: ClusterObservation? {
        guard var seen else { return nil }
        for index in seen.plans.indices where seen.plans[index].version == nil {
            seen.plans[index].distrust = claims[seen.plans[index].path].flatMap { distrust(of: $0) }
        }
        return seen
    }
}
