import Agent
import Model
import Ports
import Testing

private let folder = "/usr/local/bin/.holdfast-pending"

private func node() -> World {
    let world = guardedNode()
    world.tick(request: .adopt)
    return world
}

private func digest(_ number: Int) -> Digest {
    Digest(String(repeating: "0", count: 62) + "\(number + 10)") ?? .none
}

extension World {
    /// The gate turned an artifact away, and the look sees it.
    fileprivate func keep(_ number: Int, size: Int64? = nil) {
        let path = "\(folder)/k3s.\(number)-60-1790000000"
        guards.put(path, "artifact \(number)", size: size)
        installations[0].offers.append(
            Offer(
                artifact: Artifact(version: Version("v1.32.\(number)+k3s1"), sha256: digest(number)),
                trigger: .fileReplaced, published: nil, origin: .claimed, path: path))
    }

    /// What is still there is what the next look sees.
    fileprivate func settle() {
        for _ in 0..<3 {
            tick()
            installations[0].offers.removeAll { offer in offer.path.map { guards.files[$0] == nil } ?? false }
        }
    }

    fileprivate var kept: [Int] {
        guards.files.keys.filter { $0.hasPrefix(folder) }.compactMap { path in
            path.split(separator: ".").last?.split(separator: "-").first.flatMap { Int($0) }
        }.sorted()
    }
}

@Suite("What was turned away and is kept")
struct PendingTests {
    @Test("is judged as an offer, and an artifact that is meant to run is none")
    func offered() throws {
        let world = node()
        world.keep(1)
        var outcome = world.tick()
        let change = try #require(outcome.judgement.decisions.first).subject.change
        #expect(change.phase == .offered && change.updateType == .minor && change.to.sha256 == digest(1))
        #expect(outcome.judgement.decisions.first?.decision.verdict != .allow)
        world.installations[0].offers[0].artifact = try #require(world.installations[0].installed?.artifact)
        outcome = world.tick()
        #expect(outcome.judgement.decisions.isEmpty)
        // The vault has it: nobody needs it twice.
        #expect(world.kept.isEmpty)
    }

    @Test("its origin and a version that could not be read are told by the catalogue")
    func catalogue() throws {
        let world = node()
        world.keep(1)
        world.installations[0].offers[0].artifact.version = nil
        #expect(world.tick().judgement.decisions.first?.subject.change.to.version == nil)
        world.ledger.catalog = [
            CatalogEntry(
                distribution: .k3s, version: try #require(Version("v1.32.1+k3s1")), architecture: .amd64,
                sha256: digest(1), file: "sha256sum-amd64.txt", importedAt: world.clock.now)
        ]
        let change = try #require(world.tick().judgement.decisions.first).subject.change
        #expect(change.to.version == Version("v1.32.1+k3s1") && change.origin == .verified)
    }

    @Test("is bounded in number and bytes, and never takes the last tenth of the disk: the oldest goes first")
    func bounds() {
        let world = node()
        for number in 1...5 { world.keep(number) }
        world.settle()
        #expect(world.kept == [3, 4, 5])
        world.keep(6, size: 2 << 30)
        world.settle()
        #expect(world.kept == [6])
        world.keep(7)
        world.settle()
        #expect(world.kept == [7])
        world.keep(8)
        world.guards.space = KeptAside.Space(free: 10_000, total: 100_000)
        world.settle()
        #expect(world.kept == [7, 8])
        // Nothing that is kept makes the room: all that is not wanted goes.
        world.guards.space = KeptAside.Space(free: 9_000, total: 100_000)
        world.settle()
        #expect(world.kept.isEmpty)
    }

    @Test("what a person has approved stays until it is in")
    func approved() {
        let world = node()
        for number in 1...3 { world.keep(number) }
        world.settle()
        let approval = Approval(
            id: "a", distribution: .k3s, version: nil, digests: ["amd64": digest(1)], revision: nil, from: [],
            scope: .node("sim-1"), approvedAt: world.clock.now, expires: world.clock.now + .days(3),
            waives: [], reason: "", claimedBy: "somebody", spentBy: [])
        world.record(.approved(approval))
        for number in 4...6 { world.keep(number) }
        // Nor does anything go while one of them, which may be it, cannot be read.
        let all = world.installations[0].offers
        world.installations[0].offers.removeAll { $0.artifact.sha256 == digest(1) }
        world.problems = [
            Problem(
                code: Problem.pendingUnreadable, text: "input/output error",
                about: world.installations[0].installed?.path)
        ]
        world.settle()
        #expect(world.kept == [1, 2, 3, 4, 5, 6])
        world.installations[0].offers = all
        world.problems = []
        world.settle()
        #expect(world.kept == [1, 5, 6])
        world.guards.space = KeptAside.Space(free: 0, total: 100_000)
        world.settle()
        #expect(world.kept == [1])
    }

    @Test(
        "invariant 10: goes with the guards, and what somebody else put there stays",
        arguments: [true, false])
    func released(byRelease: Bool) {
        let world = guardedNode()
        let before = world.guards.listing
        world.tick(request: .adopt)
        world.keep(1)
        world.keep(2)
        world.guards.put("\(folder)/notes.txt", "somebody else's")
        world.settle()
        #expect(world.kept == [1, 2])
        if byRelease {
            world.tick(request: .release)
        } else {
            world.installations = []
            world.tick()
            world.clock.now = world.clock.now + .minutes(1)
            world.tick()
        }
        world.tick()
        #expect(world.guards.files["\(folder)/notes.txt"] != nil)
        world.guards.remove("\(folder)/notes.txt")
        #expect(world.guards.listing == before)
        #expect(world.state.guards == nil)
    }
}
