import Crypto
import Model

/// One entry of the chain, without its body.
///
/// An entry's hash is
///
///     SHA-256( f(domain) ‖ f(origin) ‖ f(seq) ‖ f(prev) ‖ f(kind) ‖ f(at) ‖ f(clock) ‖ f(boot) ‖ f(body_hash) )
///
/// where `f(x)` is the length of x in bytes, as 4 bytes big-endian, and then x: no two different entries give the
/// same bytes to hash. The fields:
///
/// - domain: the ASCII text `holdfast ledger entry 1`
/// - origin: the ledger's 16 random bytes, so that an entry of one ledger fits into no other
/// - seq: 8 bytes big-endian; 1 for the origin entry, then one more each
/// - prev: the hash of the entry before; 32 zero bytes for the origin entry
/// - kind: UTF-8, such as `decided`
/// - at: seconds since 1970-01-01T00:00:00Z, 8 bytes big-endian, two's complement
/// - clock: one byte: 1 where the clock was synchronised, 0 where it was not, 2 where nobody could say
/// - boot: the kernel's boot id as it was read, UTF-8
/// - body_hash: the plain SHA-256 of the body's bytes
///
/// The body is the event's payload as `CanonicalJSON`. It is in a table of its own, so that it can be dropped one
/// day and the chain still verifies. This encoding never changes; another one would have another domain.
struct ChainEntry: Hashable {
    var seq: Int64
    var prev: [UInt8]
    var kind: [UInt8]
    var at: Int64
    var clock: Bool?
    var boot: [UInt8]
    var bodyHash: [UInt8]

    static let domain = Array("holdfast ledger entry 1".utf8)
    /// What stands for the hash before the first one.
    static let beginning = [UInt8](repeating: 0, count: 32)

    /// The 32 bytes that the next entry holds as its `prev`.
    func hash(origin: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(320)
        let clock: UInt8 =
            switch clock {
            case false: 0
            case true: 1
            case nil: 2
            }
        for field in [
            Self.domain, origin, Self.bigEndian(seq), prev, kind, Self.bigEndian(at), [clock], boot, bodyHash,
        ] {
            // Longer fields cannot come from SQLite; were there one, its hash would just not fit.
            let length = UInt32(clamping: field.count)
            withUnsafeBytes(of: length.bigEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: field)
        }
        return sha256(bytes)
    }

    private static func bigEndian(_ number: Int64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}

/// The plain SHA-256 of a body's bytes.
func hashOfBody(_ bytes: some Collection<UInt8>) -> [UInt8] { sha256(bytes) }

/// The newest entry, as far as the next one needs it.
struct Head: Hashable {
    var seq: Int64
    var hash: [UInt8]
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

/// The bytes of hexadecimal digits in lower case; nil for anything else.
func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = digit(digits[index]), let low = digit(digits[index + 1]) else { return nil }
        bytes.append(high << 4 | low)
    }
    return bytes
}

private func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
}
