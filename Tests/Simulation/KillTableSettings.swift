import Agent
import Gate
import Model
import Ports

/// What is set on a node, rather than put there: snapd's holds and channel, seals, labels and cordons; killed at every
/// step.
let settingScenarios = snaps + settings

private let snaps = [
    KillScenario(
        testDescription: "MicroK8s: pause", node: { adminsMicroK8s() }, run: pauseOnce,
        chain: ["paused", "unset snap-hold", "unset snap-retain"], may: [snapOld], runs: snapOld,
        isAskedAgain: true),
    KillScenario(
        testDescription: "MicroK8s: resume", node: { adminsMicroK8s(isPaused: true) },
        run: KillScenario.ask(.resume), chain: ["resumed", "set snap-hold", "set snap-retain"],
        may: [snapOld], runs: snapOld, isAskedAgain: true),
    KillScenario(
        testDescription: "MicroK8s: a pause comes to its end",
        node: {
            let world = adminsMicroK8s(isPaused: true)
            world.clock.now = Instant(seconds: 1_800_000_000)
            return world
        }, run: KillScenario.timer, chain: ["resumed", "set snap-hold", "set snap-retain"], may: [snapOld],
        runs: snapOld),
    KillScenario(
        testDescription: "invariant 1: MicroK8s: a refresh to what is not allowed is given up",
        node: {
            let world = heldMicroK8s()
            world.snapd?.refreshes = [
                SnapRefresh(
                    change: "12", kind: "auto-refresh", snap: "microk8s", revision: snapPatch.revision,
                    isFree: true)
            ]
            return world
        }, run: KillScenario.timer, chain: ["abort"], may: [snapOld], runs: snapOld),
    KillScenario(
        testDescription: "MicroK8s: the veto has refused a start, and snapd has left services stopped",
        node: {
            let world = heldMicroK8s()
            let stopped = "snap.microk8s.daemon-kubelite.service"
            world.snapd?.leftStopped = [stopped]
            let record = SpoolRecord(
                reason: .vetoed, unit: stopped, installation: world.installation.id, at: world.clock.now,
                invocationID: "start-1", text: "what happened", restored: nil, pending: nil)
            world.guards.spooled["1-1-1"] = SpooledFile(
                name: "1-1-1", changed: 0, content: .bytes(Array(record.fileText.utf8)))
            return world
        }, run: KillScenario.timer, chain: ["gate: refused", "start services"], may: [snapOld],
        runs: snapOld),
]

/// Whoever is paused already says no more: a pause that is asked for again begins anew.
@Sendable func pauseOnce(_ world: World) {
    if world.state.pause == nil { world.tick(request: killedPause) } else { world.tick() }
}

/// A held MicroK8s of which an admin had set other than what holds it.
private func adminsMicroK8s(isPaused: Bool = false) -> World {
    let world = heldMicroK8s(isUnderGuard: false)
    world.guards.settings = [
        Setting(.snapHold, "microk8s"): "2027-01-01T00:00:00Z auto-refresh",
        Setting(.snapRetain, "system"): "2",
    ]
    world.tick(request: .adopt)
    world.tick()
    if isPaused { world.tick(request: killedPause) }
    return world
}

/// A K3s server whose approved binary is sealed.
private func sealed(_ policy: inout Policy) { policy.enforce.seal = true }

private let settings = [
    KillScenario(
        testDescription: "adopt, with a seal",
        node: {
            let world = guardedServer(isUnderGuard: false, settings: sealed)
            world.hasGate = true
            world.tick()
            return world
        }, run: KillScenario.ask(.adopt),
        chain: ["adopted", "vault", "spare", "last ran", "drop-in", "reload", "set seal"], may: [old],
        runs: old, isAskedAgain: true),
    KillScenario(
        testDescription: "release, with a seal",
        node: {
            let world = guardedServer(settings: sealed)
            world.hasGate = true
            return world
        }, run: KillScenario.ask(.release),
        chain: [
            "released", "unset seal", "drop-in away", "reload", "last ran away", "spare away", "vault away",
        ], may: [old], runs: old, isAskedAgain: true),
    KillScenario(
        testDescription: "upgrade: an approved patch of a sealed binary",
        node: { try killedServer(patch, settings: sealed) }, run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: replacing", "unset seal", "replace", "step: restarting",
            "restart", "step: probing", "spent", "step: done", "spare", "set seal",
        ],
        may: [old, patch], runs: patch),
    KillScenario(
        testDescription: "upgrade: a node that is emptied first",
        node: {
            let world = try killedServer(patch) { $0.drain.enabled = .enabled }
            world.access = ClusterAccess(distribution: .k3s, kubeconfig: "/k")
            return world
        }, run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: draining", "set cordon", "step: replacing", "replace",
            "step: restarting", "restart", "step: probing", "spent", "step: done", "unset cordon", "spare",
        ], may: [old, patch], runs: patch),
    KillScenario(
        testDescription: "invariant 10: a node that cannot be emptied is left as it was",
        node: {
            let world = try killedServer(patch) { $0.drain.enabled = .enabled }
            world.access = ClusterAccess(distribution: .k3s, kubeconfig: "/k")
            world.care.drain = [DrainProgress(left: 1, blocked: [.init(pod: "db/one", reason: "a budget")])]
            return world
        }, run: KillScenario.timer,
        chain: [
            "step: storing", "vault", "step: draining", "set cordon", "step: abandoned", "unset cordon",
            "vault away",
        ], may: [old], runs: old),
    KillScenario(
        testDescription: "invariant 1: a plan that would bring a minor is kept away",
        node: {
            let world = guardedServer { $0.enforce.plans = .block }
            world.access = ClusterAccess(distribution: .k3s, kubeconfig: "/k")
            world.cluster.plans = [
                UpgradePlan(
                    namespace: "system-upgrade", name: "server-plan", version: nil,
                    channel: "https://u/channels/stable", latestVersion: "v1.32.1-k3s1", names: [.k3s],
                    selectsNode: true)
            ]
            return world
        }, run: KillScenario.timer, chain: ["set plan-label"], may: [old], runs: old),
    KillScenario(
        testDescription: "MicroK8s: adopt, with a pinned channel",
        node: {
            let world = heldMicroK8s(isUnderGuard: false) { $0.pin.channel = "1.33/edge" }
            world.guards.settings = [Setting(.snapChannel, "microk8s"): "1.33/stable"]
            world.tick()
            return world
        }, run: KillScenario.ask(.adopt),
        chain: [
            "adopted", "last ran", "drop-in", "reload", "set snap-hold", "set snap-retain",
            "set snap-channel",
        ], may: [snapOld], runs: snapOld, isAskedAgain: true),
    KillScenario(
        testDescription: "MicroK8s: release, with a pinned channel",
        node: {
            let world = heldMicroK8s(isUnderGuard: false) { $0.pin.channel = "1.33/edge" }
            world.guards.settings = [Setting(.snapChannel, "microk8s"): "1.33/stable"]
            world.tick(request: .adopt)
            world.tick()
            return world
        }, run: KillScenario.ask(.release),
        chain: [
            "released", "unset snap-channel", "unset snap-hold", "unset snap-retain", "drop-in away",
            "reload", "last ran away",
        ], may: [snapOld], runs: snapOld, isAskedAgain: true),
    KillScenario(
        testDescription: "adopt of a binary that our own units have to be told of",
        node: {
            let world = guardedServer(isUnderGuard: false)
            world.hasGate = true
            world.installations[0].installed?.path = "/data/bin/k3s"
            for unit in ["holdfast.service", "holdfast.path", "holdfast-settle.path"] {
                world.guards.put("/usr/local/lib/systemd/system/\(unit)", "as shipped")
            }
            world.tick()
            return world
        }, run: KillScenario.ask(.adopt),
        chain: [
            "adopted", "vault", "spare", "last ran", "drop-in", "reload", "drop-in", "reload", "drop-in",
            "reload", "watch", "drop-in", "reload", "watch",
        ], may: [old], runs: old, isAskedAgain: true),
]
