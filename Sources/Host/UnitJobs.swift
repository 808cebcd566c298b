internal import CSystemd
internal import Glibc
public import Model
public import Ports

/// Starts a unit anew, whatever it does now, and waits until the new start has begun; not until it is up.
///
/// A unit with TimeoutStartSec=0 may start for ever, so its job is never waited for.
///
/// - Parameters:
///   - invocation: the start that was there before; where another one is there already, nothing is done.
///   - patience: how long stopping may take, in milliseconds; systemd's own default is 90 seconds.
/// - Throws: `HostError`.
public func restartUnit(
    _ unit: String, invocation: String?, patience: Int = 100_000
) throws(HostError) {
    let systemd = SystemdUnits()
    if let present = systemd.state(of: unit).invocationID, present != invocation { return }
    let connection = try reachSystemd(patience: 5000)
    // One that used up its start limit would not start.
    try? connection.ask("ResetFailedUnit", unit)
    try connection.ask("RestartUnit", unit, mode: "replace")
    try wait(patience) {
        let state = SystemdUnits().state(of: unit)
        return state.invocationID != nil && state.invocationID != invocation
    } orSay: {
        "\(unit) has not been started anew after \(patience / 1000) seconds; see 'systemctl status \(unit)'"
    }
}

/// Starts a unit and waits until its start has begun, or has come to nothing.
///
/// - Throws: `HostError`.
public func startUnit(_ unit: String, patience: Int = 10_000) throws(HostError) {
    let connection = try reachSystemd(patience: 5000)
    try? connection.ask("ResetFailedUnit", unit)
    try connection.ask("StartUnit", unit, mode: "replace")
    try wait(patience) {
        SystemdUnits().state(of: unit).isUp
    } orSay: {
        "\(unit) is not starting after \(patience / 1000) seconds; see 'systemctl status \(unit)'"
    }
}

/// Has systemd start a unit some time, and waits for nothing.
///
/// - Throws: `HostError`.
public func queueStart(ofUnit unit: String) throws(HostError) {
    guard isDirectory("/run/systemd/system") else {
        throw HostError(description: "no systemd runs here that could start \(unit)")
    }
    try reachSystemd(patience: 5000).ask("StartUnit", unit, mode: "replace")
}

/// How a unit stands whose binary was missing; nil where systemd does not answer.
public func unitStanding(_ unit: String) -> UnitStanding? {
    do throws(HostError) {
        let connection = try reachSystemd(patience: 2000)
        let path = try SystemdConnection.path(of: unit)
        let interface = "org.freedesktop.systemd1.Unit"
        let active = try connection.text("ActiveState", of: path, interface: interface)
        let condition = try connection.plain(
            "ConditionResult", "b", Int32(0), of: path, interface: interface)
        let asked = try connection.plain(
            "ConditionTimestampMonotonic", "t", UInt64(0), of: path, interface: interface)
        let status = try connection.plain(
            "ExecMainStatus", "i", Int32(0), of: path, interface: "org.freedesktop.systemd1.Service")
        let file = try connection.text("UnitFileState", of: path, interface: interface)
        let isUp = UnitObservation(name: unit, activeState: active).isUp
        // systemd.exec(5): 203 is EXIT_EXEC.
        let lacksFile = !isUp && ((asked > 0 && condition == 0) || (active == "failed" && status == 203))
        return UnitStanding(
            isUp: isUp, lacksFile: lacksFile, isEnabled: file == "enabled" || file == "enabled-runtime")
    } catch {
        return nil
    }
}

private func wait(
    _ patience: Int, until isDone: () -> Bool, orSay text: () -> String
) throws(HostError) {
    for _ in 0..<max(1, patience / 50) {
        if isDone() { return }
        usleep(50_000)
    }
    throw HostError(description: text())
}

extension UnitObservation {
    /// Whether it is up, or about to be.
    public var isUp: Bool {
        ["active", "activating", "reloading", "refreshing"].contains(activeState ?? "")
    }
}

extension SystemdConnection {
    /// Calls one of the manager's methods on a unit.
    func ask(_ method: String, _ unit: String, mode: String? = nil) throws(HostError) {
        var message: OpaquePointer?
        var result = sd_bus_message_new_method_call(
            bus, &message, Self.manager, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
            method)
        defer { sd_bus_message_unref(message) }
        for word in [unit] + (mode.map { [$0] } ?? []) where result >= 0 {
            result = word.withCString {
                sd_bus_message_append_basic(message, CChar(UInt8(ascii: "s")), $0)
            }
        }
        var reply: OpaquePointer?
        if result >= 0 { result = sd_bus_call(bus, message, 0, nil, &reply) }
        sd_bus_message_unref(reply)
        guard result >= 0 else { throw .systemd("do \(method) of \(unit)", result) }
    }

    /// A property of a basic type.
    fileprivate func plain<Value: BitwiseCopyable>(
        _ property: String, _ type: StaticString, _ initial: Value, of path: String, interface: String
    ) throws(HostError) -> Value {
        var value = initial
        let result = sd_bus_get_property_trivial(
            bus, Self.manager, path, interface, property, nil, CChar(type.utf8Start.pointee), &value)
        guard result >= 0 else { throw .systemd("tell \(property) of \(path)", result) }
        return value
    }
}
