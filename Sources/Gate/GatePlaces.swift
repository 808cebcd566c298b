internal import Model

/// Where the gate keeps its files, and in which order others may touch them.
///
/// - `guard`: the guard file. Read by the gate, written by the tick.
/// - `gate/last-ran/KEY`: see `LastRan`. Written by the gate and the tick, under the artifact lock, with fsync.
/// - `gate/starts/UNIT`: the last starts, a line each: InvocationID, seconds, version,
///   digest or revision, boot id, each of which may be `-`. A running
///   unit whose InvocationID is not among them started without the gate: the tick then marks *last ran* unproven.
///   Where it cannot be written the whole list is `/run/holdfast/starts/UNIT`, which counts while it is there.
/// - `gate/missed/UNIT`, and `/run/holdfast/missed/UNIT` where the first could not be made: a start that the gate
///   could not record. While one is there *last ran* proves nothing. The tick takes it away under the artifact lock,
///   after it has written what has started into *last ran*.
/// - `gate/known/UNIT`: the digest of one file identity, so that it is not hashed at every start. The tick may
///   write it too, for a file that takes the gate too long.
/// - `spool/NAME`: see `SpoolRecord`; names that begin with a dot are not finished. The tick removes what it has taken.
public struct GatePlaces: Hashable, Sendable {
    /// The state directory, as node.yaml names it.
    public var state: String

    /// Makes the places below a state directory.
    public init(state: String) { self.state = state }

    /// The guard file.
    public var guardFile: String { "\(state)/guard" }
    /// The directory of what the next tick takes.
    public var spool: String { "\(state)/spool" }
    /// The lock on artifacts, their records and pending ones; on a file system that is never full or read-only.
    public static let artifactLock = "/run/holdfast/artifact.lock"

    /// The record of what last ran on a data directory.
    public func lastRan(dataDirectory: String) -> String {
        // Readable as far as a name may be, and unlike for unlike directories.
        let readable = dataDirectory.utf8.suffix(80).map { byte -> UInt8 in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            return isPlain ? byte : UInt8(ascii: "_")
        }
        let sum = SealedLines.checksum(Array(dataDirectory.utf8)[...])
        return "\(state)/gate/last-ran/\(String(decoding: readable, as: UTF8.self)).\(sum)"
    }

    /// The list of recorded starts.
    public func starts(unit: String) -> String { "\(state)/gate/starts/\(unit)" }
    /// The same list while the state directory is full or read-only; where it is there, it is the newer one.
    public static func startsMeanwhile(unit: String) -> String { "/run/holdfast/starts/\(unit)" }
    /// The digest that belongs to the binary's identity.
    public func known(unit: String) -> String { "\(state)/gate/known/\(unit)" }
    /// The marks that a start went unrecorded, the first one that can be made counts.
    public func missed(unit: String) -> [String] {
        ["\(state)/gate/missed/\(unit)", "/run/holdfast/missed/\(unit)"]
    }

    /// Where the gate writes what is to take the place of a file: one name each time, so that a gate that was killed leaves
    /// one draft and not one each time.
    public static func draft(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return ".\(path).new" }
        return "\(path[...slash]).\(path[path.index(after: slash)...]).new"
    }

    /// Whether a text can be the name of a unit, and so of a file of ours.
    public static func isUnitName(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: ".")
            && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") }
    }
}
