import Agent
import FoundationEssentials
import Model
import Testing

/// What must hold after every tick, whatever happened before it; each names what it found wrong.
struct Watch {
    private(set) var broken: [String] = []

    mutating func look(at outcome: Tick.Outcome, in world: World, entriesBefore: Int) {
        if world.committed.count < entriesBefore { broken.append("invariant 8: the ledger shrank") }
        var folded = NodeState()
        for entry in world.committed { folded.apply(entry.event, at: entry.at) }
        if folded != world.state { broken.append("the state is not the fold of the ledger's events") }
        for record in outcome.judgement.decisions where record.decision.verdict == .allow {
            broken += Self.whatNeverAllows(record).map { "\($0): \(record.subject.change)" }
        }
    }

    /// Reasons for which no decision may be allow.
    static func whatNeverAllows(_ record: DecisionRecord) -> [String] {
        let change = record.subject.change
        var found: [String] = []
        if change.updateType == .minor, record.policy.policy.unattended < .minor, record.approvals.isEmpty {
            found.append("invariant 1: a minor was allowed under a ceiling below minor")
        }
        if change.to.version == nil { found.append("invariant 2: an unreadable version was allowed") }
        if change.origin != .verified, record.policy.policy.origin == .verified {
            found.append("invariant 2: an origin that is not verified was allowed")
        }
        if !record.policy.isCurrent { found.append("invariant 2: an invalid policy allowed something new") }
        if record.decision.reasons.contains(where: { $0.result == .unknown }) {
            found.append("invariant 2: something unknown was allowed")
        }
        if change.skipsMinor || change.updateType == .downgrade || change.updateType == .major {
            found.append(
                "invariant 9: a skipped minor, a way back or a major was allowed without an override")
        }
        return found
    }
}

/// Runs a story and gives what was broken; the seed alone repeats it.
private func play(seed: UInt64, ticks: Int) -> [String] {
    var story = Story(seed: seed)
    var watch = Watch()
    for _ in 0..<ticks {
        story.act()
        let before = story.world.committed.count
        watch.look(at: story.world.tick(), in: story.world, entriesBefore: before)
        if !watch.broken.isEmpty { break }
    }
    return watch.broken
}

@Suite("A node's life in simulation")
struct SimulationTests {
    /// `HOLDFAST_SEED` replays one; `HOLDFAST_SOAK` runs a hundred times as many.
    private static let environment = ProcessInfo.processInfo.environment
    private static let seeds: [UInt64] =
        environment["HOLDFAST_SEED"].flatMap { UInt64($0) }.map { [$0] }
        ?? Array(1...(environment["HOLDFAST_SOAK"] == nil ? 40 : 4000))

    @Test("invariants 1, 2, 8 and 9 hold after every tick", arguments: seeds)
    func invariants(seed: UInt64) {
        let broken = play(seed: seed, ticks: 250)
        #expect(broken.isEmpty, "replay with HOLDFAST_SEED=\(seed)")
    }

    @Test("an unchanged node adds no row", arguments: seeds.prefix(20))
    func quiet(seed: UInt64) {
        var story = Story(seed: seed)
        for _ in 0..<60 {
            story.act()
            _ = story.world.tick()
            story.world.ledger.failNextAppend = nil
            _ = story.world.tick()
            let before = story.world.committed.count
            story.world.clock.monotonic += 1_000_000
            let outcome = story.world.tick()
            #expect(outcome.events.isEmpty, "replay with HOLDFAST_SEED=\(seed)")
            #expect(story.world.committed.count == before)
        }
    }

    @Test("invariant 5: the same story gives the same ledger", arguments: seeds.prefix(10))
    func repeats(seed: UInt64) throws {
        func ledger() throws -> [String] {
            var story = Story(seed: seed)
            for _ in 0..<100 {
                story.act()
                _ = story.world.tick()
            }
            return try story.world.committed.map { try CanonicalJSON.text(of: $0.event) }
        }
        #expect(try ledger() == ledger())
    }

    @Test(
        "the stories reach every verdict and every phase, so that the invariants are not met by doing nothing"
    )
    func reach() {
        var verdicts: Set<Verdict> = []
        var types: Set<UpdateType> = []
        for seed in Self.seeds.prefix(20) {
            var story = Story(seed: seed)
            for _ in 0..<150 {
                story.act()
                for record in story.world.tick().judgement.decisions {
                    verdicts.insert(record.decision.verdict)
                    types.insert(record.subject.change.updateType)
                }
            }
        }
        #expect(verdicts == Set(Verdict.allCases))
        #expect(types == Set(UpdateType.allCases))
    }

    @Test("what moved while the tick looked is seen by the same tick")
    func movedMeanwhile() {
        let story = Story(seed: 1)
        _ = story.world.tick()
        let other = Story(seed: 2).world.installations[0].installed
        story.world.moveDuringLook = { world in
            world.installations[0].installed = other
            world.installations[0].installed?.artifact.version = Version("v1.33.0+k3s1")
            world.installations[0].installed?.artifact.sha256 = Digest(String(repeating: "9", count: 64))
            world.installations[0].installed?.identity?.inode = 999
        }
        let outcome = story.world.tick()
        #expect(outcome.judgement.decisions.map(\.subject.change.to.version) == [Version("v1.33.0+k3s1")])
    }

    @Test("the watch itself can fail: a planted allow of a minor is found")
    func plantedBug() throws {
        let story = Story(seed: 1)
        _ = story.world.tick()
        story.world.installations[0].installed?.artifact = Artifact(
            version: Version("v1.32.1+k3s1"), sha256: Digest(String(repeating: "a", count: 64)))
        let outcome = story.world.tick()
        var record = try #require(outcome.judgement.decisions.first)
        #expect(Watch.whatNeverAllows(record).contains { $0.hasPrefix("invariant 1") })
        record.decision.verdict = .allow
        var planted = outcome
        planted.judgement.decisions = [record]
        var watch = Watch()
        watch.look(at: planted, in: story.world, entriesBefore: 0)
        #expect(watch.broken.contains { $0.hasPrefix("invariant 1") })
    }
}
