import Model
import Reports
import Testing

private let now = Instant(seconds: 1_780_000_000)
private let id = InstallationID(distribution: .k3s, name: "k3s")

/// A live node with everything in order and nothing adopted.
private func healthy() -> Examination {
    let units = [
        "holdfast.service", "holdfast.timer", "holdfast.path", "holdfast-settle.path",
        "holdfast-settle.timer",
    ]
    var facts: [String: UnitFacts] = [:]
    for unit in units {
        facts[unit] = UnitFacts(
            activeState: unit.hasSuffix(".service") || unit == "holdfast-settle.timer"
                ? "inactive" : "active",
            fileState: unit == "holdfast.timer" || unit == "holdfast.path" ? "enabled" : "static")
    }
    var examination = Examination(
        isLive: true,
        observation: Observation(
            node: NodeFacts(name: "n1", cluster: "default", labels: [:], architecture: .amd64),
            clock: ClockReading(now: now, monotonic: 1, bootID: "b", synchronised: true), installations: [],
            problems: []), state: NodeState(),
        guards: GuardFacts(gateProgram: "/usr/local/bin/holdfast-gate", units: .told(facts, readAt: now)),
        stateDirectory: "/var/lib/holdfast")
    for unit in units { examination.ownUnits[unit] = OwnUnitFiles() }
    examination.lastTick = now
    examination.stages = [StageFacts(name: "all", takesThisNode: true)]
    return examination
}

extension Examination {
    /// Says something else of one of our units.
    fileprivate mutating func set(_ unit: String, _ change: (inout UnitFacts) -> Void) {
        guard case .told(var facts, let readAt) = guards.units, var unitFacts = facts[unit] else { return }
        change(&unitFacts)
        facts[unit] = unitFacts
        guards.units = .told(facts, readAt: readAt)
    }
}

/// One fault that is planted, and what is found of it.
struct PlantedFault: Sendable, CustomTestStringConvertible {
    var testDescription: String { "\(code): \(mend)" }
    var code: String
    var severity = Finding.Severity.fault
    /// A part of the command that mends it.
    var mend: String
    var plant: @Sendable (inout Examination) -> Void
}

private let disk = DiskFacts(
    path: "/var/lib/holdfast", free: 4 << 30, size: 8 << 30, freeInodes: 100_000, inodes: 200_000,
    isReadOnly: false)

private let planted = [
    PlantedFault(code: "timer-off", mend: "systemctl enable --now holdfast.timer") {
        $0.set("holdfast.timer") { $0.activeState = "inactive" }
    },
    PlantedFault(code: "timer-off", mend: "systemctl unmask holdfast.timer") {
        $0.set("holdfast.timer") { $0.loadState = "masked" }
    },
    PlantedFault(code: "timer-disabled", mend: "systemctl enable holdfast.timer") {
        $0.set("holdfast.timer") { $0.fileState = "disabled" }
    },
    PlantedFault(code: "watch-failed", mend: "systemctl reset-failed holdfast.path") {
        $0.set("holdfast.path") {
            $0.activeState = "failed"
            $0.result = "unit-start-limit-hit"
        }
    },
    PlantedFault(code: "settle-off", mend: "systemctl restart holdfast.path") {
        $0.set("holdfast-settle.path") { $0.activeState = "failed" }
    },
    PlantedFault(code: "service-failing", mend: "journalctl -u holdfast.service") {
        $0.set("holdfast.service") { $0.activeState = "failed" }
    },
    PlantedFault(code: "unit-not-loaded", mend: "systemctl daemon-reload") {
        $0.set("holdfast.path") { $0.needsReload = true }
    },
    PlantedFault(code: "systemd-silent", mend: "systemctl status") {
        $0.guards.units = .unknown("timed out")
    },
    PlantedFault(code: "units-missing", severity: .warning, mend: "(its package, ./install or make install)")
    { $0.ownUnits = [:] },
    PlantedFault(code: "tick-old", mend: "holdfast.timer") { $0.lastTick = now + .minutes(-20) },
    PlantedFault(code: "tick-never", mend: "holdfast.timer") { $0.lastTick = nil },
    PlantedFault(code: "ledger", mend: "holdfast verify") { $0.ledgerTrouble = "its chain is not intact" },
    PlantedFault(code: "ledger-unchecked", severity: .warning, mend: "holdfast verify") {
        $0.ledgerUnchecked = true
    },
    PlantedFault(code: "clock", mend: "timedatectl") { $0.observation.clock.synchronised = false },
    PlantedFault(code: "clock-unknown", severity: .warning, mend: "timedatectl") {
        $0.observation.clock.synchronised = nil
    },
    PlantedFault(code: "clock-untold", mend: "echo rtcsync >> /etc/chrony/chrony.conf") {
        $0.observation.clock.synchronised = false
        $0.chrony = ("/etc/chrony/chrony.conf", false)
    },
    PlantedFault(code: "disk-read-only", mend: "remount,rw") {
        var disk = disk
        disk.isReadOnly = true
        $0.disks = [disk]
    },
    PlantedFault(code: "disk-full", mend: "df -h /var/lib/holdfast") {
        var disk = disk
        disk.free = 1 << 20
        $0.disks = [disk]
    },
    PlantedFault(code: "disk-nearly-full", severity: .warning, mend: "df -h") {
        var disk = disk
        disk.free = 300 << 20
        $0.disks = [disk]
    },
    PlantedFault(code: "disk-no-inodes", mend: "df -i") {
        var disk = disk
        disk.freeInodes = 3
        $0.disks = [disk]
    },
    PlantedFault(code: "ownership", mend: "(chmod go-w /etc/holdfast/policy.yaml)") {
        $0.ownership = [
            (
                "/etc/holdfast/policy.yaml",
                "/etc/holdfast/policy.yaml can be written by its group: take that away (chmod go-w /etc/holdfast/policy.yaml)"
            )
        ]
    },
    PlantedFault(code: "stage-none", mend: "node.yaml") {
        $0.isAlone = false
        $0.stages = [StageFacts(name: "canary", takesThisNode: false)]
    },
    PlantedFault(code: "stage-elsewhere", mend: "fleet:") {
        $0.stages = [
            StageFacts(name: "canary", takesThisNode: false), StageFacts(name: "rest", takesThisNode: true),
        ]
    },
    PlantedFault(code: "stage-nobody", severity: .warning, mend: "fleet:") {
        $0.stages = [
            StageFacts(name: "all", takesThisNode: true), StageFacts(name: "later", takesThisNode: false),
        ]
    },
    PlantedFault(code: "installer-scheduled", mend: "/etc/cron.d/k3s:3") {
        $0.updaters.lines = [("/etc/cron.d/k3s:3", "get.k3s.io")]
    },
    PlantedFault(code: "installer-scheduled", mend: "systemctl disable --now update-k3s.service") {
        $0.updaters.services = [("update-k3s.service", "get.k3s.io")]
    },
    PlantedFault(code: "unattended-upgrades", mend: "apt-mark hold k3s-bin") {
        $0.updaters.unattendedUpgrades = "/etc/apt/apt.conf.d/20auto-upgrades:2"
        $0.guards.owners[id.description] = .dpkg("k3s-bin")
    },
    PlantedFault(code: "suc-plan", severity: .warning, mend: "plans: block") {
        $0.observation.cluster = ClusterObservation(
            node: ClusterNode(name: "n1"),
            plans: [UpgradePlan(namespace: "system-upgrade", name: "server-plan")])
    },
    PlantedFault(code: "suc", severity: .warning, mend: "kubectl get plans") {
        $0.observation.cluster = ClusterObservation(
            node: ClusterNode(name: "n1", planLabels: ["server-plan": "disabled"]),
            plans: [UpgradePlan(namespace: "system-upgrade", name: "server-plan")])
    },
    PlantedFault(code: "autopilot", severity: .warning, mend: "--disable-components autopilot") {
        $0.observation.installations = [
            Installation(
                id: InstallationID(distribution: .k0s, name: "k0scontroller"), role: .controller, units: [],
                installed: nil, running: nil)
        ]
    },
    PlantedFault(code: "ledger", mend: "holdfast check") {
        $0.ledgerTrouble = "damaged"
        $0.ledgerIsReplaced = true
    },
    PlantedFault(code: "policy-absent", severity: .warning, mend: "holdfast init") {
        $0.observation.problems = [Problem(code: "policy-absent", text: "there is no policy yet")]
    },
    // What mends it is in its text.
    PlantedFault(code: "snapd-silent", mend: "") {
        $0.observation.problems = [Problem(code: "snapd-silent", text: "snapd does not answer")]
    },
]

@Suite("doctor's checks")
struct DiagnosisTests {
    @Test("a node with everything in order has nothing to be told")
    func nothing() { #expect(diagnose(healthy()).isEmpty) }

    @Test("each fault that is planted is found, alone, with the command that mends it", arguments: planted)
    func found(_ planted: PlantedFault) {
        var examination = healthy()
        planted.plant(&examination)
        let findings = diagnose(examination)
        #expect(findings.map(\.code) == [planted.code])
        #expect(findings.first?.severity == planted.severity)
        let mend = findings.first?.mend ?? "none"
        #expect(planted.mend.isEmpty ? mend.isEmpty : mend.contains(planted.mend), "\(findings)")
    }

    @Test("files below another root are not blamed for a clock or a tick that only runs on the node itself")
    func elsewhere() {
        var examination = healthy()
        examination.isLive = false
        examination.guards.units = .unknown("another root")
        examination.observation.clock.synchronised = false
        examination.lastTick = nil
        #expect(diagnose(examination).isEmpty)
    }

    @Test("unattended-upgrades is no concern where no package owns the binary")
    func unattended() {
        var examination = healthy()
        examination.updaters.unattendedUpgrades = "/etc/apt/apt.conf.d/20auto-upgrades:2"
        examination.guards.owners[id.description] = .nobody
        #expect(diagnose(examination).isEmpty)
    }

    @Test(
        "a line that runs an installer is told from one that does not",
        arguments: [
            ("17 3 * * * root curl -sfL https://get.k3s.io | INSTALL_K3S_CHANNEL=latest sh -", "get.k3s.io"),
            ("@daily curl -sSf https://get.k0s.sh | sudo sh", "get.k0s.sh"),
            ("snap refresh", "snap refresh"), ("/usr/bin/snap refresh >/dev/null 2>&1", "snap refresh"),
            ("  snap refresh microk8s --channel=latest/edge", "snap refresh"),
            ("/opt/k3s-install.sh --quiet", "k3s-install.sh"),
            ("k0sctl apply --config c.yaml", "k0sctl apply"),
            ("snap refresh lxd", nil), ("snap refresh --hold=48h lxd", nil), ("# snap refresh", nil),
            ("run-parts /etc/cron.daily", nil), ("snap list", nil), ("", nil),
        ] as [(String, String?)])
    func lines(line: String, expected: String?) { #expect(installer(in: line) == expected) }
}
