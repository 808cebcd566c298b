import Model
import Rules
import Testing

private struct Miss: Sendable, CustomTestStringConvertible {
    let name: String
    let says: String
    let change: @Sendable (inout Approval) -> Void
    var testDescription: String { name }

    init(_ name: String, says: String, _ change: @escaping @Sendable (inout Approval) -> Void) {
        (self.name, self.says, self.change) = (name, says, change)
    }
}

@Suite("The ceiling")
struct CeilingTests {
    private var minor: Scene {
        Scene.patching { $0.to = Version("v1.32.0+k3s1") }
    }

    @Test("holds a minor, names the policy's line, and how to approve it (invariant 1)")
    func minorHolds() throws {
        let reason = try minor.reason(.ceiling)
        #expect(reason.result == .unmet)
        #expect(reason.consequence == .hold)
        #expect(reason.source == "policy.yaml:2")
        #expect(reason.lever == "holdfast approve c0ffee")
        #expect(minor.open == [.ceiling])
    }

    @Test("is met by an approval of exactly these bytes, and the reason says whose it was")
    func approved() throws {
        var scene = minor
        scene.approvals = [.of(scene)]
        #expect(scene.decision.verdict == .allow)
        #expect(try scene.reason(.ceiling).text.contains("ap1"))
        #expect(try scene.reason(.ceiling).text.contains("ada"))
    }

    @Test(
        "is not met by an approval that is not exactly for this (invariant 6)",
        arguments: [
            Miss("another digest", says: "another digest") { approval in
                approval.digests = ["amd64": Scene.digest("c")].compactMapValues { $0 }
            },
            Miss("another architecture's digest", says: "no digest for amd64") { approval in
                approval.digests = ["arm64": Scene.digest("b")].compactMapValues { $0 }
            },
            Miss("another version with the same digest", says: "") { $0.version = Version("v1.32.1+k3s1") },
            Miss("another distribution", says: "") { $0.distribution = .k0s },
            Miss("another start", says: "as a start") {
                $0.from = [Version("v1.31.3+k3s1")].compactMap { $0 }
            },
            Miss("another node", says: "node two") { $0.scope = .node("two") },
            Miss("another stage", says: "stage later") { $0.scope = .stage("later") },
            Miss("a rollout", says: "rollout r1") { $0.scope = .rollout("r1") },
            Miss("spent", says: "spent") { $0.spentBy = ["zero", "one"] },
            Miss("ended", says: "ended") { $0.expires = Instant(seconds: 1_796_126_400) },
            Miss("waives too much", says: "mayWaive") { $0.waives = [.window] },
        ])
    private func refused(_ miss: Miss) throws {
        var scene = minor
        scene.approvals = [.of(scene, miss.change)]
        let reason = try scene.reason(.ceiling)
        #expect(reason.result == .unmet)
        #expect(reason.text.contains(miss.says), "\(reason.text)")
    }

    @Test("is met by an approval that lists this start, or is for this node's stage, or is spent elsewhere")
    func accepted() {
        for change: (inout Approval) -> Void in [
            { $0.from = [Version("v1.31.4+k3s1"), Version("v1.31.3+k3s1")].compactMap { $0 } },
            { $0.scope = .stage("all") }, { $0.spentBy = ["two"] },
            { $0.expires = Instant(seconds: 1_796_126_401) }, { $0.version = nil },
        ] {
            var scene = minor
            scene.approvals = [.of(scene, change)]
            #expect(scene.decision.verdict == .allow)
        }
    }

    @Test("compares the revision of a snap, and not a digest")
    func snaps() {
        var scene = minor
        (scene.distribution, scene.role, scene.sha256, scene.revision) = (.microk8s, .node, nil, "7731")
        (scene.from, scene.to) = (Version("v1.31.4"), Version("v1.32.0"))
        scene.approvals = [.of(scene)]
        #expect(scene.decision.verdict == .allow)
        scene.approvals[0].revision = "7732"
        #expect(scene.decision.verdict == .hold)
    }

    @Test("answers for nothing else: an approved minor still waits for its window")
    func nothingElse() {
        var scene = minor
        scene.approvals = [.of(scene)]
        scene.policy.windows = [Window(days: [.sat], start: 0, duration: .hours(2))]
        #expect(scene.open == [.window])
    }

    @Test("wants as many approvals by different persons as the policy does")
    func several() {
        var scene = minor
        scene.policy.approval.required = 2
        scene.approvals = [.of(scene), .of(scene) { $0.id = "ap2" }]
        #expect(scene.decision.verdict == .hold)
        scene.approvals[1].claimedBy = "grace"
        #expect(scene.decision.verdict == .allow)
    }

    @Test("denies what is above approvable, approved or not")
    func above() {
        var scene = minor
        scene.policy.approvable = .patch
        scene.approvals = [.of(scene)]
        #expect(scene.decision.verdict == .deny)
    }

    @Test("of an unknown update type is unknown: no approval and no override mends it (invariant 2)")
    func unknownType() throws {
        var scene = minor
        scene.to = nil
        scene.approvals = [.of(scene)]
        scene.policy.overrides = try RuleName.allCases.map {
            Override(rule: $0, reason: "all", until: try #require(CivilDate("2027-01-01")), match: Match())
        }
        let decision = scene.decision
        #expect(decision.verdict == .hold)
        #expect(try scene.reason(.ceiling).result == .unknown)
        #expect(try scene.reason(.downgrade).result == .unknown)
    }

    @Test("of a policy that is not current allows nothing new, names the file, and forbids as before")
    func notCurrent() throws {
        var scene = Scene.patching { $0.isCurrent = false }
        scene.approvals = [.of(scene)]
        #expect(try scene.reason(.ceiling).text.contains("the last valid policy goes on forbidding"))
        #expect(try scene.reason(.ceiling).source.contains("policy.yaml"))
        #expect(scene.decision.verdict == .hold)
        scene.policy.overrides = [
            Override(
                rule: .ceiling, reason: "x", until: try #require(CivilDate("2027-01-01")), match: Match())
        ]
        #expect(scene.decision.verdict == .hold)
        scene.policy.overrides = []
        scene.to = Version("v1.33.0+k3s1")
        #expect(scene.decision.verdict == .deny)
    }
}
