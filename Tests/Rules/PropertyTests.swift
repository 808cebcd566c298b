import Model
import Rules
import Testing

/// All small states: every version that differs in one way or another, against every other.
@Suite("Over all small states")
struct PropertyTests {
    static func versions(_ build: String) -> [Version?] {
        let all = (28...33).flatMap { minor in
            [0, 4].flatMap { patch in
                ["", "-rc1"].flatMap { pre in
                    ["1", "2"].map { "v1.\(minor).\(patch)\(pre)+\(build)\($0)" }
                }
            }
        }
        return (all + ["v2.0.0+\(build)1"]).map { Version($0) } + [nil]
    }

    static func isWellFormed(_ decision: Decision) -> Bool {
        decision.reasons.map(\.rule) == RuleName.allCases
            && decision.verdict == Decision(reasons: decision.reasons).verdict
            && decision.reasons.allSatisfy { reason in
                !reason.text.isEmpty && !reason.text.hasSuffix(".") && !reason.source.isEmpty
                    && (reason.result == .met) == (reason.lever == nil)
                    && (reason.result == .met ? reason.consequence == .allow : reason.consequence != .allow)
                    // What is not known is never forbidden for ever.
                    && (reason.result != .unknown || reason.consequence == .hold)
            }
    }

    @Test(
        "invariants 1, 2 and 9: nothing above the ceiling, unknown, skipped or older is ever allowed",
        arguments: [
            (Distribution.k3s, Role.server, "k3s"), (.k3s, .agent, "k3s"), (.k0s, .controller, "k0s."),
        ])
    func invariants(_ distribution: Distribution, _ role: Role, _ build: String) {
        var violations: [String] = []
        var allowed = 0
        for from in Self.versions(build) {
            for to in Self.versions(build) {
                var allowedBelow = false
                for unattended in Ceiling.allCases {
                    var scene = Scene()
                    (scene.distribution, scene.role) = (distribution, role)
                    (scene.from, scene.to) = (from, to)
                    scene.policy.unattended = unattended
                    scene.policy.approvable = .minor
                    let decision = scene.decision
                    let type = UpdateType(from: from, to: to)
                    let what =
                        "\(scene.subject.change.from.summary) → \(to?.description ?? "?") \(unattended)"
                    if !Self.isWellFormed(decision) { violations.append("malformed: \(what)") }
                    if decision.verdict == .allow {
                        allowed += 1
                        if type == .unknown { violations.append("invariant 2: \(what)") }
                        if type == .downgrade || type == .major || UpdateType.skipsMinor(from: from, to: to) {
                            violations.append("invariant 9: \(what)")
                        }
                        if !unattended.admits(type) { violations.append("invariant 1: \(what)") }
                        // A worker without evidence of its control plane stays in the minor that it runs.
                        if !role.isControlPlane, type == .minor { violations.append("worker first: \(what)") }
                    } else if allowedBelow {
                        violations.append("a wider ceiling allowed less: \(what)")
                    }
                    // On a lone server nothing but these stands against a change.
                    let mayAll = unattended.admits(type) && !UpdateType.skipsMinor(from: from, to: to)
                    if role.isControlPlane, mayAll, decision.verdict != .allow {
                        violations.append("held for nothing: \(what): \(scene.open)")
                    }
                    if type == .downgrade || type == .major || UpdateType.skipsMinor(from: from, to: to),
                        decision.verdict != .deny
                    {
                        violations.append("not denied: \(what)")
                    }
                    allowedBelow = decision.verdict == .allow
                }
            }
        }
        #expect(violations.isEmpty, "\(violations.count): \(violations.prefix(5))")
        #expect(allowed > 0)
    }

    @Test(
        "invariants 9 and 12: whatever runs, nothing is allowed that would not be both from it and from what is approved"
    )
    func running() {
        var violations: [String] = []
        var allowed = 0
        let versions = ["v1.31.4", "v1.31.5", "v1.32.0", "v1.32.1", "v1.33.0", "v2.0.0"].map {
            Version($0 + "+k3s1")
        }
        for unattended in [Ceiling.patch, .minor] {
            for from in versions {
                for running in versions {
                    for to in versions {
                        func verdict(_ from: Version?, _ running: Version?) -> Verdict {
                            var scene = Scene()
                            (scene.from, scene.running, scene.to) = (from, running, to)
                            scene.policy.unattended = unattended
                            return scene.decision.verdict
                        }
                        let isAllowed = verdict(from, running) == .allow
                        if isAllowed { allowed += 1 }
                        let both = verdict(from, nil) == .allow && verdict(running, nil) == .allow
                        if isAllowed != both {
                            violations.append("\(from?.description ?? "") \(running?.description ?? "")")
                        }
                    }
                }
            }
        }
        #expect(violations.isEmpty, "\(violations.count): \(violations.prefix(5))")
        #expect(allowed > 0)
    }

    @Test(
        "invariant 1: for every role, store and phase the verdict is the ceilings' and nobody else's",
        arguments: Role.allCases)
    func roles(_ role: Role) {
        var violations: [String] = []
        let versions =
            ["v1.31.4", "v1.31.5", "v1.32.0-rc1", "v1.32.0", "v1.33.0"].map { Version($0) } + [nil]
        let states = versions.flatMap { from in versions.map { (from, $0) } }.flatMap { pair in
            Ceiling.allCases.flatMap { unattended in
                Ceiling.allCases.map { (pair.0, pair.1, unattended, $0) }
            }
        }
        for (from, to, unattended, approvable) in states {
            for phase in Phase.allCases {
                var scene = Scene()
                (scene.role, scene.phase, scene.from, scene.to) = (role, phase, from, to)
                (scene.policy.unattended, scene.policy.approvable) = (unattended, approvable)
                scene.fleet = .of([
                    .healthy("one", role, from?.description), .healthy("s1", .server, "v1.32.0"),
                    .healthy("s2", .server, "v1.32.0"),
                ])
                let decision = scene.decision
                let type = UpdateType(from: from, to: to)
                let what = "\(from?.description ?? "?") \(to?.description ?? "?") \(unattended) \(approvable)"
                if !PropertyTests.isWellFormed(decision) { violations.append("malformed: \(what)") }
                let isAllowed = decision.verdict == .allow
                if isAllowed, !unattended.admits(type) { violations.append("allowed: \(what)") }
                if isAllowed, !role.isControlPlane, let to, to > Version("v1.32.0") ?? to {
                    violations.append("a worker before its control plane: \(what)")
                }
                let isAbove = !unattended.admits(type) && !approvable.admits(type)
                if type != .unknown, isAbove, decision.verdict != .deny {
                    violations.append("not denied: \(what)")
                }
                if type == .unknown, decision.verdict != .hold {
                    violations.append("unknown is not held: \(what)")
                }
            }
        }
        #expect(violations.isEmpty, "\(violations.count): \(violations.prefix(5))")
    }

    @Test("invariant 1: what approvable leaves out cannot be approved, what it takes in can, exactly")
    func approvable() {
        var violations: [String] = []
        for unattended in Ceiling.allCases {
            for approvable in Ceiling.allCases {
                for (to, type) in [
                    ("v1.31.4+k3s2", UpdateType.build), ("v1.31.5+k3s1", .patch), ("v1.32.0+k3s1", .minor),
                ] {
                    for hasApproval in [false, true] {
                        var scene = Scene()
                        scene.to = Version(to)
                        scene.policy.unattended = unattended
                        scene.policy.approvable = approvable
                        if hasApproval { scene.approvals = [.of(scene)] }
                        let expected: Verdict =
                            unattended.admits(type)
                            ? .allow : !approvable.admits(type) ? .deny : hasApproval ? .allow : .hold
                        if scene.decision.verdict != expected {
                            violations.append("\(unattended) \(approvable) \(type) \(hasApproval)")
                        }
                    }
                }
            }
        }
        #expect(violations.isEmpty, "\(violations)")
    }

    @Test("invariant 2: every single thing that is not known takes an allowed change back to hold")
    func unknowns() {
        #expect(Scene.patching().decision.verdict == .allow)
        let takeAway: [(String, (inout Scene) -> Void)] = [
            ("version", { $0.to = nil }), ("from", { $0.from = nil }), ("bytes", { $0.sha256 = nil }),
            ("origin", { $0.origin = .unknown }), ("claimed", { $0.origin = .claimed }),
            ("role", { $0.role = nil }), ("policy", { $0.isCurrent = false }), ("stage", { $0.stage = nil }),
            ("store", { $0.fleet.answered = false }),
            ("cluster", { $0.fleet.seesOthers = true }),
            (
                "architecture",
                { scene in
                    scene.phase = .onDisk
                    scene.architecture = .arm64
                }
            ),
            ("sight", { $0.policy.minimumReleaseAge.patch = .days(1) }),
            (
                "zone",
                { scene in
                    scene.policy.timezone = "Europe/Berlin"
                    scene.policy.windows = [Window(days: Weekday.allCases, start: 0, duration: .hours(24))]
                }
            ),
            (
                "clock",
                { scene in
                    scene.clockSynchronised = nil
                    scene.policy.windows = [Window(days: Weekday.allCases, start: 0, duration: .hours(24))]
                }
            ),
        ]
        for (name, change) in takeAway {
            #expect(Scene.patching(change).decision.verdict == .hold, "\(name)")
        }
    }

    @Test("invariant 5: the same question gives the same bytes")
    func deterministic() throws {
        var texts: Set<String> = []
        for _ in 0..<20 {
            var scene = Scene.patching()
            scene.policy.freezes = [
                Freeze(
                    from: try #require(CivilDate("2026-11-30")), until: try #require(CivilDate("2026-12-20")),
                    scope: .all, reason: "sale")
            ]
            scene.fleet = .of([
                .healthy("one", .server, "v1.31.4+k3s1"), .healthy("two", .server, "v1.31.4+k3s1"),
                .healthy("three", .server, "v1.31.4+k3s1"),
            ])
            scene.node.labels = ["a": "1", "b": "2", "c": "3"]
            texts.insert(try CanonicalJSON.text(of: scene.decision))
        }
        #expect(texts.count == 1)
    }
}
