import Glibc
import Testing

@testable import Host

@Suite("A program in a unit of its own")
struct TransientUnitTests {
    @Test("systemd is asked for a unit of that name, bounded in time, and for exactly those words")
    func arguments() throws {
        let task = TransientTask(
            unit: "holdfast-backup-5f1c.service", purpose: "a backup",
            arguments: ["/bin/sh", "-c", "echo $HOME ${1} $$"], environment: ["B": "2", "A": "1"],
            timeout: 1800)
        let words = SystemdTransientUnits.arguments(of: task)
        #expect(words.first == "/usr/bin/systemd-run")
        for word in [
            "--unit=holdfast-backup-5f1c.service", "--property=RuntimeMaxSec=1800", "--service-type=exec",
            "--property=RemainAfterExit=yes", "--property=UMask=0077",
        ] {
            #expect(words.contains(word), "\(word)")
        }
        // systemd puts variables in, and takes two dollars for one.
        #expect(words.suffix(4) == ["--", "/bin/sh", "-c", "echo $$HOME $${1} $$$$"])
        #expect(words.firstIndex(of: "--setenv=A=1") ?? 0 < words.firstIndex(of: "--setenv=B=2") ?? 0)
    }

    @Test("without systemd it is refused in plain words")
    func none() throws {
        guard !isDirectory("/run/systemd/system") else { return }
        let task = TransientTask(
            unit: "holdfast-x.service", purpose: "x", arguments: ["/bin/true"], timeout: 1)
        let error = try #require(throws: HostError.self) { try SystemdTransientUnits().start(task) }
        #expect(error.description.contains("no systemd runs here"))
    }
}

/// Whether this machine's own systemd may be used: as root, where HOLDFAST_TEST_SYSTEMD is set.
private var mayUseSystemd: Bool {
    getenv("HOLDFAST_TEST_SYSTEMD") != nil && geteuid() == 0 && isDirectory("/run/systemd/system")
}

@Suite("A program in a unit of the running systemd", .enabled(if: mayUseSystemd))
struct RunningSystemdTests {
    private let units = SystemdTransientUnits()

    private func task(_ name: String, _ script: String, timeout: Int64 = 60) -> TransientTask {
        TransientTask(
            unit: "holdfast-test-\(getpid())-\(name).service", purpose: "a test of Holdfast",
            arguments: ["/bin/sh", "-c", script], environment: ["HOLDFAST_TEST": "a b"], timeout: timeout)
    }

    private func end(_ task: TransientTask) throws -> TransientState {
        try units.start(task)
        while try units.state(of: task.unit) == .running { usleep(100_000) }
        return try units.state(of: task.unit)
    }

    @Test("that ends well is known to have, until it is forgotten, and is not begun twice")
    func well() throws {
        let task = task("well", #"test "$HOLDFAST_TEST" = "a b" && test "$(umask)" = 0077"#)
        #expect(try units.state(of: task.unit) == .absent)
        #expect(try end(task) == .ended)
        #expect(throws: HostError.self) { try units.start(task) }
        try units.forget(task.unit)
        #expect(try units.state(of: task.unit) == .absent)
    }

    @Test("that does not end well says why", arguments: ["exit 3", "sleep 60"])
    func badly(script: String) throws {
        let task = task(script.hasPrefix("exit") ? "badly" : "late", script, timeout: 1)
        guard case .failed(let reason) = try end(task) else {
            Issue.record("it did not fail")
            return
        }
        #expect(reason.contains(script.hasPrefix("exit") ? "exit-code" : "took too long"))
        try units.forget(task.unit)
        #expect(try units.state(of: task.unit) == .absent)
    }

    @Test("that still runs is ended where it is forgotten")
    func running() throws {
        let task = task("running", "sleep 600")
        try units.start(task)
        #expect(try units.state(of: task.unit) == .running)
        try units.forget(task.unit)
        for _ in 0..<100 where try units.state(of: task.unit) != .absent { usleep(100_000) }
        #expect(try units.state(of: task.unit) == .absent)
    }

    @Test("that is not there cannot be begun")
    func missing() throws {
        var task = task("missing", "")
        task.arguments = ["/nonexistent/program"]
        let error = try #require(throws: HostError.self) { try units.start(task) }
        #expect(error.description.contains("/nonexistent/program"))
        #expect(try units.state(of: task.unit) == .absent)
    }
}
