public import Model

/// The steps from a version to a target (design, "Words").
public struct Ladder: Codable, Hashable, Sendable {
    /// Each version that has to be run on the way, the target last; empty where it runs already.
    public var steps: [Rung]

    /// One step.
    public struct Rung: Codable, Hashable, Sendable {
        /// The version to go to.
        public var version: Version
        /// Why it is a step of its own, for a person.
        public var why: String

        /// Makes a step.
        public init(version: Version, why: String) {
            self.version = version
            self.why = why
        }
    }
}

/// Why there is no ladder.
public enum LadderFailure: Error, Hashable, Sendable {
    /// The target is older.
    case backwards
    /// The target is another major.
    case otherMajor
    /// A minor on the way has no release that is known: name one, or a source that lists it.
    case noRelease(minor: String)
    /// A version that must be passed through has no release that is known.
    case noWaypoint(range: String, reason: String)

    /// One sentence for a person: lower case, no full stop.
    public var text: String {
        switch self {
        case .backwards:
            "the target is older than what runs; going back is a rollback ('holdfast rollback'), not an upgrade"
        case .otherMajor: "the target is of another major version, which no rule here knows how to reach"
        case .noRelease(let minor):
            "no release of \(minor) is known, and no minor may be skipped; name one with --through, or set "
                + "source.releases in the policy"
        case .noWaypoint(let range, let reason):
            "\(range) must be passed through (\(reason)), and no such release is known; name one with --through"
        }
    }
}

/// Plans the steps: latest patch of the present minor first, then one minor at a time by its latest known patch, and
/// every waypoint in between.
///
/// - Parameters:
///   - known: releases that can be had, in any order; the target need not be among them.
///   - waypoints: those that apply to this distribution and its data store.
public func ladder(
    from: Version, to target: Version, known: [Version], waypoints: [Waypoint]
) throws(LadderFailure) -> Ladder {
    if from == target { return Ladder(steps: []) }
    guard target > from else { throw .backwards }
    guard target.major == from.major else { throw .otherMajor }
    // A pre-release is gone to only where it was asked for.
    let releases = known.filter { $0 > from && $0 < target && $0.prerelease.isEmpty } + [target]
    var steps: [Ladder.Rung] = []
    var current = from
    while current != target {
        if let through = try waypoint(from: current, to: target, releases, waypoints) {
            // The waypoint itself may be minors away: one at a time there too.
            let next = try step(from: current, to: through.version, releases, why: through.why)
            steps.append(next)
            current = next.version
            continue
        }
        let next = try step(from: current, to: target, releases, why: "the target")
        steps.append(next)
        current = next.version
    }
    return Ladder(steps: steps)
}

private func step(
    from current: Version, to goal: Version, _ releases: [Version], why: String
) throws(LadderFailure) -> Ladder.Rung {
    guard goal.minor > current.minor else { return Ladder.Rung(version: goal, why: why) }
    // The latest patch first: what a minor's last release mends is mended before the next one starts on its data.
    if let latest = releases.filter({ $0.minor == current.minor && $0.major == current.major }).max(),
        latest > current
    {
        return Ladder.Rung(version: latest, why: "the latest patch before the next minor")
    }
    let next = current.minor + 1
    if next == goal.minor { return Ladder.Rung(version: goal, why: why) }
    guard let release = releases.filter({ $0.minor == next && $0.major == current.major }).max() else {
        throw .noRelease(minor: "v\(current.major).\(next)")
    }
    return Ladder.Rung(version: release, why: "no minor is skipped")
}

private func waypoint(
    from current: Version, to target: Version, _ releases: [Version], _ waypoints: [Waypoint]
) throws(LadderFailure) -> Ladder.Rung? {
    for waypoint in waypoints where waypoint.from.contains(current) {
        if waypoint.from.contains(target) || waypoint.through.contains(target) { continue }
        guard let release = releases.filter({ waypoint.through.contains($0) && $0 > current }).max() else {
            throw .noWaypoint(range: waypoint.through.text, reason: waypoint.reason)
        }
        return Ladder.Rung(version: release, why: "a waypoint: \(waypoint.reason)")
    }
    return nil
}
