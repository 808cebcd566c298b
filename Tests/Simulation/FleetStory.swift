import Agent
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
        /// A node takes every stage for met.
        case ignoresStages
        /// A node goes on though an artifact is quarantined.
        case ignoresQuarantine
        /// A put replaces whatever is there.
        case putsBlindly
    }

    let store = SimulatedFleet()
    private(set) var nodes: [World] = []
    private(set) var violations: [String] = []
    private(set) var ticks = 0
    private var dice: Dice
    private let bug: Bug?
    private let stages: [Stage]
    private var snapshot: SimulatedFleet.Snapshot?
    /// Stages of each kind that were met once, by rollout: what a restored store forgets stays true.
    private var met: [String: Set<String>] = [:]
    /// Which rollout each artifact is of.
    private var rollouts: [String: String] = [:]
    private var number = 0
    private var current: [String: Artifact] = [:]

    /// How often a node has put an artifact of a rollout in place.
    private(set) var puts = 0
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
        store.onWrite = { [unowned self] before, after in wrote(before, after) }
        for node in nodes {
            node.tick(request: .adopt)
            node.tick(asksFleet: true)
            current[node.name] = old
        }
    }

    private func add(_ name: String, _ cluster: Int, _ role: Role) {
        let node = guardedServer(role: role, unattended: .patch, isUnderGuard: false, stages: stages) {
            policy in
            policy.health.failureLimit = 1
        }
        node.name = name
        node.clusterName = "cluster-\(cluster)"
        // Votes are told by the cluster alone, which is not simulated here.
        if role == .server { node.installations[0].dataStore = .external }
        let port = SimulatedFleetPort(store)
        port.isAlive = { [unowned node] in node.guards.burn() }
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
        let outcome = node.tick(asksFleet: dice.chance(10))
        // As the tick has the step's service started.
        if stepStanding(of: outcome.judgement, site: World.site, label: fingerprint).isWork { node.step() }
        ticks += 1
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
        let patch = number % 50 + 5
        guard let version = Version("v1.31.\(patch + 50 * (number / 50))+k3s1") else { return }
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
        _ = try? SimulatedFleetPort(store).put(document, over: existing)
    }

    // MARK: What must hold

    private func wrote(_ before: RolloutDocument?, _ after: RolloutDocument) {
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
        let installed = node.installation.installed?.artifact
        guard let installed, installed.sha256 != nil else {
            return violate("7: \(node.name) has no artifact that could be started")
        }
        let before = current[node.name]
        guard installed.sha256 != before?.sha256 else { return }
        current[node.name] = installed
        guard let bytes = installed.bytes, let rollout = rollouts[bytes] else { return }
        puts += 1
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
    @Test(
        "invariants 1, 2, 4, 6, 7, 9 and 12 hold at every step, whatever happens to nodes and store",
        arguments: [1, 2, 3, 4] as [UInt64])
    func invariants(seed: UInt64) {
        let story = FleetStory(seed: seed, clusters: 8)
        for _ in 0..<1000 where story.violations.isEmpty { story.step() }
        #expect(story.violations == [], "seed \(seed)")
        #expect(story.puts > 0)
    }
}
