public import Model
public import Ports
import Rules

/// One artifact that is to be fetched, and where from.
public struct FetchOrder: Hashable, Sendable {
    /// What is fetched; its digest is pinned.
    public var wanted: WantedArtifact
    /// The source that the policy names.
    public var source: ArtifactSource
    /// Why it could not be fetched the last time; nil where it was not tried.
    public var failure: String?
}

extension Judgement {
    /// What is to be fetched now: what the rollout brings, before it is this node's turn, or what is allowed.
    ///
    /// Nothing where its bytes are here already, where no source is known, or where it failed just now.
    func fetchOrder(isHere: (Installation, Digest) -> Bool) -> FetchOrder? {
        guard policyIsCurrent, state.pause == nil, let policy,
            let architecture = observation.node.architecture
        else { return nil }
        for installation in observation.installations {
            let distribution = installation.id.distribution
            guard distribution != .microk8s, state.installations[installation.id.description]?.adoption != nil
            else { continue }
            let settings = resolve(
                policy, isCurrent: true, node: observation.node, distribution: distribution,
                role: installation.role
            ).policy.source
            guard !settings.releases.isEmpty || !settings.channel.isEmpty else { continue }
            for artifact in wanted(by: installation) {
                guard let version = artifact.version, let digest = artifact.sha256,
                    !isHere(installation, digest)
                else { continue }
                let failure = downloads?.failed[digest.hex]
                if let failure, failure.at <= observation.clock.now,
                    observation.clock.now < failure.nextTry
                {
                    continue
                }
                return FetchOrder(
                    wanted: WantedArtifact(distribution, version, architecture, pinned: digest),
                    source: settings, failure: failure?.reason)
            }
        }
        return nil
    }

    /// Why the bytes of a change could not be fetched, and when that is tried again; nil where nobody failed at it.
    func fetchTrouble(_ change: Change) -> String? {
        guard let digest = change.to.sha256, let failure = downloads?.failed[digest.hex] else { return nil }
        return
            "its bytes could not be fetched: \(failure.reason); it is tried again from \(failure.nextTry) on"
    }

    private func wanted(by installation: Installation) -> [Artifact] {
        if let document = fleet?.documents[installation.id.distribution.rawValue], !document.state.hasEnded {
            return [document.artifact(for: observation.node.architecture)].compactMap(\.self)
        }
        return decisions.filter { record in
            record.subject.change.installation == installation.id && record.decision.verdict == .allow
                && record.subject.change.phase == .offered
        }.map(\.subject.change.to)
    }
}

extension Observation {
    /// Says of what is offered where its bytes are, where they were fetched.
    mutating func place(_ downloads: KnownDownloads?) {
        guard let downloads else { return }
        for index in installations.indices {
            for offer in installations[index].offers.indices
            where installations[index].offers[offer].path == nil {
                let hex = installations[index].offers[offer].artifact.sha256?.hex
                installations[index].offers[offer].path = hex.flatMap { downloads.done[$0] }
            }
        }
    }
}

/// The event by which checksums of a release, told by its own file, are known from now on.
public func catalogImport(of found: [FoundArtifact], at now: Instant, label: (String) -> Digest) -> Event {
    let entries = found.map { artifact in
        CatalogEntry(
            distribution: artifact.wanted.distribution, version: artifact.wanted.version,
            architecture: artifact.wanted.architecture, sha256: artifact.sha256, file: artifact.place,
            importedAt: now)
    }
    let place = found.first?.place ?? ""
    return .catalogImported(
        CatalogImport(
            file: place, sha256: label(found.map { "\($0.sha256.hex)  \($0.name)" }.joined(separator: "\n")),
            entries: entries))
}
