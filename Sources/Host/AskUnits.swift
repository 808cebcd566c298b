public import Model

/// Asks systemd how units stand, for whoever wants to know whether guards are in force.
///
/// - Parameters:
///   - units: their names, with suffixes.
///   - patience: how long one answer may take, in milliseconds.
public func askUnits(_ units: [String], patience: Int = 2000) -> UnitsFinding {
    guard isDirectory("/run/systemd/system") else { return .unknown("no systemd runs here") }
    do throws(HostError) {
        let connection = try connect(patience: patience)
        var facts: [String: UnitFacts] = [:]
        for unit in units { facts[unit] = try ask(connection, unit) }
        let manager = "/org/freedesktop/systemd1"
        let readAt = try connection.longNumber(
            "UnitsLoadTimestamp", of: manager, interface: "org.freedesktop.systemd1.Manager")
        return .told(
            facts,
            readAt: readAt == 0 ? nil : Int64(exactly: readAt / 1_000_000).map { Instant(seconds: $0) })
    } catch {
        return .unknown(error.description)
    }
}

private func ask(_ connection: SystemdConnection, _ unit: String) throws(HostError) -> UnitFacts {
    let path = try SystemdConnection.path(of: unit)
    let properties = "org.freedesktop.systemd1.Unit"
    var facts = UnitFacts(
        loadState: try connection.text("LoadState", of: path, interface: properties),
        activeState: try connection.text("ActiveState", of: path, interface: properties))
    let fileState = try connection.text("UnitFileState", of: path, interface: properties)
    facts.fileState = fileState.isEmpty ? nil : fileState
    facts.dropIns = try connection.texts("DropInPaths", of: path, interface: properties)
    facts.needsReload = try connection.flag("NeedDaemonReload", of: path, interface: properties)
    let kinds = [".service": "Service", ".timer": "Timer", ".path": "Path"]
    if let kind = kinds.first(where: { unit.hasSuffix($0.key) })?.value {
        facts.result = try connection.text("Result", of: path, interface: "org.freedesktop.systemd1.\(kind)")
    }
    return facts
}
