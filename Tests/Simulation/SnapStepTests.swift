import Agent
import Model
import Ports
import Testing

private func revision(_ number: String, _ version: String) -> Artifact {
    Artifact(version: Version(version), revision: number, channel: "1.33/stable")
}

let snapOld = revision("101", "v1.33.4")
let snapPatch = revision("102", "v1.33.5")
let snapMinor = revision("110", "v1.34.1")
private let kubelite = "snap.microk8s.daemon-kubelite.service"

/// How a refresh may fare, and the chain of states that a step passes through.
struct SnapStory: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var artifact = snapPatch
    var isBroken = false
    var fate: SnapdUndo?
    var settings: @Sendable (inout Policy) -> Void = { _ in }
    var chain: [String]
    var runs: Artifact
}

private let forward = ["began", "replacing", "probing"]
private let stories = [
    SnapStory(
        testDescription: "an approved revision is brought by a refresh to exactly it",
        chain: forward + ["spent", "done"], runs: snapPatch),
    SnapStory(
        testDescription: "a revision that snapd took back is recognised, quarantined, and the old one runs",
        fate: SnapdUndo(reason: "snapd's change 7 ended as Error", hadStopped: true),
        chain: ["began", "replacing", "quarantined", "replacing-back", "probing-back", "spent", "put-back"],
        runs: snapOld),
    SnapStory(
        testDescription:
            "invariant 12: one that does not become well once dqlite may have started is left to a person",
        isBroken: true, chain: forward + ["spent", "quarantined", "needs-person"], runs: snapPatch),
    SnapStory(
        testDescription: "a download that failed is left: nothing is quarantined or spent",
        fate: SnapdUndo(reason: "snapd's change 7 ended as Error", hadStopped: false),
        chain: ["began", "replacing", "abandoned"], runs: snapOld),
    SnapStory(
        testDescription: "a minor gets in once its gate is passed and its backup made", artifact: snapMinor,
        settings: { $0.gates = [.command(["/usr/local/bin/ask"], timeout: .minutes(1))] },
        chain: ["began", "gating", "backing-up", "replacing", "probing", "spent", "done"], runs: snapMinor),
    SnapStory(
        testDescription: "an approved minor gets in where neither gates nor a backup are asked for",
        artifact: snapMinor,
        settings: {
            $0.gates = []
            $0.backup.mode = .off
        }, chain: forward + ["spent", "done"], runs: snapMinor),
]

@Suite("Steps of a snap in simulation")
struct SnapStepTests {
    private func prepared(_ story: SnapStory) throws -> World {
        let world = heldMicroK8s(settings: story.settings)
        world.installations[0].offers = [
            Offer(artifact: story.artifact, trigger: .autoRefresh, published: nil, origin: .verified)
        ]
        if story.isBroken, let revision = story.artifact.revision { world.brokenRevisions = [revision] }
        if let fate = story.fate, let revision = story.artifact.revision {
            world.guards.snapd.fates[revision] = fate
        }
        try world.approve(story.artifact)
        return world
    }

    @Test("each story passes through its chain of states", arguments: stories)
    func chain(_ story: SnapStory) throws {
        let world = try prepared(story)
        world.step()
        #expect(world.chain == story.chain)
        #expect(world.installation.running?.startedFrom?.revision == story.runs.revision)
        #expect(world.guards.snapd.asked.count == (story.chain.isEmpty ? 0 : 1))
        #expect(world.state.step == nil)
        #expect(world.state.guards?.intents.isEmpty == true)
        // Nothing of it is begun anew by itself, before the hour is over after which what was left is tried again.
        world.pass(.minutes(30))
        world.step()
        #expect(world.chain == story.chain)
    }

    @Test("what is done moves the reference and keeps last good; the guard file then names the new one alone")
    func done() throws {
        let world = try prepared(stories[0])
        var approved: [[String?]] = []
        world.duringWait = { world in approved.append(Self.approved(world)) }
        world.step()
        let known = try #require(world.state.installations["microk8s/microk8s"])
        #expect(known.reference?.revision == "102" && known.lastGood?.revision == "101")
        // The veto would have refused it otherwise.
        #expect(approved == [["101", "102"]])
        #expect(Self.approved(world) == ["102"])
        #expect(world.guards.settings[Setting(.snapHold, "microk8s")] == "forever")
        #expect(world.guards.settings[Setting(.snapRetain, "system")] == "3")
    }

    @Test(
        "what snapd took back stays out until it is approved anew, and only the old one is approved meanwhile"
    )
    func quarantined() throws {
        let world = try prepared(stories[1])
        world.step()
        #expect(Self.approved(world) == ["101"])
        #expect(world.state.quarantine.map(\.bytes) == ["revision:102"])
        #expect(world.tick().judgement.decisions.first?.decision.verdict == .deny)
        world.guards.snapd.fates = [:]
        try world.approve(snapPatch)
        #expect(world.state.quarantine.isEmpty)
        world.step()
        #expect(world.chain.last == "done")
    }

    @Test("a node that is left to a person is told how to go back, and is not reverted")
    func advice() throws {
        let world = try prepared(stories[2])
        let end = try #require(world.step().end)
        guard case .needsPerson(let advice) = end.outcome else {
            Issue.record("\(end.outcome)")
            return
        }
        #expect(advice.contains("it is not ready"))
        for words in ["remove-node", "snap install microk8s --revision=101", "dbctl restore"] {
            #expect(advice.contains(words))
        }
        #expect(world.installedRevision == "102")
    }

    @Test("a refresh that takes longer than a run is left open and unharmed, and finished by a later one")
    func long() throws {
        let world = try prepared(stories[0])
        world.guards.snapd.length = 200
        let report = world.step()
        #expect(report.trouble?.contains("snapd is not done") == true)
        #expect(world.chain == ["began", "replacing"])
        #expect(world.state.guards?.troubles.isEmpty == true)
        world.step()
        #expect(world.chain == stories[0].chain && world.guards.snapd.asked == ["102"])
    }

    @Test(
        "a snapd that does not take it is asked a few times, then the step is left and begins an hour later")
    func refused() throws {
        let world = try prepared(stories[0])
        world.guards.snapd.refusal = "the store does not answer"
        world.step()
        #expect(world.chain == ["began", "replacing", "abandoned"])
        #expect(world.state.lastStep?.reason == "the store does not answer")
        world.guards.snapd.refusal = nil
        world.tick()
        #expect(world.state.guards?.intents.isEmpty == true)
        world.pass(.hours(1))
        world.step()
        #expect(world.chain.last == "done")
    }

    @Test("a person's revert while the node is asked whether it is well counts as a failure of the revision")
    func reverted() throws {
        var slow = stories[0]
        slow.settings = { $0.health.consecutiveSuccesses = 3 }
        let world = try prepared(slow)
        world.guards.snapd.length = 1
        world.duringWait = { $0.duringWait = { $0.refreshed(to: "101") } }
        world.step()
        #expect(world.chain.suffix(2) == ["spent", "put-back"])
        #expect(world.installedRevision == "101")
    }

    @Test("a node of which one check cannot be answered is not made to change")
    func unknown() throws {
        let world = try prepared(stories[0])
        world.health = .unknown("dqliteVoters cannot be asked yet")
        #expect(world.step().trouble?.contains("dqliteVoters") == true)
        #expect(world.chain.isEmpty && world.guards.snapd.asked.isEmpty)
    }

    private static func approved(_ world: World) -> [String?] {
        guard let text = world.guards.guardFile, let file = try? GuardFile.parse(Array(text.utf8)) else {
            return []
        }
        return file.installation(ofUnit: kubelite)?.approved.map(\.artifact.revision) ?? []
    }
}
