import ScriptedServer
import Testing
import Web

/// What a server on a Unix socket does, and what the client makes of it.
private struct Exchange: Sendable, CustomTestStringConvertible {
    var name: String
    var steps: [ScriptedServer.Step]
    var code: HTTPError.Code
    /// Part of the message.
    var says = ""
    var testDescription: String { name }
}

@Suite("HTTP over a Unix socket")
struct UnixSocketTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func client(_ server: ScriptedServer, milliseconds: Int = 5000, body: Int = 1 << 20) -> HTTPClient
    {
        HTTPClient(
            .unixSocket(path: server.path ?? ""), timeoutMilliseconds: milliseconds, maximumBodyBytes: body)
    }

    @Test("an answer with a length arrives, and the request carries Host and asks to close")
    func contentLength() throws {
        let server = try ScriptedServer.unix("\(directory.path)/s") { _, _ in [.answer("{\"a\":1}"), .hang] }
        let response = try client(server).send(HTTPRequest(.get, "/v2/snaps/microk8s"))
        #expect(response.status == 200)
        #expect(response.mediaType == "application/json")
        #expect(response.body == Array("{\"a\":1}".utf8))
        server.stop()
        let head = try #require(server.received.first).head
        #expect(head.hasPrefix("GET /v2/snaps/microk8s HTTP/1.1\r\nHost: localhost\r\n"))
        #expect(head.contains("\r\nConnection: close\r\n"))
    }

    @Test("a body and headers are sent")
    func post() throws {
        let server = try ScriptedServer.unix("\(directory.path)/s") { request, _ in [.answer(request.body)] }
        let response = try client(server).send(
            HTTPRequest(
                .post, "/", headers: [HTTPHeader("Content-Type", "application/json")], body: [1, 2, 3]))
        #expect(response.body == [1, 2, 3])
        server.stop()
        #expect(server.received[0].head.contains("Content-Type: application/json\r\n"))
    }

    @Test("an error status is an answer, whatever its type")
    func errorStatus() throws {
        let server = try ScriptedServer.unix("\(directory.path)/s") { _, _ in
            [.answer("400 Bad Request", status: "400 Bad Request", type: "text/plain; charset=utf-8")]
        }
        let response = try client(server).send(HTTPRequest(.get, "/"))
        #expect(response.status == 400)
        #expect(response.mediaType == "text/plain")
    }

    @Test("a path longer than a socket's address reaches its socket through the directory")
    func longPath() throws {
        // Bound by a short name, asked for by a long one.
        let long = String(repeating: "d", count: 120)
        try directory.write("", to: "\(long)/placeholder")
        let server = try ScriptedServer.unix("\(directory.path)/s") { _, _ in [.answer("x")] }
        try directory.link("\(long)/s", to: "\(directory.path)/s")
        let response = try HTTPClient(.unixSocket(path: "\(directory.path)/\(long)/s")).send(
            HTTPRequest(.get, "/"))
        #expect(response.body == Array("x".utf8))
        withExtendedLifetime(server) {}
    }

    @Test(
        "what a server does wrong is an error of its kind",
        arguments: [
            Exchange(name: "closes without a word", steps: [], code: .interrupted, says: "without an answer"),
            Exchange(
                name: "closes amid a body with a length",
                steps: [.text("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")], code: .interrupted,
                says: "amid the answer"),
            Exchange(
                name: "closes amid a chunk",
                steps: [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")],
                code: .interrupted),
            Exchange(
                name: "closes before the last chunk, after a whole JSON value",
                steps: [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")],
                code: .interrupted),
            Exchange(
                name: "closes amid the head", steps: [.text("HTTP/1.1 200 OK\r\nCont")], code: .interrupted),
            Exchange(name: "never answers", steps: [.hang], code: .timeout, says: "no answer within 150 ms"),
            Exchange(
                name: "drips a header for ever",
                steps: [.text("HTTP/1.1 200 OK\r\nX: "), .drip(97, everyMilliseconds: 20)], code: .timeout),
            Exchange(
                name: "drips a body beyond the deadline",
                steps: [
                    .text("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
                    .drip(97, everyMilliseconds: 20),
                ],
                code: .timeout),
            Exchange(
                name: "announces a body over the limit",
                steps: [.text("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"), .hang], code: .tooLarge),
            Exchange(
                name: "sends chunks over the limit",
                steps: [.chunked([UInt8](repeating: 32, count: 5000), size: 100)],
                code: .tooLarge),
            Exchange(
                name: "sends a body without a length over the limit",
                steps: [.text("HTTP/1.1 200 OK\r\n\r\n"), .send([UInt8](repeating: 32, count: 5000))],
                code: .tooLarge),
            Exchange(
                name: "sends one huge header",
                steps: [
                    .text("HTTP/1.1 200 OK\r\nX: "), .send([UInt8](repeating: 97, count: 70_000)), .hang,
                ],
                code: .tooLarge, says: "head of the answer"),
            Exchange(
                name: "sends headers without end",
                steps: [.text("HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 20_000)), .hang],
                code: .tooLarge),
            Exchange(
                name: "speaks another protocol", steps: [.text("SSH-2.0-x\r\n")], code: .protocolViolation),
            Exchange(
                name: "gives a length twice",
                steps: [.text("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")],
                code: .protocolViolation),
            Exchange(
                name: "gives a negative length",
                steps: [.text("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")], code: .protocolViolation),
            Exchange(
                name: "gives a length beyond any integer",
                steps: [.text("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n")],
                code: .protocolViolation),
            Exchange(
                name: "gives a chunk size beyond any integer",
                steps: [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n")],
                code: .protocolViolation),
            Exchange(
                name: "sends a longer chunk than it says",
                steps: [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n")],
                code: .protocolViolation),
            Exchange(
                name: "compresses what nobody asked it to",
                steps: [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")],
                code: .protocolViolation),
            Exchange(
                name: "switches protocols", steps: [.text("HTTP/1.1 101 Switching Protocols\r\n\r\n")],
                code: .protocolViolation),
        ])
    private func failures(_ exchange: Exchange) throws {
        let server = try ScriptedServer.unix("\(directory.path)/s") { _, _ in exchange.steps }
        let error = try #require(throws: HTTPError.self) {
            try client(server, milliseconds: exchange.code == .timeout ? 150 : 5000, body: 4000)
                .send(HTTPRequest(.get, "/"))
        }
        #expect(error.code == exchange.code)
        #expect(error.description.hasPrefix("\(directory.path)/s: "))
        #expect(error.description.contains(exchange.says))
    }

    @Test("no socket, a file that is none, a stale one and a relative path are told apart")
    func noServer() throws {
        func code(_ path: String) throws -> HTTPError.Code {
            try #require(throws: HTTPError.self) {
                try HTTPClient(.unixSocket(path: path)).send(HTTPRequest(.get, "/"))
            }.code
        }
        let server = try ScriptedServer.unix("\(directory.path)/s") { _, _ in [] }
        try directory.write("", to: "file")
        try directory.link("kept", to: "s")
        #expect(try code("\(directory.path)/none") == .absent)
        #expect(try code("\(directory.path)/none/s") == .absent)
        #expect(try code("\(directory.path)/file/s") == .absent)
        #expect(try code("\(directory.path)/file") == .refused)
        #expect(try code("s") == .invalidRequest)
        server.stop()
        #expect(try code("\(directory.path)/kept") == .absent)
    }

    @Test("a read is tried again when the socket was gone and is back, and no more than once")
    func restart() throws {
        let path = "\(directory.path)/s"
        let attempts = Counter()
        var comingBack: ScriptedServer?
        let client = HTTPClient(.unixSocket(path: path))
        let response = try client.read("/", pauseMilliseconds: 1) { outcome in
            attempts.add()
            guard case .failure(let error) = outcome, error.code == .absent else { return false }
            comingBack = try? ScriptedServer.unix(path) { _, _ in [.answer("back")] }
            return true
        }
        #expect(response.body == Array("back".utf8))
        #expect(attempts.count == 1)
        comingBack?.stop()
        let error = try #require(throws: HTTPError.self) {
            try client.read("/", pauseMilliseconds: 1) { _ in
                attempts.add()
                return true
            }
        }
        #expect(error.code == .absent)
        #expect(attempts.count == 2)
    }
}

/// Counts on one thread.
private final class Counter {
    private(set) var count = 0
    func add() { count += 1 }
}
