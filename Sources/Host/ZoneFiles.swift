internal import Crypto
public import Model
public import Ports

/// The compiled zone files of the node, as tzdata installs them; each is read once.
public final class ZoneFiles: ZoneSource {
    private let root: Root
    private var known: [String: (zone: Zone, dataVersion: String)] = [:]
    private static let directory = "/usr/share/zoneinfo"

    /// Makes a source of the zones under a root.
    public init(root: Root) { self.root = root }

    /// The zone, with tzdata's release (`2025b`) or, where that is not said, the digest of the zone's own file.
    public func zone(named name: String) -> (zone: Zone, dataVersion: String)? {
        // Needs no file, so that policies without zones need no tzdata.
        if name == "UTC" { return (.utc, "built-in") }
        if let found = known[name] { return found }
        guard isZoneName(name), let bytes = read("\(Self.directory)/\(name)", limit: 65_536),
            let zone = try? Zone(name: name, tzif: bytes)
        else { return nil }
        let found = (zone, dataVersion ?? "sha256:" + (Digest(bytes: sha256(bytes))?.hex ?? ""))
        known[name] = found
        return found
    }

    /// The release of tzdata: its source's first line is `# version 2025b`.
    private var dataVersion: String? {
        guard let path = try? root.resolve("\(Self.directory)/tzdata.zi"),
            let start = try? readStart(of: path, count: 64)
        else { return nil }
        let line = String(decoding: start.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard line.hasPrefix("# version ") else { return nil }
        let version = line.dropFirst(10)
        return (5...16).contains(version.utf8.count) && version.utf8.allSatisfy(isPlain)
            ? String(version) : nil
    }

    private func read(_ path: String, limit: Int) -> [UInt8]? {
        guard let path = try? root.resolve(path) else { return nil }
        return try? readFile(path, limit: limit)
    }
}

/// Whether a text can be the name of a zone: nothing else becomes part of a path.
///
/// `localtime` and `posixrules` are links that a machine points where it likes.
func isZoneName(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return name.utf8.count <= 64 && (1...3).contains(parts.count)
        && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isPlain) }
        && !["localtime", "posixrules"].contains(name)
}

private func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"):
        true
    default: false
    }
}
