import Agent
import Model
import Rules
import Testing

@Suite("A judgement, with what persons said")
struct ApprovalTests {
    private let first = look([k3s("v1.31.4+k3s1", bytes: "1")]).state
    private let minor = k3s("v1.32.1+k3s1", bytes: "2", origin: .verified)

    private func approval(_ version: String, bytes: Character) -> Approval {
        Approval(
            id: "ap1", distribution: .k3s, version: Version(version),
            digests: ["amd64": digest(bytes)].compactMapValues { $0 }, revision: nil,
            from: [approved].compactMap(\.self), scope: .node("n1"), approvedAt: now,
            expires: now + .days(7), waives: [], reason: "", claimedBy: "ada", spentBy: [])
    }

    private func state(_ events: Event...) -> NodeState {
        events.reduce(into: first) { $0.apply($1, at: now) }
    }

    @Test("an approval is for exact digests: it lets its bytes through and no others (invariant 6)")
    func exact() {
        let before = look([minor], state: first)
        #expect(before.decisions.map(\.decision.verdict) == [.hold])
        let given = state(.approved(approval("v1.32.1+k3s1", bytes: "2")))
        let after = look([minor], state: given)
        #expect(after.decisions.map(\.decision.verdict) == [.allow])
        #expect(after.events.map(\.kind).contains("decided"))
        let others = k3s("v1.32.1+k3s1", bytes: "3", origin: .verified)
        #expect(look([others], state: given).decisions.map(\.decision.verdict) == [.hold])
    }

    @Test("an approval ends at its end, and when it is revoked (invariant 6)")
    func ends() {
        let given = approval("v1.32.1+k3s1", bytes: "2")
        func verdict(_ state: NodeState, at instant: Instant = now, synchronised: Bool = true) -> [Verdict] {
            look([minor], state: state, synchronised: synchronised, at: instant).decisions
                .map(\.decision.verdict)
        }
        let one = Instant(seconds: given.expires.seconds - 1)
        #expect(verdict(state(.approved(given)), at: one) == [.allow])
        #expect(verdict(state(.approved(given)), at: given.expires) == [.hold])
        // Invariant 2: nobody knows whether its end has come.
        #expect(verdict(state(.approved(given)), synchronised: false) == [.hold])
        let revocation = Revocation(revoked: .approval(given), claimedBy: "bob")
        #expect(verdict(state(.approved(given), .revoked(revocation))) == [.hold])
    }

    @Test("a denial wins over an approval, whichever came first, until it is revoked")
    func denied() {
        let given = Event.approved(approval("v1.32.1+k3s1", bytes: "2"))
        let denial = Denial(
            id: "dn1", distribution: .k3s, target: Artifact(version: nil, sha256: digest("2")),
            deniedAt: now, reason: "no", claimedBy: "bob")
        for both in [state(given, .denied(denial)), state(.denied(denial), given)] {
            let judgement = look([minor], state: both)
            #expect(judgement.decisions.map(\.decision.verdict) == [.deny])
            #expect(judgement.decisions.map(\.denials) == [[denial]])
            var revoked = both
            revoked.apply(.revoked(Revocation(revoked: .denial(denial), claimedBy: "bob")), at: now)
            #expect(look([minor], state: revoked).decisions.map(\.decision.verdict) == [.allow])
        }
    }

    @Test("a version stated for a digest makes it known while the approval lasts (invariant 2)")
    func stated() throws {
        let unreadable = k3s(nil, bytes: "2", running: "v1.32.1+k3s1")
        #expect(look([unreadable], state: first).decisions.map(\.decision.verdict).contains(.allow) == false)
        let given = state(.approved(approval("v1.32.1+k3s1", bytes: "2")))
        let judgement = look([unreadable], state: given)
        let installed = try #require(judgement.observation.installations[0].installed)
        #expect(installed.artifact.version == Version("v1.32.1+k3s1"))
        #expect((installed.evidence, installed.origin) == (.approval, .verified))
        #expect(judgement.decisions.map(\.decision.verdict) == [.allow])
        let ended = look([unreadable], state: given, at: now + .days(7))
        #expect(ended.observation.installations[0].installed?.artifact.version == nil)
        #expect(ended.decisions.map(\.decision.verdict).contains(.allow) == false)
        #expect(look([k3s(nil, bytes: "3")], state: given).decisions.map(\.decision.verdict) == [.hold])
    }

    @Test("a stated version that needs no approval waits for a clock that can tell its end (invariant 2)")
    func statedPatch() {
        let unreadable = k3s(nil, bytes: "2")
        let given = state(.approved(approval("v1.31.5+k3s1", bytes: "2")))
        #expect(look([unreadable], state: given).decisions.map(\.decision.verdict) == [.allow])
        let lost = look([unreadable], state: given, synchronised: false)
        #expect(lost.decisions.map(\.decision.verdict) == [.hold])
    }

    @Test("a checksum outweighs a stated version, and two that differ are no word at all (invariant 2)")
    func contradicted() throws {
        let given = approval("v1.31.5+k3s1", bytes: "2")
        var other = approval("v1.31.6+k3s1", bytes: "2")
        other.id = "ap2"
        let unreadable = k3s(nil, bytes: "2")
        let backed = look(
            [unreadable], state: state(.approved(given)), catalog: [try entry("v1.33.0+k3s1", bytes: "2")])
        #expect(backed.decisions.map(\.subject.change.to.version) == [Version("v1.33.0+k3s1")])
        #expect(backed.decisions.map(\.decision.verdict) == [.deny])
        let both = look([unreadable], state: state(.approved(given), .approved(other)))
        #expect(both.decisions.map(\.subject.change.to.version) == [nil])
        #expect(both.decisions.map(\.decision.verdict) == [.hold])
    }

    @Test("a record holds all that persons said, and gives the same decision again (invariant 5)")
    func replay() throws {
        let denial = Denial(
            id: "dn1", distribution: .k3s, target: Artifact(version: nil, sha256: digest("2")),
            deniedAt: now, reason: "no", claimedBy: "bob")
        let both = state(.approved(approval("v1.32.1+k3s1", bytes: "2")), .denied(denial))
        let record = try #require(look([minor], state: both).decisions.first)
        let again = evaluate(
            policy: record.policy, subject: record.subject, fleet: record.fleet,
            approvals: record.approvals, denials: record.denials, now: record.now)
        #expect(again == record.decision)
    }
}
