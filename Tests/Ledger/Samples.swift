import Model
import Ports
import Testing

@testable import Ledger

/// A random source that a seed repeats exactly (SplitMix64).
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func pick<T>(_ choices: [T]) -> T { choices[Int(next() % UInt64(choices.count))] }
}

/// What the clocks say at a second, all on one boot.
func reading(_ second: Int64, boot: String = "boot-1", synchronised: Bool? = true) -> ClockReading {
    ClockReading(
        now: Instant(seconds: 1_764_000_000 + second), monotonic: second * 1_000_000_000, bootID: boot,
        synchronised: synchronised)
}

/// Texts as somebody hostile would name things.
let awkwardTexts = [
    "plain", "", "a \"quoted\", 'one'", "line\nbreak\r\n", "\u{1b}[31mred\u{7}", "na\u{0}ul", "e\u{301} é",
    "日本 🦊",
    "back\\slash /", "\u{202e}reversed", "'; DROP TABLE entry; --", "\u{7f}\u{80}\u{9f}", "\u{feff}",
]

/// Events as ticks could record them, at random.
struct Samples {
    var dice: Dice

    init(seed: UInt64) { dice = Dice(seed: seed) }

    private static let ids = [
        InstallationID(distribution: .k3s, name: "k3s"),
        InstallationID(distribution: .k3s, name: "k3s-\u{e9}'\""),
        InstallationID(distribution: .k0s, name: "k0scontroller"),
        InstallationID(distribution: .microk8s, name: "microk8s"),
    ]
    private static let versions = [
        "v1.31.4+k3s1", "v1.31.5+k3s1", "v1.32.0-rc1+k3s2", "v1.31.4+k0s.0", "v1.32.4",
    ]

    mutating func text() -> String { dice.pick(awkwardTexts) }

    mutating func digest() -> Digest {
        Digest(bytes: (0..<32).map { _ in UInt8(truncatingIfNeeded: dice.next()) }) ?? zeroDigest
    }

    mutating func version() -> Version? { dice.pick(Self.versions + ["unreadable"]).version }

    mutating func artifact() -> Artifact {
        Artifact(
            version: version(), sha256: dice.pick([nil, digest()]), revision: dice.pick([nil, "7731", "x1"]),
            channel: dice.pick([nil, "1.31/stable"]))
    }

    mutating func installation() -> Installation {
        let identity = FileIdentity(
            device: .min, inode: .max, size: 1, modified: Int64(truncatingIfNeeded: dice.next()), changed: 0)
        let installed = Installed(
            artifact: artifact(), path: text(), evidence: dice.pick(Evidence.allCases),
            origin: dice.pick(Origin.allCases), unreadable: dice.pick([nil, text()]), identity: identity,
            architecture: dice.pick(Architecture.allCases), cause: dice.pick(Trigger.allCases))
        let running = Running(
            version: version(), sources: [.init(source: .api, version: version())], invocationID: text(),
            restartPending: dice.pick([nil, true, false]))
        return Installation(
            id: dice.pick(Self.ids), role: dice.pick(Role.allCases), units: [UnitObservation(name: text())],
            dataDirectory: text(), installed: dice.pick([nil, installed]),
            running: dice.pick([nil, running]),
            offers: [
                Offer(artifact: artifact(), trigger: .autoRefresh, published: nil, origin: .verified)
            ], hold: SnapHold(until: Instant(seconds: .max), inhibitProceed: nil))
    }

    mutating func change() -> Change {
        Change(
            id: dice.pick(["a", "b", "c", "d"]), installation: dice.pick(Self.ids),
            trigger: dice.pick(Trigger.allCases), phase: dice.pick(Phase.allCases), from: artifact(),
            to: artifact(),
            origin: dice.pick(Origin.allCases), published: dice.pick([nil, Instant(seconds: 5)]))
    }

    mutating func decision() -> DecisionRecord {
        let reasons = (0..<dice.next() % 4).map { _ in
            Reason(
                rule: dice.pick(RuleName.allCases), result: dice.pick(RuleResult.allCases), text: text(),
                source: "/etc/holdfast/policy.yaml:7", consequence: dice.pick([.hold, .deny]), lever: text())
        }
        let node = NodeFacts(
            name: text(), cluster: text(), labels: [text(): text()], architecture: .amd64)
        return DecisionRecord(
            id: "d\(dice.next() % 9)", decision: Decision(reasons: reasons),
            subject: Subject(
                node: node, installation: installation(), change: change(), clockSynchronised: nil, zone: .utc
            ),
            policy: ResolvedPolicy(
                policy: Policy(), sources: ["unattended": text()], stages: [.everyone], stage: 0,
                sha256: digest(), isCurrent: true), fleet: .alone, approvals: [approval()],
            denials: dice.pick([[], [denial()]]),
            now: Instant(seconds: Int64(truncatingIfNeeded: dice.next())), dataVersions: ["rules": text()])
    }

    mutating func catalogEntry() -> CatalogEntry? {
        version().map {
            CatalogEntry(
                distribution: .k3s, version: $0, architecture: .amd64, sha256: digest(), file: text(),
                importedAt: Instant(seconds: 1))
        }
    }

    mutating func approval() -> Approval {
        Approval(
            id: dice.pick(["p1", "p2", "p3"]), distribution: .k3s, version: version(),
            digests: dice.pick([[:], ["amd64": digest()]]), revision: dice.pick([nil, "7731"]),
            from: [version()].compactMap(\.self), scope: dice.pick([.node(text()), .stage(text())]),
            approvedAt: Instant(seconds: 1), expires: Instant(seconds: dice.pick([2, .max])),
            waives: dice.pick([[], [.window]]), reason: text(), claimedBy: text(), spentBy: [])
    }

    mutating func denial() -> Denial {
        Denial(
            id: dice.pick(["n1", "n2"]), distribution: .k0s, target: artifact(),
            deniedAt: Instant(seconds: 1), reason: text(), claimedBy: text())
    }

    mutating func event() -> Event {
        switch dice.next() % 16 {
        case 0:
            .policyLoaded(
                LoadedPolicy(
                    document: PolicyDocument(), sources: PolicySources(file: text(), lines: ["pin": 7]),
                    sha256: digest()))
        case 1: .policyRejected(PolicyRejection(file: text(), errors: [text(), text()]))
        case 2: .installationFound(installation())
        case 3: .installationGone(dice.pick(Self.ids))
        case 4: .installationObserved(installation())
        case 5, 6, 7: .decided(decision())
        case 8: .changeEnded(ChangeEnd(change: change()))
        case 9: .problemBegan(Problem(code: dice.pick(["a", "b"]), text: text()))
        case 10: .problemEnded(Problem(code: dice.pick(["a", "b"]), text: text()))
        case 11:
            .coverage(
                Coverage(
                    bootID: text(), first: Instant(seconds: 1), last: Instant(seconds: 2), firstMonotonic: 1,
                    lastMonotonic: .max, ticks: 3, longestGap: 4))
        case 12: .approved(approval())
        case 13: .denied(denial())
        case 14:
            .revoked(
                Revocation(
                    revoked: dice.pick([.approval(approval()), .denial(denial())]), claimedBy: text()))
        default:
            .catalogImported(
                CatalogImport(
                    file: text(), sha256: digest(),
                    entries: [catalogEntry(), catalogEntry()].compactMap(\.self)))
        }
    }

    mutating func events(_ count: Int) -> [Event] { (0..<count).map { _ in event() } }
}

private let zeroDigest =
    Digest(String(repeating: "0", count: 64)) ?? { fatalError("64 digits are a digest") }()

extension String {
    fileprivate var version: Version? { Version(self) }
}

extension TemporaryDirectory {
    /// A ledger with one entry after another, a second apart where no others are named.
    ///
    /// - Parameter synchronised: of each event's place, whether the clock was.
    static func ledger(
        of events: [Event], at seconds: [Int64]? = nil, synchronised: (Int) -> Bool? = { _ in true }
    ) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let ledger = try Ledger.open(stateDirectory: directory.path, reading: reading(0))
        for (index, event) in events.enumerated() {
            let clock = reading(seconds?[index] ?? Int64(index) + 1, synchronised: synchronised(index))
            let state = try ledger.load().state.after([event], at: clock.now)
            try ledger.append([event], reading: clock, state: state)
        }
        return directory
    }
}

extension NodeState {
    /// The state that events lead to.
    func after(_ events: [Event], at: Instant) -> NodeState {
        events.reduce(into: self) { $0.apply($1, at: at) }
    }
}
