import Model
import Rules
import Testing

private struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let rule: RuleName
    let result: RuleResult
    let distribution: Distribution
    let role: Role
    let running: String
    let to: String
    let members: [FleetSummary.Member]
    var testDescription: String { "\(rule.rawValue): \(name)" }

    init(
        _ rule: RuleName, _ name: String, _ result: RuleResult, _ distribution: Distribution, _ role: Role,
        _ running: String, _ to: String, _ members: [FleetSummary.Member]
    ) {
        (self.rule, self.name, self.result, self.distribution) = (rule, name, result, distribution)
        (self.role, self.running, self.to, self.members) = (role, running, to, members)
    }

    init(
        _ rule: RuleName, _ name: String, _ result: RuleResult, _ running: String, _ to: String,
        _ members: [FleetSummary.Member]
    ) {
        self.init(rule, name, result, .k3s, .server, running, to, members)
    }

    var scene: Scene {
        var scene = Scene()
        scene.policy.unattended = .minor
        (scene.distribution, scene.role) = (distribution, role)
        (scene.from, scene.to, scene.running) = (Version(running), Version(to), Version(running))
        scene.dataStore = role.isControlPlane ? .etcd : .none
        scene.policy.waypoints = .none
        scene.fleet = .of([.healthy("one", role, running)] + members)
        return scene
    }
}

private func server(_ name: String, _ version: String?) -> FleetSummary.Member {
    .healthy(name, .server, version)
}
private func agent(_ name: String, _ version: String?) -> FleetSummary.Member {
    .healthy(name, .agent, version)
}
private func worker(_ name: String, _ version: String?) -> FleetSummary.Member {
    .healthy(name, .worker, version)
}
private func controller(_ name: String, _ version: String?) -> FleetSummary.Member {
    .healthy(name, .controller, version)
}

private let rows: [Row] = [
    // Three combined servers must be able to end upgraded: the first one's kubelet is then newer than
    // the oldest API server, and is judged against its own.
    Row(
        .skew, "first of three", .met, "v1.31.4+k3s1", "v1.32.0+k3s1",
        [
            server("two", "v1.31.4+k3s1"), server("three", "v1.31.4+k3s1"),
        ]),
    Row(
        .skew, "second of three", .met, "v1.31.4+k3s1", "v1.32.0+k3s1",
        [
            server("two", "v1.32.0+k3s1"), server("three", "v1.31.4+k3s1"),
        ]),
    Row(
        .skew, "last of three", .met, "v1.31.4+k3s1", "v1.32.0+k3s1",
        [
            server("two", "v1.32.0+k3s1"), server("three", "v1.32.0+k3s1"),
        ]),
    Row(
        .skew, "no further step before the oldest has caught up", .unmet, "v1.32.0+k3s1",
        "v1.33.0+k3s1",
        [
            server("two", "v1.32.0+k3s1"), server("three", "v1.31.4+k3s1"),
        ]),
    Row(
        .skew, "a patch moves no skew, whatever is behind", .met, "v1.32.0+k3s1", "v1.32.1+k3s1",
        [
            server("two", "v1.30.0+k3s1")
        ]),
    Row(
        .skew, "one of them is not known", .unknown, "v1.31.4+k3s1", "v1.32.0+k3s1",
        [
            server("two", nil), server("three", "v1.31.4+k3s1"),
        ]),
    Row(
        .skew, "kubelets three behind are the limit", .met, "v1.31.4+k3s1", "v1.32.0+k3s1",
        [
            agent("a", "v1.29.0+k3s1")
        ]),
    Row(
        .skew, "kubelets at -3 block the next step", .unmet, "v1.31.4+k3s1", "v1.32.0+k3s1",
        [
            agent("a", "v1.28.0+k3s1")
        ]),
    Row(
        .skew, "kubelets before 1.25 were given two", .unmet, "v1.26.0+k3s1", "v1.27.0+k3s1",
        [
            agent("a", "v1.24.0+k3s1")
        ]),
    Row(
        .skew, "k0s workers are at most one behind", .unmet, .k0s, .controller, "v1.31.4+k0s.0",
        "v1.32.0+k0s.0",
        [
            worker("w", "v1.30.0+k0s.0")
        ]),
    Row(
        .skew, "k0s workers one behind will do", .met, .k0s, .controller, "v1.31.4+k0s.0",
        "v1.32.0+k0s.0",
        [
            worker("w", "v1.31.0+k0s.0")
        ]),
    Row(
        .skew, "a worker's version is not known", .unknown, "v1.31.4+k3s1", "v1.32.0+k3s1",
        [agent("a", nil)]),
    Row(
        .skew, "going back below a kubelet", .unmet, "v1.32.0+k3s1", "v1.31.4+k3s1",
        [
            agent("a", "v1.32.0+k3s1")
        ]),
    Row(
        .skew, "an agent up to the oldest server", .met, .k3s, .agent, "v1.31.4+k3s1", "v1.32.0+k3s1",
        [
            server("two", "v1.32.0+k3s1"), server("three", "v1.32.0+k3s1"),
        ]),
    Row(
        .skew, "an agent beyond the oldest server", .unmet, .k3s, .agent, "v1.31.4+k3s1",
        "v1.32.0+k3s1",
        [
            server("two", "v1.32.0+k3s1"), server("three", "v1.31.4+k3s1"),
        ]),
    Row(
        .skew, "an agent that sees no server", .unknown, .k3s, .agent, "v1.31.4+k3s1", "v1.32.0+k3s1",
        []),
    Row(
        .skew, "another cluster's server is no evidence", .unknown, .k3s, .agent, "v1.31.4+k3s1",
        "v1.32.0+k3s1",
        [
            FleetSummary.Member(
                name: "x", cluster: "other", role: .server, running: Version("v1.32.0+k3s1"),
                healthy: true,
                votes: true)
        ]),
    Row(
        .order, "the control plane goes first", .met, "v1.31.4+k3s1", "v1.31.5+k3s1",
        [agent("a", nil)]),
    Row(
        .order, "a worker after all servers", .met, .k3s, .agent, "v1.31.4+k3s1", "v1.31.5+k3s1",
        [
            server("two", "v1.31.5+k3s1"), server("three", "v1.31.6+k3s1"),
        ]),
    Row(
        .order, "a worker before the last server", .unmet, .k3s, .agent, "v1.31.4+k3s1",
        "v1.31.5+k3s1",
        [
            server("two", "v1.31.5+k3s1"), server("three", "v1.31.4+k3s1"),
        ]),
    Row(
        .order, "a server's version is not known", .unknown, .k3s, .agent, "v1.31.4+k3s1",
        "v1.31.5+k3s1",
        [
            server("two", nil)
        ]),
    Row(.order, "no server is seen", .unknown, .k0s, .worker, "v1.31.4+k0s.0", "v1.31.5+k0s.0", []),
    Row(
        .order, "k0s controllers count", .met, .k0s, .worker, "v1.31.4+k0s.0", "v1.31.5+k0s.0",
        [
            controller("c", "v1.31.5+k0s.0")
        ]),
    Row(.quorum, "a worker", .met, .k3s, .agent, "v1.31.4+k3s1", "v1.31.5+k3s1", []),
    Row(.quorum, "one", .met, "v1.31.4+k3s1", "v1.31.5+k3s1", []),
    Row(.quorum, "two", .unmet, "v1.31.4+k3s1", "v1.31.5+k3s1", [server("two", "v1.31.4+k3s1")]),
    Row(
        .quorum, "three", .met, "v1.31.4+k3s1", "v1.31.5+k3s1",
        [
            server("two", "v1.31.4+k3s1"), server("three", "v1.31.4+k3s1"),
        ]),
]

@Suite("Rules about the other nodes (invariant 9)")
struct FleetRuleTests {
    @Test(
        "keep the version-skew policy",
        arguments: rows)
    private func rules(_ row: Row) throws {
        let reason = try row.scene.reason(row.rule)
        #expect(reason.result == row.result, "\(reason.text)")
        #expect(row.result == .met || reason.consequence == .hold)
    }

    @Test("let three servers end upgraded, one after the other, over two minors, and the agents after them")
    func threeServers() throws {
        var versions = [
            "one": "v1.31.4+k3s1", "two": "v1.31.4+k3s1", "three": "v1.31.4+k3s1", "a": "v1.31.4+k3s1",
        ]
        func decide(_ name: String, _ to: String) -> Verdict {
            let role: Role = name == "a" ? .agent : .server
            var scene = Row(.skew, "", .met, .k3s, role, versions[name] ?? "", to, []).scene
            scene.node.name = name
            scene.fleet = .of(
                versions.map { .healthy($0.key, $0.key == "a" ? .agent : .server, $0.value) }
                    .sorted { $0.name < $1.name })
            return scene.decision.verdict
        }
        for to in ["v1.32.0+k3s1", "v1.33.0+k3s1"] {
            for (index, name) in ["two", "one", "three"].enumerated() {
                #expect(decide("a", to) == .hold, "the agent goes last")
                #expect(decide(name, to) == .allow, "\(name) to \(to)")
                versions[name] = to
                let next = to == "v1.32.0+k3s1" ? "v1.33.0+k3s1" : "v1.34.0+k3s1"
                #expect((decide(name, next) == .allow) == (index == 2), "\(name) on to \(next)")
            }
            #expect(decide("a", to) == .allow)
            versions["a"] = to
        }
    }

    @Test("want every other member of the control plane healthy and voting, and know it")
    func quorum() throws {
        func result(_ change: (inout FleetSummary.Member) -> Void, _ distribution: Distribution = .k3s) throws
            -> RuleResult
        {
            var member = server("two", "v1.31.4+k3s1")
            change(&member)
            var scene = Row(
                .quorum, "", .met, "v1.31.4+k3s1", "v1.31.5+k3s1",
                [member, server("three", "v1.31.4+k3s1"), server("four", "v1.31.4+k3s1")]
            ).scene
            scene.distribution = distribution
            return try scene.reason(.quorum).result
        }
        #expect(try result { _ in } == .met)
        #expect(try result { $0.healthy = false } == .unmet)
        #expect(try result { $0.healthy = nil } == .unknown)
        #expect(try result { $0.votes = false } == .unmet)
        #expect(try result { $0.votes = nil } == .unknown)
        // dqlite keeps stand-bys beyond its voters.
        #expect(try result({ $0.votes = false }, .microk8s) == .met)
        #expect(try result({ $0.healthy = false }, .microk8s) == .unmet)
    }

    @Test("hold a server while nobody knows who else is of its control plane, and say why (invariant 2)")
    func unseen() throws {
        for others in [[], [server("two", "v1.31.4+k3s1"), server("three", "v1.31.4+k3s1")]] {
            var scene = Row(.quorum, "", .met, "v1.31.4+k3s1", "v1.32.0+k3s1", others).scene
            #expect(scene.decision.verdict == .allow)
            scene.fleet.unseen = "the API server does not answer"
            #expect(scene.open == [.skew, .quorum])
            #expect(try scene.reason(.quorum).result == .unknown)
            #expect(try scene.reason(.quorum).text.contains("the API server does not answer"))
            // Within a minor no skew grows, whoever else there is.
            scene.to = Version("v1.31.5+k3s1")
            #expect(scene.open == [.quorum])
        }
    }

    @Test("say why nobody knows whether a member is healthy, where that is known")
    func doubt() throws {
        var scene = Row(
            .quorum, "", .met, "v1.31.4+k3s1", "v1.31.5+k3s1",
            [server("two", "v1.31.4+k3s1"), server("three", "v1.31.4+k3s1")]
        ).scene
        scene.fleet.members[1].healthy = nil
        scene.fleet.members[1].doubt = "its record was 80m old"
        #expect(
            try scene.reason(.quorum).text == "nobody knows whether two is healthy: its record was 80m old")
    }

    @Test("take two members' quorum as lost, unless it is waived or the state is beside the nodes")
    func twoMembers() {
        var scene = Row(.quorum, "", .met, "v1.31.4+k3s1", "v1.31.5+k3s1", [server("two", "v1.31.4+k3s1")])
            .scene
        #expect(scene.open == [.quorum])
        scene.policy.approval.mayWaive = [.quorum]
        scene.approvals = [.of(scene) { $0.waives = [.quorum] }]
        #expect(scene.decision.verdict == .allow)
        scene.approvals = []
        scene.dataStore = .external
        #expect(scene.decision.verdict == .allow)
    }

    @Test("hold whatever asks the others while the store does not answer (invariant 2)")
    func silentStore() {
        var scene = Row(.quorum, "", .met, "v1.31.4+k3s1", "v1.32.0+k3s1", []).scene
        scene.fleet.answered = false
        #expect(scene.open == [.skew, .stage, .soak, .quorum, .quarantine])
        #expect(scene.decision.verdict == .hold)
    }

    @Test("take a node on the embedded store for a single one, and hold a worker there")
    func embedded() throws {
        var scene = Row(.skew, "", .met, "v1.31.4+k3s1", "v1.32.0+k3s1", []).scene
        scene.fleet = .alone
        #expect(scene.decision.verdict == .allow)
        #expect(try scene.reason(.skew).text.contains("alone"))
        scene.role = .agent
        #expect(scene.open == [.skew, .order])
        #expect(try scene.reason(.order).lever?.contains("fleet.store") == true)
    }

    @Test("let a worker on the embedded store take a patch of the minor that it runs")
    func embeddedPatch() throws {
        var scene = Row(.order, "", .met, .k3s, .agent, "v1.31.4+k3s1", "v1.31.5+k3s1", []).scene
        scene.fleet = .alone
        #expect(try scene.reason(.order).result == .met)
        #expect(try scene.reason(.order).text.contains("sees this node alone"))
        // With a store that should see them, servers that are not there stay unknown.
        scene.fleet.seesOthers = true
        #expect(try scene.reason(.order).result == .unknown)
    }

    @Test("wait for every earlier stage to prove this very artifact, and to soak (invariant 4)")
    func stages() throws {
        var canary = Stage(name: "canary")
        canary.soak = .hours(24)
        var scene = Scene.patching()
        (scene.stages, scene.stage) = ([canary, Stage(name: "middle"), Stage(name: "rest")], 2)
        // This machine alone cannot see them.
        #expect(scene.open == [.stage, .soak])
        #expect(try scene.reason(.stage).result == .unknown)
        scene.fleet = .of([.healthy("one", .server, "v1.31.4+k3s1")])
        #expect(try scene.reason(.stage).result == .unmet)
        #expect(try scene.reason(.soak).result == .unmet)
        func progress(_ stage: String, _ met: Bool, _ left: TimeSpan, change: String = "c0ffee")
            -> FleetSummary.StageProgress
        { .init(stage: stage, change: change, met: met, soakLeft: left) }
        scene.fleet.stages = [progress("canary", true, .zero), progress("middle", false, .zero)]
        #expect(scene.open == [.stage])
        scene.fleet.stages = [progress("canary", true, .hours(1)), progress("middle", true, .zero)]
        #expect(scene.open == [.soak])
        scene.fleet.stages = [progress("canary", true, .zero), progress("middle", true, .zero)]
        #expect(scene.decision.verdict == .allow)
        // Proof of another artifact is none.
        scene.fleet.stages = [
            progress("canary", true, .zero, change: "other"), progress("middle", true, .zero),
        ]
        #expect(scene.open == [.stage, .soak])
        scene.stage = 0
        #expect(scene.decision.verdict == .allow)
        scene.stage = nil
        #expect(scene.open == [.stage, .soak])
    }
}

@Suite("A waypoint")
struct WaypointTests {
    @Test(
        "that ships must not be jumped over on nodes that run etcd",
        arguments: [
            (Distribution.k3s, "v1.33.6+k3s1", "v1.34.1+k3s1", false),
            (.k3s, "v1.33.7+k3s1", "v1.34.3+k3s1", false), (.k3s, "v1.33.7+k3s3", "v1.34.3+k3s1", true),
            (.k3s, "v1.33.6+k3s1", "v1.33.7+k3s3", true), (.k3s, "v1.33.6+k3s1", "v1.33.7+k3s1", true),
            (.k3s, "v1.33.6+k3s1", "v1.33.13+k3s1", false), (.k3s, "v1.32.9+k3s1", "v1.33.5+k3s1", true),
            (.k0s, "v1.33.8+k0s.0", "v1.34.1+k0s.0", false), (.k0s, "v1.33.8+k0s.1", "v1.34.1+k0s.0", true),
            (.k0s, "v1.33.4+k0s.0", "v1.33.13+k0s.1", true), (.microk8s, "v1.33.1", "v1.34.1", true),
        ])
    func shipped(_ distribution: Distribution, _ from: String, _ to: String, _ isMet: Bool) throws {
        var scene = Scene()
        scene.distribution = distribution
        (scene.from, scene.to, scene.dataStore) = (Version(from), Version(to), .etcd)
        scene.role = distribution == .k0s ? .controller : distribution == .k3s ? .server : .node
        let reason = try scene.reason(.waypoint)
        #expect((reason.result == .met) == isMet, "\(reason.text)")
        #expect(isMet || reason.consequence == .deny)
        #expect(reason.source == "built-in")
        for store in [DataStore.sqlite, .external] {
            scene.dataStore = store
            #expect(try scene.reason(.waypoint).result == .met)
        }
        scene.dataStore = .etcd
        scene.policy.waypoints = .none
        #expect(try scene.reason(.waypoint).result == .met)
    }

    @Test("that the policy lists counts for everybody, and says what must come before")
    func listed() throws {
        var scene = Scene()
        scene.policy.waypoints = .listed([
            Waypoint(from: try VersionRange("<1.31.5"), through: try VersionRange("1.31.x"), reason: "schema")
        ])
        scene.to = Version("v1.32.0+k3s1")
        #expect(try scene.reason(.waypoint).consequence == .deny)
        #expect(try scene.reason(.waypoint).text.contains("1.31.x"))
        scene.to = Version("v1.31.9+k3s1")
        #expect(try scene.reason(.waypoint).result == .met)
        (scene.from, scene.to) = (Version("v1.31.9+k3s1"), Version("v1.32.0+k3s1"))
        #expect(try scene.reason(.waypoint).result == .met)
        scene.from = nil
        #expect(try scene.reason(.waypoint).result == .unknown)
    }
}
