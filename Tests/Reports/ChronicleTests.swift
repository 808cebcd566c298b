import Model
import Testing

@testable import Reports

@Suite("Chronicle")
struct ChronicleTests {
    @Test(
        "has the versions that were installed and ran, holds, the gate, pauses and failures, each with its time"
    )
    func lanes() throws {
        var story = StoryLedger()
        story.adopt()
        story.quiet(.hours(1))
        let replaced = story.now
        story.install("v1.32.1+k3s1")
        story.decide(.hold, to: "v1.32.1+k3s1")
        story.quiet(.hours(1))
        let started = story.now
        story.act(.putBack, "restored")
        story.install("v1.31.4+k3s1")
        story.start()
        story.record(
            .changeEnded(
                ChangeEnd(
                    change: Change(
                        id: "3f9a1c22b0", installation: StoryLedger.id, trigger: .fileReplaced,
                        phase: .onDisk,
                        from: StoryLedger.artifact("v1.31.4+k3s1"), to: StoryLedger.artifact("v1.32.1+k3s1"),
                        origin: .claimed))))
        story.quiet(.hours(1))
        let paused = story.now
        story.say(.paused(Pause(until: paused + .hours(2), reason: "by hand")))
        story.quiet(.minutes(30))
        story.record(
            .quarantined(
                QuarantinedArtifact(
                    installation: StoryLedger.id, artifact: StoryLedger.artifact("v1.32.1+k3s1"),
                    reason: "did not come up", at: story.now)))
        let chronicle = story.chronicle()
        let installation = try #require(chronicle.installations.first)
        #expect(
            installation.stretches(.installed).map(\.text) == [
                "v1.31.4+k3s1", "v1.32.1+k3s1", "v1.31.4+k3s1",
            ])
        #expect(installation.stretches(.installed)[1].start == replaced)
        #expect(installation.stretches(.installed)[1].end == started)
        #expect(installation.stretches(.running).map(\.text) == ["v1.31.4+k3s1"])
        let held = try #require(installation.stretches(.held).first)
        #expect(held.text == "held v1.32.1+k3s1" && held.start == replaced && held.end == started)
        #expect(installation.stretches(.gate).map(\.end) == [paused])
        #expect(chronicle.pauses.items.map(\.detail) == ["by hand"])
        #expect(installation.failures.items.map(\.title) == ["quarantined"])
        #expect(chronicle.irregular.items.map(\.title) == ["put-back", "quarantined"])
        #expect(chronicle.decisions == [.hold: 1])
        #expect(chronicle.allGaps == [])
        #expect(chronicle.state.pause?.reason == "by hand")
    }

    @Test("tells a change that nobody knows the cause of, unless it was only offered")
    func unattributed() {
        var story = StoryLedger()
        story.decide(.hold, to: "v1.32.1+k3s1", trigger: .unknown, phase: .onDisk)
        story.decide(.hold, to: "v1.32.1+k3s1", trigger: .unknown, phase: .offered)
        story.decide(.hold, to: "v1.32.1+k3s1", trigger: .fileReplaced, phase: .running)
        #expect(story.chronicle().irregular.items.map(\.title) == ["unattributed"])
    }

    @Test("says by what claim a person approved, denied and took back")
    func words() {
        var story = StoryLedger()
        let approval = Approval(
            id: "a1", distribution: .k3s, version: Version("v1.32.1+k3s1"), digests: [:], revision: nil,
            from: [],
            scope: .node("node-1"), approvedAt: story.now, expires: story.now + .days(1), waives: [.window],
            reason: "CVE", claimedBy: "uid 0 (root), sudo by ada", spentBy: [])
        story.say(.approved(approval))
        story.say(.revoked(Revocation(revoked: .approval(approval), claimedBy: "uid 1000 (bob)")))
        let words = story.chronicle().words.items
        #expect(words.map(\.title) == ["approved", "revoked"])
        #expect(words.map(\.claim) == ["uid 0 (root), sudo by ada", "uid 1000 (bob)"])
        #expect(words.first?.text.contains("waives window") == true)
    }

    @Test("counts what was decided in its stretch, and shows the state at its end")
    func stretch() {
        var story = StoryLedger()
        story.decide(.hold, to: "v1.32.1+k3s1")
        story.quiet(.hours(1))
        let middle = story.now
        story.wait(.minutes(1))
        story.say(.paused(Pause(until: story.now + .hours(9), reason: "later")))
        story.decide(.deny, to: "v1.33.0+k3s1")
        let early = story.chronicle(to: middle)
        #expect(early.decisions == [.hold: 1])
        #expect(early.state.pause == nil)
        let late = story.chronicle(from: middle)
        #expect(late.decisions == [.deny: 1])
        #expect(late.state.pause != nil)
    }

    @Test("stays bounded whatever the ledger holds, and says how much it leaves out")
    func bounded() {
        var story = StoryLedger()
        for index in 0..<5000 {
            story.say(.policyRejected(PolicyRejection(file: "/p\(index)", errors: [])))
            story.damage(.unreadable("x"), kind: "gate-acted")
        }
        let chronicle = story.chronicle()
        #expect(chronicle.irregular.items.count + chronicle.irregular.dropped == 5000)
        #expect(chronicle.irregular.items.count < 2000)
        #expect(chronicle.gaps.items.count <= 1000)
        #expect(chronicle.gaps.dropped >= 4000)
    }

    @Test("does not take a tick for missing that a step's entries prove")
    func proofs() {
        var story = StoryLedger()
        story.quiet(.hours(1))
        story.seal()
        for _ in 0..<6 {
            story.wait(.minutes(8))
            story.say(.problemEnded(Problem(code: "x", text: "y")))
        }
        story.wait(.minutes(8))
        story.tick()
        #expect(story.chronicle().allGaps == [])
        story.seal()
        // A person's word proves none.
        for _ in 0..<6 {
            story.wait(.minutes(8))
            story.say(
                .rolloutSaid(
                    RolloutWord(
                        distribution: .k3s, rollout: "r", version: nil, word: .pause, reason: "",
                        claimedBy: "")))
        }
        story.wait(.minutes(8))
        story.tick()
        #expect(story.chronicle().allGaps.map(\.kind) == [.unwatched])
    }
}
