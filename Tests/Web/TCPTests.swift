import Glibc
import ScriptedServer
import Testing

@testable import Web

@Suite("HTTP over TCP")
struct TCPTests {
    private func client(_ server: ScriptedServer, milliseconds: Int = 10_000, body: Int = 1 << 20)
        -> HTTPClient
    {
        HTTPClient(
            .origin("http://127.0.0.1:\(server.port)"), timeoutMilliseconds: milliseconds,
            maximumBodyBytes: body)
    }

    @Test("method, target, headers and body arrive as they were given, and nothing else is added")
    func request() throws {
        let server = try ScriptedServer.tcp { request, _ in [.answer(request.body, type: "text/plain")] }
        let response = try client(server).send(
            HTTPRequest(
                .put, "/a?b=c%20d", headers: [HTTPHeader("X-Empty", ""), HTTPHeader("X-A", "b: c")],
                body: Array("x\0y".utf8)))
        #expect(response.body == Array("x\0y".utf8))
        #expect(response.status == 200)
        #expect(response.mediaType == "text/plain")
        server.stop()
        let lines = server.received[0].head.split(separator: "\r\n").map(String.init)
        #expect(lines.first == "PUT /a?b=c%20d HTTP/1.1")
        #expect(
            Set(lines.dropFirst()) == [
                "Host: 127.0.0.1:\(server.port)", "User-Agent: holdfast", "Accept: */*", "X-Empty:",
                "X-A: b: c",
                "Content-Length: 3",
            ])
    }

    @Test(
        "every method is sent as itself, with a length where there may be a body",
        arguments: [HTTPRequest.Method.get, .post, .put, .patch, .delete])
    func methods(method: HTTPRequest.Method) throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer("ok")] }
        #expect(try client(server).send(HTTPRequest(method, "/")).body == Array("ok".utf8))
        server.stop()
        #expect(server.received[0].head.hasPrefix("\(method.rawValue) / "))
        #expect(server.received[0].head.contains("Content-Length: 0") == (method != .get))
    }

    @Test("a redirect is an answer unless it is asked to be followed, and a token stays with its own server")
    func redirects() throws {
        let target = try ScriptedServer.tcp { _, _ in [.answer("there")] }
        let server = try ScriptedServer.tcp { _, _ in
            [
                .text(
                    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:\(target.port)/x\r\nContent-Length: 4\r\n\r\nmove"
                )
            ]
        }
        var client = client(server)
        let first = try client.send(HTTPRequest(.get, "/"))
        #expect(first.status == 302)
        #expect(first.header("location") == "http://127.0.0.1:\(target.port)/x")
        #expect(target.received.isEmpty)
        client.maximumRedirects = 1
        let followed = try client.send(
            HTTPRequest(.get, "/", headers: [HTTPHeader("Authorization", "Basic hunter2")]))
        #expect(followed.status == 200)
        #expect(followed.body == Array("there".utf8))
        #expect(followed.header("Location") == nil)
        target.stop()
        #expect(target.received.map(\.target) == ["/x"])
        #expect(!target.received[0].head.contains("hunter2"))
    }

    @Test("a redirect to another scheme is not followed")
    func otherScheme() throws {
        let server = try ScriptedServer.tcp { _, _ in
            [.text("HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n")]
        }
        var client = client(server)
        client.maximumRedirects = 3
        let error = try #require(throws: HTTPError.self) { try client.send(HTTPRequest(.get, "/")) }
        #expect(error.code == .protocolViolation)
    }

    /// What a server does, and what the client makes of it.
    struct Exchange: Sendable, CustomTestStringConvertible {
        var name: String
        var steps: [ScriptedServer.Step]
        var code: HTTPError.Code
        var testDescription: String { name }
    }

    @Test(
        "what a server does wrong is an error of its kind, with the server's name",
        arguments: [
            Exchange(name: "closes without a word", steps: [], code: .interrupted),
            Exchange(name: "resets", steps: [.reset], code: .interrupted),
            Exchange(
                name: "closes amid the body",
                steps: [.text("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")],
                code: .interrupted),
            Exchange(
                name: "closes amid a chunk",
                steps: [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")],
                code: .interrupted),
            Exchange(name: "never answers", steps: [.hang], code: .timeout),
            Exchange(
                name: "drips a body beyond the deadline",
                steps: [
                    .text("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
                    .drip(97, everyMilliseconds: 20),
                ],
                code: .timeout),
            Exchange(
                name: "sends more than is taken", steps: [.chunked([UInt8](repeating: 32, count: 50_000))],
                code: .tooLarge),
            Exchange(
                name: "sends headers without end",
                steps: [.text("HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 20_000)), .hang],
                code: .tooLarge),
        ])
    func failures(_ exchange: Exchange) throws {
        let server = try ScriptedServer.tcp { _, _ in exchange.steps }
        let error = try #require(throws: HTTPError.self) {
            try client(server, milliseconds: exchange.code == .timeout ? 200 : 10_000, body: 4000)
                .send(HTTPRequest(.get, "/"))
        }
        #expect(error.code == exchange.code)
        #expect(error.mayHaveArrived)
        #expect(error.description.hasPrefix("127.0.0.1:\(server.port): "))
    }

    @Test(
        "an answer that had begun has a status, however it goes on; a head that did not end has none",
        arguments: [
            Begun(head: "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", more: .hang, status: nil),
            Begun(head: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", more: .hang, status: 200),
            Begun(
                head: "HTTP/1.1 503 No\r\nContent-Length: 50000\r\n\r\n",
                more: .send([UInt8](repeating: 32, count: 50_000)), status: 503),
            Begun(head: "HTTP/1.1 200 OK\r\nContent-Le", more: .hang, status: nil),
            Begun(head: "HTTP/1.1 100 Continue\r\n\r\n", more: .hang, status: nil),
        ])
    func begun(_ answer: Begun) throws {
        let server = try ScriptedServer.tcp { _, _ in [.text(answer.head), answer.more] }
        do {
            let whole = try client(server, milliseconds: 300, body: 4000).send(HTTPRequest(.post, "/"))
            #expect(whole.status == 204)
        } catch {
            #expect(error.status == answer.status)
        }
    }

    /// The beginning of an answer, what comes then, and the status that it has.
    struct Begun: Sendable, CustomTestStringConvertible {
        var head: String
        var more: ScriptedServer.Step
        var status: Int?
        var testDescription: String { head }
    }

    @Test("a server that is gone, and a name that is none, are told apart")
    func unreachable() throws {
        let server = try ScriptedServer.tcp { _, _ in [] }
        server.stop()
        let gone = try #require(throws: HTTPError.self) { try client(server).send(HTTPRequest(.get, "/")) }
        #expect(gone.code == .refused)
        let none = try #require(throws: HTTPError.self) {
            try HTTPClient(.origin("http://none.invalid"), timeoutMilliseconds: 20_000).send(
                HTTPRequest(.get, "/"))
        }
        // Without any name server the question itself runs out of time.
        #expect([.unreachable, .timeout].contains(none.code))
        #expect(!gone.mayHaveArrived && !none.mayHaveArrived)
    }

    @Test("proxies of the environment are heeded only where that is asked for")
    func proxies() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer("direct")] }
        let proxy = try ScriptedServer.tcp { _, _ in [.answer("by proxy")] }
        // Of all tests only this one sets it, and the others do not heed it.
        setenv("http_proxy", "http://127.0.0.1:\(proxy.port)", 1)
        defer { unsetenv("http_proxy") }
        var client = client(server)
        #expect(try client.send(HTTPRequest(.get, "/")).body == Array("direct".utf8))
        client.usesEnvironmentProxies = true
        #expect(try client.send(HTTPRequest(.get, "/")).body == Array("by proxy".utf8))
    }

    @Test(
        "without libcurl a request over TCP says what to install, and one over a Unix socket does not need it"
    )
    func noLibrary() throws {
        let directory = try TemporaryDirectory()
        var client = HTTPClient(.origin("http://127.0.0.1:1"))
        client.library = { () throws(HTTPError) -> CurlLibrary in
            try CurlLibrary.open("libcurl-none.so.4").get()
        }
        let error = try #require(throws: HTTPError.self) { try client.send(HTTPRequest(.get, "/")) }
        #expect(error.code == .noLibrary)
        #expect(error.description.contains("libcurl-none.so.4: cannot open shared object file"))
        #expect(error.description.contains("apt install libcurl4"))
        // Another library has none of its functions.
        client.library = { () throws(HTTPError) -> CurlLibrary in try CurlLibrary.open("libc.so.6").get() }
        let other = try #require(throws: HTTPError.self) { try client.send(HTTPRequest(.get, "/")) }
        #expect(other.description.contains("libc.so.6 has no curl_global_init"))

        let server = try ScriptedServer.unix("\(directory.path)/s") { _, _ in [.answer("ok")] }
        client.endpoint = .unixSocket(path: "\(directory.path)/s")
        #expect(try client.send(HTTPRequest(.get, "/")).status == 200)
        withExtendedLifetime(server) {}
    }

    /// A request that would break out of its line.
    @Test(
        "a request that would break out of its line is refused, and its value not repeated (invariant 13)",
        arguments: [
            HTTPRequest(.get, "/ HTTP/1.1\r\nX: hunter2"), HTTPRequest(.get, "hunter2"),
            HTTPRequest(.get, ""),
            HTTPRequest(.get, "/hunter2 "), HTTPRequest(.get, "/é"),
            HTTPRequest(.get, "/", headers: [HTTPHeader("X", "a\r\nY: hunter2")]),
            HTTPRequest(.get, "/", headers: [HTTPHeader("X", "hunter2\0")]),
            HTTPRequest(.get, "/", headers: [HTTPHeader("X: hunter2\r\nY", "a")]),
            HTTPRequest(.get, "/", headers: [HTTPHeader("", "hunter2")]),
            HTTPRequest(.get, "/", bearerToken: Secret(Array("hunter2\r\nX: y".utf8))),
            HTTPRequest(.get, "/", bearerToken: Secret([])),
        ])
    func injection(request: HTTPRequest) throws {
        let directory = try TemporaryDirectory()
        let server = try ScriptedServer.tcp { _, _ in [.answer("ok")] }
        let socket = try ScriptedServer.unix("\(directory.path)/s") { _, _ in [.answer("ok")] }
        for client in [client(server), HTTPClient(.unixSocket(path: "\(directory.path)/s"))] {
            let error = try #require(throws: HTTPError.self) { try client.send(request) }
            #expect(error.code == .invalidRequest)
            #expect(!error.description.contains("hunter2"))
        }
        server.stop()
        socket.stop()
        #expect(server.received.isEmpty && socket.received.isEmpty)
    }
}
