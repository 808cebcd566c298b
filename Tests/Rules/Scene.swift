import FoundationEssentials
import Model
import Rules
import Testing

/// A change on a node, and all that it is judged on; a lone K3s server with a plain patch unless a test says so.
struct Scene {
    var policy = Policy()
    var stages: [Stage] = [.everyone]
    var stage: Int? = 0
    var isCurrent = true
    var node = NodeFacts(name: "one", cluster: "default", labels: [:], architecture: .amd64)
    var distribution = Distribution.k3s
    var role: Role? = .server
    var dataStore = DataStore.sqlite
    var phase = Phase.offered
    var from: Version? = Version("v1.31.4+k3s1")
    var to: Version? = Version("v1.31.5+k3s1")
    var sha256: Digest? = Scene.digest("b")
    var revision: String?
    var channel: String?
    var origin = Origin.verified
    var published: Instant?
    var firstSeen: Instant?
    var architecture: Architecture? = .amd64
    var running: Version?
    var clockSynchronised: Bool? = true
    var zone: Zone?
    var fleet = FleetSummary.alone
    var approvals: [Approval] = []
    var denials: [Denial] = []
    /// 2026-12-01T12:00:00Z, a Tuesday.
    var now = Instant(seconds: 1_796_126_400)

    static func digest(_ digit: Character) -> Digest? { Digest(String(repeating: digit, count: 64)) }

    /// Patches go in by themselves, minors with an approval.
    static func patching(_ change: (inout Scene) -> Void = { _ in }) -> Scene {
        var scene = Scene()
        scene.policy.unattended = .patch
        change(&scene)
        return scene
    }

    var subject: Subject {
        let id = InstallationID(distribution: distribution, name: distribution.rawValue)
        let target = Artifact(version: to, sha256: sha256, revision: revision, channel: channel)
        let installed = Installed(
            artifact: phase == .offered ? Artifact(version: from, sha256: Scene.digest("a")) : target,
            path: "/usr/local/bin/k3s", evidence: .goBuildInfo, origin: origin, architecture: architecture)
        let installation = Installation(
            id: id, role: role, units: [], dataStore: dataStore, installed: installed,
            running: running.map { Running(version: $0, sources: []) })
        let change = Change(
            id: "c0ffee", installation: id, trigger: .unknown, phase: phase,
            from: Artifact(version: from, sha256: Scene.digest("a")), to: target, origin: origin,
            published: published, firstSeen: firstSeen)
        return Subject(
            node: node, installation: installation, change: change, clockSynchronised: clockSynchronised,
            zone: zone)
    }

    var resolved: ResolvedPolicy {
        ResolvedPolicy(
            policy: policy, sources: ["unattended": "policy.yaml:2", "policy": "policy.yaml"], stages: stages,
            stage: stage, sha256: policyDigest,
            isCurrent: isCurrent)
    }

    var decision: Decision {
        evaluate(
            policy: resolved, subject: subject, fleet: fleet, approvals: approvals, denials: denials,
            now: now)
    }

    func reason(_ rule: RuleName) throws -> Reason {
        try #require(decision.reasons.first { $0.rule == rule })
    }

    /// The rules that are not met.
    var open: [RuleName] { decision.reasons.filter { $0.result != .met }.map(\.rule) }
}

private let policyDigest = Digest(bytes: [UInt8](repeating: 0, count: 32)).unsafelyUnwrapped

extension Approval {
    /// An approval of a scene's target on its node, for a week from the scene's now.
    static func of(_ scene: Scene, _ change: (inout Approval) -> Void = { _ in }) -> Approval {
        var approval = Approval(
            id: "ap1", distribution: scene.distribution, version: scene.to,
            digests: scene.sha256.map { ["amd64": $0] } ?? [:], revision: scene.revision, from: [],
            scope: .node(scene.node.name), approvedAt: scene.now, expires: scene.now + .days(7), waives: [],
            reason: "tested in staging", claimedBy: "ada", spentBy: [])
        change(&approval)
        return approval
    }
}

extension FleetSummary {
    static func of(_ members: [Member]) -> FleetSummary {
        FleetSummary(answered: true, seesOthers: true, members: members, stages: [], quarantine: [])
    }
}

extension FleetSummary.Member {
    static func healthy(_ name: String, _ role: Role, _ version: String?) -> FleetSummary.Member {
        FleetSummary.Member(
            name: name, cluster: "default", role: role, running: version.flatMap { Version($0) },
            healthy: true, votes: role.isControlPlane ? true : nil)
    }
}

/// The zone files of the machine that runs the tests.
enum SystemZones {
    static let missing = "SKIPPED: no time zone data in /usr/share/zoneinfo (install tzdata)"

    static var areInstalled: Bool {
        FileManager.default.contents(atPath: "/usr/share/zoneinfo/Europe/Berlin") != nil
    }

    static func zone(_ name: String) throws -> Zone {
        let data = try #require(FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)"))
        return try Zone(name: name, tzif: Array(data))
    }
}

/// Reads `2026-12-18T02:30:00Z`.
func instant(_ text: String) throws -> Instant {
    let date = try #require(CivilDate(text.prefix(10)))
    let parts = text.dropFirst(11).dropLast().split(separator: ":").compactMap { Int64($0) }
    try #require(parts.count == 3)
    let second = parts[0] * 3600 + parts[1] * 60 + parts[2]
    return Instant(seconds: date.daysSinceEpoch * 86_400 + second)
}
