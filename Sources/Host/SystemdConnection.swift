internal import CLinux
internal import CSystemd
internal import Glibc

/// A connection to the system manager; every wait on it ends after a stated time.
final class SystemdConnection {
    /// How to reach the manager.
    enum Way: CaseIterable {
        case privateSocket, systemBus
    }

    static let manager = "org.freedesktop.systemd1"
    let bus: OpaquePointer

    /// Connects and waits until the connection is up.
    ///
    /// - Parameter patience: how long connecting, and later each call, may take, in milliseconds.
    /// - Throws: `HostError` where systemd cannot be reached in time.
    init(by way: Way, patience: Int) throws(HostError) {
        var opened: OpaquePointer?
        var result = way == .systemBus ? sd_bus_open_system(&opened) : sd_bus_new(&opened)
        guard result >= 0, let bus = opened else { throw .systemd("connect to it", result) }
        self.bus = bus
        if way == .privateSocket {
            result = sd_bus_set_address(bus, "unix:path=/run/systemd/private")
            if result >= 0 { result = sd_bus_start(bus) }
            guard result >= 0 else { throw .systemd("connect to it", result) }
        }
        // sd_bus_call would wait for the handshake without an end of its own.
        let deadline = Self.monotonic() + Int64(patience) * 1000
        while sd_bus_is_ready(bus) == 0 {
            result = sd_bus_process(bus, nil)
            let left = deadline - Self.monotonic()
            guard result >= 0, left > 0 else {
                throw .systemd("connect to it", result < 0 ? result : -ETIMEDOUT)
            }
            if result == 0 {
                result = sd_bus_wait(bus, UInt64(left))
                guard result >= 0 || result == -EINTR else { throw .systemd("connect to it", result) }
            }
        }
        sd_bus_set_method_call_timeout(bus, UInt64(max(patience, 1)) * 1000)
    }

    deinit {
        // Not flush: nothing that is sent here matters once nobody waits for its answer.
        sd_bus_close(bus)
        sd_bus_unref(bus)
    }

    /// The object of a unit; asking it for a property loads the unit where it was not.
    static func path(of unit: String) throws(HostError) -> String {
        var path: UnsafeMutablePointer<CChar>?
        let result = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path)
        guard result >= 0, let path else { throw .systemd("name the unit \(unit)", result) }
        defer { free(path) }
        return String(cString: path)
    }

    /// A property that is a text.
    func text(_ property: String, of path: String, interface: String) throws(HostError) -> String {
        var value: UnsafeMutablePointer<CChar>?
        let result = sd_bus_get_property_string(bus, Self.manager, path, interface, property, nil, &value)
        guard result >= 0, let value else { throw .systemd("tell \(property) of \(path)", result) }
        defer { free(value) }
        return String(cString: value)
    }

    /// A property that is an unsigned 32-bit number.
    func number(_ property: String, of path: String, interface: String) throws(HostError) -> UInt32 {
        var value: UInt32 = 0
        let result = sd_bus_get_property_trivial(
            bus, Self.manager, path, interface, property, nil, CChar(UInt8(ascii: "u")), &value)
        guard result >= 0 else { throw .systemd("tell \(property) of \(path)", result) }
        return value
    }

    /// A property that is an array of bytes.
    func bytes(_ property: String, of path: String, interface: String) throws(HostError) -> [UInt8] {
        var reply: OpaquePointer?
        var result = sd_bus_get_property(bus, Self.manager, path, interface, property, nil, &reply, "ay")
        defer { sd_bus_message_unref(reply) }
        var start: UnsafeRawPointer?
        var count = 0
        if result >= 0 { result = sd_bus_message_read_array(reply, CChar(UInt8(ascii: "y")), &start, &count) }
        guard result >= 0 else { throw .systemd("tell \(property) of \(path)", result) }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Has the manager read its unit files again.
    func reload() throws(HostError) {
        var message: OpaquePointer?
        var result = sd_bus_message_new_method_call(
            bus, &message, Self.manager, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
            "Reload")
        defer { sd_bus_message_unref(message) }
        var reply: OpaquePointer?
        if result >= 0 { result = sd_bus_call(bus, message, 0, nil, &reply) }
        sd_bus_message_unref(reply)
        guard result >= 0 else { throw .systemd("read its unit files again", result) }
    }

    /// Has the manager forget that a unit failed, and how often it was started.
    func resetFailed(_ unit: String) throws(HostError) {
        var message: OpaquePointer?
        var result = sd_bus_message_new_method_call(
            bus, &message, Self.manager, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
            "ResetFailedUnit")
        defer { sd_bus_message_unref(message) }
        if result >= 0 { result = sd_bus_message_append_basic(message, CChar(UInt8(ascii: "s")), unit) }
        var reply: OpaquePointer?
        if result >= 0 { result = sd_bus_call(bus, message, 0, nil, &reply) }
        sd_bus_message_unref(reply)
        // One that is not loaded has nothing to be forgotten.
        guard result >= 0 || result == -ENOENT else {
            throw .systemd("forget the failure of \(unit)", result)
        }
    }

    /// Restarts a unit that is up; one that is not, or is not there, stays so.
    func tryRestart(_ unit: String) throws(HostError) {
        var message: OpaquePointer?
        var result = sd_bus_message_new_method_call(
            bus, &message, Self.manager, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
            "TryRestartUnit")
        defer { sd_bus_message_unref(message) }
        let text = CChar(UInt8(ascii: "s"))
        if result >= 0 { result = unit.withCString { sd_bus_message_append_basic(message, text, $0) } }
        if result >= 0 { result = "replace".withCString { sd_bus_message_append_basic(message, text, $0) } }
        var reply: OpaquePointer?
        if result >= 0 { result = sd_bus_call(bus, message, 0, nil, &reply) }
        sd_bus_message_unref(reply)
        // There is no such unit where Holdfast was not installed whole.
        guard result >= 0 || result == -ENOENT else { throw .systemd("restart \(unit)", result) }
    }

    /// A property that is a list of texts.
    func texts(_ property: String, of path: String, interface: String) throws(HostError) -> [String] {
        var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let result = sd_bus_get_property_strv(bus, Self.manager, path, interface, property, nil, &list)
        guard result >= 0 else { throw .systemd("tell \(property) of \(path)", result) }
        defer { free(list) }
        var texts: [String] = []
        while let text = list?[texts.count] {
            texts.append(String(cString: text))
            free(text)
        }
        return texts
    }

    /// A property that is true or false.
    func flag(_ property: String, of path: String, interface: String) throws(HostError) -> Bool {
        var value: Int32 = 0
        let result = sd_bus_get_property_trivial(
            bus, Self.manager, path, interface, property, nil, CChar(UInt8(ascii: "b")), &value)
        guard result >= 0 else { throw .systemd("tell \(property) of \(path)", result) }
        return value != 0
    }

    /// A property that is an unsigned 64-bit number.
    func longNumber(_ property: String, of path: String, interface: String) throws(HostError) -> UInt64 {
        var value: UInt64 = 0
        let result = sd_bus_get_property_trivial(
            bus, Self.manager, path, interface, property, nil, CChar(UInt8(ascii: "t")), &value)
        guard result >= 0 else { throw .systemd("tell \(property) of \(path)", result) }
        return value
    }

    private static func monotonic() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}

extension HostError {
    /// systemd did not do what it was asked; `result` is a negative error number of sd-bus.
    static func systemd(_ what: String, _ result: Int32) -> HostError {
        let code = result < 0 ? -result : EIO
        let reason = String(cString: strerror(code)).lowercased()
        return HostError(
            code: code, description: "systemd would not \(what): \(reason); see 'systemctl status'")
    }
}
