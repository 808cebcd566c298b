import Model
import Ports

/// A seeded run of one node's life: people, installers, snapd and the clock act at random between ticks.
struct Story {
    let world: World
    private var dice: Dice
    private var bytes: Int64 = 1

    private static let versions = [
        "v1.30.9+k3s1", "v1.31.4+k3s1", "v1.31.4+k3s2", "v1.31.5-rc1+k3s1", "v1.31.5+k3s1", "v1.32.1+k3s1",
        "v1.33.0+k3s1", "v2.0.0+k3s1",
    ].compactMap { Version($0) }

    init(seed: UInt64) {
        dice = Dice(seed: seed)
        world = World(
            clock: ClockReading(
                now: Instant(seconds: 1_790_000_000), monotonic: 1, bootID: "boot-1", synchronised: true),
            installations: [], policy: .absent(file: "policy.yaml"))
        world.installations = [k3s(version: Self.versions[1])]
    }

    /// Something happens, or nothing does.
    mutating func act() {
        world.clock.now = world.clock.now + TimeSpan(seconds: Int64(dice.next() % 600))
        world.clock.monotonic += 300_000_000_000
        switch dice.next() % 12 {
        case 0: replace()
        case 1: restart()
        case 2: world.policy = policies()
        case 3: world.clock.synchronised = dice.pick([true, true, false, nil])
        case 4:
            world.clock.now = world.clock.now + TimeSpan(seconds: dice.pick([-86_400, 86_400, 31_000_000]))
        case 5: reboot()
        case 6: verify()
        case 7:
            world.problems =
                dice.chance(50) ? [] : [Problem(code: "snapd-silent", text: "snapd does not answer")]
        case 8: installOrRemove()
        case 9: world.ledger.failNextAppend = LedgerFailure(code: .busy, description: "the ledger is in use")
        case 10:
            let replacement = k3s(version: dice.pick(Self.versions))
            world.moveDuringLook = { world in
                if !world.installations.isEmpty { world.installations[0].installed = replacement.installed }
            }
        default: break
        }
    }

    private mutating func replace() {
        guard !world.installations.isEmpty else { return }
        let version = dice.chance(10) ? nil : dice.pick(Self.versions)
        world.installations[0].installed = k3s(version: version).installed
        world.installations[0].running?.restartPending = true
    }

    private func restart() {
        guard !world.installations.isEmpty else { return }
        let version = world.installations[0].installed?.artifact.version
        world.installations[0].running = Running(
            version: version, sources: [.init(source: .processExecutable, version: version)],
            invocationID: "invocation-\(world.clock.monotonic)", restartPending: false)
    }

    private mutating func reboot() {
        world.clock.bootID = "boot-\(dice.next())"
        world.clock.monotonic = 1
        restart()
    }

    private mutating func verify() {
        for installation in world.installations {
            guard let artifact = installation.installed?.artifact, let digest = artifact.sha256 else {
                continue
            }
            // Mostly the truth; now and then a checksum file that names another version for these bytes.
            guard let version = dice.chance(80) ? artifact.version : dice.pick(Self.versions) else {
                continue
            }
            world.ledger.catalog.append(
                CatalogEntry(
                    distribution: .k3s, version: version, architecture: .amd64, sha256: digest,
                    file: "sha256sum-amd64.txt", importedAt: world.clock.now))
        }
    }

    private mutating func installOrRemove() {
        if world.installations.isEmpty {
            world.installations = [k3s(version: dice.pick(Self.versions))]
        } else if dice.chance(30) {
            world.installations = []
        }
    }

    private mutating func policies() -> PolicyReading {
        switch dice.next() % 6 {
        case 0: return .absent(file: "policy.yaml")
        case 1:
            return .invalid(PolicyRejection(file: "policy.yaml", errors: ["policy.yaml:1:1: unknown key"]))
        default:
            var document = PolicyDocument()
            document.base.unattended = dice.pick(Ceiling.allCases)
            document.base.approvable = dice.pick(Ceiling.allCases)
            document.base.origin = dice.pick(OriginRequirement.allCases)
            document.base.minimumReleaseAge.patch = dice.pick([.zero, .days(3)])
            let name = fingerprint("\(document)")
            let digest =
                Digest(String(repeating: name.count == 16 ? name : "0000000000000000", count: 4)) ?? .none
            return .valid(
                LoadedPolicy(
                    document: document, sources: PolicySources(file: "policy.yaml", lines: ["unattended": 2]),
                    sha256: digest))
        }
    }

    private mutating func k3s(version: Version?) -> Installation {
        bytes += 1
        let digits = String(bytes, radix: 16)
        let digest = Digest(String(repeating: "0", count: 64 - digits.count) + digits)
        return Installation(
            id: InstallationID(distribution: .k3s, name: "k3s"), role: .server,
            units: [
                UnitObservation(
                    name: "k3s.service", activeState: "active", mainPID: Int32(dice.next() % 30_000))
            ],
            dataDirectory: "/var/lib/rancher/k3s", dataStore: .sqlite,
            installed: Installed(
                artifact: Artifact(version: version, sha256: digest), path: "/usr/local/bin/k3s",
                evidence: version == nil ? .unreadable : .goBuildInfo, origin: .claimed,
                unreadable: version == nil ? "not an ELF file" : nil,
                identity: FileIdentity(
                    device: 1, inode: bytes, size: 60_000_000, modified: bytes, changed: bytes),
                architecture: .amd64, cause: .fileReplaced),
            running: Running(
                version: version, sources: [.init(source: .processExecutable, version: version)],
                invocationID: "invocation-0", restartPending: false))
    }
}
