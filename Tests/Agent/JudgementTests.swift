import Agent
import Model
import Ports
import Testing

let now = Instant(seconds: 1_790_000_000)
let approved = Version("v1.31.4+k3s1")

func digest(_ digit: Character) -> Digest? { Digest(String(repeating: digit, count: 64)) }

/// Small and repeatable; the real one is a digest.
func label(_ text: String) -> String {
    String(text.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) }, radix: 16)
}

func k3s(
    _ version: String?, bytes: Character, running: String? = nil, restartPending: Bool? = false,
    startedFrom: Character? = nil, origin: Origin = .claimed, offers: [Offer] = []
) -> Installation {
    let version = version.flatMap { Version($0) }
    let running = running.map { Version($0) } ?? version
    return Installation(
        id: InstallationID(distribution: .k3s, name: "k3s"), role: .server, units: [],
        installed: Installed(
            artifact: Artifact(version: version, sha256: digest(bytes)), path: "/usr/local/bin/k3s",
            evidence: version == nil ? .unreadable : .goBuildInfo, origin: origin, cause: .fileReplaced),
        running: Running(
            version: running, sources: [.init(source: .processExecutable, version: running)],
            restartPending: restartPending,
            startedFrom: startedFrom.map { Artifact(version: running, sha256: digest($0)) }),
        offers: offers)
}

func look(
    _ installations: [Installation], state: NodeState = NodeState(), policy: PolicyReading? = nil,
    lastPolicy: LoadedPolicy? = nil,
    catalog: [CatalogEntry] = [], problems: [Problem] = [], synchronised: Bool? = true,
    at instant: Instant = now, unitsUp: Set<String> = []
) -> Judgement {
    var situation = Situation(
        state: state,
        observation: Observation(
            node: NodeFacts(name: "n1", cluster: "default", labels: [:], architecture: .amd64),
            clock: ClockReading(now: instant, monotonic: 1, bootID: "b", synchronised: synchronised),
            installations: installations, problems: problems),
        policy: policy ?? .valid(patches()), lastPolicy: lastPolicy,
        catalog: Dictionary(grouping: catalog, by: \.sha256), fleet: [:],
        approvals: state.approvals, denials: state.denials, zones: ["UTC": (.utc, "test")])
    situation.unitsUp = unitsUp
    return judge(situation, label: label)
}

func patches() -> LoadedPolicy {
    var document = PolicyDocument()
    document.base.unattended = .patch
    return LoadedPolicy(
        document: document, sources: PolicySources(file: "policy.yaml", lines: ["unattended": 3]),
        sha256: digest("f") ?? .none)
}

func entry(_ version: String, bytes: Character) throws -> CatalogEntry {
    CatalogEntry(
        distribution: .k3s, version: try #require(Version(version)), architecture: .amd64,
        sha256: try #require(digest(bytes)), file: "sha256sum-amd64.txt", importedAt: now)
}

@Suite("A judgement")
struct JudgementTests {
    private let first = look([k3s("v1.31.4+k3s1", bytes: "1")]).state

    @Test("takes the first artifact as an unconfirmed reference, which is no change")
    func firstSight() throws {
        let judgement = look([k3s("v1.31.4+k3s1", bytes: "1")])
        #expect(judgement.decisions.isEmpty)
        #expect(judgement.events.map(\.kind) == ["policy-loaded", "installation-found"])
        let known = try #require(judgement.state.installations["k3s/k3s"])
        #expect(known.reference?.version == approved)
        #expect(!known.confirmed)
    }

    @Test("invariant 1: a minor that waits for a restart at first sight is a change, not the reference")
    func restartPendingAtFirstSight() throws {
        let judgement = look([
            k3s("v1.32.1+k3s1", bytes: "2", running: "v1.31.4+k3s1", restartPending: true)
        ])
        let change = try #require(judgement.decisions.first?.subject.change)
        #expect(judgement.decisions.count == 1)
        #expect((change.from.version, change.to.version) == (approved, Version("v1.32.1+k3s1")))
        #expect((change.updateType, change.phase) == (.minor, .onDisk))
        #expect(judgement.decisions.map(\.decision.verdict) == [.hold])
    }

    @Test("records nothing when nothing moved, not even for a touched file")
    func quiet() {
        var same = k3s("v1.31.4+k3s1", bytes: "1")
        same.installed?.identity = FileIdentity(device: 1, inode: 2, size: 3, modified: 4, changed: 5)
        #expect(look([same], state: first).events.isEmpty)
    }

    private struct PhaseRow: Sendable, CustomTestStringConvertible {
        let installed: String
        let running: String
        let restartPending: Bool?
        let phase: Phase
        var testDescription: String {
            "\(installed) on disk, \(running) runs, pending \(String(describing: restartPending))"
        }
    }

    @Test(
        "tells a replaced file from a running one",
        arguments: [
            PhaseRow(
                installed: "v1.31.5+k3s1", running: "v1.31.4+k3s1", restartPending: true, phase: .onDisk),
            PhaseRow(
                installed: "v1.31.5+k3s1", running: "v1.31.5+k3s1", restartPending: false, phase: .running),
            // The same version in other bytes: only a process newer than the file runs them.
            PhaseRow(
                installed: "v1.31.4+k3s1", running: "v1.31.4+k3s1", restartPending: true, phase: .onDisk),
            PhaseRow(installed: "v1.31.4+k3s1", running: "v1.31.4+k3s1", restartPending: nil, phase: .onDisk),
            PhaseRow(
                installed: "v1.31.4+k3s1", running: "v1.31.4+k3s1", restartPending: false, phase: .running),
        ])
    private func phases(row: PhaseRow) {
        let judgement = look(
            [k3s(row.installed, bytes: "2", running: row.running, restartPending: row.restartPending)],
            state: first)
        #expect(judgement.decisions.map(\.subject.change.phase) == [row.phase])
    }

    @Test("sees what runs though neither disk nor reference has it")
    func runningOnly() throws {
        let judgement = look([k3s("v1.31.4+k3s1", bytes: "1", running: "v1.32.1+k3s1")], state: first)
        let record = try #require(judgement.decisions.first)
        #expect(record.subject.change.to.version == Version("v1.32.1+k3s1"))
        #expect(record.subject.change.phase == .running)
        #expect(record.decision.verdict != .allow)
    }

    @Test("a change that runs on after the disk was put back is still that change", arguments: [5, 4])
    func runsOn(patch: Int) throws {
        // With the reference's version in other bytes nothing but the digest tells.
        let version = "v1.31.\(patch)+k3s1"
        let changed = look(
            [k3s(version, bytes: "2", startedFrom: "2")], state: first,
            catalog: [try entry(version, bytes: "2")])
        let back = look(
            [k3s("v1.31.4+k3s1", bytes: "1", running: version, restartPending: true, startedFrom: "2")],
            state: changed.state)
        #expect(back.decisions.map(\.subject.change) == changed.decisions.map(\.subject.change))
        #expect(back.decisions.map(\.subject.change.origin) == [.verified])
        #expect(back.events.map(\.kind) == ["installation-observed"])
        let restarted = look([k3s("v1.31.4+k3s1", bytes: "1", startedFrom: "1")], state: back.state)
        #expect(restarted.events.map(\.kind) == ["installation-observed", "change-ended"])
    }

    @Test("a forged binary with a permitted version holds until a checksum backs it (invariant 2)")
    func forged() throws {
        let forged = k3s("v1.31.5+k3s1", bytes: "2")
        let claimed = look([forged], state: first)
        #expect(claimed.decisions.map(\.decision.verdict) == [.hold])
        #expect(claimed.decisions[0].decision.reasons.first { $0.rule == .origin }?.result != .met)
        let backed = look([forged], state: first, catalog: [try entry("v1.31.5+k3s1", bytes: "2")])
        #expect(backed.decisions.map(\.decision.verdict) == [.allow])
        let contradicted = look([forged], state: first, catalog: [try entry("v1.33.0+k3s1", bytes: "2")])
        #expect(contradicted.decisions.map(\.decision.verdict) == [.hold])
    }

    @Test("a checksum tells the version that the bytes do not")
    func catalogVersion() throws {
        let judgement = look(
            [k3s(nil, bytes: "2")], state: first, catalog: [try entry("v1.31.5+k3s1", bytes: "2")])
        let installed = try #require(judgement.observation.installations[0].installed)
        #expect(installed.artifact.version == Version("v1.31.5+k3s1"))
        #expect(installed.evidence == .catalog)
        #expect(installed.origin == .verified)
    }

    @Test("a change keeps its id while it goes from offered to running, and ends when it is put back")
    func life() throws {
        let target = Artifact(version: Version("v1.31.5+k3s1"), sha256: digest("2"))
        let offer = Offer(artifact: target, trigger: .rollout, published: nil, origin: .verified)
        let offered = look([k3s("v1.31.4+k3s1", bytes: "1", offers: [offer])], state: first)
        let id = try #require(offered.decisions.first?.subject.change.id)
        let arrived = look([k3s("v1.31.5+k3s1", bytes: "2")], state: offered.state)
        #expect(arrived.decisions.map(\.subject.change.id) == [id])
        #expect(arrived.events.map(\.kind) == ["installation-observed", "decided"])
        let back = look([k3s("v1.31.4+k3s1", bytes: "1")], state: arrived.state)
        #expect(back.events.map(\.kind) == ["installation-observed", "change-ended"])
        #expect(back.state.installations["k3s/k3s"]?.changes.isEmpty == true)
    }

    @Test("a first sight counts only by a synchronised clock")
    func firstSeen() {
        let unsynchronised = look([k3s("v1.31.5+k3s1", bytes: "2")], state: first, synchronised: false)
        #expect(unsynchronised.decisions.map(\.subject.change.firstSeen) == [nil])
        let later = now + .minutes(5)
        let synchronised = look([k3s("v1.31.5+k3s1", bytes: "2")], state: unsynchronised.state, at: later)
        #expect(synchronised.decisions.map(\.subject.change.firstSeen) == [later])
        let again = look([k3s("v1.31.5+k3s1", bytes: "2")], state: synchronised.state, at: later + .hours(1))
        #expect(again.decisions.map(\.subject.change.firstSeen) == [later])
    }

    @Test("a first sight counts by whatever clock the policy trusts, so that a release can come of age there")
    func firstSeenByTrustedClock() {
        var policy = patches()
        policy.document.base.clock = .trusted
        policy.document.base.minimumReleaseAge.patch = .days(3)
        func verdict(_ judgement: Judgement) -> RuleResult? {
            judgement.decisions.first?.decision.reasons.first { $0.rule == .releaseAge }?.result
        }
        let patch = k3s("v1.31.5+k3s1", bytes: "2")
        let seen = look([patch], state: first, policy: .valid(policy), synchronised: false)
        #expect(seen.decisions.map(\.subject.change.firstSeen) == [now])
        #expect(verdict(seen) == .unmet)
        let old = look(
            [patch], state: seen.state, policy: .valid(policy), synchronised: false, at: now + .days(3))
        #expect(verdict(old) == .met)
    }

    @Test("an invalid policy leaves the last valid one forbidding and allows nothing new (invariant 2)")
    func invalidPolicy() throws {
        let patch = k3s("v1.31.5+k3s1", bytes: "2")
        let catalog = [try entry("v1.31.5+k3s1", bytes: "2")]
        #expect(look([patch], state: first, catalog: catalog).decisions.map(\.decision.verdict) == [.allow])
        let invalid = PolicyReading.invalid(PolicyRejection(file: "p", errors: ["p:1:1: unknown key"]))
        let rejected = look([patch], state: first, policy: invalid, lastPolicy: patches(), catalog: catalog)
        #expect(rejected.decisions.map(\.decision.verdict) == [.hold])
        #expect(rejected.observation.problems.map(\.code) == ["policy-invalid"])
        let gone = look(
            [patch], state: first, policy: .absent(file: "p"), lastPolicy: patches(), catalog: catalog)
        #expect(gone.decisions.map(\.decision.verdict) == [.hold])
        #expect(gone.observation.problems.map(\.code) == ["policy-missing"])
        // A minor that the valid policy forbids stays forbidden.
        let minor = look(
            [k3s("v1.32.1+k3s1", bytes: "3")], state: first, policy: invalid, lastPolicy: patches())
        #expect(minor.decisions.map(\.decision.verdict) == [.hold])
        // And the file, once mended, is in force again.
        #expect(
            look([patch], state: rejected.state, catalog: catalog).events.map(\.kind).contains(
                "policy-loaded"))
    }

    @Test("a node that never had a policy observes only")
    func noPolicy() {
        let state = look([k3s("v1.31.4+k3s1", bytes: "1")], policy: .absent(file: "p")).state
        let judgement = look([k3s("v1.31.5+k3s1", bytes: "2")], state: state, policy: .absent(file: "p"))
        #expect(judgement.policy == nil)
        #expect(judgement.decisions.allSatisfy { $0.decision.verdict != .allow })
    }

    @Test("whom a policy notifies is in no ledger row (invariant 13)")
    func notifySecrets() throws {
        var policy = patches()
        policy.document.notify = [
            Notification(target: .webhook("https://hooks.example/T0/secret-path"), on: [.denied])
        ]
        let events = look([k3s("v1.31.4+k3s1", bytes: "1")], policy: .valid(policy)).events
        #expect(events.map(\.kind).contains("policy-loaded"))
        #expect(try !events.contains { try CanonicalJSON.text(of: $0).contains("secret-path") })
    }

    @Test("a binary that is not there is no change, and its return to what was approved is none either")
    func missing() throws {
        var gone = k3s(nil, bytes: "0")
        gone.installed?.artifact = Artifact(version: nil)
        gone.running = nil
        let judgement = look([gone], state: first)
        #expect(judgement.decisions.isEmpty)
        #expect(look([k3s("v1.31.4+k3s1", bytes: "1")], state: judgement.state).decisions.isEmpty)
        // Something that is there and cannot be read is a change, and holds (invariant 2).
        gone.installed?.identity = FileIdentity(device: 1, inode: 2, size: 3, modified: 4, changed: 5)
        #expect(look([gone], state: first).decisions.map(\.decision.verdict) == [.hold])
    }

    private struct Absence: Sendable, CustomTestStringConvertible {
        /// In seconds after the first look that did not find it.
        let later: Int64
        var isUp = false
        let isGone: Bool
        var testDescription: String { "\(later) s later, \(isUp ? "up" : "down")" }
    }

    @Test(
        "invariant 1: an installation that is no longer found is gone a minute later, and only while nothing of it runs",
        arguments: [
            Absence(later: 0, isGone: false), Absence(later: 59, isGone: false),
            Absence(later: 60, isGone: true), Absence(later: 300, isUp: true, isGone: false),
            // A clock that was put back tells nothing.
            Absence(later: -300, isGone: false),
        ])
    private func absence(row: Absence) {
        var there = k3s("v1.31.4+k3s1", bytes: "1")
        there.units = [UnitObservation(name: "k3s.service")]
        let known = look([there]).state
        let unseen = look([], state: known)
        #expect(unseen.events.map(\.kind) == ["problem-began"])
        #expect(unseen.state.problems.map(\.code) == ["installation-unseen"])
        #expect(unseen.state.installations["k3s/k3s"]?.reference == known.installations["k3s/k3s"]?.reference)
        let later = look(
            [], state: unseen.state, at: Instant(seconds: now.seconds + row.later),
            unitsUp: row.isUp ? ["k3s.service"] : [])
        let expected =
            row.isGone ? ["installation-gone", "problem-ended"] : row.later < 0 ? ["problem-ended"] : []
        #expect(later.events.map(\.kind) == expected)
        #expect((later.state.installations["k3s/k3s"] == nil) == row.isGone)
        // One that began in what is future again begins anew.
        let past = look([], state: unseen.state, at: now + .hours(-3))
        #expect(past.events.map(\.kind) == ["problem-ended"])
        let anew = look([], state: past.state, at: now + .hours(-2))
        #expect(anew.events.map(\.kind) == ["problem-began"])
        #expect(look([], state: anew.state, at: now + .hours(-1)).state.installations["k3s/k3s"] == nil)
        // Each absence counts for itself.
        let back = look([there], state: unseen.state, at: Instant(seconds: now.seconds + 30))
        #expect(back.events.map(\.kind) == ["problem-ended"])
        #expect(look([], state: back.state, at: now + .hours(1)).events.map(\.kind) == ["problem-began"])
    }

    @Test("invariant 2: what was turned away and cannot be read now is not withdrawn")
    func unreadPending() {
        var there = k3s("v1.31.4+k3s1", bytes: "1")
        let kept = Artifact(
            version: Version("v1.31.5+k3s1"), sha256: Digest(String(repeating: "2", count: 64)))
        there.offers = [
            Offer(artifact: kept, trigger: .fileReplaced, published: nil, origin: .claimed, path: "/kept")
        ]
        let offered = look([there], state: look([k3s("v1.31.4+k3s1", bytes: "1")]).state)
        #expect(offered.state.installations["k3s/k3s"]?.changes.count == 1)
        there.offers = []
        let unread = Problem(
            code: "pending-unreadable", text: "it cannot be read", about: there.installed?.path)
        let blind = look([there], state: offered.state, problems: [unread], at: now + .minutes(5))
        #expect(blind.events.map(\.kind).contains("problem-began") && blind.decisions.isEmpty)
        #expect(blind.state.installations["k3s/k3s"]?.changes.count == 1)
        let gone = look([there], state: blind.state, at: now + .minutes(10))
        #expect(Set(gone.events.map(\.kind)).isSuperset(of: ["change-ended", "problem-ended"]))
        #expect(gone.state.installations["k3s/k3s"]?.changes == [])
    }

    @Test("what could not be looked at is not taken for gone, and no absence begins or goes on")
    func blind() {
        let silence = Problem(code: "units-unreadable", text: "a unit cannot be read")
        let blind = look([], state: first, problems: [silence])
        #expect(blind.state.problems.map(\.code) == ["units-unreadable"])
        let unseen = look([], state: first).state
        let blindSince = look([], state: unseen, problems: [silence], at: now + .minutes(2)).state
        #expect(blindSince.installations["k3s/k3s"] != nil)
        let after = look([], state: blindSince, at: now + .minutes(3))
        #expect(after.state.installations["k3s/k3s"] != nil)
    }

    @Test("two problems of one kind about two things are both told")
    func twoProblems() {
        let both = ["/opt/k3s", "/opt/k0s"].map { Problem(code: "binary-missing", text: $0, about: $0) }
        let began = look([k3s("v1.31.4+k3s1", bytes: "1")], state: first, problems: both)
        #expect(began.events == both.map { .problemBegan($0) })
        let left = look([k3s("v1.31.4+k3s1", bytes: "1")], state: began.state, problems: [both[1]])
        #expect(left.events == [.problemEnded(both[0])])
    }

    @Test("a problem is told once when it begins and once when it ends")
    func problems() {
        let problem = Problem(code: "snapd-silent", text: "snapd does not answer")
        let began = look([k3s("v1.31.4+k3s1", bytes: "1")], state: first, problems: [problem])
        #expect(began.events.map(\.kind) == ["problem-began"])
        #expect(
            look([k3s("v1.31.4+k3s1", bytes: "1")], state: began.state, problems: [problem]).events.isEmpty)
        #expect(
            look([k3s("v1.31.4+k3s1", bytes: "1")], state: began.state).events.map(\.kind) == [
                "problem-ended"
            ])
    }
}
