import Model
import Rules
import Testing

private struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let rule: RuleName
    let result: RuleResult
    let consequence: Verdict
    let change: @Sendable (inout Scene) throws -> Void
    var testDescription: String { "\(rule.rawValue): \(name)" }

    init(
        _ rule: RuleName, _ name: String, _ result: RuleResult, _ consequence: Verdict = .hold,
        _ change: @escaping @Sendable (inout Scene) throws -> Void
    ) {
        (self.name, self.rule, self.result) = (name, rule, result)
        self.consequence = result == .met ? .allow : consequence
        self.change = change
    }
}

private let rows: [Row] = [
    Row(.allowedVersions, "in the range", .met) {
        $0.policy.allowedVersions = try VersionRange(">=1.31.4 <1.33")
    },
    Row(.allowedVersions, "outside", .unmet, .deny) {
        $0.policy.allowedVersions = try VersionRange("1.30.x")
    },
    Row(.allowedVersions, "unread", .unknown) {
        $0.policy.allowedVersions = try VersionRange("1.30.x")
        $0.to = nil
    },
    Row(.deniedVersion, "denied", .unmet, .deny) {
        $0.policy.deny = [
            DeniedVersions(versions: try VersionRange("1.31.5"), reason: "bug", url: "")
        ]
    },
    Row(.deniedVersion, "another is denied", .met) {
        $0.policy.deny = [
            DeniedVersions(versions: try VersionRange("1.31.6"), reason: "bug", url: "")
        ]
    },
    Row(.deniedVersion, "unread, and some are denied", .unknown) {
        $0.policy.deny = [
            DeniedVersions(versions: try VersionRange("1.31.6"), reason: "bug", url: "")
        ]
        $0.to = nil
    },
    Row(.pin, "nothing is pinned", .met) { _ in },
    Row(.pin, "this version", .met) { $0.policy.pin.version = Version("v1.31.5+k3s1") },
    Row(.pin, "every build of this version", .met) { $0.policy.pin.version = Version("v1.31.5") },
    Row(.pin, "another build", .unmet, .deny) { $0.policy.pin.version = Version("v1.31.5+k3s2") },
    Row(.pin, "unread version", .unknown) {
        $0.policy.pin.version = Version("v1.31.5+k3s1")
        $0.to = nil
    },
    Row(.pin, "this digest", .met) { $0.policy.pin.digest["amd64"] = Scene.digest("b") },
    Row(.pin, "another digest", .unmet, .deny) { $0.policy.pin.digest["amd64"] = Scene.digest("c") },
    Row(.pin, "a digest for another architecture alone", .unmet, .deny) {
        $0.policy.pin.digest["arm64"] = Scene.digest("b")
    },
    Row(.pin, "architecture not known", .unknown) {
        $0.policy.pin.digest["amd64"] = Scene.digest("b")
        $0.node.architecture = nil
    },
    Row(.pin, "channel and revision", .met) {
        ($0.channel, $0.revision) = ("1.31/stable", "7731")
        ($0.policy.pin.channel, $0.policy.pin.revision) = ("1.31/stable", "7731")
    },
    Row(.pin, "one of two parts differs", .unmet, .deny) {
        ($0.channel, $0.revision) = ("1.31/stable", "7732")
        ($0.policy.pin.channel, $0.policy.pin.revision) = ("1.31/stable", "7731")
    },
    Row(.pin, "channel not known", .unknown) { $0.policy.pin.channel = "1.31/stable" },
    Row(.origin, "verified", .met) { _ in },
    Row(.origin, "claimed", .unmet) { $0.origin = .claimed },
    Row(.origin, "unknown", .unknown) { $0.origin = .unknown },
    Row(.origin, "claimed is enough", .met) {
        $0.origin = .claimed
        $0.policy.origin = .claimed
    },
    Row(.origin, "unknown is never enough", .unknown) {
        $0.origin = .unknown
        $0.policy.origin = .claimed
    },
    Row(.origin, "claimed, and a person approved exactly this digest", .met) {
        $0.origin = .claimed
        $0.approvals = [.of($0)]
    },
    Row(.origin, "claimed, and a person approved another digest", .unmet) {
        $0.origin = .claimed
        $0.approvals = [.of($0)]
        $0.sha256 = Scene.digest("c")
    },
    Row(.identity, "a digest", .met) { _ in },
    Row(.identity, "a revision", .met) { ($0.sha256, $0.revision) = (nil, "7731") },
    Row(.identity, "neither", .unknown) { $0.sha256 = nil },
    Row(.identity, "built for another machine", .unknown) {
        ($0.phase, $0.architecture) = (.onDisk, .arm64)
    },
    Row(.identity, "what is installed now is another thing than the offer", .met) {
        $0.architecture = .arm64
    },
    Row(.identity, "a version that its bytes do not back", .unknown) { $0.origin = .unknown },
    Row(.quarantine, "its digest", .unmet, .deny) {
        let bytes = $0.sha256?.hex ?? ""
        $0.fleet.quarantine = [.init(bytes: bytes, reason: "readyz failed")]
    },
    Row(.quarantine, "its revision", .unmet, .deny) {
        ($0.sha256, $0.revision) = (nil, "7731")
        $0.fleet.quarantine = [.init(bytes: "revision:7731", reason: "readyz failed")]
    },
    Row(.quarantine, "another", .met) {
        $0.fleet.quarantine = [.init(bytes: "revision:7731", reason: "readyz failed")]
    },
    Row(.quarantine, "store silent", .unknown) { $0.fleet.answered = false },
    Row(.gates, "patches are not asked about", .met) { $0.phase = .onDisk },
    Row(.gates, "a minor that would run unasked", .unknown) {
        ($0.phase, $0.to) = (.onDisk, Version("v1.32.0+k3s1"))
    },
    Row(.gates, "a minor on offer", .met) { $0.to = Version("v1.32.0+k3s1") },
    Row(.gates, "a minor that runs", .met) {
        ($0.phase, $0.to) = (.running, Version("v1.32.0+k3s1"))
    },
    Row(.gates, "no gates", .met) {
        ($0.phase, $0.to) = (.onDisk, Version("v1.32.0+k3s1"))
        $0.policy.gates = []
    },
    Row(.backup, "a minor that would run without one", .unknown) {
        ($0.phase, $0.to) = (.onDisk, Version("v1.32.0+k3s1"))
    },
    Row(.backup, "required before a patch too", .unknown) {
        $0.phase = .onDisk
        $0.policy.backup.mode = .required
    },
    Row(.backup, "off", .met) {
        ($0.phase, $0.to) = (.onDisk, Version("v1.32.0+k3s1"))
        $0.policy.backup.mode = .off
    },
    Row(.backup, "agents have nothing to back up", .met) {
        ($0.phase, $0.to) = (.onDisk, Version("v1.32.0+k3s1"))
        $0.role = .agent
    },
    Row(.health, "asked after a step", .met) { $0.phase = .onDisk },
]

@Suite("Rules about the artifact")
struct ArtifactRuleTests {
    @Test(
        "say met, unmet or unknown",
        arguments: rows)
    private func rules(_ row: Row) throws {
        var scene = Scene.patching()
        try row.change(&scene)
        let reason = try scene.reason(row.rule)
        #expect(reason.result == row.result, "\(reason.text)")
        #expect(reason.consequence == row.consequence, "\(reason.text)")
    }

    @Test(
        "count from what runs as well as from what is approved, and name both (invariants 9 and 12)",
        arguments: [
            // An unapproved newer minor runs: a patch of the approved one would go back over its data.
            (RuleName.downgrade, "v1.31.4+k3s1", "v1.32.1+k3s1", "v1.31.5+k3s1", Verdict.deny),
            (.downgrade, "v1.31.4+k3s1", "v1.31.6+k3s1", "v1.31.5+k3s1", .deny),
            (.ceiling, "v1.31.4+k3s1", "v1.32.1+k3s1", "v1.31.5+k3s1", .deny),
            // What is approved waits for a restart: the change is as wide as from what runs until then.
            (.skipMinor, "v1.33.0+k3s1", "v1.31.4+k3s1", "v1.33.1+k3s1", .deny),
            (.ceiling, "v1.32.0+k3s1", "v1.31.4+k3s1", "v1.32.1+k3s1", .hold),
            (.major, "v2.0.0+k3s1", "v1.31.4+k3s1", "v2.0.1+k3s1", .deny),
        ])
    func whatRuns(_ rule: RuleName, _ from: String, _ running: String, _ to: String, _ verdict: Verdict)
        throws
    {
        var scene = Scene.patching()
        (scene.from, scene.to) = (Version(from), Version(to))
        #expect(scene.decision.verdict == .allow)
        scene.running = Version(running)
        let reason = try scene.reason(rule)
        #expect(scene.decision.verdict == verdict && reason.result == .unmet, "\(reason.text)")
        #expect(reason.text.contains("which runs (\(from) is approved)"), "\(reason.text)")
    }

    @Test("do not take a stored change's word for its type")
    func forgedType() {
        var scene = Scene.patching()
        scene.to = Version("v1.33.0+k3s1")
        var subject = scene.subject
        subject.change.updateType = .patch
        subject.change.skipsMinor = false
        let decision = evaluate(
            policy: scene.resolved, subject: subject, fleet: .alone, approvals: [], denials: [],
            now: scene.now)
        #expect(decision.verdict == .deny)
    }
}
