import Agent
import Gate
import Model
import Ports
import Testing

/// A server with the gate before its unit, to which something comes that a person approves.
func killedServer(
    _ artifact: Artifact, isOnDisk: Bool = false, isBroken: Bool = false,
    settings: (inout Policy) -> Void = { _ in }
) throws -> World {
    let world = guardedServer(settings: settings)
    world.hasGate = true
    if isOnDisk { world.bring(artifact) } else { world.offer(artifact) }
    if isBroken, let digest = artifact.sha256 { world.broken = [digest] }
    try world.approve(artifact)
    return world
}

private let secondPatch = Artifact(
    version: Version("v1.31.6+k3s1"), sha256: Digest(String(repeating: "f", count: 64)))

private func snap(
    _ artifact: Artifact, isBroken: Bool = false, fate: SnapdUndo? = nil,
    settings: (inout Policy) -> Void = { _ in }
) throws -> World {
    let world = heldMicroK8s(settings: settings)
    world.guards.snapd.length = 2
    world.installations[0].offers = [
        Offer(artifact: artifact, trigger: .autoRefresh, published: nil, origin: .verified)
    ]
    if let revision = artifact.revision {
        if isBroken { world.brokenRevisions = [revision] }
        if let fate { world.guards.snapd.fates[revision] = fate }
    }
    try world.approve(artifact)
    return world
}

private func adopted(_ requests: GuardRequest...) -> @Sendable () throws -> World {
    {
        let world = guardedServer()
        world.hasGate = true
        for request in requests { world.tick(request: request) }
        return world
    }
}

let killedPause = GuardRequest.pause(until: Instant(seconds: 1_800_000_000), reason: "by hand")

/// What a person says who goes back to what ran before, as the command does it.
@Sendable private func goBack(_ world: World) throws {
    let outcome = world.tick()
    let id = world.installation.id
    guard outcome.failure == nil, world.state.installations[id.description]?.reference?.sha256 == patch.sha256
    else { return }
    do throws(RollbackRefusal) {
        let planned = try rollback(
            of: id, reason: "by hand", outcome.judgement, port: world.guards, site: World.site,
            label: fingerprint)
        var state = world.ledger.load().state
        for event in planned.events { state.apply(event, at: world.clock.now) }
        try? world.ledger.append(planned.events, reading: world.clock, state: state)
    } catch {
        // It is being carried out already.
        guard world.state.step != nil else { throw error }
    }
    world.step()
}

/// The gate has acted before a start and left a record of it.
private func gateActed(_ reason: GateReason, mode: Enforcement.GateMode) -> @Sendable () throws -> World {
    {
        let world = guardedServer { $0.enforce.gate = mode }
        world.hasGate = true
        world.bring(minor)
        if reason == .restored {
            world.keep(
                minor, at: "/usr/local/bin/.holdfast-pending/k3s.1-2-3", of: world.installation.id)
            world.start(unit)
        } else {
            world.installations[0].units[0].activeState = "activating"
            world.installations[0].running = nil
        }
        let record = SpoolRecord(
            reason: reason, unit: unit, installation: world.installation.id, at: world.clock.now,
            invocationID: "start-1", text: "what happened", restored: reason == .restored ? old : nil,
            pending: nil)
        world.guards.spooled["1-1-1"] = SpooledFile(
            name: "1-1-1", changed: 0, content: .bytes(Array(record.fileText.utf8)))
        return world
    }
}

/// What is killed at every step of it, and the states that each passes through.
let killScenarios: [KillScenario] = upgrades + k0s + beforehand + snaps + settingScenarios + words + gates

private let upgrades = [
    KillScenario(
        testDescription: "upgrade: an approved patch that is kept aside", node: { try killedServer(patch) },
        run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: replacing", "replace", "step: restarting", "restart",
            "step: probing", "spent", "step: done", "spare",
        ], may: [old, patch], runs: patch),
    KillScenario(
        testDescription: "upgrade: an approved patch that lies on disk",
        node: { try killedServer(patch, isOnDisk: true) }, run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: replacing", "step: restarting", "restart", "step: probing",
            "spent", "step: done", "spare",
        ], may: [old, patch],
        runs: patch),
    KillScenario(
        testDescription: "upgrade: a minor on a server, after its gate and a backup",
        node: { try killedServer(minor, settings: askCommand) }, run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: gating", "step: backing-up", "backup", "step: replacing",
            "replace", "step: restarting", "restart", "step: probing", "spent", "step: done", "spare",
        ],
        may: [old, minor], runs: minor),
    KillScenario(
        testDescription: "upgrade: a patch that never becomes well is put back",
        node: { try killedServer(patch, isBroken: true) }, run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: replacing", "replace", "step: restarting", "restart",
            "step: probing", "quarantined", "step: replacing-back", "replace", "step: restarting-back",
            "restart", "step: probing-back", "spent", "step: put-back", "vault away",
        ], may: [old, patch],
        runs: old),
    KillScenario(
        testDescription: "invariant 12: a minor that never becomes well is left to a person",
        node: { try killedServer(minor, isBroken: true, settings: noQuestions) }, run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: replacing", "replace", "step: restarting", "restart",
            "step: probing", "spent", "quarantined", "step: needs-person", "vault away",
        ], may: [old, minor], runs: minor),
    KillScenario(
        testDescription: "rollback: a person goes back to what ran well before",
        node: {
            let world = try killedServer(patch)
            try KillScenario.timer(world)
            return world
        }, run: goBack,
        chain: [
            "quarantined", "step: replacing-back", "spare", "replace", "step: restarting-back", "restart",
            "step: probing-back", "step: put-back", "vault away",
        ], may: [old, patch], runs: old, isAskedAgain: true),
]

private let k0sOld = Artifact(
    version: Version("v1.31.4+k0s.0"), sha256: Digest(String(repeating: "1", count: 64)))
private let k0sPatch = Artifact(
    version: Version("v1.31.5+k0s.0"), sha256: Digest(String(repeating: "2", count: 64)))
private let k0sMinor = Artifact(
    version: Version("v1.32.1+k0s.0"), sha256: Digest(String(repeating: "3", count: 64)))

/// A k0s controller with the gate before its unit, to which something comes that a person approves.
private func controller(_ artifact: Artifact, isBroken: Bool = false) throws -> World {
    let world = guardedServer(isUnderGuard: false, settings: askCommand)
    world.hasGate = true
    world.installations[0].id = InstallationID(distribution: .k0s, name: "k0scontroller")
    world.installations[0].units[0].name = "k0scontroller.service"
    world.installations[0].dataDirectory = "/var/lib/k0s"
    world.installations[0].installed?.path = "/usr/local/bin/k0s"
    world.installations[0].installed?.artifact = k0sOld
    world.installations[0].running = Running(
        version: k0sOld.version, sources: [.init(source: .k0sStatus, version: k0sOld.version)],
        invocationID: "start-0", restartPending: false, startedFrom: k0sOld)
    world.tick(request: .adopt)
    world.tick()
    world.keep(artifact, at: "/usr/local/bin/.holdfast-pending/k0s.1-2-3", of: world.installation.id)
    if isBroken, let digest = artifact.sha256 { world.broken = [digest] }
    try world.approve(artifact)
    return world
}

private let k0s = [
    KillScenario(
        testDescription: "upgrade: a minor on a k0s controller, after its gate and a backup",
        node: { try controller(k0sMinor) }, run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: gating", "step: backing-up", "backup", "step: replacing",
            "replace", "step: restarting", "restart", "step: probing", "spent", "step: done", "spare",
        ], may: [k0sOld, k0sMinor], runs: k0sMinor),
    KillScenario(
        testDescription: "upgrade: a patch on a k0s controller that never becomes well is put back",
        node: { try controller(k0sPatch, isBroken: true) }, run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: replacing", "replace", "step: restarting",
            "restart", "step: probing", "quarantined", "step: replacing-back", "replace",
            "step: restarting-back", "restart", "step: probing-back", "spent", "step: put-back",
            "vault away",
        ], may: [k0sOld, k0sPatch], runs: k0sOld),
]

private let beforehand = [
    KillScenario(
        testDescription: "upgrade: the backup before it has the oldest one go",
        node: {
            let world = try killedServer(patch) { policy in
                policy.backup.mode = .required
                policy.backup.keep = 1
            }
            try KillScenario.timer(world)
            world.offer(secondPatch)
            try world.approve(secondPatch)
            return world
        }, run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: backing-up", "backup", "backup away", "step: replacing",
            "replace", "step: restarting", "restart", "step: probing", "spent", "step: done", "vault away",
            "spare",
        ], may: [patch, secondPatch], runs: secondPatch),
    KillScenario(
        testDescription: "of what was turned away the oldest go",
        node: {
            let world = try adopted()()
            for number in 1...5 {
                let path = "/usr/local/bin/.holdfast-pending/k3s.\(number)-60-1790000000"
                world.guards.put(path, "turned away \(number)")
                world.keep(
                    Artifact(
                        version: Version("v1.32.\(number)+k3s1"),
                        sha256: Digest(String(repeating: "\(number)", count: 64))),
                    at: path, of: world.installation.id)
            }
            return world
        }, run: KillScenario.timer, chain: ["pending away", "pending away"], may: [old], runs: old),
]

private let snaps = [
    KillScenario(
        testDescription: "MicroK8s: an approved revision", node: { try snap(snapPatch) },
        run: KillScenario.timer,
        chain: [
            "step: storing", "step: replacing", "refresh", "last ran", "step: probing", "spent", "step: done",
        ], may: [snapOld, snapPatch], runs: snapPatch),
    KillScenario(
        testDescription: "MicroK8s: a minor, after its gate and a backup",
        node: { try snap(snapMinor, settings: askCommand) }, run: KillScenario.timer,
        chain: [
            "step: storing", "step: gating", "step: backing-up", "backup", "step: replacing", "refresh",
            "last ran", "step: probing", "spent", "step: done",
        ],
        may: [snapOld, snapMinor], runs: snapMinor),
    KillScenario(
        testDescription: "MicroK8s: a revision that snapd takes back",
        node: { try snap(snapPatch, fate: SnapdUndo(reason: "change 7 ended as Error", hadStopped: true)) },
        run: KillScenario.timer,
        chain: [
            "step: storing", "step: replacing", "refresh, taken back", "last ran", "quarantined",
            "step: replacing-back", "step: probing-back", "spent", "step: put-back",
        ], may: [snapOld, snapPatch], runs: snapOld),
    KillScenario(
        testDescription: "invariant 12: MicroK8s: a revision that never becomes well is left to a person",
        node: { try snap(snapPatch, isBroken: true) }, run: KillScenario.timer,
        chain: [
            "step: storing", "step: replacing", "refresh", "last ran", "step: probing", "spent",
            "quarantined", "step: needs-person",
        ],
        may: [snapOld, snapPatch], runs: snapPatch),
    KillScenario(
        testDescription: "MicroK8s: adopt",
        node: {
            let world = heldMicroK8s(isUnderGuard: false)
            world.guards.settings = [Setting(.snapHold, "microk8s"): "2027-01-01T00:00:00Z auto-refresh"]
            world.tick()
            return world
        }, run: KillScenario.ask(.adopt),
        chain: ["adopted", "last ran", "drop-in", "reload", "set snap-hold", "set snap-retain"],
        may: [snapOld], runs: snapOld, isAskedAgain: true),
    KillScenario(
        testDescription: "MicroK8s: release", node: { heldMicroK8s() }, run: KillScenario.ask(.release),
        chain: [
            "released", "unset snap-hold", "unset snap-retain", "drop-in away", "reload", "last ran away",
        ], may: [snapOld], runs: snapOld, isAskedAgain: true),
]

private let words = [
    KillScenario(
        testDescription: "adopt",
        node: {
            let world = guardedServer(isUnderGuard: false)
            world.hasGate = true
            world.tick()
            return world
        }, run: KillScenario.ask(.adopt),
        chain: ["adopted", "vault", "spare", "last ran", "drop-in", "reload"], may: [old], runs: old,
        isAskedAgain: true),
    KillScenario(
        testDescription: "release", node: adopted(), run: KillScenario.ask(.release),
        chain: ["released", "drop-in away", "reload", "last ran away", "spare away", "vault away"],
        may: [old],
        runs: old, isAskedAgain: true),
    KillScenario(
        testDescription: "adopt after release", node: adopted(.release), run: KillScenario.ask(.adopt),
        chain: ["adopted", "vault", "spare", "last ran", "drop-in", "reload"], may: [old], runs: old,
        isAskedAgain: true),
    KillScenario(
        testDescription: "pause", node: adopted(), run: pauseOnce, chain: ["paused"],
        may: [old],
        runs: old, isAskedAgain: true),
    KillScenario(
        testDescription: "resume", node: adopted(killedPause), run: KillScenario.ask(.resume),
        chain: ["resumed"],
        may: [old], runs: old, isAskedAgain: true),
    KillScenario(
        testDescription: "a pause comes to its end",
        node: {
            let world = try adopted(killedPause)()
            world.clock.now = Instant(seconds: 1_800_000_000)
            return world
        }, run: KillScenario.timer, chain: ["resumed"], may: [old], runs: old),
    KillScenario(
        testDescription: "the policy takes the gate back",
        node: {
            let world = try adopted()()
            world.policy = gatePolicy(.off)
            return world
        }, run: KillScenario.timer,
        chain: ["drop-in away", "reload", "last ran away", "spare away", "vault away"], may: [old], runs: old),
]

private let gates = [
    KillScenario(
        testDescription: "the gate has put the spare back", node: gateActed(.restored, mode: .restore),
        run: KillScenario.timer, chain: ["gate: put-back", "spare"], may: [old], runs: old),
    KillScenario(
        testDescription: "the gate has refused a start", node: gateActed(.refused, mode: .refuse),
        run: KillScenario.timer, chain: ["gate: refused"], may: [minor], runs: nil, isStartable: false),
    KillScenario(
        testDescription: "what is not approved is put back outside a start",
        node: {
            let world = guardedServer()
            world.hasGate = true
            world.bring(minor)
            world.tick()
            world.pass(.minutes(2))
            return world
        }, run: KillScenario.timer, chain: ["replace", "spare"], may: [old, minor], runs: old),
    KillScenario(
        testDescription: "a binary that is missing is put back, and its unit started",
        node: {
            let world = guardedServer()
            world.tick()
            world.installations[0].installed?.artifact = Artifact(version: nil)
            world.installations[0].installed?.identity = nil
            world.installations[0].installed?.unreadable = "missing"
            world.installations[0].units[0].activeState = "inactive"
            world.installations[0].running = nil
            world.problems = [Problem(code: Problem.binaryMissing, text: "it is gone", about: binary)]
            world.standings[unit] = UnitStanding(isUp: false, lacksFile: true, isEnabled: true)
            world.tick()
            world.pass(.minutes(2))
            return world
        }, run: KillScenario.timer, chain: ["replace", "spare", "start"], may: [old], runs: old,
        isStartable: false),
]
