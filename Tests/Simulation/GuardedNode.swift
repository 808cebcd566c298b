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
