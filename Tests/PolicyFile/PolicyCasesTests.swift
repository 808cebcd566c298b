import Model
import PolicyFile
import Testing

private func cases(_ text: String) -> ParsedFile<PolicyCases> {
    parsePolicyCases(Array(text.utf8), file: "cases.yaml")
}

/// A file with one case, whose keys are given.
private func one(_ keys: String) -> ParsedFile<PolicyCases> {
    cases("apiVersion: holdfast/v1\ncases:\n  - \(keys.split(separator: "\n").joined(separator: "\n    "))\n")
}

private let whole = """
    name: a
    installation: {distribution: k3s, role: server}
    change: {from: v1.31.4+k3s1, to: v1.31.5+k3s1}
    now: 2026-11-24T03:30:00+01:00
    expect: {verdict: allow}
    """

@Suite("cases of policy test")
struct PolicyCasesTests {
    @Test("a short case is filled in")
    func short() throws {
        let file = try one(whole).value
        let first = try #require(file.cases.first)
        #expect(file.policy == nil)
        #expect(first.name == "a" && first.line == 3)
        #expect(first.now == Instant(seconds: 1_795_487_400))
        #expect(first.fleet == .alone)
        #expect(first.approvals.isEmpty)
        #expect(first.expected.verdict == .allow && first.expected.notMet == nil)
        let subject = first.subject
        #expect(subject.clockSynchronised == true)
        #expect(subject.zone == nil)
        #expect(subject.installation.id.description == "k3s/k3s")
        #expect(subject.installation.running?.version == Version("v1.31.4+k3s1"))
        #expect(subject.installation.installed?.artifact.version == Version("v1.31.5+k3s1"))
        #expect(subject.change.trigger == .fileReplaced && subject.change.phase == .onDisk)
        #expect(subject.change.updateType == .patch)
        #expect(subject.change.origin == .verified)
        #expect(subject.change.from.isSameBytes(as: subject.change.to) == false)
    }

    @Test("everything that a case can say arrives in what the rules are given")
    func everything() throws {
        let file = try cases(
            """
            apiVersion: holdfast/v1
            policy: ../a.yaml
            defaults: {clock: unknown, installation: {distribution: k0s, role: worker}}
            cases:
              - name: all of it
                node: {name: mk-1, cluster: prod, labels: {zone: no}, arch: arm64}
                installation: {distribution: microk8s, role: node, dataStore: external}
                change:
                  from: {version: v1.32.8, revision: 8148, channel: 1.32/stable}
                  to: {version: v1.33.1, revision: 8200}
                  trigger: named-refresh
                  phase: running
                  origin: claimed
                  published: 2026-11-01T00:00:00Z
                  firstSeen: 2026-11-02T00:00:00Z
                now: 2026-11-24T02:30:00Z
                fleet:
                  answered: false
                  members:
                    - {name: mk-2, running: v1.32.8, healthy: false, votes: false}
                    - {name: w-1, cluster: other, role: worker, running: unknown, healthy: unknown}
                  stages: [{stage: canary, met: false, soakLeft: 2h}]
                  quarantined: it failed on mk-2
                approvals:
                  - {to: {version: v1.33.1, revision: 8200}, from: [v1.32.8], stage: canary, approved: 2026-11-20T00:00:00Z,
                     expires: 2026-11-30T00:00:00Z, waive: [window], reason: urgent, by: anna, spent: true}
                  - {}
                expect: {verdict: hold, rule: [window, release-age], notBefore: 2026-11-25T00:00:00Z}
            """
        ).value
        let first = try #require(file.cases.first)
        #expect(file.policy == "../a.yaml")
        let subject = first.subject
        #expect(
            subject.node
                == NodeFacts(name: "mk-1", cluster: "prod", labels: ["zone": "no"], architecture: .arm64))
        #expect(subject.clockSynchronised == nil)
        #expect(subject.installation.dataStore == .external)
        #expect(subject.installation.running?.version == Version("v1.33.1"))
        #expect(
            subject.change.from
                == Artifact(version: Version("v1.32.8"), revision: "8148", channel: "1.32/stable"))
        #expect(subject.change.to == Artifact(version: Version("v1.33.1"), revision: "8200"))
        #expect(subject.change.trigger == .namedRefresh && subject.change.phase == .running)
        #expect(subject.change.origin == .claimed)
        #expect(subject.change.firstSeen?.description == "2026-11-02T00:00:00Z")
        #expect(!first.fleet.answered && first.fleet.seesOthers)
        #expect(
            first.fleet.members == [
                .init(
                    name: "mk-2", cluster: "prod", role: .node, running: Version("v1.32.8"), healthy: false,
                    votes: false),
                .init(name: "w-1", cluster: "other", role: .worker, running: nil, healthy: nil, votes: nil),
                .init(
                    name: "mk-1", cluster: "prod", role: .node, running: Version("v1.32.8"), healthy: true,
                    votes: true),
            ])
        #expect(
            first.fleet.stages == [
                .init(stage: "canary", change: subject.change.id, met: false, soakLeft: .hours(2))
            ])
        #expect(first.fleet.quarantine == [.init(bytes: "revision:8200", reason: "it failed on mk-2")])
        let approval = try #require(first.approvals.first)
        #expect(approval.scope == .stage("canary") && approval.revision == "8200" && approval.digests.isEmpty)
        #expect(approval.from == [Version("v1.32.8")] && approval.waives == [.window])
        #expect(approval.claimedBy == "anna" && approval.reason == "urgent" && approval.spentBy == ["mk-1"])
        #expect(approval.expires.description == "2026-11-30T00:00:00Z")
        #expect(first.approvals[1].revision == "8200" && first.approvals[1].scope == .node("mk-1"))
        #expect(first.expected.notMet == [.window, .releaseAge])
        #expect(first.expected.notBefore?.description == "2026-11-25T00:00:00Z")
    }

    @Test("what is unknown stays unknown")
    func unknown() throws {
        let text = whole.replacing(
            "to: v1.31.5+k3s1",
            with:
                "to: {version: unknown, sha256: unknown}, published: 2026-11-01T00:00:00Z, firstSeen: unknown"
        )
        let change = try #require(try one(text).value.cases.first).subject.change
        #expect(change.to == Artifact(version: nil))
        #expect(change.updateType == .unknown)
        #expect(change.published != nil && change.firstSeen == nil)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var from: String
        var to: String
        var line: Int
        var column: Int
        var part: String
        var testDescription: String { to }

        init(_ from: String, _ to: String, _ line: Int, _ column: Int, _ part: String) {
            self.from = from
            self.to = to
            self.line = line
            self.column = column
            self.part = part
        }
    }

    @Test(
        "a wrong case is said where it is wrong",
        arguments: [
            Wrong("name: a", "nam: a", 3, 5, "did you mean `name`?"),
            Wrong("role: server", "role: worker", 4, 45, "K3s has no role worker; write server or agent"),
            Wrong("v1.31.5+k3s1", "1.31", 5, 38, "is no version"),
            Wrong("+01:00", "", 6, 10, "no point in time"),
            Wrong("2026-11-24T", "2026-02-30T", 6, 10, "no point in time"),
            Wrong("03:30:00", "24:30:00", 6, 10, "no point in time"),
            Wrong("now:", "when:", 3, 5, "`now` is missing"),
            Wrong("verdict: allow", "verdict: wait", 7, 23, "is not allow, hold or deny"),
            Wrong("verdict: allow", "verdict: allow, rule: [window]", 7, 36, "take it out"),
            Wrong("verdict: allow", "verdict: hold, rule: [windows]", 7, 36, "did you mean `window`?"),
            Wrong("verdict: allow", "rule: [window]", 7, 13, "`verdict` is missing"),
            Wrong("change:", "approvals: [{scope: all}]\nchange:", 5, 18, "unknown key \"scope\""),
            Wrong("change:", "fleet: {members: [{name: x}]}\nchange:", 5, 23, "`running` is missing"),
        ])
    func wrong(_ wrong: Wrong) {
        let faults = one(whole.replacing(wrong.from, with: wrong.to)).faults
        #expect(
            faults.contains {
                $0.line == wrong.line && $0.column == wrong.column && $0.message.contains(wrong.part)
            }, "\(faults)")
    }

    @Test("a fault in the defaults is said once, and two cases of one name are not taken")
    func defaults() {
        let rest = "change: {from: v1.31.4, to: v1.31.5}, now: 2026-11-24T03:30:00Z, expect: {verdict: allow}"
        let faults = cases(
            "apiVersion: holdfast/v1\ndefaults: {node: {arch: x}, installation: {distribution: k3s, role: server}}\n"
                + "cases:\n  - {name: a, \(rest)}\n  - {name: b, \(rest)}\n"
        ).faults
        #expect(faults.map { "\($0.line):\($0.column)" } == ["2:25"])
        let twice = cases(
            "apiVersion: holdfast/v1\ndefaults: {installation: {distribution: k3s, role: server}}\n"
                + "cases:\n  - {name: a, \(rest)}\n  - {name: a, \(rest)}\n"
        ).faults
        #expect(
            twice.map(\.description) == [
                "cases.yaml:5:5: cases[1]: a second case is named \"a\"; give each a name of its own"
            ])
    }

    @Test("a file that is empty, a list or without cases is refused")
    func files() {
        #expect(cases("").faults.count == 1)
        #expect(cases("- name: a").faults.count == 1)
        #expect(cases("apiVersion: holdfast/v1").faults.first?.message.contains("`cases` is missing") == true)
        #expect(
            cases("apiVersion: holdfast/v1\ncases: []").faults.first?.message.contains("empty list") == true)
    }

    @Test("the difference between a decision and what was expected is named")
    func differences() throws {
        var one = try #require(try one(whole).value.cases.first)
        let open = Instant(seconds: 0)
        let held = Decision(reasons: [
            Reason(rule: .window, result: .unmet, text: "closed", source: "default", notBefore: open),
            Reason(rule: .pin, result: .met, text: "nothing is pinned", source: "default"),
        ])
        #expect(one.differences(from: held) == ["expected allow, got hold (window: closed)"])
        one.expected.verdict = .hold
        #expect(one.differences(from: held) == [])
        one.expected.notMet = [.window]
        one.expected.notBefore = open
        #expect(one.differences(from: held) == [])
        one.expected.notMet = [.freeze, .window]
        one.expected.notBefore = Instant(seconds: 60)
        #expect(
            one.differences(from: held) == [
                "expected not met: window, freeze; got: window",
                "expected to be allowed from 1970-01-01T00:01:00Z, got 1970-01-01T00:00:00Z",
            ])
    }
}
