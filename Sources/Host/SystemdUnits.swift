internal import Glibc
public import Model
public import Ports

/// Services of the running system: found in their unit files, which is quick, and then asked of systemd one by one.
///
/// A node has hundreds of units of which one or two are wanted; asking systemd about all of them would cost more
/// than the rest of a quiet tick.
public final class SystemdUnits: UnitSource {
    private let files = UnitFiles(root: Root("/"))
    private let patience: Int
    private var connection: SystemdConnection?
    /// Why systemd could not be asked; it is not asked again, so that a hung one costs one wait.
    public private(set) var silence: HostError?

    /// Makes a source over the running systemd; it connects with the first question.
    ///
    /// - Parameter patience: how long systemd may take over one answer, in milliseconds.
    public init(patience: Int = 2000) { self.patience = patience }

    /// The wanted services, as `UnitFiles` finds them.
    public func services(where isWanted: (ServiceDefinition) -> Bool) throws(HostError) -> [ServiceDefinition]
    {
        try files.services(where: isWanted)
    }

    /// How a unit stands; all but the name nil where systemd does not answer, for which see `silence`.
    public func state(of unit: String) -> UnitObservation {
        guard silence == nil else { return UnitObservation(name: unit) }
        do {
            return try ask(unit)
        } catch {
            silence = error
            connection = nil
            return UnitObservation(name: unit)
        }
    }

    /// The same systemd over unit files that are read once.
    public func snapshot(known: KnownUnits?, question: String?, now: Instant) -> any UnitSource {
        SystemdSnapshot(systemd: self, files: files.look(known: known, question: question, now: now))
    }

    private func ask(_ unit: String) throws(HostError) -> UnitObservation {
        let connection = try connected()
        let path = try SystemdConnection.path(of: unit)
        let properties = "org.freedesktop.systemd1.Unit"
        var observation = UnitObservation(name: unit)
        observation.activeState = try connection.text("ActiveState", of: path, interface: properties)
        observation.subState = try connection.text("SubState", of: path, interface: properties)
        observation.fileState = try connection.text("UnitFileState", of: path, interface: properties).nonEmpty
        observation.fragmentPath = try connection.text("FragmentPath", of: path, interface: properties)
            .nonEmpty
        let invocation = try connection.bytes("InvocationID", of: path, interface: properties)
        if invocation.contains(where: { $0 != 0 }) { observation.invocationID = hexadecimal(invocation) }
        let process = try connection.number(
            "MainPID", of: path, interface: "org.freedesktop.systemd1.Service")
        observation.mainPID = Int32(exactly: process) ?? 0
        return observation
    }

    private func connected() throws(HostError) -> SystemdConnection {
        if let connection { return connection }
        let new = try reachSystemd(patience: patience)
        connection = new
        return new
    }
}

/// Has the running systemd read its unit files again (`systemctl daemon-reload`); fine where no systemd runs.
///
/// - Parameter patience: how long it may take, in milliseconds; a node with many units needs seconds.
/// - Throws: `HostError`.
public func reloadSystemd(patience: Int = 60_000) throws(HostError) {
    // What sd_booted(3) asks: without systemd there is nobody to tell.
    guard isDirectory("/run/systemd/system") else { return }
    try reachSystemd(patience: patience).reload()
}

/// Has systemd forget that units failed, and how often they were started.
///
/// - Parameter patience: in milliseconds.
public func resetFailed(_ units: [String], patience: Int = 10_000) throws(HostError) {
    guard isDirectory("/run/systemd/system") else { return }
    let connection = try reachSystemd(patience: patience)
    for unit in units { try connection.resetFailed(unit) }
}

/// Has the running systemd restart those of our path units that are on, so that they watch what their files now say.
///
/// A path unit that starts a tick can be restarted from within that tick: the tick itself goes on, and the watch
/// begins anew when it has ended.
///
/// - Throws: `HostError`.
public func restartWatches(patience: Int = 10_000) throws(HostError) {
    guard isDirectory("/run/systemd/system") else { return }
    let connection = try reachSystemd(patience: patience)
    for unit in ["holdfast.path", "holdfast-settle.path"] { try connection.tryRestart(unit) }
}

func reachSystemd(patience: Int) throws(HostError) -> SystemdConnection {
    // The bus is the quicker way (1.1 ms against 2.0: systemd sets up its whole interface anew for each private
    // connection); the private socket, which is root's, works where no bus daemon does.
    var ways: [SystemdConnection.Way] = [.systemBus]
    if geteuid() == 0 { ways.append(.privateSocket) }
    var failure: HostError?
    for way in ways {
        do {
            return try SystemdConnection(by: way, patience: patience)
        } catch {
            // The first way's reason is the telling one.
            failure = failure ?? error
        }
    }
    throw failure ?? HostError(description: "systemd cannot be reached")
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
