import Model
import Reports
import Testing

private let dropIn = "/etc/systemd/system/k3s.service.d/zz-holdfast.conf"
private let spare = "/usr/local/bin/.k3s.holdfast-spare"
private let id = InstallationID(distribution: .k3s, name: "k3s")
private let bytes = Digest(String(repeating: "a1", count: 32))
private let now = Instant(seconds: 1_780_000_000)

/// An adopted K3s server whose gate is in force in every way.
private func guarded(_ id: InstallationID = id) -> PathsQuestion {
    let artifact = Artifact(version: Version("v1.31.4+k3s1"), sha256: bytes)
    let installation = Installation(
        id: id, role: id.distribution == .k0s ? .controller : .server,
        units: [UnitObservation(name: "\(id.name).service")], dataDirectory: "/data",
        installed: Installed(
            artifact: artifact, path: "/usr/local/bin/k3s", evidence: .goBuildInfo, origin: .verified),
        running: nil)
    var known = InstallationState(installation: installation, reference: artifact, since: now)
    known.adoption = Adoption(installation: id, artifact: artifact, at: now)
    var enforce = Enforcement()
    enforce.gate = .restore
    var records = GuardRecords()
    let path = "/etc/systemd/system/\(id.name).service.d/zz-holdfast.conf"
    records.dropIns[path] = PlacedDropIn(path: path, text: "x", madeDirectory: true)
    records.spares[spare] = StagedSpare(
        installation: id, path: spare, artifact: artifact,
        identity: FileIdentity(device: 1, inode: 2, size: 3, modified: 4, changed: 5))
    var facts = GuardFacts(
        gateProgram: "/usr/local/bin/holdfast-gate",
        units: .told(["\(id.name).service": UnitFacts(dropIns: [path])], readAt: now))
    facts.dropIns[path] = .asPlaced
    facts.spares[spare] = .asPlaced
    facts.guardFile = .read(sequence: 9, modes: ["\(id.name).service": .restore])
    facts.owners[id.description] = .nobody
    return PathsQuestion(
        installation: installation, known: known, enforce: enforce, records: records, pause: nil,
        facts: facts,
        now: now)
}

private func path(_ name: ChangePath.Name, _ question: PathsQuestion) throws -> ChangePath {
    try #require(paths(question).first { $0.path == name })
}

/// Something that is not as it should be, and what the installer's path then is.
struct Fault: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var state: ChangePath.State
    var plant: @Sendable (inout PathsQuestion) -> Void
}

private let faults = [
    Fault(testDescription: "nothing is wrong", state: .held) { _ in },
    Fault(testDescription: "it was never adopted", state: .notHeld) { $0.known?.adoption = nil },
    Fault(testDescription: "no tick has seen it", state: .notHeld) { $0.known = nil },
    Fault(testDescription: "there is no policy", state: .notHeld) { $0.enforce = nil },
    Fault(testDescription: "the guards are paused", state: .notHeld) {
        $0.pause = Pause(until: now + .hours(1), reason: "by hand")
    },
    Fault(testDescription: "a pause is over", state: .held) {
        $0.pause = Pause(until: now, reason: "by hand")
    },
    Fault(testDescription: "the policy only warns", state: .notHeld) { $0.enforce?.gate = .warn },
    Fault(testDescription: "the policy has no gate", state: .notHeld) { $0.enforce?.gate = .off },
    Fault(testDescription: "refused rather than put back", state: .held) {
        $0.enforce?.gate = .refuse
        $0.facts.guardFile = .read(sequence: 9, modes: ["k3s.service": .refuse])
        // What is refused is not put back, so neither a spare nor proof is needed.
        $0.facts.spares[spare] = .gone
        $0.facts.objections[id.description] = "something started without the gate"
    },
    Fault(testDescription: "the gate is not installed", state: .notHeld) {
        $0.facts.gateIsExecutable = false
    },
    Fault(testDescription: "no drop-in was placed", state: .notHeld) { $0.records.dropIns = [:] },
    Fault(testDescription: "the drop-in is gone", state: .notHeld) { $0.facts.dropIns[dropIn] = .gone },
    Fault(testDescription: "the drop-in was edited", state: .notHeld) {
        $0.facts.dropIns[dropIn] = .changed("somebody wrote to it")
    },
    Fault(testDescription: "systemd has not read the drop-in", state: .notHeld) {
        $0.facts.units = .told(["k3s.service": UnitFacts()], readAt: now)
    },
    Fault(testDescription: "the unit's files are newer than what systemd read", state: .notHeld) {
        $0.facts.units = .told(["k3s.service": UnitFacts(dropIns: [dropIn], needsReload: true)], readAt: now)
    },
    Fault(testDescription: "systemd could not be asked", state: .notProven) {
        $0.facts.units = .unknown("no systemd runs here")
    },
    Fault(testDescription: "systemd did not tell of the unit", state: .notProven) {
        $0.facts.units = .told([:], readAt: now)
    },
    Fault(testDescription: "there is no guard file", state: .notHeld) { $0.facts.guardFile = .missing },
    Fault(testDescription: "the guard file is damaged", state: .notHeld) {
        $0.facts.guardFile = .unusable("no end line")
    },
    Fault(testDescription: "the guard file does not name the unit", state: .notHeld) {
        $0.facts.guardFile = .read(sequence: 9, modes: [:])
    },
    Fault(testDescription: "the gate goes by an older policy that warned", state: .notHeld) {
        $0.facts.guardFile = .read(sequence: 9, modes: ["k3s.service": .warn])
    },
    Fault(testDescription: "the spare is gone, and a copy may take too long", state: .notProven) {
        $0.facts.spares[spare] = .gone
    },
    Fault(testDescription: "the spare is another file", state: .notProven) {
        $0.facts.spares[spare] = .changed("it is another file")
    },
    Fault(testDescription: "invariant 12: nothing proves what last ran", state: .notProven) {
        $0.facts.objections[id.description] = "something started without the gate"
    },
]

@Suite("status --paths")
struct PathsTests {
    @Test(
        "an installer's path is held only where every guard on it is proven to be in force", arguments: faults
    )
    func installer(_ fault: Fault) throws {
        var question = guarded()
        fault.plant(&question)
        let installer = try path(.installer, question)
        #expect(installer.state == fault.state, "\(installer.evidence)")
        #expect(!installer.evidence.isEmpty && installer.lever != nil)
        // What the gate does not hold, nothing behind it holds either.
        if fault.state != .held {
            #expect(try path(.sucPlan, question).state != .held)
            #expect(try path(.packageManager, question).state != .held)
        }
    }

    @Test("what a node cannot hold is never called held, whatever is in force")
    func beyond() throws {
        for name in [ChangePath.Name.imageSwap, .root] {
            #expect(try path(name, guarded()).state == .cannotBeHeld)
        }
        let k0s = InstallationID(distribution: .k0s, name: "k0scontroller")
        #expect(try path(.autopilot, guarded(k0s)).state == .cannotBeHeld)
        var without = guarded(k0s)
        without.facts.withoutAutopilot = [k0s.description]
        #expect(try path(.autopilot, without).state == .held)
    }

    @Test("a label alone does not hold plans, since one can come and run between two ticks")
    func plans() throws {
        var question = guarded()
        question.enforce?.plans = .block
        question.records.settings = [
            PlacedSetting(setting: Setting(.planLabel, "server-plan"), value: "disabled")
        ]
        let held = try path(.sucPlan, question)
        #expect(
            held.state == .held && held.evidence.contains("server-plan") && held.evidence.contains("cordoned")
        )
        question.facts.dropIns[dropIn] = .gone
        #expect(try path(.sucPlan, question).state == .notProven)
        question.records.settings = []
        #expect(try path(.sucPlan, question).state == .notHeld)
    }

    @Test("plans that the cluster told of are named, each with whether the label keeps it off")
    func clusterPlans() throws {
        var question = guarded()
        question.cluster = ClusterObservation(
            node: ClusterNode(name: "n1", planLabels: ["server-plan": "disabled"]),
            plans: [
                UpgradePlan(namespace: "system-upgrade", name: "server-plan"),
                UpgradePlan(namespace: "system-upgrade", name: "other"),
                UpgradePlan(namespace: "system-upgrade", name: "agents", selectsNode: false),
            ])
        let evidence = try path(.sucPlan, question).evidence
        #expect(evidence.contains("the label keeps off system-upgrade/server-plan"))
        #expect(evidence.contains("nothing keeps off system-upgrade/other") && !evidence.contains("agents"))
        // Without a gate what the label does not keep off is not held.
        question.known?.adoption = nil
        #expect(try path(.sucPlan, question).state == .notHeld)
    }

    @Test("the package that owns the binary is named, with what keeps it where it is")
    func packages() throws {
        var question = guarded()
        question.facts.owners[id.description] = .dpkg("k3s-bin")
        let owned = try path(.packageManager, question)
        #expect(owned.state == .held && owned.lever == "apt-mark hold k3s-bin")
    }

    @Test("each distribution has the paths that it can change by, and no others")
    func names() {
        func names(_ id: InstallationID) -> [String] { paths(guarded(id)).map(\.path.rawValue) }
        #expect(names(id) == ["installer", "suc-plan", "package-manager", "image-swap", "root"])
        #expect(
            names(InstallationID(distribution: .k0s, name: "k0s"))
                == ["installer", "autopilot", "package-manager", "image-swap", "root"])
        #expect(
            names(InstallationID(distribution: .microk8s, name: "microk8s"))
                == ["auto-refresh", "named-refresh", "image-swap", "root"])
    }
}
