import Agent
import Model
import Ports
import Rules
import Testing

/// How a change may come and fare, and the chain of states that it passes through.
struct StepStory: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var role = Role.server
    var artifact: Artifact
    /// Whether it lies on disk already, rather than being kept aside.
    var isOnDisk = false
    var isBroken = false
    var settings: @Sendable (inout Policy) -> Void = { _ in }
    var chain: [String]
    var runs: Artifact
}

private let forward = ["began", "replacing", "restarting", "probing"]
private let back = ["quarantined", "replacing-back", "restarting-back", "probing-back"]

/// The node is alone, so nobody says what its server runs.
@Sendable private func noServerAsked(_ policy: inout Policy) {
    noQuestions(&policy)
    policy.overrides = [RuleName.skew, .order].compactMap { rule in
        CivilDate("2026-12-31").map { Override(rule: rule, reason: "alone", until: $0, match: Match()) }
    }
}

private let stories = [
    StepStory(
        testDescription: "an approved patch that is kept aside gets in", artifact: patch,
        chain: forward + ["spent", "done"], runs: patch),
    StepStory(
        testDescription: "an approved patch that lies on disk gets in", artifact: patch, isOnDisk: true,
        chain: forward + ["spent", "done"], runs: patch),
    StepStory(
        testDescription: "an approved minor gets in where neither gates nor a backup are asked for",
        artifact: minor, settings: noQuestions, chain: forward + ["spent", "done"], runs: minor),
    StepStory(
        testDescription: "a minor gets in once its gate is passed and its backup made", artifact: minor,
        settings: askCommand,
        chain: ["began", "gating", "backing-up"] + Array(forward.dropFirst()) + ["spent", "done"], runs: minor
    ),
    StepStory(
        testDescription: "a patch that never becomes well is put back and quarantined", artifact: patch,
        isBroken: true, chain: forward + back + ["spent", "put-back"], runs: old),
    StepStory(
        testDescription: "invariant 12: a minor that has started on a server's data is not put back",
        artifact: minor, isBroken: true, settings: noQuestions,
        chain: forward + ["spent", "quarantined", "needs-person"], runs: minor),
    StepStory(
        testDescription: "a minor that fails on an agent, which keeps no data, is put back", role: .agent,
        artifact: minor, isBroken: true, settings: noServerAsked,
        chain: forward + back + ["spent", "put-back"], runs: old),
    StepStory(
        testDescription: "a sealed binary is unsealed for it", artifact: patch,
        settings: { $0.enforce.seal = true }, chain: forward + ["spent", "done"], runs: patch),
    StepStory(
        testDescription: "rollback: manual leaves a failed patch to a person", artifact: patch,
        isBroken: true,
        settings: { $0.rollback = .manual }, chain: forward + ["spent", "quarantined", "needs-person"],
        runs: patch),
]

@Suite("Steps in simulation")
struct StepTests {
    private func prepared(_ story: StepStory) throws -> World {
        let world = guardedServer(role: story.role, settings: story.settings)
        if story.isOnDisk { world.bring(story.artifact) } else { world.offer(story.artifact) }
        if story.isBroken, let digest = story.artifact.sha256 { world.broken = [digest] }
        try world.approve(story.artifact)
        return world
    }

    @Test("each story passes through its chain of states", arguments: stories)
    func chain(_ story: StepStory) throws {
        let world = try prepared(story)
        world.step()
        #expect(world.chain == story.chain)
        #expect(world.installation.running?.startedFrom?.sha256 == story.runs.sha256)
        #expect(world.onDisk == story.runs.sha256)
        #expect(world.state.step == nil)
        // Nothing of it is begun anew by itself.
        world.pass(.hours(2))
        world.step()
        #expect(world.chain == story.chain)
    }

    @Test(
        "invariants 2 and 6: a look that misses the installation leaves the step as it is, whatever its phase",
        arguments: [true, false])
    func unseen(isSoon: Bool) throws {
        let world = guardedServer(settings: { $0.health.consecutiveSuccesses = 3 })
        world.offer(patch)
        try world.approve(patch)
        let there = world.installations
        // An installer has the unit file away, while the step asks whether the node is well.
        world.duringWait = { $0.installations = [] }
        let hold = try #require(world.step().hold)
        #expect(hold.contains("has not found the installation"))
        #expect(world.state.step?.phase == .probing && world.chain.last == "probing")
        if isSoon {
            world.installations = there
            world.put(patch, inode: 9000, at: binary)
            world.start(unit)
            world.tick()
            world.step()
            #expect(world.chain.suffix(2) == ["spent", "done"] && world.runs(patch))
        } else {
            world.pass(.minutes(2))
            world.standings[unit] = UnitStanding(isUp: false, lacksFile: false, isEnabled: false)
            world.tick()
            world.step()
            #expect(world.chain.last == "abandoned" && world.state.installations.isEmpty)
        }
    }

    @Test("a step that is done moves the reference, keeps last good and stages the new spare")
    func done() throws {
        let world = try prepared(stories[0])
        world.step()
        let known = try #require(world.state.installations["k3s/k3s"])
        #expect(known.reference?.sha256 == patch.sha256)
        #expect(known.lastGood?.sha256 == old.sha256)
        #expect(world.guards.files["/usr/local/bin/.k3s.holdfast-spare"]?.text == patch.sha256?.hex)
        #expect(world.guards.guardFile?.contains("v1.31.5+k3s1") == true)
        #expect(world.starts == 1)
    }

    @Test("people in the cluster are told how it began and ended")
    func told() throws {
        let good = try prepared(stories[0])
        good.step()
        #expect(Set(good.cluster.told.map(\.reason)).isSuperset(of: ["UpgradeBegan", "UpgradeEnded"]))
        #expect(!good.cluster.told.map(\.reason).contains("UpgradeFailed"))
        let bad = try prepared(stories[4])
        bad.step()
        let reasons = Set(bad.cluster.told.map(\.reason))
        #expect(reasons.isSuperset(of: ["UpgradeBegan", "ArtifactQuarantined", "UpgradeFailed"]))
    }

    @Test("invariant 6: an approval is spent once: the same bytes do not come in by it again")
    func spent() throws {
        let world = try prepared(stories[0])
        let approval = try #require(world.state.approvals.first)
        world.step()
        #expect(world.state.approvals.first?.isSpent(on: "renamed") == true)
        // The old one is adopted again, and the patch turns up once more.
        world.bring(old)
        world.start(unit)
        world.tick(request: .adopt)
        world.offer(patch)
        world.step()
        #expect(world.onDisk == old.sha256)
        #expect(world.state.approvals.first?.id == approval.id)
        #expect(world.chain == forward + ["spent", "done"])
    }

    @Test("a quarantined patch stays out, and gets in once a person approves it anew")
    func quarantine() throws {
        let world = try prepared(stories[4])
        world.step()
        let denied = world.tick().judgement.decisions.first { $0.subject.change.to.sha256 == patch.sha256 }
        #expect(denied?.decision.verdict == .deny)
        #expect(
            denied?.decision.reasons.first { $0.rule == .quarantine }?.lever?.hasPrefix("holdfast approve")
                == true)
        world.broken = []
        try world.approve(patch)
        #expect(world.state.quarantine.isEmpty)
        world.step()
        #expect(world.onDisk == patch.sha256)
        #expect(world.chain.last == "done")
    }

    @Test("both artifacts are approved while one replaces the other, and going back narrows it first")
    func narrowed() throws {
        let world = try prepared(stories[4])
        var seen: [Int] = []
        world.duringWait = { world in
            let lines = (world.guards.guardFile ?? "").split(separator: "\n")
            seen.append(lines.count { $0.hasPrefix("approved ") })
        }
        world.step()
        #expect(seen == [2])
        let lines = (world.guards.guardFile ?? "").split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("approved ") } == 1)
    }

    @Test(
        "a person's word takes effect at the next move: before the restart it is left, afterwards taken back")
    func denied() throws {
        let denial = Denial(
            id: "no", distribution: .k3s, target: patch, deniedAt: Instant(seconds: 0), reason: "no",
            claimedBy: "test")
        let early = try prepared(stories[0])
        try early.enter(.denied(denial))
        early.step()
        #expect(early.chain.isEmpty && early.onDisk == old.sha256)
        var slow = stories[0]
        slow.settings = { $0.health.consecutiveSuccesses = 3 }
        let late = try prepared(slow)
        late.duringWait = { try? $0.enter(.denied(denial)) }
        late.step()
        #expect(late.chain == forward + back + ["spent", "put-back"])
        #expect(late.onDisk == old.sha256)
        let paused = try prepared(stories[0])
        paused.tick(request: .pause(until: paused.clock.now + .hours(2), reason: "by hand"))
        paused.step()
        #expect(paused.chain.isEmpty)
    }

    @Test(
        "invariant 6: a denial that comes while a step waits for the effect lock is heeded before its next effect"
    )
    func deniedUnderTheLock() throws {
        let world = try prepared(stories[0])
        var isDenied = false
        var after: [Effect] = []
        world.guards.onTakeLock = { [unowned world] in
            // The look has nothing left to do, so this is for the effect.
            let isLooked = world.guards.guardFile?.hasPrefix(GuardFile.beginning(of: world.ledger.head()))
            guard !isDenied, world.state.step?.phase == .replacing, isLooked == true else { return }
            isDenied = true
            try? world.enter(
                .denied(
                    Denial(
                        id: "no", distribution: .k3s, target: patch, deniedAt: Instant(seconds: 0),
                        reason: "no", claimedBy: "test")))
        }
        world.guards.onPerform = { if isDenied { after.append($0) } }
        world.step()
        #expect(isDenied && world.chain.last == "abandoned" && world.onDisk == old.sha256)
        #expect(!after.contains { if case .replace = $0 { true } else { false } })
    }

    @Test("a node that is not well, or cannot be asked, is not made to change")
    func unwell() throws {
        for answer in [HealthAnswer.notYet("not ready"), .unknown("nobody says")] {
            let world = try prepared(stories[0])
            world.health = answer
            let report = world.step()
            #expect(world.chain.isEmpty && report.trouble?.contains(answer.text ?? "?") == true)
        }
    }

    @Test("invariants 9 and 12: over a newer minor that somebody has started no patch of the old one begins")
    func newerRuns() throws {
        let world = guardedServer(unattended: .patch)
        world.bring(minor)
        world.start(unit)
        world.offer(patch)
        let outcome = world.tick()
        let record = try #require(
            outcome.judgement.decisions.first { $0.subject.change.to.isSameBytes(as: patch) == true })
        #expect(record.decision.verdict == .deny)
        world.step()
        #expect(world.chain.isEmpty && world.onDisk == minor.sha256 && world.starts == 1)
    }

    @Test(
        "invariant 12: where a newer minor has run on the data, no older one begins though nothing newer runs"
    )
    func newerRan() {
        let world = guardedServer(unattended: .patch)
        for artifact in [minor, old] {
            world.bring(artifact)
            world.start(unit)
            world.tick()
        }
        world.offer(patch)
        let report = world.step()
        #expect(report.trouble?.contains("v1.32.1+k3s1 has or may have started") == true)
        #expect(world.chain.isEmpty && world.onDisk == old.sha256 && world.starts == 2)
    }

    @Test(
        "invariant 12: a start between the decision and the rename has it decided anew, with nothing replaced"
    )
    func startMeanwhile() {
        let world = guardedServer(unattended: .patch)
        world.offer(patch)
        var isFirst = true
        world.guards.onPerform = { [unowned world] effect in
            guard case .replace(let replacement) = effect, case .step = replacement.purpose, isFirst else {
                return
            }
            isFirst = false
            // Somebody starts the newer minor by hand and puts the old binary back, in no time.
            world.guards.recordStart("by-hand", of: minor.version, unit: unit)
        }
        world.step()
        #expect(!isFirst && world.onDisk == old.sha256 && world.starts == 0)
        #expect(world.chain.last == "abandoned")
    }

    @Test("an unattended patch that is kept aside gets in without a person")
    func unattended() {
        let world = guardedServer(unattended: .patch)
        world.offer(patch)
        world.step()
        #expect(world.chain == forward + ["done"])
    }
}
