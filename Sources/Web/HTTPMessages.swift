/// A name and a value, as they stand in a message.
public struct HTTPHeader: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// In whatever case.
    public var name: String
    /// Possibly a credential: it is never shown.
    public var value: String

    /// Makes a header.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// The name alone: a value can be a credential.
    public var description: String { "\(name): …" }
    public var debugDescription: String { description }
    /// For `dump`: the name alone.
    public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

/// What is asked of a server.
public struct HTTPRequest: Sendable {
    /// What is to be done with the target.
    public enum Method: String, Hashable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// What is to be done.
    public var method: Method
    /// Path and query, percent-encoded, from the leading `/` on.
    public var target: String
    /// Besides `Host`, `User-Agent`, `Content-Length` and `Connection`, which the client sets.
    public var headers: [HTTPHeader]
    /// Empty for none.
    public var body: [UInt8]
    /// Sent as `Authorization: Bearer …`, and only where the connection is encrypted or a Unix socket.
    public var bearerToken: Secret?

    /// Makes a request.
    public init(
        _ method: Method = .get, _ target: String, headers: [HTTPHeader] = [], body: [UInt8] = [],
        bearerToken: Secret? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.bearerToken = bearerToken
    }

    /// The headers that are sent, credentials among them.
    ///
    /// - Throws: `HTTPError` where one would break out of its line, without its value.
    func checkedHeaders() throws(HTTPError) -> [HTTPHeader] {
        guard target.utf8.first == UInt8(ascii: "/"), target.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw HTTPError(
                code: .invalidRequest,
                description: "the target of a request is not a percent-encoded path that begins with /")
        }
        var all = headers
        if let bearerToken {
            guard !bearerToken.bytes.isEmpty, bearerToken.bytes.allSatisfy({ $0 > 32 && $0 < 127 }) else {
                throw HTTPError(
                    code: .invalidRequest,
                    description: "the bearer token is empty or holds other than printable ASCII; renew it")
            }
            all.append(
                HTTPHeader("Authorization", "Bearer " + String(decoding: bearerToken.bytes, as: UTF8.self)))
        }
        for header in all {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(isTokenByte) else {
                throw HTTPError(code: .invalidRequest, description: "a header's name is not a token")
            }
            guard header.value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else {
                throw HTTPError(
                    code: .invalidRequest,
                    description: "the value of header \(header.name) holds a control character")
            }
        }
        return all
    }
}

/// What a server answered; any status is an answer.
public struct HTTPResponse: Hashable, Sendable {
    /// From 200 to 599.
    public var status: Int
    /// In the server's order.
    public var headers: [HTTPHeader]
    /// Whole, and without the marks of chunks.
    public var body: [UInt8]

    /// Makes a response.
    public init(status: Int, headers: [HTTPHeader], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of that name, in whatever case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The media type in lower case, without parameters; empty where the server gave none.
    public var mediaType: String {
        let value = header("Content-Type") ?? ""
        let type = value.prefix { $0 != ";" }
        return String(type.filter { $0 != " " && $0 != "\t" }).lowercased()
    }
}

/// What a header's name may consist of (RFC 9110, 5.6.2).
func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122: true
    default: Array("!#$%&'*+-.^_`|~".utf8).contains(byte)
    }
}
