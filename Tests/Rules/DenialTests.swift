import Model
import Rules
import Testing

@Suite("A person's denial")
struct DenialTests {
    private func denial(_ target: Artifact, _ distribution: Distribution = .k3s) -> Denial {
        Denial(
            id: "dn1", distribution: distribution, target: target, deniedAt: Instant(seconds: 0),
            reason: "etcd loses members", claimedBy: "grace")
    }

    private var target: Artifact { Artifact(version: Version("v1.31.5+k3s1"), sha256: Scene.digest("b")) }

    @Test("denies exactly these bytes under denied-version, and says who, why and how to take it back")
    func denies() throws {
        var scene = Scene.patching()
        #expect(scene.decision.verdict == .allow)
        scene.denials = [denial(target)]
        #expect(scene.decision.verdict == .deny)
        #expect(scene.open == [.deniedVersion])
        let reason = try scene.reason(.deniedVersion)
        #expect(reason.source == "holdfast deny")
        #expect(reason.lever == "holdfast revoke dn1")
        for part in ["grace", "etcd loses members"] { #expect(reason.text.contains(part)) }
        #expect(scene.decision.reasons.count == RuleName.allCases.count)
    }

    @Test("outweighs an approval of the same bytes, and every override of the policy")
    func outweighs() throws {
        var scene = Scene.patching { $0.to = Version("v1.32.0+k3s1") }
        scene.approvals = [.of(scene)]
        scene.denials = [denial(Artifact(version: scene.to, sha256: scene.sha256))]
        scene.policy.overrides = try RuleName.allCases.map {
            Override(rule: $0, reason: "all", until: try #require(CivilDate("2027-01-01")), match: Match())
        }
        #expect(scene.decision.verdict == .deny)
        scene.denials = []
        #expect(scene.decision.verdict == .allow)
    }

    @Test("holds for the bytes whatever version they are said to be, and for no others")
    func exact() {
        var scene = Scene.patching()
        scene.denials = [denial(Artifact(version: nil, sha256: Scene.digest("b")))]
        #expect(scene.decision.verdict == .deny)
        scene.sha256 = Scene.digest("c")
        #expect(scene.decision.verdict == .allow)
        scene.sha256 = Scene.digest("b")
        scene.denials = [denial(target, .k0s)]
        #expect(scene.decision.verdict == .allow)
        // A version alone names no bytes.
        scene.denials = [denial(Artifact(version: scene.to))]
        #expect(scene.decision.verdict == .allow)
    }
}
