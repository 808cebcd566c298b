import Model
import Testing

@testable import Rollout

@Suite("A node's seat in a rollout")
struct SeatTests {
    private let node = Sample.node("c", "canary")

    private func document() throws -> RolloutDocument { try Sample.plan([Sample.stage("canary")], [node]) }

    private func situation(
        _ document: RolloutDocument?, answers: Bool = true, step: SeatSituation.StepStatus = .notBegun,
        policy: Digest = Sample.policy, obstacle: String? = nil, quarantined: Bool = false,
        grant: String = "g", node: Participant? = nil
    ) -> SeatSituation {
        SeatSituation(
            document: document, storeAnswers: answers, node: node ?? self.node, policy: policy,
            obstacle: obstacle,
            isQuarantined: quarantined, step: step, freshGrant: grant, now: Sample.now)
    }

    /// Plays moves until the node waits or steps: what it committed and put on the way.
    private func play(
        _ seat: inout Seat, _ document: inout RolloutDocument, step: SeatSituation.StepStatus = .notBegun,
        quarantined: Bool = false, policy: Digest = Sample.policy, node: Participant? = nil
    ) -> Move {
        for _ in 0..<20 {
            let move = nextMove(
                seat,
                situation(document, step: step, policy: policy, quarantined: quarantined, node: node))
            switch move {
            case .commit(let next): seat = next
            case .put(let next): document = next
            case .wait, .step, .quarantine: return move
            }
        }
        return .wait("it never comes to rest")
    }

    @Test("asks, steps, soaks and proves, each committed before it is done (invariant 7)")
    func whole() throws {
        var document = try document()
        var seat = Seat()
        #expect(play(&seat, &document) == .step)
        #expect(seat.phase == .stepping && document.grant(of: node) == Grant(node: "c", id: "g"))
        #expect(play(&seat, &document, step: .soaking) == .step)
        #expect(seat.phase == .soaking)
        #expect(play(&seat, &document, step: .soaked) == .wait("no rollout is under way"))
        #expect(document.state == .done && seat.proven?.rollout == "r1" && seat.phase == .idle)
    }

    @Test(
        "a soak that is over without a proof gives its grant back, and leaves a rollout that is another one by now"
    )
    func soakLeft() throws {
        var document = try document()
        var soaking = Seat()
        #expect(play(&soaking, &document) == .step)
        #expect(play(&soaking, &document, step: .soaking) == .step)
        // What was soaking was left: the turn is taken anew, and not waited for for ever.
        var seat = soaking
        var same = document
        #expect(play(&seat, &same) == .step)
        #expect(seat.phase == .stepping && same.generation > document.generation + 1)
        // A person ended the rollout and began another one meanwhile.
        var other = try self.document()
        other.id = "r2"
        other.generation = document.generation + 1
        seat = soaking
        #expect(play(&seat, &other) == .step)
        #expect(seat.phase == .stepping && seat.rollout == "r2")
    }

    @Test("invariant 2: begins nothing where the store does not answer, and goes on with what was begun")
    func silent() throws {
        var seat = Seat()
        #expect(nextMove(seat, situation(nil, answers: false)) == .wait("the fleet's store does not answer"))
        seat.phase = .stepping
        #expect(nextMove(seat, situation(nil, answers: false, step: .underWay)) == .step)
        seat.phase = .soaking
        #expect(nextMove(seat, situation(nil, answers: false, step: .soaking)) == .step)
    }

    @Test("invariant 2: a store that went back in time holds everything until a person resumes")
    func backInTime() throws {
        let document = try document()
        var seat = Seat()
        seat.highest = 9
        guard case .wait(let text) = nextMove(seat, situation(document)) else {
            Issue.record("it goes on")
            return
        }
        #expect(text.contains("went back in time") && text.contains("holdfast rollout resume"))
        let resumed = try document.resuming(highest: 9, now: Sample.now)
        #expect(resumed.generation == 10 && resumed.lost == LostSpan(after: 1, before: 10))
        guard case .commit = nextMove(seat, situation(resumed)) else {
            Issue.record("it still waits")
            return
        }
    }

    @Test("a proof that a restored store has lost is made again")
    func lostProof() throws {
        var document = try document()
        let before = document
        var seat = Seat()
        _ = play(&seat, &document)
        _ = play(&seat, &document, step: .soaked)
        #expect(document.state == .done)
        document = try before.resuming(highest: seat.highest, now: Sample.now)
        #expect(play(&seat, &document) == .step)
    }

    @Test("after an abort a grant with which nothing was begun is given back")
    func aborted() throws {
        var document = try document()
        var seat = Seat()
        var committed = seat
        while committed.phase != .granted {
            switch nextMove(committed, situation(document)) {
            case .commit(let next): committed = next
            case .put(let next): document = next
            default:
                Issue.record("it got no grant")
                return
            }
        }
        seat = committed
        document = try document.aborting(reason: "by hand")
        _ = play(&seat, &document)
        #expect(document.grant(of: node) == nil && seat.phase == .idle)
    }

    @Test("a policy that changes midway gives an unstarted grant back, and lets a started step end")
    func otherPolicy() throws {
        var document = try document()
        var seat = Seat()
        #expect(play(&seat, &document) == .step)
        _ = play(&seat, &document, step: .soaked, policy: Sample.otherPolicy)
        #expect(document.state == .done)
    }

    @Test("what failed is quarantined before the rollout is halted")
    func failed() throws {
        var document = try document()
        var seat = Seat()
        _ = play(&seat, &document)
        #expect(
            play(&seat, &document, step: .failed(reason: "not ready")) == .quarantine(reason: "not ready"))
        #expect(document.state == .running)
        _ = play(&seat, &document, step: .failed(reason: "not ready"), quarantined: true)
        #expect(document.state == .halted && seat.failed == "r1")
    }

    @Test(
        "what failed is quarantined though its rollout is another one by then, or gone",
        arguments: [true, false])
    func failedLater(isThere: Bool) throws {
        var document = try document()
        var seat = Seat()
        _ = play(&seat, &document)
        #expect(seat.bytes == document.artifact.bytes["amd64"])
        var other: RolloutDocument? = nil
        if isThere {
            other = document
            other?.id = "r2"
            other?.artifact.bytes = ["amd64": String(repeating: "7", count: 64)]
            other?.generation += 1
            other?.tracks[0].stages[0].granted = []
        }
        let before = other
        for _ in 0..<6 {
            guard case .commit(let next) = nextMove(seat, situation(other, step: .failed(reason: "bad")))
            else { break }
            seat = next
        }
        #expect(
            nextMove(seat, situation(other, step: .failed(reason: "bad"))) == .quarantine(reason: "bad"))
        // The other rollout has nothing to do with it, and is not halted.
        for _ in 0..<6 {
            let move = nextMove(seat, situation(other, step: .failed(reason: "bad"), quarantined: true))
            guard seat.phase != .idle, case .commit(let next) = move else { break }
            seat = next
        }
        #expect(seat.phase == .idle && seat.failed == "r1")
        #expect(other == before)
    }

    @Test("a node that has come to another stage gives back what it had not begun, and ends what it had")
    func moved() throws {
        var document = try document()
        var seat = Seat()
        #expect(play(&seat, &document) == .step)
        let nowhere = Sample.node("c", "", cluster: "other")
        var left = (seat: seat, document: document)
        #expect(play(&left.seat, &left.document, node: nowhere) == .wait(Refusal.noStage.text))
        #expect(left.document.grant(of: node) == nil && left.document.tracks[0].stages[0].provenCount == 0)
        #expect(left.seat.proven == nil)
        _ = play(&seat, &document, step: .soaked, node: nowhere)
        #expect(document.tracks[0].stages[0].provenCount == 1 && seat.proven?.rollout == "r1")
    }

    @Test("a clone that finds a grant under its id says so, and does nothing")
    func clone() throws {
        var document = try document()
        document = try document.granting(
            Grant(node: "c", id: "not ours"), to: node, policy: Sample.policy, now: Sample.now)
        var seat = Seat()
        guard case .wait(let text) = play(&seat, &document) else {
            Issue.record("it goes on")
            return
        }
        #expect(text.contains("clone"))
    }

    @Test("a newer document is read and left alone")
    func newer() throws {
        var document = try document()
        document.format = 7
        #expect(nextMove(Seat(), situation(document)) == .wait(Refusal.newerFormat(7).text))
    }
}
