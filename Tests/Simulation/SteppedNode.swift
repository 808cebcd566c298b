import Agent
import Model
import Ports
import Rules
import Testing

// What steps and undoing are shown on: a K3s server that was adopted, and artifacts that come to it.

let old = Artifact(
    version: Version("v1.31.4+k3s1"), sha256: Digest(String(repeating: "a", count: 64)))
let patch = Artifact(
    version: Version("v1.31.5+k3s1"), sha256: Digest(String(repeating: "b", count: 64)))
let minor = Artifact(
    version: Version("v1.32.1+k3s1"), sha256: Digest(String(repeating: "c", count: 64)))
let binary = "/usr/local/bin/k3s"
let unit = "k3s.service"

/// An adopted K3s server under a policy that restores.
func guardedServer(
    role: Role = .server, unattended: Ceiling = .none, isUnderGuard: Bool = true,
    stages: [Stage] = [.everyone], settings: (inout Policy) -> Void = { _ in }
) -> World {
    let world = World(
        clock: ClockReading(
            now: Instant(seconds: 1_790_000_000), monotonic: 1, bootID: "boot-1", synchronised: true),
        installations: [
            Installation(
                id: InstallationID(distribution: .k3s, name: "k3s"), role: role,
                units: [
                    UnitObservation(
                        name: unit, activeState: "active", subState: "running", fileState: "enabled",
                        mainPID: 7, invocationID: "start-0")
                ],
                dataDirectory: "/var/lib/rancher/k3s", dataStore: role == .server ? .sqlite : .none,
                installed: Installed(
                    artifact: old, path: binary, evidence: .goBuildInfo, origin: .claimed,
                    identity: FileIdentity(device: 1, inode: 1, size: 60_000_000, modified: 1, changed: 1),
                    architecture: .amd64, cause: .fileReplaced),
                running: Running(
                    version: old.version, sources: [.init(source: .processExecutable, version: old.version)],
                    invocationID: "start-0", restartPending: false, startedFrom: old))
        ], policy: .absent(file: "policy.yaml"))
    var document = PolicyDocument()
    document.base.unattended = unattended
    document.base.origin = .claimed
    document.base.enforce.gate = .restore
    // Few rounds, since each story is played to its end for each step at which it can be killed.
    document.base.health.consecutiveSuccesses = 1
    document.base.health.deadline = TimeSpan(seconds: 20)
    document.stages = stages
    settings(&document.base)
    world.policy = .valid(
        LoadedPolicy(
            document: document, sources: PolicySources(file: "policy.yaml", lines: [:]), sha256: .none))
    if isUnderGuard {
        world.tick(request: .adopt)
        world.tick()
    }
    return world
}

/// A policy that asks nothing before a change.
@Sendable func noQuestions(_ policy: inout Policy) {
    policy.gates = []
    policy.backup.mode = .off
}

/// A policy by which a command is asked before a minor.
@Sendable func askCommand(_ policy: inout Policy) {
    policy.gates = [.command(["/usr/local/bin/ask"], timeout: .minutes(1))]
}

extension World {
    var installation: Installation { installations[0] }
    func runs(_ artifact: Artifact) -> Bool {
        installation.running?.startedFrom?.isSameBytes(as: artifact) == true
    }
    var onDisk: Digest? { installation.installed?.artifact.sha256 }

    /// Somebody replaces the binary by a rename.
    func bring(_ artifact: Artifact) {
        put(artifact, inode: Int64(artifact.summary.count) + 7000, at: binary)
    }

    /// It was turned away and is kept aside.
    func offer(_ artifact: Artifact) {
        keep(artifact, at: "/usr/local/bin/.holdfast-pending/k3s.1-2-3", of: installation.id)
    }

    func pass(_ span: TimeSpan) { wait(span) }

    /// A person approves what waits; as the command does it.
    @discardableResult
    func approve(_ artifact: Artifact) throws -> Approval {
        let outcome = tick()
        let record = try #require(
            outcome.judgement.decisions.first { $0.subject.change.to.isSameBytes(as: artifact) == true })
        let given = try approval(
            of: record, as: ApprovalRequest(claimedBy: "test"), at: clock.now, label: fingerprint)
        try enter(.approved(given))
        return given
    }

    func enter(_ event: Event) throws {
        record(event)
    }

    var chain: [String] {
        committed.compactMap { entry -> String? in
            switch entry.event {
            case .stepBegan: "began"
            case .stepMoved(let move): move.phase.rawValue
            case .stepEnded(let end):
                switch end.outcome {
                case .done: "done"
                case .abandoned: "abandoned"
                case .putBack: "put-back"
                case .needsPerson: "needs-person"
                }
            case .quarantined: "quarantined"
            case .approvalSpent: "spent"
            default: nil
            }
        }
    }
}
