internal import CLinux
public import Model

/// Looks for the package that a path belongs to: dpkg lists the files of each in `/var/lib/dpkg/info/NAME.list`.
///
/// - Parameter path: as the node has it; with a merged /usr the other name of the file is looked for as well.
public func packageOwning(_ path: String, in root: Root) -> PackageOwner {
    var lines = [Array(path.utf8)]
    // Since /bin is a link to /usr/bin a package may name either.
    if path.hasPrefix("/usr/bin/") || path.hasPrefix("/usr/sbin/") {
        lines.append(Array(path.dropFirst("/usr".count).utf8))
    } else if path.hasPrefix("/bin/") || path.hasPrefix("/sbin/") {
        lines.append(Array("/usr\(path)".utf8))
    }
    if let directory = try? root.resolve("/var/lib/dpkg/info") {
        for name in (try? listDirectory(directory, limit: 100_000)) ?? [] where name.hasSuffix(".list") {
            guard let bytes = try? readFile("\(directory)/\(name)", limit: largestList),
                lines.contains(where: { hasLine(bytes, $0) })
            else { continue }
            let package = name.dropLast(".list".count)
            return .dpkg(String(package.split(separator: ":").first ?? package))
        }
    }
    let mayBePackaged = !path.hasPrefix("/usr/local/") && !path.hasPrefix("/opt/")
    let databases = ["/var/lib/rpm", "/usr/lib/sysimage/rpm"].flatMap { directory in
        ["rpmdb.sqlite", "Packages", "Packages.db"].map { "\(directory)/\($0)" }
    }
    let hasRPM = databases.contains { database in
        guard let place = try? root.resolve(database) else { return false }
        return (try? identityIfPresent(ofFile: place)) != nil
    }
    return mayBePackaged && hasRPM ? .mayBeRPM : .nobody
}

/// The largest list of a package's files that is read, in bytes; that of a kernel's headers has under 3 MiB.
private let largestList = 16 << 20

/// Whether one of the lines of a text is exactly this one.
private func hasLine(_ text: [UInt8], _ line: [UInt8]) -> Bool {
    let newline = UInt8(ascii: "\n")
    let wanted = line + [newline]
    return text.withUnsafeBytes { text in
        wanted.withUnsafeBytes { wanted in
            guard let start = text.baseAddress, let needle = wanted.baseAddress else { return false }
            var offset = 0
            while let found = clinux_find(start + offset, text.count - offset, needle, wanted.count) {
                let place = found - start
                if place == 0 || text[place - 1] == newline { return true }
                offset = place + 1
            }
            return false
        }
    }
}
