/// Lines that cron runs, or that are in scripts which it runs: where each stands, and what it says.
///
/// What a line says can hold a token: it is looked at and not shown.
public struct CronLine: Hashable, Sendable {
    /// `FILE:LINE`, as the node has it.
    public var place: String
    /// The line.
    public var text: String
}

/// Every line of the crontabs of a node and of the scripts that `run-parts` takes from cron's directories.
///
/// A script that a line calls is not followed. Files and lines are bounded: what lies beyond is left out.
public func cronLines(in root: Root) -> [CronLine] {
    var files = ["/etc/crontab", "/etc/anacrontab"]
    let directories = [
        "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly",
        // Debian's, and that of Red Hat and SUSE.
        "/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs",
    ]
    for directory in directories {
        guard let place = try? root.resolve(directory) else { continue }
        files += ((try? listDirectory(place)) ?? []).prefix(500).map { "\(directory)/\($0)" }
    }
    var lines: [CronLine] = []
    for file in files {
        guard let place = try? root.resolve(file), let bytes = try? readFile(place, limit: 256 << 10) else {
            continue
        }
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if !line.isEmpty {
                lines.append(
                    CronLine(place: "\(file):\(number)", text: String(decoding: line, as: UTF8.self)))
            }
        }
    }
    return lines
}

/// Where unattended-upgrades is switched on; nil where it is not installed, or is off.
///
/// apt takes its configuration files in order of their names, the last word counting (apt.conf(5)).
public func unattendedUpgrades(in root: Root) -> String? {
    guard let program = try? root.resolve("/usr/bin/unattended-upgrade"), isExecutable(program),
        let directory = try? root.resolve("/etc/apt/apt.conf.d")
    else { return nil }
    var found: String?
    for name in (try? listDirectory(directory)) ?? [] {
        guard let bytes = try? readFile("\(directory)/\(name)", limit: 256 << 10) else { continue }
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = line.drop { $0 == " " || $0 == "\t" }
            guard !text.hasPrefix("//"), !text.hasPrefix("#"), text.contains("Unattended-Upgrade "),
                let value = text.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first
            else { continue }
            found = value == "0" || value.isEmpty ? nil : "/etc/apt/apt.conf.d/\(name):\(index + 1)"
        }
    }
    return found
}

/// chrony's configuration and whether it has the kernel told of the synchronisation (`rtcsync`); nil without one.
public func chronyConfiguration(in root: Root) -> (file: String, tellsKernel: Bool)? {
    for file in ["/etc/chrony/chrony.conf", "/etc/chrony.conf"] {
        guard let place = try? root.resolve(file), let bytes = try? readFile(place, limit: 256 << 10) else {
            continue
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let tells = lines.contains { line in
            line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first == "rtcsync"
        }
        return (file, tells)
    }
    return nil
}
