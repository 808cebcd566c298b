import Model

/// Another artifact than the approved one, and how far it has come.
struct Target {
    var artifact: Artifact
    var phase: Phase
    var trigger: Trigger
    /// Nil where this look does not tell; what an earlier one told of the same bytes then stands.
    var origin: Origin?
    var published: Instant?

    /// Every artifact of an installation that is not the reference, the most advanced phase first.
    static func all(of installation: Installation, reference: Artifact) -> [Target] {
        var targets: [Target] = []
        let installed = installation.installed
        // Where nothing is, nothing came: that is a problem, and no change.
        if let installed, !installed.isMissing, differs(installed.artifact, from: reference) {
            targets.append(
                Target(
                    artifact: installed.artifact, phase: phase(of: installed, in: installation),
                    trigger: installed.cause, origin: installed.origin))
        }
        // What runs though neither the disk nor the reference has it: the disk was put back, or replaced once more.
        if let running = installation.running?.artifact, differs(running, from: reference),
            installed.map({ differs(running, from: $0.artifact) }) ?? true
        {
            targets.append(Target(artifact: running, phase: .running, trigger: .unknown, origin: nil))
        }
        for offer in installation.offers where differs(offer.artifact, from: reference) {
            let isInstalled = installed.map { !differs(offer.artifact, from: $0.artifact) } ?? false
            if !isInstalled {
                targets.append(
                    Target(
                        artifact: offer.artifact, phase: .offered, trigger: offer.trigger,
                        origin: offer.origin,
                        published: offer.published))
            }
        }
        return targets
    }

    private static func phase(of installed: Installed, in installation: Installation) -> Phase {
        guard let running = installation.running, let version = running.version else { return .onDisk }
        if running.restartPending == true { return .onDisk }
        // The same version in other bytes runs only where the process is known to be newer than the file.
        if installed.artifact.version == version {
            return running.restartPending == false ? .running : .onDisk
        }
        return .onDisk
    }

    /// Whether they are other bytes; where that cannot be told, whether they are other versions.
    private static func differs(_ artifact: Artifact, from other: Artifact) -> Bool {
        artifact.isSameBytes(as: other).map { !$0 } ?? (artifact.version != other.version)
    }
}

/// The installation with the origin of its artifact settled by imported checksums.
///
/// Its own bytes are a claim. A checksum that names the same version verifies it; where the version could not be
/// read, the checksum tells it; where the two disagree nobody knows what it is, and unknown holds (invariant 2).
func settled(_ installation: Installation, by catalog: [Digest: [CatalogEntry]]) -> Installation {
    var copy = installation
    copy.offers = copy.offers.map { settled($0, of: installation.id.distribution, by: catalog) }
    guard let digest = installation.installed?.artifact.sha256 else { return copy }
    let entries = (catalog[digest] ?? []).filter { $0.distribution == installation.id.distribution }
    guard let first = entries.first else { return copy }
    guard entries.allSatisfy({ $0.version == first.version }) else {
        copy.installed?.origin = .unknown
        return copy
    }
    if let version = installation.installed?.artifact.version {
        copy.installed?.origin = version == first.version ? .verified : .unknown
    } else {
        copy.installed?.artifact.version = first.version
        copy.installed?.evidence = .catalog
        copy.installed?.unreadable = nil
        copy.installed?.origin = .verified
    }
    return copy
}

/// An offer whose bytes are at hand, settled as what is installed is.
private func settled(
    _ offer: Offer, of distribution: Distribution, by catalog: [Digest: [CatalogEntry]]
) -> Offer {
    var copy = offer
    let entries = (offer.artifact.sha256.flatMap { catalog[$0] } ?? []).filter {
        $0.distribution == distribution
    }
    guard let first = entries.first else { return copy }
    let isOne = entries.allSatisfy { $0.version == first.version }
    let version = offer.artifact.version ?? (isOne ? first.version : nil)
    copy.artifact.version = version
    copy.origin = isOne && version == first.version ? .verified : .unknown
    return copy
}

extension Installation {
    /// The digests of the bytes that are on this node and can be looked up.
    var digests: [Digest] { ([installed?.artifact] + offers.map(\.artifact)).compactMap { $0?.sha256 } }
}

/// The installation with the version that a person stated when they approved its digest.
///
/// Only where nothing else says one: neither its bytes nor a checksum. The person's word ends with the approval, and
/// two that state different versions are no word at all.
func settled(
    _ installation: Installation, by approvals: [Approval], catalog: [Digest: [CatalogEntry]],
    on node: NodeFacts, now: Instant
) -> Installation {
    let distribution = installation.id.distribution
    func stated(of artifact: Artifact) -> Version? {
        guard artifact.version == nil, let digest = artifact.sha256, let architecture = node.architecture,
            catalog[digest]?.contains(where: { $0.distribution == distribution }) != true
        else { return nil }
        let stated = approvals.compactMap { approval -> Version? in
            guard approval.distribution == distribution, now < approval.expires,
                approval.digests[architecture.rawValue] == digest
            else { return nil }
            return approval.version
        }
        guard let version = stated.first, stated.allSatisfy({ $0 == version }) else { return nil }
        return version
    }
    var copy = installation
    for index in copy.offers.indices {
        guard let version = stated(of: copy.offers[index].artifact) else { continue }
        copy.offers[index].artifact.version = version
        copy.offers[index].origin = .verified
    }
    guard let version = installation.installed.flatMap({ stated(of: $0.artifact) }) else { return copy }
    copy.installed?.artifact.version = version
    copy.installed?.evidence = .approval
    copy.installed?.unreadable = nil
    copy.installed?.origin = .verified
    return copy
}
