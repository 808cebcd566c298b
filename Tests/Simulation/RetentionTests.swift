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

    @Test(
        "invariant 3: where it fails that is told and tried again in a day, and the rest of the tick goes on")
    func failing() {
        node.ledger.failDrops = LedgerFailure(code: .full, description: "ledger.db: the disk is full")
        #expect(node.tick().failure == nil)
        let second = node.tick()
        #expect(second.failure == nil)
        #expect(
            second.judgement.observation.problems.contains {
                $0.code == "retention-failed" && $0.text.contains("the disk is full")
            })
        #expect(node.ledger.retentions.count == 1)
        node.ledger.failDrops = nil
        hours(25)
        #expect(!node.tick().judgement.observation.problems.contains { $0.code == "retention-failed" })
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
