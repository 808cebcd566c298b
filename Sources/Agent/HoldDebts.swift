public import Model
import Ports
import Rollout
import Rules

/// What is known of a distribution's releases besides the table of support.
public struct KnownReleases: Hashable, Sendable {
    /// In no order; builds of the distribution, each of which can be had or runs somewhere.
    public var versions: Set<Version>
    /// The minors (`1.31`) of which the newest patch is among them, as of the last days.
    public var current: Set<String>

    /// Makes what is known; without arguments, that nothing is.
    public init(versions: Set<Version> = [], current: Set<String> = []) {
        self.versions = versions
        self.current = current
    }
}

/// How old a table may be for a patch that it does not know not to be there: they come about once a month.
private let patchesAreKnownFor = 45
/// The same of minors, of which there are three a year.
private let minorsAreKnownFor = 120
/// How old a source's answer may be to be the newest.
private let sourceIsCurrentFor = TimeSpan.days(7)

/// What it costs each installation to stay where it is, in order of their ids.
///
/// Pure, and from what the ledger knows alone, so that a report of a copy says what the node itself does.
///
/// - Parameters:
///   - policy: the one in force, and the last valid one where none is; nil where there never was one.
///   - releases: by distribution; what the state's own offers tell of is added.
public func holdDebts(
    of state: NodeState, policy: LoadedPolicy?, node: NodeFacts, table: SupportTable,
    releases: [Distribution: KnownReleases], now: Instant
) -> [HoldDebt] {
    state.installations.values.sorted { $0.installation.id < $1.installation.id }.map { known in
        let installation = known.installation
        let resolved = policy.map {
            resolve(
                $0, isCurrent: true, node: node, distribution: installation.id.distribution,
                role: installation.role)
        }
        return HoldDebtCount(
            known: known, resolved: resolved, table: table,
            releases: releases[installation.id.distribution] ?? KnownReleases(),
            today: CivilDate(daysSinceEpoch: now.seconds / 86_400), now: now
        ).debt
    }
}

/// What a tick knows of releases: by sources that it relies on, by the fleet, and by imported checksums.
///
/// - Parameter catalogued: what the ledger's catalogue tells of.
public func knownReleases(
    _ judgement: Judgement, catalogued: [Distribution: [Version]]
) -> [Distribution: KnownReleases] {
    var releases: [Distribution: KnownReleases] = [:]
    for (distribution, versions) in catalogued {
        releases[distribution, default: .init()].versions.formUnion(versions)
    }
    let now = judgement.observation.clock.now
    for (name, source) in judgement.sources {
        guard let distribution = Distribution(rawValue: name), distrust(of: source.claims) == nil else {
            continue
        }
        let versions = source.releases.map(\.version)
        releases[distribution, default: .init()].versions.formUnion(versions)
        if source.failures == 0, now - source.askedAt <= sourceIsCurrentFor {
            releases[distribution, default: .init()].current.formUnion(versions.map(\.minorText))
        }
    }
    for part in judgement.fleet?.members.flatMap(\.parts) ?? [] {
        if let version = part.running {
            releases[part.distribution, default: .init()].versions.insert(version)
        }
    }
    return releases
}

private struct HoldDebtCount {
    let known: InstallationState
    let resolved: ResolvedPolicy?
    let table: SupportTable
    let releases: KnownReleases
    let today: CivilDate
    let now: Instant

    private var installation: Installation { known.installation }

    var debt: HoldDebt {
        let version = installation.installed?.artifact.version ?? installation.running?.version
        let end = version.flatMap { table.row(of: $0)?.end }
        var left: Int?
        if case .on(let day) = end { left = Int(day.daysSinceEpoch - today.daysSinceEpoch) }
        let candidates = self.candidates
        return HoldDebt(
            installation: installation.id, version: version, causes: causes, supportEnd: end, daysLeft: left,
            patches: version.flatMap { patches(behind: $0, candidates) },
            minors: version.flatMap { minors(behind: $0, candidates) },
            way: version.map { way(from: $0, candidates) } ?? .unknown("what is installed is not known"),
            table: table.dataVersion, tableDay: table.asOf)
    }

    // MARK: What keeps it

    private var causes: [HoldDebt.Cause] {
        var causes: [HoldDebt.Cause] = known.changes.filter { $0.verdict != .allow }.map {
            .change(id: $0.change.id, to: $0.change.to.version, verdict: $0.verdict)
        }
        if let resolved, !resolved.policy.pin.isEmpty {
            causes.append(.pin(resolved.policy.pin.text, source: resolved.source(of: "pin")))
        }
        if let until = installation.hold?.until, until > now {
            // snapd writes "forever" as a time in 2319.
            causes.append(.snapHold(until: until - now > .days(36_500) ? nil : until))
        }
        return causes
    }

    // MARK: What there is

    /// Releases that are there, upstream's and the distribution's own; whether it may have them is another question.
    private var candidates: Set<Version> {
        // What a channel or a plan says that nobody relies on is no release.
        let offered = installation.offers.filter {
            $0.origin != .unknown && $0.trigger != .sucPlan && $0.trigger != .autopilotPlan
        }.compactMap(\.artifact.version)
        let upstream = table.rows.compactMap { row -> Version? in
            if let released = row.released, released > today { return nil }
            return row.latest ?? Version("\(row.major).\(row.minor).0")
        }
        return releases.versions.union(offered).union(upstream).filter(\.prerelease.isEmpty)
    }

    private var tableAge: Int64 { today.daysSinceEpoch - table.asOf.daysSinceEpoch }

    private func patches(behind version: Version, _ candidates: Set<Version>) -> HoldDebt.Lag? {
        let same = candidates.filter { $0.major == version.major && $0.minor == version.minor }
        guard let newest = same.max() else { return nil }
        if newest.patch > version.patch {
            return HoldDebt.Lag(count: newest.patch - version.patch, newest: newest)
        }
        // Invariant 2 in small: that nothing newer is known is not that there is nothing.
        let isCurrent =
            (tableAge <= patchesAreKnownFor && table.row(of: version)?.latest != nil)
            || releases.current.contains(version.minorText)
        return isCurrent ? HoldDebt.Lag(count: 0, newest: max(newest, version)) : nil
    }

    private func minors(behind version: Version, _ candidates: Set<Version>) -> HoldDebt.Lag? {
        // Minors of two majors cannot be counted.
        guard let newest = candidates.max(), newest.major == version.major else { return nil }
        if newest.minor > version.minor {
            return HoldDebt.Lag(count: newest.minor - version.minor, newest: newest)
        }
        return tableAge <= minorsAreKnownFor ? HoldDebt.Lag(count: 0, newest: max(newest, version)) : nil
    }

    // MARK: The way out

    private func way(from version: Version, _ candidates: Set<Version>) -> HoldDebt.Way {
        let newer = candidates.filter { $0 > version && $0.major == version.major }
        let permitted = newer.filter { permits($0) }
        guard let target = permitted.max() else {
            guard newer.isEmpty else {
                return .unknown("the policy's allowedVersions and deny permit none of the newer releases")
            }
            let isKnown =
                patches(behind: version, candidates) != nil && minors(behind: version, candidates) != nil
            return isKnown ? .ladder([]) : .unknown("no newer release is known")
        }
        do throws(LadderFailure) {
            let points = resolved.map { waypoints(for: installation, $0.policy) } ?? []
            let ladder = try ladder(from: version, to: target, known: Array(permitted), waypoints: points)
            return .ladder(ladder.steps.map(\.version))
        } catch {
            return .unknown(error.text)
        }
    }

    private func permits(_ version: Version) -> Bool {
        guard let policy = resolved?.policy else { return true }
        return policy.allowedVersions.contains(version)
            && !policy.deny.contains { $0.versions.contains(version) }
    }
}

extension Pin {
    /// For a person: `version v1.31.4+k3s1`.
    fileprivate var text: String {
        var parts = version.map { ["version \($0)"] } ?? []
        parts += channel.map { ["channel \($0)"] } ?? []
        parts += revision.map { ["revision \($0)"] } ?? []
        parts += digest.sorted { $0.key < $1.key }.map { "\($0.key) sha256 \($0.value.short)" }
        return parts.joined(separator: ", ")
    }
}
