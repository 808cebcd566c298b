/// An HTTP/1 response while its bytes come in, in whatever pieces (RFC 9112).
///
/// Pure: it takes bytes and says when the answer is whole. Nothing that a server sends makes it keep more than the
/// limits, or go back over bytes that it has seen.
struct ResponseReader {
    /// Bytes of all status lines, headers, chunk sizes and trailers together.
    static let maximumHead = 64 << 10

    private enum Stage {
        case statusLine
        case headers
        case body(remaining: Int)
        case bodyUntilClose
        case chunkSize
        case chunk(remaining: Int)
        case chunkEnd
        case trailers
        case done
    }

    /// Bytes of the body that are taken.
    private let maximumBody: Int
    private var stage = Stage.statusLine
    /// The line that has begun and not ended.
    private var line: [UInt8] = []
    private var headBytes = 0
    private var response = HTTPResponse(status: 0, headers: [], body: [])

    init(maximumBody: Int) { self.maximumBody = maximumBody }

    /// The answer, once it is whole.
    var finished: HTTPResponse? {
        if case .done = stage { response } else { nil }
    }

    /// Takes more bytes in; what follows a whole answer is ignored.
    mutating func take(_ bytes: some RandomAccessCollection<UInt8>) throws(HTTPError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch stage {
            case .done:
                return
            case .body(let remaining):
                let part = rest.prefix(remaining)
                try keep(part)
                rest = rest.dropFirst(part.count)
                stage = remaining == part.count ? .done : .body(remaining: remaining - part.count)
            case .bodyUntilClose:
                try keep(rest)
                return
            case .chunk(let remaining):
                let part = rest.prefix(remaining)
                try keep(part)
                rest = rest.dropFirst(part.count)
                stage = remaining == part.count ? .chunkEnd : .chunk(remaining: remaining - part.count)
            case .statusLine, .headers, .chunkSize, .chunkEnd, .trailers:
                let part = rest.prefix { $0 != UInt8(ascii: "\n") }
                rest = rest.dropFirst(part.count)
                let isWhole = !rest.isEmpty
                if isWhole { rest = rest.dropFirst() }
                headBytes += part.count + 1
                guard headBytes <= Self.maximumHead else {
                    throw HTTPError(
                        code: .tooLarge,
                        description: "the head of the answer is over \(Self.maximumHead) bytes")
                }
                line.append(contentsOf: part)
                if isWhole {
                    if line.last == UInt8(ascii: "\r") { line.removeLast() }
                    try takeLine()
                    line.removeAll(keepingCapacity: true)
                }
            }
        }
    }

    /// The connection has ended.
    ///
    /// - Throws: `HTTPError` (`interrupted`) where the answer is not whole.
    mutating func end() throws(HTTPError) -> HTTPResponse {
        switch stage {
        case .done: break
        case .bodyUntilClose: stage = .done
        case .statusLine where headBytes == 0:
            throw HTTPError(code: .interrupted, description: "the connection was closed without an answer")
        default:
            throw HTTPError(code: .interrupted, description: "the connection was closed amid the answer")
        }
        return response
    }

    private mutating func keep(_ part: some Collection<UInt8>) throws(HTTPError) {
        guard part.count <= maximumBody - response.body.count else { throw tooLarge }
        response.body.append(contentsOf: part)
    }

    private var tooLarge: HTTPError {
        HTTPError(
            code: .tooLarge, description: "the answer is larger than the \(maximumBody) bytes that are taken")
    }

    private mutating func takeLine() throws(HTTPError) {
        switch stage {
        case .statusLine: try takeStatusLine()
        case .headers:
            if line.isEmpty { try beginBody() } else { try takeHeader() }
        case .chunkSize:
            let size = try chunkSize()
            stage = size == 0 ? .trailers : .chunk(remaining: size)
        case .chunkEnd:
            guard line.isEmpty else { throw malformed("a chunk is longer than it says") }
            stage = .chunkSize
        case .trailers:
            if line.isEmpty { stage = .done }
        case .body, .bodyUntilClose, .chunk, .done:
            break
        }
    }

    // HTTP/1.1 200 OK
    private mutating func takeStatusLine() throws(HTTPError) {
        let prefix = Array("HTTP/1.".utf8)
        guard line.count >= 12, line.starts(with: prefix), line[7] == 48 || line[7] == 49, line[8] == 32,
            line.count == 12 || line[12] == 32,
            let status = decimal(line[9..<12]), (100...599).contains(status)
        else { throw malformed("it does not begin with an HTTP status line") }
        response = HTTPResponse(status: status, headers: [], body: [])
        stage = .headers
    }

    private mutating func takeHeader() throws(HTTPError) {
        // A line that goes on with the one before is obsolete, and a way to smuggle one in (RFC 9112, 5.2).
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            line[..<colon].allSatisfy(isTokenByte), !line[colon...].contains(0)
        else { throw malformed("a header is not \"name: value\"") }
        var value = line[(colon + 1)...]
        while let byte = value.first, byte == 32 || byte == 9 { value = value.dropFirst() }
        while let byte = value.last, byte == 32 || byte == 9 { value = value.dropLast() }
        response.headers.append(
            HTTPHeader(
                String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self)))
    }

    /// How the body is delimited (RFC 9112, 6.3).
    private mutating func beginBody() throws(HTTPError) {
        if response.status < 200 {
            guard response.status != 101 else { throw malformed("the server switches to another protocol") }
            stage = .statusLine
            return
        }
        let codings = values("Transfer-Encoding")
        let lengths = Set(values("Content-Length"))
        if response.status == 204 || response.status == 304 {
            stage = .done
        } else if !codings.isEmpty {
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                throw malformed("its transfer encoding is not chunked")
            }
            stage = .chunkSize
        } else if let length = lengths.first {
            guard lengths.count == 1, let count = decimal(length.utf8) else {
                throw malformed("its Content-Length is not one number")
            }
            guard count <= maximumBody else { throw tooLarge }
            stage = count == 0 ? .done : .body(remaining: count)
        } else {
            stage = .bodyUntilClose
        }
    }

    private func values(_ name: String) -> [String] {
        response.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    private func chunkSize() throws(HTTPError) -> Int {
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != 32 && $0 != 9 }
        // Eight digits are 4 GiB: no overflow, and beyond any limit.
        guard (1...8).contains(digits.count),
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16),
            size >= 0, digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-")
        else { throw malformed("the size of a chunk is not a hexadecimal number") }
        guard size <= maximumBody - response.body.count else { throw tooLarge }
        return size
    }

    private func malformed(_ reason: String) -> HTTPError {
        HTTPError(code: .protocolViolation, description: "the answer is not HTTP: \(reason)")
    }
}

/// A number of at most 18 decimal digits.
private func decimal(_ digits: some Collection<UInt8>) -> Int? {
    guard (1...18).contains(digits.count), digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 48) }
}
