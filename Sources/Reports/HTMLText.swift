import Model

extension StringProtocol {
    /// The text as HTML shows it, between tags and within quoted attributes alike.
    ///
    /// What could hide or turn round other text is shown as `?`, as everywhere.
    var html: String {
        var result = ""
        for scalar in printable.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension OutputBuffer {
    /// Appends bytes of a text as HTML shows them; what is no UTF-8 is mended.
    func append(html text: UnsafeRawBufferPointer) throws {
        let isPlain = text.allSatisfy {
            $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "&") && $0 != UInt8(ascii: "<")
                && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'")
        }
        if isPlain { try append(text) } else { try append(String(decoding: text, as: UTF8.self).html) }
    }
}

extension Instant {
    /// For people, and for whoever reads the markup: `<time datetime=…>2026-11-24 16:27:44</time>`.
    var html: String {
        let text = description
        guard text.utf8.count == 20, !text.hasPrefix("@") else { return text.html }
        return "<time datetime=\"\(text)\">\(text.prefix(10)) \(text.dropFirst(11).prefix(8))</time>"
    }
}

/// The Base64 of bytes, with padding (RFC 4648).
func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let piece = bytes[start..<min(start + 3, bytes.count)]
        let word = piece.reduce(0 as UInt32) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - piece.count))
        for index in 0..<4 {
            let digit = Int(word >> UInt32(18 - 6 * index)) & 63
            text.append(index <= piece.count ? digits[digit] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}
