import Crypto

/// A text from outside as a part of a key's name, so that no two texts make one.
enum KeyPart {
    /// `A-Z a-z 0-9 . _ : -` as they are, other bytes as `+XX`; what then is over 90 bytes is hashed, behind `++`.
    static func text(_ text: String) -> String {
        // Alone, as nothing else is.
        if text.isEmpty { return "+" }
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122: bytes.append(byte)
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"):
                bytes.append(byte)
            default: bytes += "+\(hexadecimal([byte]))".utf8
            }
            if bytes.count > 90 { return "++\(hexadecimal(sha256(text.utf8)))" }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Bytes as lower-case hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
