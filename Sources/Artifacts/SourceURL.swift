import Ports

/// A URL of a source, taken apart as Web wants it.
struct SourceURL: Hashable {
    /// `https://HOST[:PORT]`.
    let origin: String
    /// Path and query.
    let target: String

    var isEncrypted: Bool { origin.hasPrefix("https://") }

    /// For people: without the query, which may hold a token (invariant 13).
    var shown: String { origin + target.prefix { $0 != "?" } }

    /// Takes a URL apart.
    ///
    /// - Throws: `SourceFailure` for anything but an http or https URL without credentials; it is not repeated.
    init(_ text: String) throws(SourceFailure) {
        let scheme = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }
        guard let scheme, text.utf8.count <= 4096, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw SourceFailure(
                .configuration,
                "the address of a source is no URL; write one that begins with https:// or http://, without blanks"
            )
        }
        let rest = text.dropFirst(scheme.utf8.count).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, !authority.contains("@") else {
            throw SourceFailure(
                .configuration,
                authority.isEmpty
                    ? "the address of a source names no host; write https://HOST/PATH"
                    : "the address of a source holds credentials before its host, which are not used; "
                        + "put them into its query, or let the server know this machine otherwise")
        }
        origin = scheme + authority
        let tail = rest.dropFirst(authority.utf8.count)
        target = tail.hasPrefix("/") ? String(tail) : "/" + tail
    }
}

/// A text as it stands in one segment of a URL's path: `v1.31.4%2Bk3s1` (RFC 3986, 2.3).
func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46, 95, 126: bytes.append(byte)
        default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// A segment of a URL as plain text; nil where a percent sign is followed by no number.
func percentDecoded(_ text: some StringProtocol) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        let pair = String(decoding: rest.prefix(2), as: UTF8.self)
        guard pair.utf8.count == 2, pair.allSatisfy(\.isHexDigit), let value = UInt8(pair, radix: 16) else {
            return nil
        }
        bytes.append(value)
        rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
}
