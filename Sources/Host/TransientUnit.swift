import Model

/// A program that runs in a unit of its own: it outlives whoever began it, and a repeat joins it.
public struct TransientTask: Hashable, Sendable {
    /// With its suffix: `holdfast-backup-5f1c0a.service`.
    public var unit: String
    /// What it is about, for `systemctl status`; without what is nobody's business.
    public var purpose: String
    /// The first is the program's absolute path.
    public var arguments: [String]
    /// Besides a plain search path.
    public var environment: [String: String]
    /// In seconds; at least 1.
    public var timeout: Int64

    /// Makes a task.
    public init(
        unit: String, purpose: String, arguments: [String], environment: [String: String] = [:],
        timeout: Int64
    ) {
        self.unit = unit
        self.purpose = purpose
        self.arguments = arguments
        self.environment = environment
        self.timeout = timeout
    }
}

/// How a program in a unit of its own stands.
public enum TransientState: Hashable, Sendable {
    /// It was never begun, or the machine was started anew since, or what became of it was taken note of.
    case absent
    case running
    /// It ended with 0.
    case ended
    /// It did not; why, for a person.
    case failed(String)
}

/// Who runs programs in units of their own.
public protocol TransientUnits {
    /// Begins a program; one of that unit's name must not be there.
    func start(_ task: TransientTask) throws(HostError)

    /// How a unit stands.
    func state(of unit: String) throws(HostError) -> TransientState

    /// Ends what still runs of a unit and has its outcome forgotten; one that is not there is fine.
    func forget(_ unit: String) throws(HostError)
}

/// Units of the running systemd.
///
/// With RemainAfterExit a unit that ended well stays active (exited), and one that did not is failed, so that whoever
/// comes later, after a crash of ours too, finds what became of it.
public struct SystemdTransientUnits: TransientUnits {
    /// Makes the port.
    public init() {}

    static let program = "/usr/bin/systemd-run"

    /// Has systemd run a program, and does not wait for it.
    public func start(_ task: TransientTask) throws(HostError) {
        guard isDirectory("/run/systemd/system") else {
            throw HostError(description: "\(task.unit): no systemd runs here that could run it")
        }
        let outcome = try runProcess(
            Self.arguments(of: task), environment: ["PATH": Self.path], timeout: 15_000, outputLimit: 4096)
        guard outcome.succeeded else {
            let said =
                String(decoding: outcome.errors.prefix(300), as: UTF8.self)
                .split(whereSeparator: \.isNewline).first.map { ": \($0)" } ?? ""
            throw HostError(
                description:
                    "\(task.unit): systemd-run could not begin it\(said); see 'systemctl status \(task.unit)'"
            )
        }
    }

    /// What systemd-run is given.
    static func arguments(of task: TransientTask) -> [String] {
        var words = [
            program, "--quiet", "--no-ask-password", "--unit=\(task.unit)", "--description=\(task.purpose)",
            "--service-type=exec", "--property=RemainAfterExit=yes",
            "--property=RuntimeMaxSec=\(max(1, task.timeout))", "--property=UMask=0077",
            "--property=TimeoutStopSec=10", "--setenv=PATH=\(path)",
        ]
        words += task.environment.sorted { $0.key < $1.key }.map { "--setenv=\($0.key)=\($0.value)" }
        // systemd takes $NAME in an argument for a variable, and $$ for a dollar.
        return words + ["--"]
            + task.arguments.map {
                $0.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
            }
    }

    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Asks systemd.
    public func state(of unit: String) throws(HostError) -> TransientState {
        let systemd = SystemdUnits()
        let found = systemd.state(of: unit)
        if let silence = systemd.silence { throw silence }
        switch (found.activeState, found.subState) {
        case ("active", "exited"): return .ended
        case ("inactive", _), (nil, _): return .absent
        case ("failed", _): return .failed(try reason(of: unit))
        default: return .running
        }
    }

    private func reason(of unit: String) throws(HostError) -> String {
        let connection = try reachSystemd(patience: 5000)
        let interface = "org.freedesktop.systemd1.Service"
        let result = try connection.text(
            "Result", of: SystemdConnection.path(of: unit), interface: interface)
        let log = "see 'journalctl -u \(unit)'"
        return result == "timeout"
            ? "it took too long and was ended; \(log)" : "it failed (\(result)); \(log)"
    }

    /// Stops a unit and has systemd forget it.
    public func forget(_ unit: String) throws(HostError) {
        let connection = try reachSystemd(patience: 15_000)
        // One that is gone already is what is wanted.
        try? connection.ask("StopUnit", unit, mode: "replace")
        try? connection.ask("ResetFailedUnit", unit)
    }
}
