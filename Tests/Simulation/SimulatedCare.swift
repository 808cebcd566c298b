import Agent
import Model
import Ports

/// What a simulated node and its cluster answer a step: backups are files of the node, the rest is as a test says.
final class SimulatedCare: StepClusterPort, BackupPort {
    private unowned let world: World
    /// What an owner's command comes to.
    var command = OwnersCommand.Standing.passed
    /// How often a command was run.
    private(set) var commands = 0
    /// What is wrong with every backup; nil where nothing is.
    var backupFault: String?
    /// What the rounds of a drain come to, the last one again and again.
    var drain: [DrainProgress] = [DrainProgress(left: 0)]
    /// What API servers say of deprecated APIs.
    var servers: [APIServerSample] = []
    /// What the cluster says of its control plane.
    var plane: () -> ControlPlane = { ControlPlane(members: []) }
    /// Why it says nothing of it; nil where it does.
    var planeFailure: ClusterFailure?
    /// What a source of releases has, by digest.
    var source: SimulatedSource?

    init(world: World) { self.world = world }

    var care: StepCare {
        StepCare(
            cluster: self, backups: self, source: { [unowned self] _ in source }, downloads: "/downloads",
            place: { $0 }, tidy: { _ in }, digest: { _ in .none })
    }

    func nodeName(through access: ClusterAccess) throws(ClusterFailure) -> String? { world.name }

    func drainOnce(through access: ClusterAccess) throws(ClusterFailure) -> DrainProgress {
        let next = drain[0]
        if drain.count > 1 { drain.removeFirst() }
        return next
    }

    func controlPlane(
        of installation: Installation, through access: ClusterAccess
    ) throws(ClusterFailure) -> ControlPlane {
        if let planeFailure { throw planeFailure }
        return plane()
    }

    func deprecatedAPIs(through access: ClusterAccess) throws(ClusterFailure) -> [APIServerSample] { servers }

    func backups(of installation: InstallationID) throws(EffectFailure) -> [KeptBackup] {
        world.guards.files.filter { $0.key.contains("/backups/") && !$0.key.hasSuffix(".draft") }
            .map { path, file in
                KeptBackup(
                    installation: installation, directory: path, method: "simulated", artifact: old,
                    step: file.text, at: Instant(seconds: file.identity.modified), files: [])
            }.sorted { $0.at < $1.at }
    }

    func verify(_ backup: KeptBackup) throws(EffectFailure) {
        if let backupFault { throw EffectFailure(backupFault) }
    }

    func run(_ command: OwnersCommand) -> OwnersCommand.Standing {
        commands += 1
        return self.command
    }
}

/// A source that has some releases.
final class SimulatedSource: ReleaseSource {
    private unowned let world: World
    var releases: [Artifact]
    /// What it has too, and lists nowhere.
    var unlisted: [Artifact] = []
    /// Why nothing comes of it; nil where all is well.
    var failure: SourceFailure?
    private(set) var fetched = 0

    init(world: World, _ releases: [Artifact]) {
        self.world = world
        self.releases = releases
    }

    func releases(of distribution: Distribution) throws(SourceFailure) -> [Version] {
        if let failure { throw failure }
        return releases.compactMap(\.version).sorted(by: >)
    }

    func find(_ wanted: WantedArtifact) throws(SourceFailure) -> FoundArtifact {
        if let failure { throw failure }
        guard let sha256 = (releases + unlisted).first(where: { $0.version == wanted.version })?.sha256 else {
            throw SourceFailure(.notFound, "there is no \(wanted.version)")
        }
        return FoundArtifact(
            wanted: wanted, name: "k3s", sha256: sha256, proof: .release, size: 1, place: "a simulated source"
        )
    }

    func fetch(
        _ found: FoundArtifact, to path: String, progress: @escaping (FetchProgress) -> Bool
    ) throws(SourceFailure) -> FetchedArtifact {
        if let failure { throw failure }
        fetched += 1
        world.guards.put(path, found.sha256.hex)
        world.known[found.sha256] = found.wanted.version
        return FetchedArtifact(path: path, sha256: found.sha256, size: 1, evidence: .goBuildInfo)
    }
}
