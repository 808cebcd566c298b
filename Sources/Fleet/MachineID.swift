import Crypto
public import Ports

/// How a fleet knows this machine, whatever it is called.
public enum MachineID {
    /// Makes our ids ours: nobody who knows one learns the machine's own, or what another program makes of it.
    private static let application: [UInt8] = [
        0xe2, 0x10, 0xdd, 0x96, 0x44, 0xf3, 0x4f, 0x30, 0x8b, 0x55, 0x4b, 0xef, 0x96, 0x61, 0x0d, 0x1a,
    ]

    /// The id of a machine in its fleet: 32 hexadecimal digits.
    ///
    /// As sd_id128_get_machine_app_specific(3) makes it: HMAC-SHA256 keyed with the machine's id, the first 16 bytes,
    /// with the bits of a UUID of version 4.
    ///
    /// - Parameters:
    ///   - text: what `/etc/machine-id` holds (machine-id(5)); nil where there is none.
    ///   - prefix: the directory that the node's root is; empty where it is this machine's.
    /// - Throws: `.malformed` where that is no id.
    public static func fleetID(
        machineID text: String?, below prefix: String = ""
    ) throws(FleetFailure) -> String {
        let advice =
            "make one with 'systemd-machine-id-setup"
            + (prefix.isEmpty ? "', or reboot" : " --root=\(prefix)'")
        let file = "\(prefix)/etc/machine-id"
        guard let text else { throw FleetFailure(.malformed, "\(file): there is none; \(advice)") }
        let word = text.prefix { $0 != "\n" }
        guard !word.isEmpty else { throw FleetFailure(.malformed, "\(file): empty; \(advice)") }
        guard word != "uninitialized" else {
            throw FleetFailure(
                .malformed, "\(file): uninitialized, as in an image that never booted; \(advice)")
        }
        guard let key = bytes(word), key.contains(where: { $0 != 0 }) else {
            throw FleetFailure(
                .malformed,
                "\(file): not 32 hexadecimal digits other than zeros; empty the file and \(advice)")
        }
        var id = Array(hmacSHA256(key: key, message: application).prefix(16))
        id[6] = id[6] & 0x0f | 0x40
        id[8] = id[8] & 0x3f | 0x80
        return hexadecimal(id)
    }

    private static func bytes(_ digits: Substring) -> [UInt8]? {
        let digits = Array(digits.utf8)
        // Digits alone: a number's own initialiser would take a sign as well.
        guard digits.count == 32, digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        let values = digits.map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return (0..<16).map { values[$0 * 2] << 4 | values[$0 * 2 + 1] }
    }
}
