import Agent
import Model
import Ports
import Testing

@Suite("Old bodies of the ledger, as a tick looks for them")
struct RetentionTests {
    private let node = guardedNode()

    private func hours(_ count: Int) {
        for _ in 0..<count {
            node.clock.now = node.clock.now + .hours(1)
            node.clock.monotonic += 3_600_000_000_000
            node.tick()
        }
    }

    @Test("once a day, by what the policy says")
    func daily() {
        node.tick()
        #expect(node.ledger.retentions == [PolicyDocument().ledgerKeep])
        hours(23)
        #expect(node.ledger.retentions.count == 1)
        hours(25)
        #expect(node.ledger.retentions.count == 3)
        node.tick(dryRun: true)
        #expect(node.ledger.retentions.count == 3)
    }

    @Test("never by a clock that may be wrong, nor without a policy", arguments: [false, nil])
    func unsure(synchronised: Bool?) {
        node.clock.synchronised = synchronised
        hours(50)
        #expect(node.ledger.retentions.isEmpty)
        node.clock.synchronised = true
        node.policy = .absent(file: "policy.yaml")
        let bare = Story(seed: 1).world
        bare.tick()
        #expect(bare.ledger.retentions.isEmpty)
    }
}
