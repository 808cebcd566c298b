import Model
import Ports
import Rules

/// How many minors of a source are remembered, the newest ones.
private let mostReleases = 8
/// The longest time for which a source that does not answer is left alone, unless its `poll` is longer.
private let longestSourceRest = TimeSpan.days(1)

/// Asks the sources of the policy for new releases, at intervals.
///
/// Between two looks what the last one told stands: a quiet tick makes no network. One that does not answer is asked
/// less and less often, and what was known before stays known.
struct SourceWatch {
    /// The source of settings; nil where they name none.
    let source: (ArtifactSource) -> (any ReleaseSource)?
    /// Whether a person asks for releases now, so that sources are asked whatever they did before.
    let isAsked: Bool
    /// Makes a short label of a text, the same in every process.
    let label: (String) -> String

    /// Looks where it is due.
    ///
    /// - Parameter policy: the policy in force, or the last valid one.
    func look(_ observation: inout Observation, policy: LoadedPolicy?, memory: inout ObserverMemory) {
        let now = observation.clock.now
        var sources: [String: KnownSource] = [:]
        for installation in observation.installations where installation.id.distribution != .microk8s {
            let distribution = installation.id.distribution
            guard let policy, sources[distribution.rawValue] == nil else { continue }
            let settings = resolve(
                policy, isCurrent: true, node: observation.node, distribution: distribution,
                role: installation.role
            ).policy.source
            guard let source = source(settings) else { continue }
            let name = label("\(settings.releases) \(settings.channel)")
            let earlier = memory.source?[distribution.rawValue].flatMap { $0.settings == name ? $0 : nil }
            var known = earlier ?? KnownSource(settings: name, askedAt: now)
            if earlier == nil || isAsked || known.isDue(at: now, poll: settings.poll) {
                ask(source, &known, installation, settings, observation.node.architecture, at: now)
            }
            observation.problems += problems(of: known, distribution)
            sources[distribution.rawValue] = known
        }
        memory.source = sources.isEmpty ? nil : sources
    }

    private func ask(
        _ source: any ReleaseSource, _ known: inout KnownSource, _ installation: Installation,
        _ settings: ArtifactSource, _ architecture: Architecture?, at now: Instant
    ) {
        known.askedAt = now
        let distribution = installation.id.distribution
        do throws(SourceFailure) {
            let versions = try source.releases(of: distribution)
            if !settings.channel.isEmpty {
                known.claims = claims(
                    after: known.claims, versions.first?.description, of: known.settings, at: now)
            }
            known.releases = seen(versions, isChannel: !settings.channel.isEmpty, before: known.releases)
            known.failures = 0
            known.failure = nil
        } catch {
            known.failures += 1
            known.failure = error.isTemporary && known.failures < 2 ? nil : error.description
            return
        }
        guard let architecture, distrust(of: known.claims) == nil else { return }
        // A release can be announced before its files are there: it is then looked for again the next time.
        for release in offered(known.releases, on: installation) where release.sha256 == nil {
            do throws(SourceFailure) {
                let found = try source.find(WantedArtifact(distribution, release.version, architecture))
                for index in known.releases.indices where known.releases[index].version == release.version {
                    known.releases[index].sha256 = found.sha256
                    known.releases[index].origin = found.origin
                }
            } catch {
                // What does not answer now would not answer for the next one either, and a tick has little time.
                if error.isTemporary { return }
            }
        }
    }

    private func problems(of known: KnownSource, _ distribution: Distribution) -> [Problem] {
        var problems: [Problem] = []
        if let failure = known.failure {
            problems.append(
                Problem(
                    code: "source-silent",
                    text: "\(failure), so new releases of \(distribution.displayName) are not seen",
                    about: distribution.rawValue))
        }
        if let reason = distrust(of: known.claims) {
            problems.append(
                Problem(
                    code: "source-distrusted",
                    text:
                        "the channel of releases of \(distribution.displayName) is not relied on: \(reason); look at "
                        + "who serves it, or take source.channel out of the policy",
                    about: distribution.rawValue))
        }
        return problems
    }
}

/// What the sources' newest releases would bring to each installation.
///
/// Pure. Only what is newer than what is installed: the newest of its own minor, of the next one, and of all. What a
/// channel says that is not relied on has an unknown origin, and is held (invariant 2).
///
/// - Parameter known: by distribution, as `SourceWatch` left it.
func sourceOffers(_ known: [String: KnownSource], on installations: [Installation]) -> [PlanTarget] {
    installations.flatMap { installation -> [PlanTarget] in
        guard let source = known[installation.id.distribution.rawValue] else { return [] }
        let isRelied = distrust(of: source.claims) == nil
        return offered(source.releases, on: installation).map { release in
            PlanTarget(
                plan: "source", name: "source", installation: installation.id, version: release.version,
                isRelied: isRelied, trigger: .rollout, sha256: isRelied ? release.sha256 : nil,
                origin: release.origin)
        }
    }
}

/// The releases that are of concern to an installation, the newest first.
private func offered(
    _ releases: [KnownSource.SeenRelease], on installation: Installation
) -> [KnownSource.SeenRelease] {
    guard let current = installation.installed?.artifact.version ?? installation.running?.artifact?.version
    else { return [] }
    let newer = releases.filter { $0.version > current }
    let newest = newer.max { $0.version < $1.version }
    return newer.filter { release in
        let isNear =
            release.version.major == current.major
            && (current.minor...current.minor + 1).contains(release.version.minor)
        return isNear || release == newest
    }
}

/// What is remembered of the versions that a source tells of now; what it no longer tells of was withdrawn.
private func seen(
    _ versions: [Version], isChannel: Bool, before: [KnownSource.SeenRelease]
) -> [KnownSource.SeenRelease] {
    // A channel of pre-releases is followed by whoever names it; a directory may hold some that nobody chose.
    let candidates = isChannel ? versions : versions.filter(\.prerelease.isEmpty)
    var newest: [String: Version] = [:]
    for version in candidates {
        newest[version.minorText] = newest[version.minorText].map { max($0, version) } ?? version
    }
    return newest.values.sorted(by: >).prefix(mostReleases).map { version in
        before.first { $0.version == version } ?? KnownSource.SeenRelease(version: version)
    }
}

extension KnownSource {
    /// Whether the source is to be asked again.
    fileprivate func isDue(at now: Instant, poll: TimeSpan) -> Bool {
        // A clock that was set back must not keep us waiting.
        guard askedAt <= now else { return true }
        let longest = max(poll, longestSourceRest)
        var rest = poll
        for _ in 0..<min(max(failures - 1, 0), 16) where rest < longest {
            rest = TimeSpan(seconds: rest.seconds * 2)
        }
        return now - askedAt >= min(rest, longest)
    }
}
