import Agent
import Model
import Ports
import Rules

/// A seeded life of a whole fleet: nodes tick in any order, and everything that can go wrong does, at random.
///
/// Clusters of one server, of three, and of a server with agents; stages over all of them. After each step it is asked
/// whether the invariants still hold; what does not is told with the seed that repeats it.
final class FleetStory {
    let store = SimulatedFleet()
    private(set) var nodes: [World] = []
    let watch: StoryWatch
    var dice: Dice
    let bug: StoryBug?
    let stages: [Stage]

    private var snapshot: SimulatedStore.Content?
    /// Whose step of a rollout began in this turn.
    private var begins: Set<String> = []
    /// Whether a node acts while another's operation is on its way.
    private var isBetween = false

    // What people know.
    /// The releases, the newest last.
    var releases: [Artifact] = []
    /// The newest patch of each minor.
    var patches: [Int: Int] = [31: 4]
    /// The rollout's generation when people looked last, and how often they have seen that one.
    var seen: Int64 = 0
    var idle = 0
    /// How many rollouts were begun, and how many ended, by how.
    var begun = 0
    var ended: [RolloutDocument.State: Int] = [:]

    var violations: [String] { watch.violations }
    /// How many ticks of nodes there were.
    var ticks: Int { nodes.reduce(0) { $0 + $1.ticks } }

    init(seed: UInt64, clusters: Int, bug: StoryBug? = nil) {
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
        watch = StoryWatch(stages: stages)
        store.onWrite = { [unowned self] document in watch.wrote(document) }
        if let digest = old.sha256, let version = old.version { watch.release(version, digest) }
        for cluster in 0..<clusters {
            let servers = cluster % 3 == 1 ? 3 : 1
            for server in 0..<servers {
                let isCanary = cluster == 0 || (cluster == 3 && server == 0)
                add("\(cluster)-\(isCanary ? "canary" : "server")-\(server)", cluster, .server)
            }
            guard cluster % 3 == 2 else { continue }
            for agent in 0..<3 {
                let isCanary = agent == 0 && cluster == 2
                add("\(cluster)-\(isCanary ? "canary" : "agent")-a\(agent)", cluster, .agent)
            }
        }
        for node in nodes {
            node.tick(request: .adopt)
            node.tick(asksFleet: true)
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
            stages: bug == .takesItselfForCanary && cluster == 4 ? everybodyFirst : stages
        ) { policy in
            policy.health.failureLimit = 1
            policy.gates = []
            policy.backup.mode = .off
            policy.waypoints = .none
        }
        node.name = name
        node.clusterName = "cluster-\(cluster)"
        node.hasGate = true
        // Votes are told by the cluster alone, which is not simulated here.
        if role == .server { node.installations[0].dataStore = .external }
        let port = SimulatedFleetPort(store)
        port.isAlive = { [unowned node] in node.guards.burn() }
        port.beforeOperation = { [unowned self, unowned node] in othersMayBeFirst(than: node) }
        node.fleet = port
        node.ledger.onCommit = { [unowned self, unowned node] events in
            for case .stepBegan(let step) in events where step.rollout != nil { begins.insert(node.name) }
        }
        bug?.plant(in: node, port)
        watch.watch(node)
        nodes.append(node)
    }

    // MARK: What happens

    /// One node's turn, with whatever happens to it.
    func step() {
        turn(of: dice.pick(nodes))
        watch.turns += 1
        if watch.turns % max(40, nodes.count * 3) == 0 { peopleAct() }
    }

    private func turn(of node: World) {
        pass(on: node)
        happen(to: node)
        node.guards.fuse = dice.chance(4) ? Int(dice.next() % 90) : nil
        let isCutOff = node.fleet?.isCutOff == true
        begins.remove(node.name)
        let outcome = node.tick(asksFleet: dice.chance(25))
        // As the tick has the step's service started.
        let isWork = stepStanding(of: outcome.judgement, site: World.site, label: fingerprint).isWork
        let report = isWork ? node.step() : nil
        if isCutOff, begins.contains(node.name) {
            watch.violate("2: \(node.name) began a step of a rollout while it did not reach the store")
        }
        let isWhole =
            node.guards.fuse != 0 && outcome.failure == nil && report?.failure == nil
            && outcome.guards?.isBusy != true
        if node.guards.fuse == 0 { node.ledger.restart() }
        node.guards.fuse = nil
        node.fleet?.loseReply = nil
        node.ledger.failNextAppend = nil
        if dice.chance(70) { node.fleet?.isCutOff = false }
        watch.look(at: node, isWhole: isWhole)
    }

    /// The timer is never exact, and a slow node is late by hours.
    private func pass(on node: World) {
        let span = dice.chance(2) ? 7200 : Int64(240 + dice.next() % 240)
        node.clock.now = node.clock.now + TimeSpan(seconds: span)
        node.clock.monotonic += span * 1_000_000_000
    }

    /// While an operation of the store is on its way another node is there before it: what was read is old.
    private func othersMayBeFirst(than node: World) {
        guard !isBetween, watch.turns > 0, dice.chance(1) else { return }
        let other = dice.pick(nodes)
        guard other !== node else { return }
        isBetween = true
        turn(of: other)
        isBetween = false
    }

    private func happen(to node: World) {
        switch dice.next() % 100 {
        case 0..<3: node.fleet?.isCutOff = true
        // A node takes its turn in the look that finds it, so it has to be cut off more often for that to show.
        case 13..<40 where bug == .remembersStore: node.fleet?.isCutOff = true
        case 3..<7:
            let isDone = dice.chance(50)
            node.fleet?.loseReply = { isDone }
        case 7: node.clock.now = node.clock.now + TimeSpan(seconds: dice.pick([-86_400, -600, 600, 7200]))
        case 8: reboot(node)
        case 9: node.clock.synchronised = dice.pick([true, true, false])
        case 10 where watch.turns % 7 == 0: snapshot = store.snapshot()
        case 11 where watch.turns % 29 == 0:
            if let snapshot { store.restore(snapshot) }
            snapshot = nil
        case 12:
            node.ledger.failNextAppend = LedgerFailure(code: .busy, description: "the ledger is in use")
        default: break
        }
    }

    private func reboot(_ node: World) {
        node.clock.bootID = "boot-\(dice.next() % 1000)"
        node.clock.monotonic = 1
        node.start(unit)
    }
}
