import FoundationEssentials
import Testing

@Suite("Fleets at random")
struct FleetStoryTests {
    private static let environment = ProcessInfo.processInfo.environment
    /// A hundred thousand ticks of nodes, on small fleets and on one of hundreds; `make soak` makes it millions.
    private static let scale = environment["HOLDFAST_SOAK"] == nil ? 1 : 20
    /// `HOLDFAST_SEED` replays one.
    private static let seed = environment["HOLDFAST_SEED"].flatMap { UInt64($0) }

    @Test(
        "invariants 1, 2, 4, 6, 7, 9 and 12 hold at every step, whatever happens to nodes and store",
        arguments: seed.map { [$0] } ?? Array(1...UInt64(20 * scale)))
    func invariants(seed: UInt64) {
        let story = FleetStory(seed: seed, clusters: 5)
        while story.violations.isEmpty, story.ticks < 4000 { story.step() }
        #expect(story.violations == [], "replay with HOLDFAST_SEED=\(seed)")
        #expect(story.begun > 0)
    }

    @Test(
        "and on a fleet of hundreds of nodes",
        arguments: seed.map { [$0] } ?? Array(1000..<UInt64(1000 + scale)))
    func hundreds(seed: UInt64) {
        let story = FleetStory(seed: seed, clusters: 80)
        #expect(story.nodes.count > 200)
        while story.violations.isEmpty, story.ticks < 20_000 { story.step() }
        #expect(story.violations == [], "replay with HOLDFAST_SEED=\(seed)")
        #expect(story.begun > 0)
    }

    @Test("the stories come to all that they are asked about")
    func reach() {
        var reached: Set<StoryWatch.Reached> = []
        for seed in 1...UInt64(10) where reached.count < StoryWatch.Reached.allCases.count {
            let story = FleetStory(seed: seed, clusters: 5)
            while story.violations.isEmpty, story.ticks < 4000,
                reached.union(story.watch.reached).count < StoryWatch.Reached.allCases.count
            { story.step() }
            reached.formUnion(story.watch.reached)
        }
        #expect(Set(StoryWatch.Reached.allCases).subtracting(reached) == [])
    }

    @Test("each of them can fail: a planted bug is found", arguments: StoryBug.allCases)
    func planted(bug: StoryBug) {
        var found: [String] = []
        for seed in 1...UInt64(10) where found.isEmpty {
            let story = FleetStory(seed: seed, clusters: 5, bug: bug)
            while story.violations.isEmpty, story.ticks < 4000 { story.step() }
            found = story.violations
        }
        #expect(found.first?.contains(" \(bug.invariant): ") == true, "\(bug.rawValue): \(found)")
    }
}
