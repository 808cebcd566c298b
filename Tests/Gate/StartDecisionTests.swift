import Gate
import Model
import Testing

/// One start of a K3s unit whose policy is a ceiling of patch: v1.31.4 is approved, v1.31.3 last good.
struct StartScene: Sendable, CustomTestStringConvertible {
    enum Binary: Sendable { case approved, lastGood, stranger, missing, unusable }
    enum Outcome: Hashable, Sendable {
        case allow(GateReason), hash, spare, vault, refuse
    }

    var name: String
    var mode = Enforcement.GateMode.restore
    var role: Role? = .server
    var binary = Binary.stranger
    var lastGood = "v1.31.3+k3s1"
    var spare = true
    var vault = true
    var hash = HashFinding.notTaken
    var cached: Digest?
    var lastRan = LastRanFinding.ran("v1.31.4+k3s1")
    var pausedFor: Int64?
    var outcome: Outcome
    var testDescription: String { name }

    static let now = Instant(seconds: 1_790_000_000)
    static func digest(_ byte: UInt8) -> Digest {
        Digest(bytes: [UInt8](repeating: byte, count: 32)) ?? .none
    }
    static func identity(_ inode: Int64) -> FileIdentity {
        FileIdentity(device: 1, inode: inode, size: 9, modified: 2, changed: 3)
    }
    static let approved = Artifact(version: Version("v1.31.4+k3s1"), sha256: digest(1))

    var guarded: GuardedInstallation {
        GuardedInstallation(
            id: InstallationID(distribution: .k3s, name: "k3s"), units: ["k3s.service"], role: role,
            mode: mode,
            binary: "/usr/local/bin/k3s", dataDirectory: "/var/lib/rancher/k3s", vault: "/vault/{sha256}",
            approved: [GuardedArtifact(Self.approved, identities: [Self.identity(1)])],
            lastGood: GuardedArtifact(
                Artifact(version: Version(lastGood), sha256: Self.digest(2)), identities: [Self.identity(2)]),
            spare: spare ? Spare(path: "/spare", artifact: Self.approved, identity: Self.identity(4)) : nil)
    }

    var seen: GateObservation {
        let found: FileFinding =
            switch binary {
            case .approved: .file(Self.identity(1))
            case .lastGood: .file(Self.identity(2))
            case .stranger: .file(Self.identity(3))
            case .missing: .missing
            case .unusable: .unusable("permission denied")
            }
        return GateObservation(
            binary: found, cached: cached, hash: hash, spare: spare ? .file(Self.identity(4)) : .missing,
            inVault: vault, lastRan: lastRan)
    }

    func decide(_ guarded: GuardedInstallation, _ seen: GateObservation) -> GateDecision {
        decideStart(
            guarded, pausedUntil: pausedFor.map { Self.now + TimeSpan(seconds: $0) }, seen: seen,
            now: Self.now)
    }

    static func outcome(_ decision: GateDecision) -> Outcome {
        switch decision {
        case .allow(let reason, _, _): .allow(reason)
        case .hash: .hash
        case .restore(_, .spare): .spare
        case .restore(_, .vault): .vault
        case .refuse: .refuse
        }
    }
}

extension LastRanFinding {
    static func ran(_ version: String?, unproven: String? = nil) -> LastRanFinding {
        .record(
            LastRan(
                dataDirectory: "/var/lib/rancher/k3s", highest: version.flatMap { Version($0) },
                unproven: unproven,
                invocationID: nil, at: Instant(seconds: 0)))
    }
}

@Suite("Deciding a start")
struct StartDecisionTests {
    static let scenes = [
        // Invariant 1: kept out.
        StartScene(name: "approved starts at once", binary: .approved, outcome: .allow(.approved)),
        StartScene(name: "a stranger is swapped unhashed", outcome: .spare),
        StartScene(name: "a missing binary comes back", binary: .missing, outcome: .spare),
        StartScene(name: "without a spare the stranger is hashed", spare: false, outcome: .hash),
        StartScene(
            name: "hashed and approved: another inode of the same bytes", spare: false,
            hash: .taken(StartScene.digest(1)), outcome: .allow(.approved)),
        StartScene(
            name: "the cached digest counts like a hash", spare: false, cached: StartScene.digest(1),
            outcome: .allow(.approved)),
        StartScene(
            name: "hashed and strange: the vault's copy", spare: false, hash: .taken(StartScene.digest(9)),
            outcome: .vault),
        StartScene(
            name: "neither spare nor vault", spare: false, vault: false, hash: .taken(StartScene.digest(9)),
            outcome: .allow(.noReplacement)),
        StartScene(
            name: "nothing at all", binary: .missing, spare: false, vault: false,
            outcome: .allow(.binaryMissing)),
        StartScene(
            name: "nothing but the vault", binary: .missing, spare: false, outcome: .vault),
        StartScene(
            name: "unhashable without a spare", spare: false, hash: .failed("too slow"),
            outcome: .allow(.notHashed)),
        StartScene(name: "unusable binary", binary: .unusable, outcome: .allow(.binaryUnusable)),
        // Modes and pauses.
        StartScene(name: "off", mode: .off, outcome: .allow(.off)),
        StartScene(name: "warn", mode: .warn, outcome: .allow(.warned)),
        StartScene(name: "paused", pausedFor: 1, outcome: .allow(.paused)),
        StartScene(name: "the pause is over at its end", pausedFor: 0, outcome: .spare),
        StartScene(
            name: "approved is not even paused", binary: .approved, pausedFor: 1, outcome: .allow(.approved)),
        StartScene(name: "refuse asks for the hash", mode: .refuse, outcome: .hash),
        StartScene(
            name: "refuse refuses what it knows", mode: .refuse, hash: .taken(StartScene.digest(9)),
            outcome: .refuse),
        StartScene(
            name: "refuse knows by its cache", mode: .refuse, cached: StartScene.digest(9), outcome: .refuse),
        StartScene(
            name: "refuse lets the approved bytes in", mode: .refuse, hash: .taken(StartScene.digest(1)),
            outcome: .allow(.approved)),
        StartScene(name: "refuse, paused", mode: .refuse, pausedFor: 60, outcome: .allow(.paused)),
        StartScene(
            name: "refuse, unhashable", mode: .refuse, hash: .failed("gone"), outcome: .allow(.notHashed)),
        StartScene(name: "refuse, missing", mode: .refuse, binary: .missing, outcome: .allow(.binaryMissing)),
        StartScene(
            name: "refuse, unusable", mode: .refuse, binary: .unusable, outcome: .allow(.binaryUnusable)),
        // Last good.
        StartScene(name: "last good within the minor", binary: .lastGood, outcome: .allow(.lastGood)),
        StartScene(
            name: "last good by its digest, refuse", mode: .refuse, hash: .taken(StartScene.digest(2)),
            outcome: .allow(.lastGood)),
        StartScene(
            name: "last good across a minor is swapped", binary: .lastGood, lastGood: "v1.30.9+k3s1",
            outcome: .spare),
        StartScene(
            name: "last good across a minor, refuse", mode: .refuse, binary: .lastGood,
            lastGood: "v1.30.9+k3s1",
            cached: StartScene.digest(2), outcome: .refuse),
        StartScene(
            name: "last good without a record: no proof, but it may be approved, so it is hashed",
            binary: .lastGood,
            lastRan: .missing, outcome: .hash),
        StartScene(
            name: "last good of an agent without a record", role: .agent, binary: .lastGood,
            lastRan: .missing,
            outcome: .allow(.lastGood)),
        StartScene(
            name: "last good of an agent across a minor without a record", role: .agent, binary: .lastGood,
            lastGood: "v1.30.9+k3s1", lastRan: .missing, outcome: .spare),
    ]

    @Test(
        "invariants 1 and 3: each start is put right, refused on knowledge, or let through", arguments: scenes
    )
    func decision(scene: StartScene) {
        #expect(StartScene.outcome(scene.decide(scene.guarded, scene.seen)) == scene.outcome)
    }

    /// What is known of the data directory, and whether v1.31.4 may be put back on it.
    struct Proof: Sendable, CustomTestStringConvertible {
        var name: String
        var lastRan: LastRanFinding
        var allows: Bool
        var testDescription: String { name }
    }

    static let proofs = [
        Proof(name: "the same version", lastRan: .ran("v1.31.4+k3s1"), allows: true),
        Proof(name: "a newer patch: no minor is crossed", lastRan: .ran("v1.31.9+k3s1"), allows: true),
        Proof(name: "an older minor: it goes up", lastRan: .ran("v1.30.0+k3s1"), allows: true),
        Proof(name: "the next minor", lastRan: .ran("v1.32.0+k3s1"), allows: false),
        Proof(name: "the next major", lastRan: .ran("v2.0.0+k3s1"), allows: false),
        Proof(name: "an older major with a higher minor", lastRan: .ran("v0.40.0"), allows: true),
        Proof(name: "unproven", lastRan: .ran("v1.31.4+k3s1", unproven: "a start went by"), allows: false),
        Proof(name: "no version", lastRan: .ran(nil), allows: false),
        Proof(name: "no record", lastRan: .missing, allows: false),
        Proof(name: "a corrupt record", lastRan: .unusable("torn"), allows: false),
    ]

    @Test(
        "invariant 12: on what has a data store nothing is put back without proof, by spare or vault",
        arguments: proofs, [.server, .controller, .controllerAndWorker, .single, nil] as [Role?])
    func proof(row: Proof, role: Role?) {
        for spare in [true, false] {
            var scene = StartScene(name: row.name, role: role, outcome: .hash)
            scene.spare = spare
            scene.hash = .taken(StartScene.digest(9))
            scene.lastRan = row.lastRan
            let wanted = row.allows ? (spare ? StartScene.Outcome.spare : .vault) : .allow(.noProof)
            #expect(StartScene.outcome(scene.decide(scene.guarded, scene.seen)) == wanted)
        }
    }

    @Test(
        "invariant 12: agents and workers keep no data, and need no proof", arguments: proofs,
        [Role.agent, .worker])
    func workers(row: Proof, role: Role) {
        var scene = StartScene(name: row.name, role: role, outcome: .spare)
        scene.lastRan = row.lastRan
        #expect(StartScene.outcome(scene.decide(scene.guarded, scene.seen)) == .spare)
    }

    @Test("invariant 12: a version that cannot be read is not put back on data")
    func unreadableSpare() {
        let scene = StartScene(name: "", outcome: .spare)
        var guarded = scene.guarded
        guarded.spare?.artifact.version = nil
        var seen = scene.seen
        #expect(StartScene.outcome(scene.decide(guarded, seen)) == .hash)
        seen.hash = .taken(StartScene.digest(9))
        #expect(StartScene.outcome(scene.decide(guarded, seen)) == .allow(.noProof))
        guarded.role = .agent
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .spare)
    }

    @Test("invariant 11: a spare that is not the staged file, or no longer approved, is not started")
    func strangeSpare() {
        var scene = StartScene(name: "", outcome: .hash)
        scene.cached = StartScene.digest(9)
        var seen = scene.seen
        seen.spare = .file(StartScene.identity(5))
        #expect(StartScene.outcome(scene.decide(scene.guarded, seen)) == .vault)
        var guarded = scene.guarded
        guarded.spare?.artifact.sha256 = StartScene.digest(8)
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .vault)
        guarded.spare?.artifact.sha256 = nil
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .vault)
    }

    @Test("while an artifact is being replaced either may start, and the spare waits for the digest")
    func replacing() {
        var scene = StartScene(name: "", outcome: .hash)
        var guarded = scene.guarded
        guarded.approved.insert(
            GuardedArtifact(Artifact(version: Version("v1.32.0+k3s1"), sha256: StartScene.digest(7))), at: 0)
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .hash)
        scene.hash = .failed("too slow")
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .allow(.notHashed))
        scene.hash = .taken(StartScene.digest(7))
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .allow(.approved))
        scene.hash = .taken(StartScene.digest(9))
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .spare)
    }

    @Test("where no file is known to be the approved one yet, its bytes decide before it is turned away")
    func young() {
        var scene = StartScene(name: "", outcome: .hash)
        var guarded = scene.guarded
        guarded.approved[0].identities = []
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .hash)
        scene.hash = .taken(StartScene.digest(1))
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .allow(.approved))
        scene.hash = .taken(StartScene.digest(9))
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .spare)
        // Invariant 1: the spare is right in any case.
        scene.hash = .failed("too slow")
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .spare)
    }

    @Test("invariant 3: nothing approved, nothing refused")
    func nothingApproved() {
        var scene = StartScene(name: "", mode: .refuse, outcome: .hash)
        scene.hash = .taken(StartScene.digest(9))
        var guarded = scene.guarded
        guarded.approved = []
        #expect(StartScene.outcome(scene.decide(guarded, scene.seen)) == .allow(.notHashed))
    }

    @Test("a refusal prints the command that lifts it, and every told reason says what to do")
    func texts() {
        for scene in Self.scenes {
            switch scene.decide(scene.guarded, scene.seen) {
            case .refuse(let text): #expect(text.contains("holdfast pause --for 2h --reason"))
            case .allow(let reason, _, let text) where reason.isTold:
                #expect(text.contains("/usr/local/bin/k3s"))
            default: break
            }
        }
    }

    @Test("invariants 3 and 12: no combination refuses or puts back what it must not")
    func everyCombination() {
        var violations: [String] = []
        let digests: [Digest?] = [nil, StartScene.digest(1), StartScene.digest(2), StartScene.digest(9)]
        var count = 0
        for mode in Enforcement.GateMode.allCases {
            for role in [.server, .agent, .worker, nil] as [Role?] {
                for binary in [StartScene.Binary.approved, .lastGood, .stranger, .missing, .unusable] {
                    for lastRan in Self.proofs {
                        for cached in digests {
                            for bits in 0..<8 {
                                var scene = StartScene(name: "", mode: mode, role: role, outcome: .hash)
                                scene.binary = binary
                                scene.lastRan = lastRan.lastRan
                                scene.cached = cached
                                scene.spare = bits & 1 != 0
                                scene.vault = bits & 2 != 0
                                scene.pausedFor = bits & 4 != 0 ? 60 : nil
                                if !isSound(scene, proven: lastRan.allows) { violations.append("\(scene)") }
                                count += 1
                            }
                        }
                    }
                }
            }
        }
        #expect(violations.isEmpty)
        #expect(count >= 25_600)
    }

    private func isSound(_ scene: StartScene, proven: Bool) -> Bool {
        let isFree =
            scene.pausedFor != nil || scene.binary == .approved || scene.cached == StartScene.digest(1)
        switch StartScene.outcome(scene.decide(scene.guarded, scene.seen)) {
        case .refuse: return scene.mode == .refuse && !isFree && scene.cached != nil
        case .spare, .vault:
            return scene.mode == .restore && !isFree
                && (proven || scene.role == .agent || scene.role == .worker)
        case .hash: return scene.cached == nil && scene.mode != .off && scene.mode != .warn
        case .allow: return true
        }
    }
}
