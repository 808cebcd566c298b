import Model
import Rules
import Testing

private struct Refused: Sendable, CustomTestStringConvertible {
    let name: String
    let cause: ApprovalRefusal.Cause
    let says: String
    let change: @Sendable (inout Scene, inout ApprovalRequest) throws -> Void
    var testDescription: String { name }

    init(
        _ name: String, _ cause: ApprovalRefusal.Cause, says: String,
        _ change: @escaping @Sendable (inout Scene, inout ApprovalRequest) throws -> Void
    ) {
        (self.name, self.cause, self.says, self.change) = (name, cause, says, change)
    }
}

@Suite("Giving an approval")
struct GiveApprovalTests {
    private var minor: Scene { Scene.patching { $0.to = Version("v1.32.0+k3s1") } }

    private func give(_ scene: Scene, _ request: ApprovalRequest = ApprovalRequest(claimedBy: "ada")) throws
        -> Approval
    {
        let record = DecisionRecord(
            id: "d", decision: scene.decision, subject: scene.subject, policy: scene.resolved,
            fleet: scene.fleet, approvals: scene.approvals, denials: scene.denials, now: scene.now,
            dataVersions: [:])
        return try approval(of: record, as: request, at: scene.now) { String($0.utf8.count) }
    }

    @Test("is for exact digests, this node, the present start and no longer than the policy (invariant 6)")
    func defaults() throws {
        var scene = minor
        let given = try give(scene)
        #expect(given.digests == ["amd64": Scene.digest("b")].compactMapValues { $0 })
        #expect((given.version, given.revision) == (scene.to, nil))
        #expect(given.from == [scene.from])
        #expect(given.scope == .node("one"))
        #expect((given.approvedAt, given.expires) == (scene.now, scene.now + .days(7)))
        #expect((given.waives, given.spentBy, given.claimedBy) == ([], [], "ada"))
        scene.approvals = [given]
        #expect(scene.decision.verdict == .allow)
        scene.sha256 = Scene.digest("c")
        #expect(scene.decision.verdict == .hold)
    }

    @Test("takes a snap by its revision alone")
    func snap() throws {
        var scene = minor
        (scene.distribution, scene.role, scene.sha256, scene.revision) = (.microk8s, .node, nil, "7731")
        (scene.from, scene.to) = (Version("v1.31.4"), Version("v1.32.0"))
        let given = try give(scene)
        #expect((given.revision, given.digests) == ("7731", [:]))
        scene.approvals = [given]
        #expect(scene.decision.verdict == .allow)
    }

    @Test("takes scope, end, starts and waivers as they are asked for, where the policy lets it")
    func asked() throws {
        var scene = minor
        scene.policy.approval.mayWaive = [.window]
        scene.policy.windows = [Window(days: [.sat], start: 0, duration: .hours(2))]
        var request = ApprovalRequest(claimedBy: "ada")
        request.scope = .stage("all")
        request.lasts = .hours(12)
        request.from = ["v1.31.3+k3s1", "v1.31.4+k3s1"].compactMap { Version($0) }
        (request.waives, request.reason) = ([.window], "CVE")
        let given = try give(scene, request)
        #expect((given.scope, given.from, given.waives) == (.stage("all"), request.from, [.window]))
        #expect(given.expires == scene.now + .hours(12))
        scene.approvals = [given]
        #expect(scene.decision.verdict == .allow)
    }

    @Test("makes a stated version known for bytes that do not tell it (invariant 2)")
    func stated() throws {
        var scene = minor
        (scene.to, scene.origin) = (nil, .unknown)
        var request = ApprovalRequest(claimedBy: "ada")
        request.statedVersion = Version("v1.32.0+k3s1")
        let given = try give(scene, request)
        #expect(given.version == Version("v1.32.0+k3s1"))
        #expect(given.digests["amd64"] == Scene.digest("b"))
    }

    @Test(
        "is refused for what no approval can release, and says what can (invariants 2, 6 and 9)",
        arguments: [
            Refused("an unreadable version", .rules, says: "--version VERSION") { scene, _ in
                scene.to = nil
            },
            Refused("an unknown start", .rules, says: "cannot be compared") { scene, _ in scene.from = nil },
            Refused("no bytes to name", .rules, says: "neither a digest nor a revision") { scene, _ in
                scene.sha256 = nil
            },
            Refused("above approvable", .rules, says: "approvable: patch") { scene, _ in
                scene.policy.approvable = .patch
            },
            Refused("a downgrade", .rules, says: "(downgrade, ") { scene, _ in
                scene.to = Version("v1.30.9+k3s1")
            },
            Refused("a skipped minor", .rules, says: "(skip-minor, ") { scene, _ in
                scene.to = Version("v1.33.0+k3s1")
            },
            Refused("a stated version that skips a minor", .rules, says: "(skip-minor, ") { scene, request in
                scene.to = nil
                request.statedVersion = Version("v1.33.0+k3s1")
            },
            Refused("a major", .rules, says: "(major, ") { scene, _ in scene.to = Version("v2.0.0+k3s1") },
            Refused("a version that the policy denies", .rules, says: "allowedVersions") { scene, _ in
                scene.policy.allowedVersions = try VersionRange("<1.32")
            },
            Refused("two things at once", .rules, says: "do not agree") { scene, _ in
                scene.origin = .unknown
            },
            Refused("a denied artifact", .rules, says: "holdfast revoke dn1") { scene, _ in
                scene.denials = [
                    Denial(
                        id: "dn1", distribution: .k3s, target: scene.subject.change.to, deniedAt: scene.now,
                        reason: "no", claimedBy: "bob")
                ]
            },
            Refused("a policy that is not valid", .policy, says: "holdfast policy lint") { scene, _ in
                scene.isCurrent = false
            },
            Refused("too long an end", .request, says: "at most 1w") { $1.lasts = .days(8) },
            Refused("no time at all", .request, says: "at most 1w") { $1.lasts = .zero },
            Refused("a rule that the policy lets nobody waive", .request, says: "waive nothing") {
                ($1.waives, $1.reason) = ([.window], "x")
            },
            Refused("another rule than the policy lets", .request, says: "waive window") {
                $0.policy.approval.mayWaive = [.window]
                ($1.waives, $1.reason) = ([.ceiling], "x")
            },
            Refused("a waiver without a reason", .request, says: "--reason") {
                $0.policy.approval.mayWaive = [.window]
                $1.waives = [.window]
            },
            Refused("a version that the bytes contradict", .request, says: "known to be v1.32.0+k3s1") {
                $1.statedVersion = Version("v1.32.1+k3s1")
            },
            Refused("another node", .request, says: "give it on two") { $1.scope = .node("two") },
            Refused("a stage that is not there", .request, says: "no stage later") {
                $1.scope = .stage("later")
            },
        ])
    private func refused(_ row: Refused) throws {
        var scene = minor
        var request = ApprovalRequest(claimedBy: "ada")
        try row.change(&scene, &request)
        let refusal = #expect(throws: ApprovalRefusal.self) { try give(scene, request) }
        #expect(refusal?.cause == row.cause)
        #expect(refusal?.description.contains(row.says) == true, "\(refusal?.description ?? "given")")
    }

    @Test("goes ahead for a downgrade and a skipped minor where an override names the rule")
    func overridden() throws {
        var scene = minor
        scene.to = Version("v1.33.0+k3s1")
        let until = try #require(CivilDate("2027-01-01"))
        scene.policy.overrides = [
            Override(rule: .skipMinor, reason: "rebuilt", until: until, match: Match()),
            Override(rule: .waypoint, reason: "rebuilt", until: until, match: Match()),
            Override(rule: .skew, reason: "rebuilt", until: until, match: Match()),
        ]
        #expect(try give(scene).version == scene.to)
    }
}
