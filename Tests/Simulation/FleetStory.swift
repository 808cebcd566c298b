import Agent
import FoundationEssentials
import Model
import Ports
import Rollout
import Rules
import Testing

/// A seeded life of a whole fleet: nodes tick in any order, and everything that can go wrong does, at random.
///
/// Clusters of one server, of three, and of a server with agents; stages over all of them. After each step it is asked
/// whether the invariants still hold; what does not is told with the seed that repeats it.
final class FleetStory {
    /// What the story is told to get wrong, so that it is seen that it would be found.
    enum Bug: CaseIterable {
        /// The nodes of one cluster take themselves for canaries (invariant 4).
        case takesItselfForCanary
        /// A node's policy lets minors in with nobody asked (invariant 1).
        case allowsMinors
        /// A node that does not reach the store goes by what it saw last (invariant 2).
        case remembersStore
    }

    let store = SimulatedFleet()
    private(set) var nodes: [World] = []
    private(set) var violations: [String] = []
    private(set) var ticks = 0
    private var dice: Dice
    private let bug: Bug?
    private let stages: [Stage]
    private var snapshot: SimulatedStore.Content?
    /// Stages of each kind that were met once, by rollout: what a restored store forgets stays true.
    private var met: [String: Set<String>] = [:]
    /// Which rollout each artifact is of.
    private var rollouts: [String: String] = [:]
    private var number = 0
    private var begunNow = false
    private var current: [String: Artifact] = [:]
    /// Minors that a person has approved, by their bytes.
    private var approved: Set<String> = []
    /// The releases in the order in which they came.
    private var patches: [Int: Int] = [31: 4]

    /// How many rollouts were begun.
    var begun: Int { rollouts.count }
    /// How many rollouts have ended, by how.
    private(set) var ended: [RolloutDocument.State: Int] = [:]

    init(seed: UInt64, clusters: Int, bug: Bug? = nil) {
        dice = Dice(seed: seed)
        self.bug = bug
        var canary = Stage(name: "canary")
        canary.nodes = ["*-canary*"]
        canary.soak = .minutes(20)
        canary.deadline = .days(30)
        var early = Stage(name: "early")
        early.clusters = ["cluster-1*"]
        early.maxConcurrent = 2
        early.need = .count(2)
        early.deadline = .days(30)
        var rest = Stage(name: "rest")
        rest.maxConcurrent = 5
        rest.deadline = .days(30)
        stages = [canary, early, rest]
        for cluster in 0..<clusters {
            let servers = cluster % 3 == 1 ? 3 : 1
            for server in 0..<servers {
                let isCanary = cluster == 0 || (cluster == 3 && server == 0)
                add("\(cluster)-\(isCanary ? "canary" : "server")-\(server)", cluster, .server)
            }
            if cluster % 3 == 2 {
                for agent in 0..<3 {
                    add(
                        "\(cluster)-\(agent == 0 && cluster == 2 ? "canary" : "agent")-a\(agent)", cluster,
                        .agent)
                }
            }
        }
        store.onWrite = { [unowned self] document in wrote(document) }
        for node in nodes {
            node.tick(request: .adopt)
            node.tick(asksFleet: true)
            current[node.name] = old
        }
    }

    /// The stages of a policy by which all are of the first.
    private var everybodyFirst: [Stage] {
        var stages = stages
        stages[0].nodes = ["*"]
        return stages
    }

    private func add(_ name: String, _ cluster: Int, _ role: Role) {
        let node = guardedServer(
            role: role, unattended: bug == .allowsMinors ? .minor : .patch, isUnderGuard: false,
            stages: bug == .takesItselfForCanary && cluster == 6 ? everybodyFirst : stages
        ) { policy in
            policy.health.failureLimit = 1
            policy.gates = []
            policy.backup.mode = .off
            policy.waypoints = .none
        }
        node.name = name
        node.clusterName = "cluster-\(cluster)"
        // Votes are told by the cluster alone, which is not simulated here.
        if role == .server { node.installations[0].dataStore = .external }
        let port = SimulatedFleetPort(store)
        port.isAlive = { [unowned node] in node.guards.burn() }
        port.client.bug = bug == .remembersStore ? .remembers : nil
        node.fleet = port
        nodes.append(node)
    }

    // MARK: What happens

    /// One node's turn, with whatever happens to it.
    func step() {
        let node = dice.pick(nodes)
        node.clock.now = node.clock.now + TimeSpan(seconds: Int64(240 + dice.next() % 240))
        node.clock.monotonic += 300_000_000_000
        happen(to: node)
        node.guards.fuse = dice.chance(4) ? Int(dice.next() % 60) : nil
        let isCutOff = node.fleet?.isCutOff == true
        begunNow = false
        node.ledger.onCommit = { [unowned self] events in
            for case .stepBegan(let step) in events where step.rollout != nil { begunNow = true }
        }
        let outcome = node.tick(asksFleet: dice.chance(10))
        // As the tick has the step's service started.
        if stepStanding(of: outcome.judgement, site: World.site, label: fingerprint).isWork { node.step() }
        ticks += 1
        if isCutOff, begunNow {
            violate("2: \(node.name) began a step of a rollout while it did not reach the store")
        }
        node.guards.fuse = nil
        node.fleet?.loseReply = nil
        if dice.chance(70) { node.fleet?.isCutOff = false }
        look(at: node)
        if ticks % 40 == 0 { peopleAct() }
    }

    private func happen(to node: World) {
        switch dice.next() % 100 {
        case 0..<3: node.fleet?.isCutOff = true
        case 3..<7:
            let isDone = dice.chance(50)
            node.fleet?.loseReply = { isDone }
        case 7: node.clock.now = node.clock.now + TimeSpan(seconds: dice.pick([-86_400, -600, 600, 7200]))
        case 8:
            node.clock.bootID = "boot-\(dice.next() % 1000)"
            node.clock.monotonic = 1
            node.start(unit)
        case 9: node.clock.synchronised = dice.pick([true, true, false])
        case 10 where ticks % 7 == 0: snapshot = store.snapshot()
        case 11 where ticks % 29 == 0:
            if let snapshot { store.restore(snapshot) }
            snapshot = nil
        default: break
        }
    }

    /// People begin rollouts, some of them of releases that are broken, and mend what stands.
    private func peopleAct() {
        guard let stored = store.rollouts[.k3s], !stored.value.state.hasEnded else {
            if let state = store.rollouts[.k3s]?.value.state { ended[state, default: 0] += 1 }
            begin()
            return
        }
        let port = SimulatedFleetPort(store)
        let document = stored.value
        let highest = nodes.map { $0.state.seat(of: .k3s).highest }.max() ?? 0
        switch document.state {
        case .halted where dice.chance(40):
            _ = try? document.aborting(reason: "it failed").written(port, stored)
        case .paused:
            _ = try? document.resuming(highest: highest, now: nodes[0].clock.now).written(port, stored)
        case .running where highest > document.generation:
            _ = try? document.resuming(highest: highest, now: nodes[0].clock.now).written(port, stored)
        case .running where dice.chance(3):
            _ = try? document.pausing(reason: "a person").written(port, stored)
        case .running where dice.chance(2):
            _ = try? document.aborting(reason: "a person").written(port, stored)
        default: break
        }
    }

    private func begin() {
        number += 1
        // Now and then a minor, which takes a person.
        let newest = patches.keys.max() ?? 31
        let isMinor = dice.chance(25)
        let minor = isMinor ? newest + 1 : newest
        let patch = (patches[minor] ?? -1) + 1
        patches[minor] = patch
        guard let version = Version("v1.\(minor).\(patch)+k3s1") else { return }
        let digest = String(repeating: "0", count: 60) + String(10_000 + number).suffix(4)
        let artifact = Artifact(version: version, sha256: Digest(digest))
        let isBroken = dice.chance(25)
        for node in nodes {
            if isBroken, dice.chance(40), let digest = artifact.sha256 { node.broken.insert(digest) }
            node.offer(artifact)
        }
        let records = store.records.values.map(\.value).sorted { $0.id < $1.id }
        let planned = try? RolloutDocument.plan(
            id: "r\(number)", distribution: .k3s,
            artifact: RolloutArtifact(version: version, bytes: ["amd64": artifact.bytes ?? ""]),
            policy: .none,
            stages: stages,
            nodes: records.map { record in
                PlannedNode(
                    name: record.name,
                    participant: Participant(
                        id: record.id, cluster: record.cluster,
                        kind: record.parts.first?.role?.isControlPlane == false ? .workers : .controlPlane,
                        stage: record.stage ?? "", architecture: record.architecture))
            })
        let highest = nodes.map { $0.state.seat(of: .k3s).highest }.max() ?? 0
        let existing = store.rollouts[.k3s]
        guard let planned,
            let document = try? RolloutDocument.create(planned, over: existing?.value, highest: highest)
        else { return }
        rollouts[artifact.bytes ?? ""] = document.id
        let port = SimulatedFleetPort(store)
        _ = try? port.put(document, over: existing)
        guard isMinor else { return }
        guard dice.chance(70), let digest = artifact.sha256 else {
            // Nobody approves it: it must never run, and is given up.
            unapproved.insert(artifact.bytes ?? "")
            return
        }
        approved.insert(artifact.bytes ?? "")
        let now = nodes.map(\.clock.now).max() ?? Instant(seconds: 0)
        try? port.share(
            Approval(
                id: "a\(number)", distribution: .k3s, version: version, digests: ["amd64": digest],
                revision: nil,
                from: [], scope: .rollout(document.id), approvedAt: now, expires: now + .days(900),
                waives: [],
                reason: "", claimedBy: "a person", spentBy: []))
    }

    /// Minors that nobody approves, by their bytes.
    private var unapproved: Set<String> = []

    // MARK: What must hold

    private func wrote(_ after: RolloutDocument) {
        for track in after.tracks {
            for stage in track.stages where stage.met {
                met["\(after.id) \(track.cluster) \(track.kind.rawValue)", default: []].insert(stage.name)
            }
            let inStep = track.stages.reduce(0) { $0 + $1.granted.count }
            if track.kind == .controlPlane, inStep > 1 {
                violate("4: \(inStep) control-plane nodes of \(track.cluster) hold a grant at once")
            }
            for stage in track.stages where stage.granted.count > stage.max {
                violate("4: \(stage.granted.count) nodes hold a grant of stage \(stage.name)")
            }
        }
    }

    private func look(at node: World) {
        checkControlPlane(of: node)
        let installed = node.installation.installed?.artifact
        guard let installed, installed.sha256 != nil else {
            return violate("7: \(node.name) has no artifact that could be started")
        }
        let before = current[node.name]
        guard installed.sha256 != before?.sha256 else { return }
        current[node.name] = installed
        guard let bytes = installed.bytes, let rollout = rollouts[bytes] else { return }
        if unapproved.contains(bytes) {
            violate("1: \(node.name) runs \(installed.summary), a minor that nobody approved")
        }
        if let from = before?.version, let to = installed.version, to > from, to.minor > from.minor + 1 {
            violate("9: \(node.name) went from \(from) to \(to)")
        }
        if let from = before?.version, let to = installed.version, to > from { checkOrder(node, rollout) }
    }

    /// Every earlier stage, over all tracks of its kind, was met before this node put the artifact in place.
    private func checkOrder(_ node: World, _ rollout: String) {
        guard let own = stages.firstIndex(where: { $0.matches(node.facts) }) else { return }
        let isServer = node.installation.role?.isControlPlane == true
        for other in nodes where (other.installation.role?.isControlPlane == true) == isServer {
            guard let position = stages.firstIndex(where: { $0.matches(other.facts) }), position < own else {
                continue
            }
            let track = "\(rollout) \(other.clusterName) \(isServer ? "control-plane" : "workers")"
            if met[track]?.contains(stages[position].name) != true {
                violate(
                    "4: \(node.name) of stage \(stages[own].name) runs rollout \(rollout) before stage "
                        + "\(stages[position].name) of \(other.clusterName) was met")
            }
        }
    }

    /// One control-plane node of a cluster at a time is away, and none goes back over a minor's data.
    private func checkControlPlane(of node: World) {
        let cluster = nodes.filter {
            $0.clusterName == node.clusterName && $0.installation.role?.isControlPlane == true
        }
        let away = cluster.filter { other in
            guard let step = other.state.step, step.rollout != nil else { return false }
            return [.replacing, .restarting, .probing].contains(step.phase) && !step.isProofOnly
        }
        if away.count > 1 {
            violate("4: \(away.map(\.name)) of one control plane are in their steps at once")
        }
        guard node.installation.role?.isControlPlane == true,
            let running = node.installation.running?.startedFrom?.version
        else { return }
        let highest = max(ran[node.name] ?? running, running)
        ran[node.name] = highest
        if running.minor < highest.minor {
            violate("12: \(node.name) runs \(running) over data of \(highest)")
        }
    }

    /// The highest version that has run on each server.
    private var ran: [String: Version] = [:]

    private func violate(_ text: String) { violations.append("after \(ticks) ticks: \(text)") }
}

extension World {
    var facts: NodeFacts { NodeFacts(name: name, cluster: clusterName, labels: [:], architecture: .amd64) }
}

extension RolloutDocument {
    fileprivate func written(
        _ port: SimulatedFleetPort, _ stored: Stored<RolloutDocument>
    ) throws -> Stored<RolloutDocument> { try port.put(self, over: stored) }
}

@Suite("Fleets at random")
struct FleetStoryTests {
    /// A hundred thousand turns of nodes, on small fleets and on one of hundreds; `make soak` makes it millions.
    private static let scale = ProcessInfo.processInfo.environment["HOLDFAST_SOAK"] == nil ? 1 : 20

    @Test(
        "invariants 1, 2, 4, 6, 7, 9 and 12 hold at every step, whatever happens to nodes and store",
        arguments: Array(1...UInt64(40 * scale)))
    func invariants(seed: UInt64) {
        let story = FleetStory(seed: seed, clusters: 8)
        for _ in 0..<2000 where story.violations.isEmpty { story.step() }
        #expect(story.violations == [], "seed \(seed)")
        #expect(story.begun > 0)
    }

    @Test("and on a fleet of hundreds of nodes", arguments: Array(1000..<UInt64(1000 + 2 * scale)))
    func hundreds(seed: UInt64) {
        let story = FleetStory(seed: seed, clusters: 120)
        #expect(story.nodes.count > 200)
        for _ in 0..<10_000 where story.violations.isEmpty { story.step() }
        #expect(story.violations == [], "seed \(seed)")
        #expect(story.begun > 0)
    }

    @Test("each of them can fail: a planted bug is found", arguments: FleetStory.Bug.allCases)
    func planted(bug: FleetStory.Bug) {
        var found: [String] = []
        for seed in 1...UInt64(20) where found.isEmpty {
            let story = FleetStory(seed: seed, clusters: 8, bug: bug)
            for _ in 0..<3000 where story.violations.isEmpty { story.step() }
            found = story.violations
        }
        let number: String =
            switch bug {
            case .takesItselfForCanary: "4:"
            case .allowsMinors: "1:"
            case .remembersStore: "2:"
            }
        #expect(found.first?.contains(number) == true, "\(found)")
    }
}
