import FoundationEssentials
import Model

/// The zone files of the machine that runs the tests.
enum SystemZones {
    static let directory = "/usr/share/zoneinfo"

    /// Said by whatever is skipped without them.
    static let missing = "SKIPPED: no time zone data in /usr/share/zoneinfo (install tzdata)"

    static var areInstalled: Bool { bytes("Europe/Berlin") != nil }

    static func bytes(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(directory)/\(name)").map { Array($0) }
    }

    static func zone(_ name: String) throws -> Zone {
        guard let bytes = bytes(name) else { throw Missing(name: name) }
        return try Zone(name: name, tzif: bytes)
    }

    struct Missing: Error { let name: String }
}
