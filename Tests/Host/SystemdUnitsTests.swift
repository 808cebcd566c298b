import Glibc
import Model
import Testing

@testable import Host

/// Whether systemd runs this machine (sd_booted(3)).
private let isBooted = access("/run/systemd/system", F_OK) == 0

@Suite("The running systemd")
struct SystemdUnitsTests {
    @Test(
        "where systemd does not run that is said once, and every field stays unknown", .enabled(if: !isBooted)
    )
    func absent() {
        let units = SystemdUnits(patience: 500)
        #expect(units.silence == nil)
        let state = units.state(of: "k3s.service")
        #expect(state.activeState == nil && state.invocationID == nil && state.mainPID == 0)
        #expect(units.silence?.description.contains("systemd") == true)
    }

    @Test(
        "a unit's state is what systemctl shows",
        .enabled(if: isBooted, "SKIPPED: systemd does not run here; the lab covers this"))
    func state() throws {
        let units = SystemdUnits()
        let state = units.state(of: "systemd-journald.service")
        #expect(units.silence == nil)
        #expect(state.activeState == "active")
        #expect(state.subState == "running")
        #expect(state.invocationID?.utf8.count == 32)
        let facts = try ProcessFacts(process: state.mainPID)
        #expect(facts.executable.hasSuffix("/systemd-journald"))
        #expect(state.fragmentPath?.hasSuffix("/systemd-journald.service") == true)
    }

    @Test(
        "a unit that is none is inactive",
        .enabled(if: isBooted, "SKIPPED: systemd does not run here; the lab covers this"))
    func missing() {
        let state = SystemdUnits().state(of: "holdfast-no-such-unit.service")
        #expect(state.activeState == "inactive")
        #expect(state.mainPID == 0 && state.invocationID == nil && state.fragmentPath == nil)
    }
}
