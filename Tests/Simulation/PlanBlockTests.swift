import Agent
import Model
import Ports
import Testing

/// A K3s server, adopted, under a policy that keeps plans away.
private func node(_ plans: Enforcement.Plans = .block, unattended: Ceiling = .none) -> World {
    let world = Story(seed: 1).world
    world.policy = policy(plans, unattended)
    let version = world.installations[0].installed?.artifact.version
    world.installations[0].running?.version = version
    world.access = ClusterAccess(distribution: .k3s, kubeconfig: "/etc/rancher/k3s/k3s.yaml")
    world.cluster.plans = [plan("v1.32.1-k3s1")]
    return world
}

private func policy(_ plans: Enforcement.Plans, _ unattended: Ceiling = .none) -> PolicyReading {
    var document = PolicyDocument()
    document.base.enforce.plans = plans
    document.base.unattended = unattended
    document.base.approvable = .minor
    document.base.gates = []
    document.base.backup.mode = .off
    return .valid(
        LoadedPolicy(
            document: document, sources: PolicySources(file: "policy.yaml", lines: [:]), sha256: .none))
}

private func plan(
    _ latest: String?, name: String = "server-plan", namespace: String = "system-upgrade",
    version: String? = nil, selects: Bool = true, names: [Distribution] = [.k3s]
) -> UpgradePlan {
    UpgradePlan(
        namespace: namespace, name: name, version: version, channel: "https://u/channels/stable",
        latestVersion: latest, names: names, selectsNode: selects)
}

private let label = Setting(.planLabel, "server-plan")

extension World {
    fileprivate var codes: [String] { state.problems.map(\.code) }

    /// As much later as it takes for the cluster to be asked again.
    fileprivate func tickLater() -> Tick.Outcome {
        clock.now = clock.now + .minutes(10)
        return tick()
    }
}

@Suite("Plans kept away by a label")
struct PlanBlockTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var plans: [UpgradePlan]
        var labels: Set<String>
    }

    static let rows = [
        Row(testDescription: "an unattended minor", plans: [plan("v1.32.1-k3s1")], labels: ["server-plan"]),
        Row(
            testDescription: "invariant 2: nobody says what", plans: [plan(nil)], labels: ["server-plan"]),
        Row(
            testDescription: "invariant 2: what is said is no version", plans: [plan("stable")],
            labels: ["server-plan"]),
        Row(
            testDescription: "a person's own version", plans: [plan(nil, version: "v1.32.1+k3s1")],
            labels: ["server-plan"]),
        Row(testDescription: "what runs already", plans: [plan("v1.31.4-k3s1")], labels: []),
        Row(testDescription: "not for this node", plans: [plan("v1.32.1-k3s1", selects: false)], labels: []),
        // Another build of the same release may be other bytes; its version is held.
        Row(testDescription: "a build", plans: [plan("v1.31.4-k3s2")], labels: ["server-plan"]),
        Row(
            testDescription: "of the system, not of K3s",
            plans: [plan("22.04", names: []), plan("v1.30.9-rke2r1", name: "rke2", names: [])], labels: []),
        Row(
            testDescription: "of nobody's name, but of a version of Kubernetes",
            plans: [plan("v1.32.1", names: [])], labels: ["server-plan"]),
        Row(
            testDescription: "several, one of them harmless",
            plans: [plan("v1.32.1-k3s1", name: "a"), plan("v1.31.4-k3s1", name: "b"), plan(nil, name: "c")],
            labels: ["a", "c"]),
        Row(
            testDescription: "two of one name in two namespaces: the one to be kept away wins",
            plans: [plan("v1.31.4-k3s1", namespace: "a"), plan("v1.32.1-k3s1", namespace: "b")],
            labels: ["server-plan"]),
        Row(
            testDescription: "of a name that no label can have",
            plans: [plan("v1.32.1-k3s1", name: String(repeating: "a", count: 64))], labels: []),
    ]

    @Test("invariant 1: whose target is not allowed, and no others", arguments: rows)
    func blocked(row: Row) {
        let world = node()
        world.cluster.plans = row.plans
        world.tick(request: .adopt)
        world.tick()
        let labels = world.guards.settings.filter { $0.key.kind == .planLabel }
        #expect(Set(labels.keys.map(\.subject)) == row.labels)
        #expect(labels.values.allSatisfy { $0 == "disabled" })
        // At rest.
        let entries = world.committed.count
        world.tick()
        #expect(world.tickLater().events.isEmpty)
        #expect(world.committed.count == entries)
    }

    @Test("a plan is a change like any other, and judged as one")
    func judged() {
        let world = node(.warn)
        world.tick()
        let change = world.state.installations["k3s/k3s"]?.changes.first
        #expect(change?.change.trigger == .sucPlan)
        #expect(change?.change.phase == .offered)
        #expect(change?.verdict == .hold)
        // warn: it is told, and nothing is done.
        world.tick(request: .adopt)
        world.tick()
        #expect(world.guards.settings.isEmpty)
    }

    @Test(
        "invariant 10: the label is taken away, and what was there before put back", arguments: ["0f3c", nil])
    func undone(before: String?) {
        let world = node()
        world.guards.settings[label] = before
        world.tick(request: .adopt)
        world.tick()
        #expect(world.guards.settings[label] == "disabled")
        world.tick(request: .pause(until: world.clock.now + .hours(1), reason: "by hand"))
        #expect(world.guards.settings[label] == before)
        world.tick(request: .resume)
        #expect(world.guards.settings[label] == "disabled")
        world.tick(request: .release)
        #expect(world.guards.settings[label] == before)
        #expect(world.state.guards == nil)
    }

    @Test("invariant 10: an operator's own is left as it is, by release too")
    func operators() {
        let world = node()
        world.guards.settings[label] = "disabled"
        world.tick(request: .adopt)
        world.tick()
        #expect(world.state.guards?.settings.isEmpty != false)
        world.tick(request: .release)
        #expect(world.guards.settings[label] == "disabled")
    }

    @Test("it is taken away where the plan goes, or comes to what runs")
    func gone() {
        for plans in [[], [plan("v1.31.4-k3s1", version: "v1.31.4+k3s1")]] {
            let world = node()
            world.tick(request: .adopt)
            world.tick()
            #expect(world.guards.settings[label] == "disabled")
            world.cluster.plans = plans
            _ = world.tickLater()
            #expect(world.guards.settings[label] == nil)
        }
    }

    @Test("it is taken away where the target is allowed: its checksums are known, and the policy lets it in")
    func allowed() throws {
        let world = node(unattended: .patch)
        world.cluster.plans = [plan("v1.31.5-k3s1")]
        world.tick(request: .adopt)
        world.tick()
        // Nobody says which bytes that is.
        #expect(world.guards.settings[label] == "disabled")
        world.ledger.catalog = [
            CatalogEntry(
                distribution: .k3s, version: try #require(Version("v1.31.5+k3s1")), architecture: .amd64,
                sha256: try #require(Digest(String(repeating: "5", count: 64))), file: "sums",
                importedAt: world.clock.now)
        ]
        world.tick()
        #expect(world.guards.settings[label] == nil)
        // Another patch is another question.
        world.cluster.plans = [plan("v1.31.6-k3s1")]
        _ = world.tickLater()
        #expect(world.guards.settings[label] == "disabled")
    }

    @Test("a channel that flaps is told, and its plan kept away even from what runs here")
    func flapping() {
        let world = node()
        for latest in ["v1.31.4-k3s1", "v1.31.3-k3s1", "v1.31.4-k3s1"] {
            world.cluster.plans = [plan(latest)]
            if world.state.installations.isEmpty { world.tick(request: .adopt) }
            _ = world.tickLater()
        }
        #expect(world.codes.contains("plan-distrusted"))
        #expect(world.guards.settings[label] == "disabled")
    }

    @Test("somebody else's change of our label is recorded, told and put back")
    func broken() {
        let world = node()
        world.tick(request: .adopt)
        world.tick()
        // The controller does so once a plan was done.
        world.guards.settings[label] = "0f3c"
        let outcome = world.tickLater()
        #expect(outcome.events.contains { $0.kind == "guard-broken" })
        #expect(world.guards.settings[label] == "disabled")
        #expect(world.cluster.told.contains { $0.reason == "GuardBroken" })
        world.tick(request: .release)
        #expect(world.guards.settings[label] == nil)
    }

    @Test("invariant 7: killed at any step, the next tick finishes it, and release leaves nothing behind")
    func killed() {
        for fuse in 0..<40 {
            let world = node()
            world.tick(request: .adopt)
            world.guards.fuse = fuse
            world.tick()
            world.guards.fuse = nil
            _ = world.tickLater()
            #expect(world.guards.settings[label] == "disabled", "\(fuse)")
            #expect(world.state.guards?.intents.isEmpty != false, "\(fuse)")
            world.guards.fuse = fuse
            world.tick(request: .release)
            world.guards.fuse = nil
            world.tick(request: .release)
            #expect(world.guards.settings.isEmpty, "\(fuse)")
            #expect(world.state.guards == nil, "\(fuse)")
        }
    }
}

@Suite("A cluster that is looked at")
struct ClusterWatchTests {
    @Test("is asked at intervals and not at every tick")
    func intervals() {
        let world = node()
        world.tick(request: .adopt)
        world.tick()
        world.tick()
        let looks = world.cluster.looks
        for _ in 0..<5 { world.tick() }
        #expect(world.cluster.looks == looks)
        _ = world.tickLater()
        #expect(world.cluster.looks == looks + 1)
    }

    @Test("is not asked where the policy does not care, nor where no way leads there")
    func unwanted() {
        let off = node(.off)
        off.tick(request: .adopt)
        off.tick()
        #expect(off.cluster.looks == 0)
        let alone = node()
        alone.access = nil
        alone.tick(request: .adopt)
        alone.tick()
        #expect(alone.cluster.looks == 0)
        #expect(alone.codes.contains("plans-unseen"))
    }

    @Test("that does not answer is told once, asked less and less, and what was known stays known")
    func silent() {
        let world = node()
        world.tick(request: .adopt)
        world.tick()
        world.tick()
        world.cluster.failure = ClusterFailure("API server https://127.0.0.1:6443: no answer in time")
        let first = world.tickLater()
        #expect(first.events.map(\.kind).filter { $0 == "problem-began" } == ["problem-began"])
        #expect(world.codes.contains("cluster-silent"))
        let looks = world.cluster.looks
        var quiet = 0
        // Three hours of ticks, five minutes apart.
        for _ in 0..<36 {
            world.clock.now = world.clock.now + .minutes(5)
            if world.tick().events.isEmpty { quiet += 1 }
        }
        #expect(quiet == 36)
        #expect((4...6).contains(world.cluster.looks - looks))
        #expect(world.guards.settings[label] == "disabled")
        #expect(world.state.installations["k3s/k3s"]?.changes.count == 1)
        world.cluster.failure = nil
        world.clock.now = world.clock.now + .hours(1)
        world.tick()
        #expect(!world.codes.contains("cluster-silent"))
    }

    @Test("that does not answer a release still has our label taken away once it does")
    func releasedInSilence() {
        let world = node()
        world.tick(request: .adopt)
        world.tick()
        world.cluster.failure = ClusterFailure("nobody answers")
        world.tick(request: .release)
        #expect(world.guards.settings[label] == "disabled")
        world.cluster.failure = nil
        world.clock.now = world.clock.now + .hours(1)
        world.tick()
        #expect(world.guards.settings[label] == nil)
        #expect(world.state.guards == nil)
    }

    @Test("is told of what is recorded, and of nothing on a quiet tick")
    func told() {
        let world = node()
        world.tick(request: .adopt)
        #expect(world.cluster.told.map(\.reason).sorted() == ["Adopted", "UpgradeHeld"])
        world.tick()
        world.tick()
        let tellings = world.cluster.tellings
        world.tick()
        #expect(world.cluster.tellings == tellings)
    }

    @Test("that cannot be told is no trouble of the tick, and is told as a problem once")
    func untold() {
        let world = node()
        world.cluster.tellFailure = ClusterFailure("events is forbidden")
        let outcome = world.tick(request: .adopt)
        #expect(outcome.failure == nil && outcome.guards?.trouble == nil)
        world.tick()
        // Once can happen to an API server that is starting.
        #expect(!world.codes.contains("events-untold"))
        world.clock.now = world.clock.now + .hours(1)
        world.tick(request: .release)
        world.tick()
        #expect(world.codes.contains("events-untold"))
        let tellings = world.cluster.tellings
        for _ in 0..<5 { world.tick() }
        #expect(world.cluster.tellings == tellings)
        world.cluster.tellFailure = nil
        world.clock.now = world.clock.now + .hours(1)
        world.tick(request: .adopt)
        world.tick()
        #expect(!world.codes.contains("events-untold"))
    }
}
