/// Values of a unit's settings as its file and its drop-ins have them, for units of any kind.
///
/// An empty value takes back those before it, as in systemd.syntax(7).
///
/// - Parameters:
///   - unit: its name, with its suffix.
///   - section: without brackets.
///   - keys: in their case.
/// - Returns: nil where there is no such unit.
public func unitSettings(
    _ unit: String, section: String, keys: Set<String>, in root: Root
) -> [String: [String]]? {
    // The first has precedence (systemd.unit(5)).
    let directories = ["/etc", "/run", "/usr/local/lib", "/usr/lib"].map { "\($0)/systemd/system" }
    var fragment: [UInt8]?
    var dropIns: [String: String] = [:]
    for directory in directories {
        if fragment == nil, let place = try? root.resolve("\(directory)/\(unit)") {
            fragment = try? readFile(place, limit: largestUnit)
        }
        guard let place = try? root.resolve("\(directory)/\(unit).d") else { continue }
        for name in (try? listDirectory(place)) ?? [] where name.hasSuffix(".conf") && dropIns[name] == nil {
            dropIns[name] = "\(directory)/\(unit).d/\(name)"
        }
    }
    guard let fragment else { return nil }
    var values: [String: [String]] = [:]
    func take(_ bytes: [UInt8]) {
        for line in UnitFile(parsing: bytes, keeping: { $0 == section && keys.contains($1) }).assignments {
            values[line.key] = line.value.isEmpty ? nil : values[line.key, default: []] + [line.value]
        }
    }
    take(fragment)
    for (_, path) in dropIns.sorted(by: { $0.key < $1.key }) {
        if let place = try? root.resolve(path), let bytes = try? readFile(place, limit: largestUnit) {
            take(bytes)
        }
    }
    return values
}

/// The longest unit file that is read, in bytes; ours have some four thousand.
private let largestUnit = 1 << 20
