/// How artifacts that were turned away and kept aside are named.
///
/// The gate names them, the look and the tick recognise them by it: whatever else lies in that directory is not ours.
/// `NAME.INODE-SIZE-SECONDS`, and `.1` to `.7` behind it where that name was taken by another file.
public enum PendingNames {
    /// How many names there are for one file.
    public static let attempts = 8

    /// The directory beside a binary in which they are kept, so that keeping one is a link and no copy.
    public static func directory(beside binary: String) -> String {
        guard let slash = binary.lastIndex(of: "/") else { return ".holdfast-pending" }
        return binary[...slash] + ".holdfast-pending"
    }

    /// The name of a file, the same however often it is asked for.
    ///
    /// - Parameters:
    ///   - binary: the last name of the binary's path.
    ///   - modified: in seconds since the epoch.
    ///   - attempt: which of the names, from 0.
    public static func name(
        of binary: String, inode: UInt64, size: Int64, modified: Int64, attempt: Int = 0
    ) -> String {
        "\(binary).\(inode)-\(size)-\(modified)" + (attempt == 0 ? "" : ".\(attempt)")
    }

    /// Whether a name is one that the gate gives to an artifact of a binary.
    public static func isName(_ name: String, of binary: String) -> Bool {
        guard name.utf8.starts(with: binary.utf8) else { return false }
        var rest = name.utf8.dropFirst(binary.utf8.count)
        func take(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest.removeFirst()
            return true
        }
        func takeNumber() -> Bool {
            let digits = rest.prefix { (48...57).contains($0) }
            rest = rest.dropFirst(digits.count)
            return (1...20).contains(digits.count)
        }
        guard take(UInt8(ascii: ".")), takeNumber(), take(UInt8(ascii: "-")), takeNumber(),
            take(UInt8(ascii: "-"))
        else { return false }
        // A file can be dated before 1970.
        _ = take(UInt8(ascii: "-"))
        guard takeNumber() else { return false }
        guard take(UInt8(ascii: ".")) else { return rest.isEmpty }
        return rest.count == 1 && rest.first.map { (49...55).contains($0) } == true
    }
}
