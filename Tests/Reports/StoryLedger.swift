import Model

@testable import Reports

/// Entries and decisions as the ticks of one K3s node would record them, from a story that a test tells.
struct StoryLedger {
    static let id = InstallationID(distribution: .k3s, name: "k3s")
    static let began = Instant(seconds: 1_763_452_800)  // 2025-11-18T08:00:00Z

    var entries: [LedgerEntry] = []
    var rows: [Row] = []
    var now = StoryLedger.began
    var monotonic: Int64 = 60_000_000_000
    var boot = "boot-1"
    var synchronised: Bool? = true
    /// Whether systemd says how the unit is.
    var asksSystemd = true
    var starts = 0
    var installation: Installation
    private var open: Coverage?
    private var sequence: Int64 = 0
    private var intents = 0

    static func artifact(_ version: String) -> Artifact {
        let digit = version.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xff }
        let byte = String(digit, radix: 16)
        let hex = byte.utf8.count == 1 ? "0" + byte : byte
        return Artifact(version: Version(version), sha256: Digest(String(repeating: hex, count: 32)))
    }

    init(_ version: String = "v1.31.4+k3s1") {
        installation = Installation(
            id: Self.id, role: .server, units: [UnitObservation(name: "k3s.service", activeState: "active")],
            dataDirectory: "/var/lib/rancher/k3s", installed: nil, running: nil)
        append(.beginning, kind: "ledger-begun")
        install(version)
        start()
    }

    // MARK: Time

    mutating func wait(_ span: TimeSpan) {
        now = now + span
        monotonic += span.seconds * 1_000_000_000
    }

    /// A tick of its own, that finds nothing new.
    mutating func tick() {
        guard var stretch = open, stretch.bootID == boot else {
            if open != nil { seal() }
            open = Coverage(
                bootID: boot, first: now, last: now, firstMonotonic: monotonic, lastMonotonic: monotonic,
                ticks: 1,
                longestGap: 0)
            return
        }
        stretch.longestGap = max(stretch.longestGap, monotonic - stretch.lastMonotonic)
        stretch.last = now
        stretch.lastMonotonic = monotonic
        stretch.ticks += 1
        open = stretch
        if stretch.lastMonotonic - stretch.firstMonotonic >= 3_600_000_000_000 { seal() }
    }

    /// Quiet ticks, every five minutes.
    mutating func quiet(_ span: TimeSpan) {
        for _ in 0..<max(span.seconds / 300, 1) {
            wait(.minutes(5))
            tick()
        }
    }

    mutating func seal() {
        guard let stretch = open else { return }
        open = nil
        append(.event(.coverage(stretch)), kind: "coverage")
    }

    mutating func reboot(after span: TimeSpan) {
        seal()
        now = now + span
        monotonic = 45_000_000_000
        boot = "boot-\(sequence)"
    }

    // MARK: Entries

    private mutating func append(_ content: LedgerEntry.Content, kind: String) {
        sequence += 1
        entries.append(
            LedgerEntry(
                sequence: sequence, kind: kind, at: now, clockSynchronised: synchronised, bootID: boot,
                hash: .none,
                content: content))
    }

    /// What a tick records.
    mutating func record(_ events: Event...) {
        tick()
        seal()
        for event in events { append(.event(event), kind: event.kind) }
    }

    /// What a person's command records: no tick.
    mutating func say(_ event: Event) { append(.event(event), kind: event.kind) }

    mutating func damage(_ content: LedgerEntry.Content, kind: String) { append(content, kind: kind) }

    mutating func carryOut(_ effects: Effect...) {
        for effect in effects {
            intents += 1
            let intent = Intent(id: "i\(intents)", effect: effect, before: .nothing)
            record(.intended(intent), .effected(EffectEnd(of: intent, outcome: .done(nil))))
        }
    }

    // MARK: What happens

    mutating func install(_ version: String, cause: Trigger = .fileReplaced) {
        installation.installed = Installed(
            artifact: Self.artifact(version), path: "/usr/local/bin/k3s", evidence: .goBuildInfo,
            origin: .verified,
            cause: cause)
        record(entries.count < 3 ? .installationFound(installation) : .installationObserved(installation))
    }

    /// The unit starts what is installed, or something else.
    mutating func start(_ artifact: Artifact? = nil, knowsBytes: Bool = true) {
        starts += 1
        let started = artifact ?? installation.installed?.artifact
        installation.units[0].activeState = asksSystemd ? "active" : nil
        installation.running = Running(
            version: started?.version, sources: [], invocationID: "start-\(starts)",
            startedFrom: knowsBytes ? started : nil)
        record(.installationObserved(installation))
    }

    static let dropIn = "/etc/systemd/system/k3s.service.d/zz-holdfast.conf"

    mutating func adopt() {
        let artifact = installation.installed?.artifact ?? Artifact(version: nil)
        record(.adopted(Adoption(installation: Self.id, artifact: artifact, at: now)))
        carryOut(.placeDropIn(path: Self.dropIn, text: "x"), .reloadUnits)
    }

    mutating func act(
        _ kind: GateAct.Kind, _ reason: String, at: Instant? = nil, text: String = "the gate's text"
    ) {
        record(
            .gateActed(
                GateAct(
                    kind: kind, reason: reason, unit: "k3s.service", installation: Self.id, at: at ?? now,
                    invocationID: "start-x", text: text, record: "r\(sequence)")))
    }

    mutating func decide(
        _ verdict: Verdict, to version: String, change: String = "3f9a1c22b0",
        trigger: Trigger = .fileReplaced,
        phase: Phase = .onDisk, node: String = "node-1", reason: String? = nil, rollout: String? = nil
    ) {
        tick()
        seal()
        sequence += 1
        rows.append(
            Row(
                seq: sequence,
                [
                    .at: now.description, .node: node,
                    .from: installation.installed?.artifact.version?.description,
                    .to: version, .verdict: verdict.rawValue, .change: change, .trigger: trigger.rawValue,
                    .phase: phase.rawValue, .unmet: verdict == .allow ? nil : "ceiling",
                    .reason: reason
                        ?? (verdict == .allow ? "every rule is met" : "a minor is above the ceiling"),
                    .rollout: rollout,
                ]))
    }

    // MARK: What comes of it

    /// The chronicle of the story so far.
    func chronicle(from start: Instant? = nil, to end: Instant? = nil) -> Chronicle {
        var fold = ChronicleFold(
            node: "node-1", ledger: String(repeating: "ab", count: 16), start: start,
            end: end ?? now + TimeSpan(seconds: 1), describe: { "told: \($0.kind)" })
        for row in rows { row.withRow { fold.take($0) } }
        for entry in entries { fold.take(entry) }
        return fold.finish(unsealed: [open].compactMap(\.self), now: now)
    }

    func absence(from: Instant, to: Instant) throws -> Absence {
        let chronicle = chronicle()
        guard let story = chronicle.installation(named: "k3s.service") else { throw NoStory() }
        return chronicle.absence(of: story, from: from, to: to)
    }

    struct NoStory: Error {}
}
