import FoundationEssentials
import Model
import Testing

private let id = InstallationID(distribution: .k3s, name: "k3s")
private let key = "k3s/k3s"

private func installation(_ version: String?) -> Installation {
    let artifact = Artifact(version: version.flatMap { Version($0) })
    let installed = version.map { _ in
        Installed(artifact: artifact, path: "/usr/local/bin/k3s", evidence: .goBuildInfo, origin: .verified)
    }
    return Installation(id: id, role: .server, units: [], installed: installed, running: nil)
}

private func decided(_ version: String, change: String, verdict: Verdict, id label: String) throws -> Event {
    let found = installation(version)
    let target = try #require(found.installed).artifact
    let change = Change(
        id: change, installation: id, trigger: .fileReplaced, phase: .onDisk,
        from: Artifact(version: Version("v1.31.4+k3s1")), to: target, origin: .verified)
    let node = NodeFacts(name: "one", cluster: "default", labels: [:], architecture: .amd64)
    let digest = try #require(Digest(String(repeating: "0", count: 64)))
    var decision = Decision(reasons: [])
    decision.verdict = verdict
    return .decided(
        DecisionRecord(
            id: label, decision: decision,
            subject: Subject(
                node: node, installation: found, change: change, clockSynchronised: true, zone: nil),
            policy: ResolvedPolicy(
                policy: Policy(), sources: [:], stages: [], stage: nil, sha256: digest, isCurrent: true),
            fleet: .alone, approvals: [], now: Instant(seconds: 0), dataVersions: [:]))
}

@Suite("The node's state, a fold over events")
struct NodeStateTests {
    @Test("takes the artifact of first sight as its unconfirmed reference, and keeps it")
    func reference() {
        var state = NodeState()
        state.apply(.installationFound(installation("v1.31.4+k3s1")), at: Instant(seconds: 1))
        state.apply(.installationObserved(installation("v1.31.5+k3s1")), at: Instant(seconds: 2))
        #expect(state.installations[key]?.reference?.version == Version("v1.31.4+k3s1"))
        #expect(state.installations[key]?.installation.installed?.artifact.version == Version("v1.31.5+k3s1"))
        #expect(state.installations[key]?.confirmed == false)
        #expect(state.installations[key]?.since == Instant(seconds: 1))
    }

    @Test("keeps an adoption where two processes found the installation at once")
    func foundTwice() throws {
        var state = NodeState()
        let found = installation("v1.31.4+k3s1")
        let artifact = try #require(found.installed).artifact
        state.apply(.installationFound(found), at: Instant(seconds: 1))
        state.apply(
            .adopted(Adoption(installation: id, artifact: artifact, at: Instant(seconds: 1))),
            at: Instant(seconds: 1))
        state.apply(.installationFound(found), at: Instant(seconds: 2))
        #expect(state.installations[key]?.adoption != nil && state.installations[key]?.confirmed == true)
        state.apply(.installationGone(id), at: Instant(seconds: 3))
        state.apply(.installationFound(found), at: Instant(seconds: 4))
        #expect(state.installations[key]?.adoption == nil)
    }

    @Test("takes the first artifact that could be read where first sight had none")
    func lateReference() {
        var state = NodeState()
        state.apply(.installationFound(installation(nil)), at: Instant(seconds: 1))
        #expect(state.installations[key]?.reference == nil)
        state.apply(.installationObserved(installation("v1.31.5+k3s1")), at: Instant(seconds: 2))
        #expect(state.installations[key]?.reference?.version == Version("v1.31.5+k3s1"))
    }

    @Test(
        "takes what runs for the reference where the disk already holds another version, and its bytes when it sees them"
    )
    func restartPendingAtFirstSight() throws {
        var state = NodeState()
        var first = installation("v1.32.1+k3s1")
        first.running = Running(version: Version("v1.31.4+k3s1"), sources: [], restartPending: true)
        state.apply(.installationFound(first), at: Instant(seconds: 1))
        #expect(state.installations[key]?.reference == Artifact(version: Version("v1.31.4+k3s1")))
        var restarted = first
        restarted.running = Running(version: Version("v1.32.1+k3s1"), sources: [], restartPending: false)
        state.apply(.installationObserved(restarted), at: Instant(seconds: 2))
        #expect(state.installations[key]?.reference == Artifact(version: Version("v1.31.4+k3s1")))
        var putBack = installation("v1.31.4+k3s1")
        let digest = Digest(String(repeating: "1", count: 64))
        putBack.installed?.artifact.sha256 = digest
        state.apply(.installationObserved(putBack), at: Instant(seconds: 3))
        #expect(state.installations[key]?.reference?.sha256 == digest)
        #expect(state.installations[key]?.reference?.version == Version("v1.31.4+k3s1"))
    }

    @Test("takes what is on disk for the reference where only its times moved since the start")
    func touchedAtFirstSight() {
        var state = NodeState()
        var first = installation("v1.31.4+k3s1")
        first.installed?.artifact.sha256 = Digest(String(repeating: "1", count: 64))
        first.running = Running(version: Version("v1.31.4+k3s1"), sources: [], restartPending: true)
        state.apply(.installationFound(first), at: Instant(seconds: 1))
        #expect(state.installations[key]?.reference == first.installed?.artifact)
    }

    @Test("takes no missing binary for a reference, and the first one that is there")
    func missingReference() {
        var missing = installation(nil)
        missing.installed = Installed(
            artifact: Artifact(version: nil), path: "/usr/local/bin/k3s", evidence: .unreadable,
            origin: .unknown)
        var state = NodeState()
        state.apply(.installationFound(missing), at: Instant(seconds: 1))
        #expect(state.installations[key]?.reference == nil)
        state.apply(.installationObserved(installation("v1.31.5+k3s1")), at: Instant(seconds: 2))
        #expect(state.installations[key]?.reference?.version == Version("v1.31.5+k3s1"))
    }

    @Test("keeps the newest decision of each change until the change ends")
    func changes() throws {
        var state = NodeState()
        state.apply(.installationFound(installation("v1.31.4+k3s1")), at: Instant(seconds: 1))
        state.apply(
            try decided("v1.31.5+k3s1", change: "a", verdict: .hold, id: "1"), at: Instant(seconds: 2))
        state.apply(
            try decided("v1.32.0+k3s1", change: "b", verdict: .deny, id: "2"), at: Instant(seconds: 3))
        state.apply(
            try decided("v1.31.5+k3s1", change: "a", verdict: .allow, id: "3"), at: Instant(seconds: 4))
        let changes = try #require(state.installations[key]).changes
        #expect(changes.map(\.decisionID) == ["2", "3"])
        #expect(changes.map(\.verdict) == [.deny, .allow])
        #expect(changes.last?.decidedAt == Instant(seconds: 4))
        state.apply(.changeEnded(ChangeEnd(change: changes[0].change)), at: Instant(seconds: 5))
        #expect(state.installations[key]?.changes.map(\.change.id) == ["a"])
    }

    @Test("forgets an installation that is gone, and what is decided of it afterwards changes nothing")
    func gone() throws {
        var state = NodeState()
        state.apply(.installationFound(installation("v1.31.4+k3s1")), at: Instant(seconds: 1))
        state.apply(.installationGone(id), at: Instant(seconds: 2))
        state.apply(
            try decided("v1.31.5+k3s1", change: "a", verdict: .hold, id: "1"), at: Instant(seconds: 3))
        state.apply(.installationObserved(installation("v1.31.5+k3s1")), at: Instant(seconds: 4))
        #expect(state.installations.isEmpty)
    }

    @Test("keeps the last valid policy while the file is invalid (invariant 2)")
    func policy() throws {
        var state = NodeState()
        let digest = try #require(Digest(String(repeating: "0", count: 64)))
        let loaded = LoadedPolicy(
            document: PolicyDocument(), sources: PolicySources(file: "p", lines: [:]), sha256: digest)
        state.apply(.policyLoaded(loaded), at: Instant(seconds: 1))
        state.apply(
            .policyRejected(PolicyRejection(file: "p", errors: ["p:1:1: no"])), at: Instant(seconds: 2))
        #expect(state.policy == loaded.sha256)
        #expect(state.rejection?.errors == ["p:1:1: no"])
        state.apply(.policyLoaded(loaded), at: Instant(seconds: 3))
        #expect(state.rejection == nil)
    }

    @Test("has each problem once, until it ends")
    func problems() {
        var state = NodeState()
        state.apply(.problemBegan(Problem(code: "snapd-silent", text: "a")), at: Instant(seconds: 1))
        state.apply(.problemBegan(Problem(code: "snapd-silent", text: "b")), at: Instant(seconds: 2))
        #expect(state.problems.map(\.text) == ["b"])
        state.apply(.problemEnded(Problem(code: "snapd-silent", text: "")), at: Instant(seconds: 3))
        #expect(state.problems.isEmpty)
        // Of two binaries that are missing, the one that is back leaves the other.
        for about in ["a", "b"] {
            state.apply(
                .problemBegan(Problem(code: "binary-missing", text: "", about: about)),
                at: Instant(seconds: 4))
        }
        state.apply(
            .problemEnded(Problem(code: "binary-missing", text: "", about: "a")), at: Instant(seconds: 5))
        #expect(state.problems.map(\.about) == ["b"])
    }

    private func approval(_ id: String, expires: Int64) -> Approval {
        Approval(
            id: id, distribution: .k3s, version: nil, digests: [:], revision: nil, from: [],
            scope: .node("one"), approvedAt: Instant(seconds: 0), expires: Instant(seconds: expires),
            waives: [], reason: "", claimedBy: "ada", spentBy: [])
    }

    @Test("has each approval and denial until it is revoked, and forgets an approval a month after its end")
    func persons() {
        var state = NodeState()
        let first = approval("a", expires: 100)
        let denial = Denial(
            id: "d", distribution: .k3s, target: Artifact(version: nil), deniedAt: Instant(seconds: 1),
            reason: "no", claimedBy: "ada")
        state.apply(.approved(first), at: Instant(seconds: 1))
        state.apply(.denied(denial), at: Instant(seconds: 1))
        // Its end alone takes nothing away: only who judges by it knows the time.
        state.apply(.approved(approval("b", expires: 200)), at: Instant(seconds: 150))
        #expect(state.approvals.map(\.id) == ["a", "b"])
        state.apply(.approved(approval("c", expires: 9)), at: Instant(seconds: 101) + .days(30))
        #expect(state.approvals.map(\.id) == ["b", "c"])
        state.apply(
            .revoked(Revocation(revoked: .approval(approval("b", expires: 200)), claimedBy: "bob")),
            at: Instant(seconds: 2))
        state.apply(.revoked(Revocation(revoked: .denial(denial), claimedBy: "bob")), at: Instant(seconds: 2))
        #expect(state.approvals.map(\.id) == ["c"])
        #expect(state.denials.isEmpty)
    }

    @Test("without approvals and denials is written, and read, as before there were any")
    func olderText() throws {
        let older = #"{"installations":{},"problems":[]}"#
        #expect(try CanonicalJSON.text(of: NodeState()) == older)
        #expect(try JSONDecoder().decode(NodeState.self, from: Data(older.utf8)) == NodeState())
        var state = NodeState()
        state.apply(.approved(approval("a", expires: 100)), at: Instant(seconds: 1))
        let text = try CanonicalJSON.text(of: state)
        #expect(try JSONDecoder().decode(NodeState.self, from: Data(text.utf8)) == state)
        guard case .decided(let record) = try decided("v1.31.5+k3s1", change: "a", verdict: .hold, id: "1")
        else { return }
        let decision = try CanonicalJSON.text(of: record)
        #expect(!decision.contains("denials"))
        #expect(try JSONDecoder().decode(DecisionRecord.self, from: Data(decision.utf8)) == record)
    }
}
