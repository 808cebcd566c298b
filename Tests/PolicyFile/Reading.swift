import Model
import PolicyFile

/// Zones that the tests' machine knows.
func isZone(_ name: String) -> Bool {
    ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo"].contains(name)
}

/// Four FNV-1a sums in a row: enough to tell texts apart, and no module is needed for it.
func sum(_ bytes: [UInt8]) -> Digest {
    var result: [UInt8] = []
    for seed: UInt64 in 1...4 {
        var sum = 0xcbf2_9ce4_8422_2325 &+ seed
        for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        result += (0..<8).map { UInt8(truncatingIfNeeded: sum >> ($0 * 8)) }
    }
    guard let digest = Digest(bytes: result) else { fatalError("32 bytes are a digest") }
    return digest
}

/// Reads a policy as the tests do everywhere.
func read(_ text: String) -> PolicyParse {
    parsePolicy(Array(text.utf8), file: "policy.yaml", isZone: isZone, hash: sum)
}

/// Reads the keys of a policy, its version set.
func keys(_ text: String) -> PolicyParse { read("apiVersion: holdfast/v1\n" + text) }

/// A test that expected a policy and got faults.
struct Refused: Error, CustomStringConvertible {
    var faults: [FileFault]
    var description: String { faults.map(\.description).joined(separator: "\n") }
}

extension ParsedFile {
    /// The value, or the faults as an error.
    var value: Value {
        get throws {
            switch self {
            case .valid(let value, warnings: _): return value
            case .invalid(let faults): throw Refused(faults: faults)
            }
        }
    }

    var faults: [FileFault] {
        if case .invalid(let faults) = self { faults } else { [] }
    }

    var warnings: [FileFault] {
        if case .valid(_, let warnings) = self { warnings } else { [] }
    }
}
