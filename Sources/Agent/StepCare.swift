public import Model
public import Ports
import Rules

/// What a step asks of a node and its cluster besides putting an artifact in place.
public struct StepCare {
    /// The cluster: drains, members of the control plane, deprecated APIs.
    public var cluster: any StepClusterPort
    /// The node's backups and the owner's commands.
    public var backups: any BackupPort
    /// The source that a policy's settings name; nil where they name none.
    public var source: (ArtifactSource) -> (any ReleaseSource)?
    /// Where artifacts are fetched to: a directory of our own, as the node has it.
    public var downloads: String
    /// Where that is on this machine.
    public var place: (String) -> String
    /// Takes away what was fetched before, but for files of these names.
    public var tidy: (Set<String>) -> Void
    /// SHA-256 of a text.
    public var digest: (String) -> Digest
    /// Told how much of an artifact has come.
    public var progress: (FetchProgress) -> Void

    /// Makes what a step asks.
    public init(
        cluster: any StepClusterPort, backups: any BackupPort,
        source: @escaping (ArtifactSource) -> (any ReleaseSource)?, downloads: String,
        place: @escaping (String) -> String, tidy: @escaping (Set<String>) -> Void,
        digest: @escaping (String) -> Digest, progress: @escaping (FetchProgress) -> Void = { _ in }
    ) {
        self.cluster = cluster
        self.backups = backups
        self.source = source
        self.downloads = downloads
        self.place = place
        self.tidy = tidy
        self.digest = digest
        self.progress = progress
    }
}

// How what comes before a change stands.
extension StepRun {
    /// Whether the gates are asked: before a minor, and in a rollout once for each cluster.
    func gates(_ step: Step, _ installation: Installation, _ judgement: Judgement) -> Preparation {
        guard isMinor(step), !settings(of: installation, judgement).gates.isEmpty else { return .notAsked }
        return answeredGates(step, judgement) == nil ? .due : .done
    }

    /// What the gates have answered in the rollout; nil where nobody asked them yet.
    private func answeredGates(_ step: Step, _ judgement: Judgement) -> RolloutDocument.GateAnswer? {
        guard step.rollout != nil,
            let document = judgement.fleet?.documents[step.change.installation.distribution.rawValue]
        else { return nil }
        return document.gates?[judgement.observation.node.cluster]
    }

    /// Whether a backup is made before the change.
    func backup(_ step: Step, _ installation: Installation, _ judgement: Judgement) -> Preparation {
        switch need(step, installation, judgement) {
        case .notNeeded: .notAsked
        case .noMethod(let reason): .impossible(reason)
        case .make: step.backup == nil ? .due : .done
        }
    }

    func need(_ step: Step, _ installation: Installation, _ judgement: Judgement) -> BackupNeed {
        backupNeed(
            of: installation, settings(of: installation, judgement).backup,
            before: UpdateType(from: step.change.from.version, to: step.change.to.version))
    }

    /// Whether the node is emptied: on k0s workers before minors, or as the policy says.
    func drain(_ step: Step, _ installation: Installation, _ judgement: Judgement) -> Preparation {
        guard installation.role?.hasKubelet == true else { return .notAsked }
        return switch settings(of: installation, judgement).drain.enabled {
        case .disabled: .notAsked
        case .enabled: .due
        case .auto:
            isMinor(step) && installation.id.distribution == .k0s && installation.role == .worker
                ? .due : .notAsked
        }
    }

    private func isMinor(_ step: Step) -> Bool {
        switch UpdateType(from: step.change.from.version, to: step.change.to.version) {
        case .minor, .major: true
        case .build, .patch, .downgrade, .unknown: false
        }
    }
}
