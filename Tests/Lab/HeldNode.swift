import Testing

/// Adopts every kind of installation on the node of a suite, with Holdfast as `make install` leaves it, and its timer
/// and watch enabled.
struct HeldNode: SuiteTrait, TestScoping {
    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let node = try LabNode.current
        try await node.installHeldUnits()
        try await node.installHoldfast()
        try await node.put(Lab.repository + "/Packaging/lab/node", at: "/usr/local/lib/lab")
        try await node.run("systemctl enable --now holdfast.timer holdfast.path")
        try await function()
    }
}

extension Trait where Self == HeldNode {
    /// All installations of the node are adopted, with the gate in mode `restore`.
    static var held: Self { HeldNode() }
}

/// An installation on the held node.
struct HeldUnit: Sendable, Hashable, CustomTestStringConvertible {
    let testDescription: String
    let unit: String
    let binary: String
    let distribution: String
    /// Its release's binary as it is meant to run, and one of the next minor, both on the node.
    var approved: String { "/root/\(distribution)-\(approvedVersion)" }
    var minor: String { "/root/\(distribution)-\(minorVersion)" }
    var approvedVersion: String { distribution == "k3s" ? "v1.31.4+k3s1" : "v1.31.4+k0s.0" }
    var minorVersion: String { distribution == "k3s" ? "v1.32.1+k3s1" : "v1.32.1+k0s.0" }
    /// What Holdfast calls it.
    var name: String { String(unit.prefix { $0 != "." }) }
    var directory: String { String(binary[..<(binary.lastIndex(of: "/") ?? binary.endIndex)]) }
    var spare: String { "\(directory)/.\(distribution).holdfast-spare" }

    static let server = HeldUnit(
        testDescription: "K3s server", unit: "k3s.service", binary: "/usr/local/bin/k3s", distribution: "k3s")
    static let agent = HeldUnit(
        testDescription: "K3s agent", unit: "k3s-agent.service", binary: "/opt/bin/k3s", distribution: "k3s")
    static let controller = HeldUnit(
        testDescription: "k0s controller", unit: "k0scontroller.service", binary: "/usr/local/bin/k0s",
        distribution: "k0s")
    static let worker = HeldUnit(
        testDescription: "k0s worker", unit: "k0sworker.service", binary: "/opt/bin/k0s", distribution: "k0s")
    static let all = [server, agent, controller, worker]
}

/// How an installation stands, as the node itself says it and not Holdfast.
struct HeldFacts: Equatable {
    /// As `systemctl is-active` has it.
    var unit: String
    /// Which of the two releases is on disk, and which one the main process was started from.
    var installed: String
    var running: String

    static let held = HeldFacts(unit: "active", installed: "approved", running: "approved")
    static let minor = HeldFacts(unit: "active", installed: "minor", running: "minor")
}

extension LabNode {
    /// Both directories are among those that the units of Holdfast watch and may write to.
    fileprivate func installHeldUnits() async throws {
        for distribution in ["k3s", "k0s"] {
            for unit in HeldUnit.all where unit.distribution == distribution {
                for version in [unit.approvedVersion, unit.minorVersion] {
                    _ = try await download(distribution, version)
                }
                break
            }
        }
        try await lab("install-k3s", HeldUnit.server.approvedVersion)
        try await lab(
            "install-k3s", HeldUnit.agent.approvedVersion, "--role", "agent", "--bin-dir", "/opt/bin",
            "--data-dir", "/var/lib/rancher/agent")
        try await lab(
            "install-k0s", HeldUnit.controller.approvedVersion, "--role", "controller", "--",
            "--api-port=7443")
        try await lab(
            "install-k0s", HeldUnit.worker.approvedVersion, "--role", "worker", "--bin-dir", "/opt/bin",
            "--data-dir", "/var/lib/k0s-worker", "--status-socket", "/run/k0s-worker/status.sock")
        // What waits for systemd to start a unit again would wait five and ten seconds each time; so often it would give
        // up one that is refused.
        for unit in HeldUnit.all {
            try await write(
                "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=700ms\n",
                to: "/etc/systemd/system/\(unit.unit).d/lab.conf")
        }
        try await write(
            HeldUnit.all.map { "\($0.unit) \($0.binary) \($0.approved)\n" }.joined(), to: "/root/units")
        try await run("systemctl daemon-reload")
    }

    /// Brings an installation to where each case begins, whatever an earlier one left: adopted, in mode restore, on
    /// the approved release, with a spare.
    func prepare(_ unit: HeldUnit, mode: String = "restore") async throws {
        try await write(
            "apiVersion: holdfast/v1\nunattended: patch\nenforce: {gate: \(mode)}\n",
            to: "/etc/holdfast/policy.yaml")
        try await run(
            "/usr/local/lib/lab/prepare \"$@\"", unit.unit, unit.binary, unit.approved, unit.spare, mode)
        _ = try await told(unit)
    }

    /// How an installation stands.
    func facts(_ unit: HeldUnit) async throws -> HeldFacts {
        let words = try await run(
            "/usr/local/lib/lab/facts \"$@\"", unit.unit, unit.binary, unit.approved, unit.minor
        ).split(separator: "\n").map(String.init)
        try #require(words.count == 3, "\(words)")
        return HeldFacts(unit: words[0], installed: words[1], running: words[2])
    }

    /// What its unit's journal has been told since the last time it was asked: the gate's words are there.
    func told(_ unit: HeldUnit) async throws -> String {
        try await run(
            "journalctl --sync; journalctl -q -o cat --no-pager -u \"$1\" --cursor-file=/root/cursor-\"$1\"",
            unit.unit)
    }

    /// Waits until the unit is up and has nothing to do any more.
    func settle(_ unit: HeldUnit, seconds: Int = 20) async throws {
        try await wait(
            until:
                "systemctl is-active -q \(unit.unit) && [ -z \"$(systemctl list-jobs --no-legend \(unit.unit))\" ]",
            seconds: seconds)
    }

    /// Waits until a tick has staged another spare.
    ///
    /// What happens while a tick ends nobody sees before the second look; its looks lie up to 45 seconds apart
    /// (`holdfast-settle.timer`).
    func waitForSpare(of unit: HeldUnit) async throws {
        do { try await wait(until: "cmp -s \(unit.binary) \(unit.spare)", seconds: 60) } catch {
            // What happened in which order is all that can tell why.
            let told = try await run(
                "ls -lai --time-style=full-iso \(unit.directory); journalctl -q --no-pager -o short-precise -n 200"
            )
            Issue.record("\(error)\n\(told)")
        }
    }
}
