import Model
import Rules
import Testing

/// A random source that a seed repeats exactly (SplitMix64).
private struct Dice {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func pick<Value>(_ choices: [Value]) -> Value { choices[Int(next() % UInt64(choices.count))] }

    /// The first of some, and now and then another: most of a scene is plain, so that what is not shows.
    mutating func mostly<Value>(_ choices: [Value]) -> Value { next() % 5 < 3 ? choices[0] : pick(choices) }
}

extension Scene {
    /// A scene in which anything that a rule reads may be otherwise.
    fileprivate static func random(_ dice: inout Dice) throws -> Scene {
        var scene = Scene()
        (scene.distribution, scene.role) = dice.mostly([
            (.k3s, .server), (.k3s, .agent), (.microk8s, .node), (.k0s, .controller), (.k0s, .worker),
            (.k3s, nil),
        ])
        let build = ["k3s": "+k3s1", "k0s": "+k0s.0"][scene.distribution.rawValue] ?? ""
        let versions = ["v1.33.7", "v1.33.8", "v1.34.2", "v1.35.1", "v1.32.9", "v1.33.7-rc1", "v2.0.0"]
        scene.from = dice.mostly([Version("v1.33.7" + build), Version(dice.pick(versions) + build), nil])
        let target = dice.pick(versions + ["unread"])
        scene.to = Version(target + build)
        scene.running = dice.mostly([nil, Version("v1.33.7" + build)])
        scene.dataStore = dice.mostly([.sqlite, .etcd, .dqlite, .external, .none, .unknown])
        scene.phase = dice.mostly([.offered, .onDisk, .running])
        scene.origin = dice.mostly([.verified, .claimed, .unknown])
        scene.sha256 = dice.mostly([digest("b"), nil])
        scene.revision = scene.distribution == .microk8s ? "8148" : nil
        scene.channel = dice.mostly([nil, "1.33/stable"])
        scene.architecture = dice.mostly([.amd64, .arm64])
        scene.published = dice.pick([nil, scene.now + .days(-2)])
        scene.firstSeen = dice.pick([nil, scene.now + .days(-1), scene.now + .days(-9)])
        scene.clockSynchronised = dice.mostly([true, false, nil])
        scene.isCurrent = dice.mostly([true, false])
        try scene.randomPolicy(&dice)
        scene.randomFleet(&dice, build: build)
        if dice.next() % 4 == 0 {
            scene.approvals = [
                .of(scene) {
                    $0.waives = dice.pick([[], [.window], [.freeze], [.soak]])
                    $0.expires = dice.mostly([$0.expires, $0.approvedAt])
                    $0.scope = dice.mostly([$0.scope, .stage("canary"), .rollout("r1")])
                    $0.spentBy = dice.mostly([[], ["one"]])
                }
            ]
        }
        if dice.next() % 12 == 0 {
            scene.denials = [
                Denial(
                    id: "dn1", distribution: scene.distribution,
                    target: Artifact(version: scene.to, sha256: scene.sha256, revision: scene.revision),
                    deniedAt: scene.now, reason: "no", claimedBy: "bob")
            ]
        }
        return scene
    }

    private mutating func randomPolicy(_ dice: inout Dice) throws {
        func date(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }
        policy.unattended = dice.pick(Ceiling.allCases)
        policy.approvable = dice.mostly([.minor, .patch, .none])
        policy.approval.mayWaive = dice.mostly([[.window, .freeze], []])
        policy.allowedVersions = dice.mostly([.any, try VersionRange(">=1.33.1 <1.35")])
        policy.pin.version = dice.mostly([nil, Version("v1.33.8")])
        policy.pin.channel = dice.mostly([nil, "1.33/stable"])
        policy.deny = dice.mostly([
            [], [DeniedVersions(versions: try VersionRange("1.34.2"), reason: "loses mounts", url: "")],
        ])
        policy.origin = dice.mostly([.verified, .claimed])
        policy.minimumReleaseAge.patch = dice.mostly([.zero, .days(3)])
        policy.waypoints = dice.mostly([.shipped, .none])
        policy.windows = dice.mostly([
            nil, [Window(days: Weekday.allCases, start: 720, duration: .hours(1))],
            [Window(days: [.mon], start: 60, duration: .hours(1))],
        ])
        policy.freezes = dice.mostly([
            [],
            [
                Freeze(
                    from: try date("2026-11-20"), until: try date("2026-12-20"), scope: .minor, reason: "sale"
                )
            ],
            [
                Freeze(
                    from: try date("2027-01-01"), until: try date("2027-01-02"), scope: .all, reason: "later")
            ],
        ])
        policy.backup.mode = dice.pick(Backup.Mode.allCases)
        policy.gates = dice.mostly([policy.gates, []])
        policy.clock = dice.mostly([.synchronised, .trusted])
        policy.timezone = dice.mostly(["UTC", "Europe/Berlin"])
        if dice.next() % 6 == 0 {
            policy.overrides = [
                Override(
                    rule: dice.pick(RuleName.allCases), reason: "for once",
                    until: try date(dice.pick(["2026-12-31", "2026-01-01"])), match: Match())
            ]
        }
    }

    private mutating func randomFleet(_ dice: inout Dice, build: String) {
        var canary = Stage(name: "canary")
        canary.soak = .hours(2)
        stages = dice.mostly([[.everyone], [canary, .everyone]])
        stage = dice.mostly([stages.count - 1, 0, nil])
        guard dice.next() % 3 == 0 else { return }
        let others: [Role] = scene(of: distribution)
        fleet = .of(
            others.enumerated().map { index, role in
                var member = FleetSummary.Member.healthy(
                    "n\(index)", role, dice.mostly(["v1.33.7" + build, "v1.34.2" + build, nil]))
                member.healthy = dice.mostly([true, false, nil])
                member.votes = dice.mostly([member.votes, false, nil])
                return member
            } + dice.mostly([[.healthy("one", role ?? .server, from?.description)], []]))
        fleet.answered = dice.mostly([true, true, true, false])
        fleet.stages = dice.pick([
            [], [FleetSummary.StageProgress(stage: "canary", change: "c0ffee", met: true, soakLeft: .zero)],
            [FleetSummary.StageProgress(stage: "canary", change: "c0ffee", met: false, soakLeft: .hours(1))],
        ])
        if dice.next() % 8 == 0, let bytes = sha256?.hex {
            fleet.quarantine = [FleetSummary.Quarantined(bytes: bytes, reason: "it failed on n1")]
        }
        fleet.rollout = dice.mostly([nil, "r1"])
    }

    private func scene(of distribution: Distribution) -> [Role] {
        switch distribution {
        case .k3s: [.server, .server, .agent]
        case .microk8s: [.node, .node, .worker]
        case .k0s: [.controller, .controller, .worker]
        }
    }
}

@Suite("The rules and their version")
struct VersionedBytesTests {
    /// By version of the rules: the digest of what they say of the scenes below.
    ///
    /// A new one belongs to a new version, under which `replay` compares results and not bytes.
    private static let bytes: [String: UInt64] = [
        "1": 10_126_397_335_462_409_285, "2": 13_952_404_306_113_008_369,
        "3": 13_276_363_594_240_521_033,
    ]

    @Test("one version gives the same bytes, in this build as in any other of it (invariant 5)")
    func bytes() throws {
        var dice = Dice(seed: 5)
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        var seen: Set<String> = []
        for _ in 0..<1000 {
            let decision = try Scene.random(&dice).decision
            for reason in decision.reasons {
                seen.insert("\(reason.rule.rawValue) \(reason.result.rawValue)")
            }
            for byte in try CanonicalJSON.text(of: decision).utf8 {
                sum = (sum ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
            }
        }
        // What the scenes never show is not watched by this.
        for rule in RuleName.allCases where rule != .health {
            #expect(seen.contains("\(rule.rawValue) met"), "\(rule)")
            #expect(
                seen.contains("\(rule.rawValue) unmet") || seen.contains("\(rule.rawValue) unknown"),
                "\(rule)")
        }
        #expect(
            Self.bytes[rulesVersion] == sum,
            "the rules say other words or other things: raise rulesVersion, and note \(sum) for it here")
    }
}
