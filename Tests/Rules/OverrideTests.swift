import Model
import Rules
import Testing

@Suite("An override")
struct OverrideTests {
    private func override(
        _ rule: RuleName, until: String = "2026-12-31", _ match: (inout Match) -> Void = { _ in }
    ) throws -> Override {
        var matched = Match()
        match(&matched)
        return Override(
            rule: rule, reason: "ticket 7", until: try #require(CivilDate(until)), match: matched)
    }

    @Test("sets its rule aside until its end, and the reason says which, why and until when")
    func inForce() throws {
        var scene = Scene.patching { $0.policy.allowedVersions = (try? VersionRange("1.30.x")) ?? .any }
        #expect(scene.decision.verdict == .deny)
        scene.policy.overrides = [try override(.allowedVersions)]
        #expect(scene.decision.verdict == .allow)
        let reason = try scene.reason(.allowedVersions)
        #expect(reason.text.contains("2026-12-31"))
        #expect(reason.text.contains("ticket 7"))
        #expect(reason.text.contains("not in 1.30.x"))
    }

    @Test("is over at midnight of its end in the policy's zone, names one rule, and matches or does not")
    func notInForce() throws {
        var scene = Scene.patching { $0.policy.allowedVersions = (try? VersionRange("1.30.x")) ?? .any }
        scene.policy.overrides = [try override(.allowedVersions)]
        scene.now = try instant("2026-12-30T23:59:59Z")
        #expect(scene.decision.verdict == .allow)
        scene.now = try instant("2026-12-31T00:00:00Z")
        #expect(scene.decision.verdict == .deny)
        scene.now = try instant("2026-12-01T12:00:00Z")
        scene.policy.overrides = [try override(.pin)]
        #expect(scene.decision.verdict == .deny)
        scene.policy.overrides = [try override(.allowedVersions) { $0.node = ["two"] }]
        #expect(scene.decision.verdict == .deny)
    }

    @Test(
        "of skip-minor, downgrade or major is what lets one through, and then only with an approval (invariant 9)",
        arguments: [
            (RuleName.skipMinor, "v1.33.0+k3s1"), (.downgrade, "v1.31.3+k3s1"), (.major, "v2.0.0+k3s1"),
        ])
    func neverByItself(_ rule: RuleName, _ to: String) throws {
        var scene = Scene()
        scene.to = Version(to)
        scene.policy.unattended = .minor
        #expect(scene.decision.verdict == .deny)
        scene.policy.overrides = [try override(rule)]
        // A skipped minor is a minor to the ceiling; the two others are above it, whatever it says.
        #expect(scene.decision.verdict == (rule == .skipMinor ? .allow : .hold))
        scene.approvals = [.of(scene)]
        #expect(scene.decision.verdict == .allow)
        scene.policy.overrides = []
        #expect(scene.decision.verdict == .deny)
    }

    @Test("never makes up for what the target is")
    func identity() throws {
        var scene = Scene.patching { $0.sha256 = nil }
        scene.policy.overrides = try RuleName.allCases.map { try override($0) }
        #expect(scene.decision.verdict == .hold)
        #expect(scene.open == [.identity])
    }

    @Test("with an end that no clock can judge leaves its rule open, and no longer denies")
    func withoutClock() throws {
        var scene = Scene.patching { $0.policy.allowedVersions = (try? VersionRange("1.30.x")) ?? .any }
        scene.policy.overrides = [try override(.allowedVersions)]
        scene.clockSynchronised = false
        #expect(scene.decision.verdict == .hold)
        #expect(scene.open == [.allowedVersions, .clock])
        scene.policy.clock = .trusted
        #expect(scene.decision.verdict == .allow)
        #expect(try scene.reason(.clock).text.contains("clock: trusted takes effect"))
    }

    @Test("is not needed where an approval waives a rule by name and the policy lets it")
    func waivers() throws {
        var scene = Scene.patching {
            $0.policy.windows = [Window(days: [.sat], start: 0, duration: .hours(1))]
        }
        scene.policy.approval.mayWaive = [.window]
        #expect(scene.open == [.window])
        scene.approvals = [.of(scene) { $0.waives = [.window] }]
        #expect(scene.decision.verdict == .allow)
        #expect(try scene.reason(.window).text.contains("tested in staging"))
        scene.approvals[0].waives = []
        #expect(scene.open == [.window])
    }
}
