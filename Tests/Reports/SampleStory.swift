import Crypto
import Model

@testable import Reports

extension StoryLedger {
    /// Two weeks of one K3s server, made up: an installer at night, a pause, an approval, a restart, a failed patch.
    static func twoWeeks() -> StoryLedger {
        var story = StoryLedger()
        story.record(
            .policyLoaded(
                LoadedPolicy(
                    document: PolicyDocument(),
                    sources: PolicySources(file: "/etc/holdfast/policy.yaml", lines: [:]),
                    sha256: Digest(String(repeating: "9d", count: 32)) ?? .none)))
        story.adopt()
        story.quiet(.days(2))
        story.install("v1.32.1+k3s1")
        story.decide(
            .hold, to: "v1.32.1+k3s1", change: "71803413ed",
            reason: "a minor update is above unattended: patch and needs an approval")
        story.quiet(.hours(5))
        story.act(
            .putBack, "restored",
            text: "/usr/local/bin/k3s was not approved: v1.31.4+k3s1 has been put back and starts")
        story.install("v1.31.4+k3s1")
        story.start()
        story.quiet(.days(2))
        story.say(.paused(Pause(until: story.now + .hours(2), reason: "new disks, by hand")))
        story.quiet(.minutes(90))
        story.say(
            .resumed(
                Resumption(pause: Pause(until: story.now, reason: "new disks, by hand"), isByTime: false)))
        story.quiet(.hours(20))
        story.reboot(after: .minutes(25))
        story.start()
        story.quiet(.days(2))
        story.decide(
            .hold, to: "v1.31.9+k3s1", change: "0c5a2f9b11", trigger: .rollout, phase: .offered,
            reason: "no window is open; the next opens 2025-11-27T01:00:00Z", rollout: "r-52c1")
        story.quiet(.hours(18))
        story.carry("v1.31.9+k3s1", change: "0c5a2f9b11", outcome: .done)
        story.quiet(.days(1))
        let approval = Approval(
            id: "81d2c07e44", distribution: .k3s, version: Version("v1.32.1+k3s1"),
            digests: ["amd64": Self.artifact("v1.32.1+k3s1").sha256 ?? .none], revision: nil,
            from: [], scope: .node("node-1"), approvedAt: story.now, expires: story.now + .days(14),
            waives: [],
            reason: "tested on staging", claimedBy: "ada (uid 1000), by sudo", spentBy: [])
        story.say(.approved(approval))
        story.carry(
            "v1.32.1+k3s1", change: "71803413ed",
            outcome: .putBack("the API server did not become ready in 10m"))
        story.record(
            .quarantined(
                QuarantinedArtifact(
                    installation: id, artifact: artifact("v1.32.1+k3s1"),
                    reason: "the API server did not become ready in 10m", at: story.now)))
        story.quiet(.days(2))
        story.wait(.hours(3))
        story.quiet(.days(2))
        return story
    }

    /// A step from its beginning to its end.
    mutating func carry(_ version: String, change: String, outcome: StepEnd.Outcome) {
        let from = installation.installed?.artifact ?? Artifact(version: nil)
        let change = Change(
            id: change, installation: Self.id, trigger: .rollout, phase: .offered, from: from,
            to: Self.artifact(version), origin: .verified)
        decide(.allow, to: version, change: change.id, trigger: .rollout, phase: .offered, rollout: "r-52c1")
        let step = Step(
            id: "s\(entries.count)", change: change, decision: "d", approvals: [], source: "/x",
            binary: "/usr/local/bin/k3s",
            since: ClockReading(now: now, monotonic: monotonic, bootID: boot, synchronised: true),
            rollout: "r-52c1")
        record(.stepBegan(step))
        quiet(.minutes(15))
        install(version)
        start()
        quiet(.hours(4))
        if case .putBack = outcome, let version = from.version?.description {
            install(version)
            start()
        }
        record(.stepEnded(StepEnd(step, outcome)), .changeEnded(ChangeEnd(change: change)))
    }

    /// The page of the story.
    func page(_ change: (inout Report) -> Void = { _ in }) throws -> String {
        var report = Report([chronicle()], madeAt: now)
        change(&report)
        var bytes: [UInt8] = []
        let writer = ReportWriter(report, hash: { sha256($0) }) { bytes += $0 }
        try writer.begin()
        for row in rows { try row.withRow { try writer.write($0) } }
        try writer.finish()
        return String(decoding: bytes, as: UTF8.self)
    }
}
