/// The parts of `https://HOST[:PORT][/BASE]`.
struct Origin: Hashable, Sendable {
    var isEncrypted: Bool
    /// As it stands in a URL: an IPv6 address in brackets.
    var host: String
    var port: Int
    /// Empty, or from a leading `/` on without a trailing one.
    var base: String

    /// Takes an origin apart.
    ///
    /// - Throws: `HTTPError` for anything else; credentials in it are refused, and never repeated.
    init(_ text: String) throws(HTTPError) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw Self.refusal("it is longer than 2048 bytes or not plain ASCII")
        }
        let scheme: String
        if text.lowercased().hasPrefix("https://") {
            scheme = "https://"
        } else if text.lowercased().hasPrefix("http://") {
            scheme = "http://"
        } else {
            throw Self.refusal("it begins with neither https:// nor http://")
        }
        isEncrypted = scheme == "https://"
        let rest = text.dropFirst(scheme.utf8.count)
        guard !rest.contains("@") else { throw Self.refusal("it holds credentials; put them elsewhere") }
        guard !rest.contains("?"), !rest.contains("#"), !rest.contains("\\") else {
            throw Self.refusal("it has a query or a fragment")
        }
        let authority = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path = path.dropLast() }
        base = String(path)

        // The colon of a port comes after the bracket that closes an IPv6 address.
        let hostEnd: Substring.Index
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else {
                throw Self.refusal("a [ is never closed")
            }
            hostEnd = authority.index(after: bracket)
        } else {
            hostEnd = authority.firstIndex(of: ":") ?? authority.endIndex
        }
        host = String(authority[..<hostEnd])
        let isAddress = host.hasPrefix("[")
        guard !host.isEmpty, host != "[]",
            host.utf8.allSatisfy({ byte in
                isTokenByte(byte) || isAddress && "[]:".utf8.contains(byte)
            })
        else { throw Self.refusal("it names no host") }
        let tail = authority[hostEnd...]
        if tail.isEmpty {
            port = isEncrypted ? 443 : 80
        } else {
            let digits = tail.dropFirst()
            guard tail.first == ":", digits.utf8.allSatisfy({ (48...57).contains($0) }),
                digits.utf8.count <= 5,
                let number = Int(digits), (1...65_535).contains(number)
            else { throw Self.refusal("its port is not a number from 1 to 65535") }
            port = number
        }
    }

    /// Host and port.
    var authority: String { "\(host):\(port)" }

    /// The URL for a target, under another name for the same server where one is given.
    func url(target: String, name: String? = nil) -> String {
        "\(isEncrypted ? "https" : "http")://\(name ?? host):\(port)\(base)\(target)"
    }

    private static func refusal(_ reason: String) -> HTTPError {
        HTTPError(
            code: .invalidRequest,
            description: "the address of a server is not https://HOST[:PORT] or http://HOST[:PORT]: \(reason)"
        )
    }
}
