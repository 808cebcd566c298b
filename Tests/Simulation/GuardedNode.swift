import Agent
import Model
import Ports

/// A node with a K3s server under a policy that asks for the gate.
func guardedNode(gate: Enforcement.GateMode? = .restore) -> World {
    let world = Story(seed: 1).world
    if let gate { world.policy = gatePolicy(gate) }
    let version = world.installations[0].installed?.artifact.version
    world.installations[0].running?.version = version
    return world
}

func gatePolicy(_ gate: Enforcement.GateMode) -> PolicyReading {
    var document = PolicyDocument()
    document.base.enforce.gate = gate
    return .valid(
        LoadedPolicy(
            document: document, sources: PolicySources(file: "policy.yaml", lines: [:]), sha256: .none))
}

/// A node with MicroK8s under a policy that holds it, adopted.
func heldMicroK8s(isUnderGuard: Bool = true, settings: (inout Policy) -> Void = { _ in }) -> World {
    let world = World(
        clock: ClockReading(
            now: Instant(seconds: 1_790_000_000), monotonic: 1, bootID: "boot-1", synchronised: true),
        installations: [
            Installation(
                id: InstallationID(distribution: .microk8s, name: "microk8s"), role: .node,
                units: [
                    UnitObservation(
                        name: "snap.microk8s.daemon-apiserver-proxy.service", activeState: "inactive"),
                    UnitObservation(
                        name: "snap.microk8s.daemon-kubelite.service", activeState: "active", mainPID: 7,
                        invocationID: "start-0"),
                ],
                dataDirectory: "/var/snap/microk8s/current", dataStore: .dqlite,
                installed: Installed(
                    artifact: snapOld, path: "/snap/microk8s/101", evidence: .snapd, origin: .verified),
                running: Running(
                    version: snapOld.version, sources: [], invocationID: "start-0", restartPending: false,
                    startedFrom: snapOld))
        ], policy: .absent(file: "policy.yaml"))
    world.snapd = SnapdFacts(version: "2.68.3")
    var document = PolicyDocument()
    document.base.enforce.hold = .general
    document.base.enforce.veto = true
    document.base.health.consecutiveSuccesses = 1
    document.base.health.deadline = TimeSpan(seconds: 20)
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
