import Testing

@testable import Rollout

@Suite("The rollout document, explored exhaustively")
struct ExplorationTests {
    @Test("invariant 4: holds for three nodes and two stages, under every order of every fault")
    func holds() throws {
        var exploration = Exploration(bug: nil)
        try exploration.run()
        print("explored \(exploration.states) states; ends: \(exploration.ends)")
        // Some 163,000; far fewer would be another exploration than the one that is told of.
        #expect(exploration.states > 160_000)
        #expect(exploration.ends["done", default: 0] > 0)
    }

    @Test("finds each planted bug", arguments: Exploration.Bug.allCases)
    func finds(_ bug: Exploration.Bug) {
        var exploration = Exploration(bug: bug)
        #expect(throws: Exploration.Violation.self) { try exploration.run() }
    }
}
