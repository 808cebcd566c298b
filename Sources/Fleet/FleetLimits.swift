import Model
import Ports

/// What every store takes, whichever it is.
public enum FleetLimits {
    /// Bytes of one value, with room for what a ConfigMap (1 MiB) and a request to etcd (1.5 MiB, in Base64) hold.
    public static let valueBytes = 512 << 10
    /// Keys of one list.
    public static let listedKeys = 20_000
    /// Bytes of all values of one list; a node's record has less than 1 KiB.
    public static let listedBytes = 64 << 20
    /// How long one call takes at most where nothing else is said, in milliseconds.
    public static let timeoutMilliseconds = 5000

    static func check(_ key: FleetKey) throws(FleetFailure) {
        guard key.isWellFormed else {
            throw FleetFailure(
                .malformed,
                "\(key.description.cut(to: 250).printable): not a key of a fleet, which has 1 to 200 of "
                    + "A-Z a-z 0-9 . _ : + - / after its kind")
        }
    }

    static func check(_ text: String, for key: FleetKey) throws(FleetFailure) {
        guard text.utf8.count <= valueBytes else {
            throw FleetFailure(
                .malformed,
                "\(key): \(text.utf8.count) bytes are more than the \(valueBytes) that a value may have")
        }
    }

    /// What is left of both bounds while a list is read.
    struct ListBudget {
        let kind: FleetKey.Kind
        private var keys = 0
        private var bytes = 0

        init(_ kind: FleetKey.Kind) { self.kind = kind }

        mutating func take(_ entry: FleetEntry) throws(FleetFailure) {
            keys += 1
            bytes += entry.value.text.utf8.count
            guard keys <= listedKeys, bytes <= listedBytes else {
                throw FleetFailure(
                    .malformed,
                    "\(kind.rawValue): more than \(listedKeys) keys or \(listedBytes) bytes in all, which is more "
                        + "than is read; take away those that are of no use any longer")
            }
        }
    }
}

extension FleetKey {
    /// Whether its name is what the stores take.
    var isWellFormed: Bool {
        (1...200).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122: true
                default: "._:+-/".utf8.contains(byte)
                }
            }
    }

    /// Makes a key of what a store holds; nil where no key is written so.
    init?(stored text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])) else { return nil }
        self.init(kind, String(parts[1]))
        guard isWellFormed else { return nil }
    }
}
