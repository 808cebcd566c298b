import ScriptedServer
import Testing
import Web

/// Keeps what comes in, and does what a test says.
private final class Kept: BodyReceiver {
    var heads: [HTTPResponse] = []
    var bytes: [UInt8] = []
    var isWanted = true
    /// Bytes after which it gives up.
    var limit = Int.max
    /// How often it may be asked whether to go on.
    var patience = Int.max

    func begin(_ head: HTTPResponse) -> Bool {
        heads.append(head)
        return isWanted
    }

    func take(_ more: UnsafeRawBufferPointer) -> Bool {
        bytes += Array(more)
        return bytes.count < limit
    }

    func goesOn() -> Bool {
        patience -= 1
        return patience > 0
    }
}

private let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

@Suite("Downloads")
struct DownloadTests {
    private func client(_ server: ScriptedServer, redirects: Int = 3) -> HTTPClient {
        HTTPClient(
            .origin("http://127.0.0.1:\(server.port)"), timeoutMilliseconds: 100, maximumBodyBytes: 10,
            maximumRedirects: redirects)
    }

    @Test(
        "a body larger than what is kept in memory is handed on byte by byte, and the time of a request does not count"
    )
    func whole() throws {
        let server = try ScriptedServer.tcp { request, number in
            number == 0
                ? [.wait(milliseconds: 300)] + ServedFile(body).answer(to: request)
                : [.chunked(body, size: 70_000)]
        }
        for status in ["\"1\"", nil] {
            let kept = Kept()
            let head = try client(server).download(HTTPRequest(.get, "/"), to: kept)
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(kept.bytes == body)
            #expect(kept.heads == [head])
            #expect(head.header("ETag") == status)
        }
    }

    @Test("only the head of the last answer is looked at, and the body of a redirect is nobody's")
    func redirect() throws {
        let server = try ScriptedServer.tcp { request, _ in
            request.target == "/b"
                ? [.answer("there")]
                : [.text("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 4\r\n\r\nmove")]
        }
        let kept = Kept()
        let head = try client(server).download(HTTPRequest(.get, "/a"), to: kept)
        #expect(head.status == 200)
        #expect(kept.heads.map(\.status) == [200])
        #expect(kept.bytes == Array("there".utf8))
    }

    @Test("what is not wanted is not read: its status is the answer", arguments: ["404 Not Found", "416 No"])
    func unwanted(status: String) throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer(body, status: status)] }
        let kept = Kept()
        kept.isWanted = false
        let head = try client(server).download(HTTPRequest(.get, "/"), to: kept)
        #expect("\(head.status)" == status.prefix(3))
        #expect(kept.heads == [head])
        #expect(kept.bytes.isEmpty)
    }

    @Test("an answer without a body is looked at too")
    func empty() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer("")] }
        let kept = Kept()
        _ = try client(server).download(HTTPRequest(.get, "/"), to: kept)
        #expect(kept.heads.map(\.status) == [200])
    }

    @Test("whoever takes it in can give up, with the bytes and while nothing comes")
    func stopped() throws {
        let server = try ScriptedServer.tcp { request, _ in
            ServedFile(body).answer(to: request, cut: 5000, then: [.hang])
        }
        let full = Kept()
        full.limit = 3000
        let error = try #require(throws: HTTPError.self) {
            try client(server).download(HTTPRequest(.get, "/"), to: full)
        }
        #expect(error.code == .stopped)
        let impatient = Kept()
        impatient.patience = 4
        let other = try #require(throws: HTTPError.self) {
            try client(server).download(HTTPRequest(.get, "/"), to: impatient)
        }
        #expect(other.code == .stopped)
    }

    /// A server that sends next to nothing.
    struct Slow: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var steps: [ScriptedServer.Step]
    }

    @Test(
        "a server that sends next to nothing is given up",
        arguments: [
            Slow(testDescription: "no answer", steps: [.hang]),
            Slow(
                testDescription: "half of it",
                steps: [.text("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc"), .hang]),
            Slow(
                testDescription: "one byte now and then",
                steps: [
                    .text("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"),
                    .drip(97, everyMilliseconds: 50),
                ]),
            Slow(
                testDescription: "headers without end",
                steps: [.text("HTTP/1.1 200 OK\r\nA: "), .drip(97, everyMilliseconds: 50)]),
        ])
    func stalled(slow: Slow) throws {
        let server = try ScriptedServer.tcp { _, _ in slow.steps }
        let error = try #require(throws: HTTPError.self) {
            try client(server).download(HTTPRequest(.get, "/"), stallMilliseconds: 400, to: Kept())
        }
        #expect(error.code == .timeout)
        #expect(error.description.hasPrefix("127.0.0.1:\(server.port): next to nothing came for 400 ms"))
    }

    @Test("a connection that is cut is an error, and what came has been handed on")
    func cut() throws {
        let server = try ScriptedServer.tcp { request, number in
            ServedFile(body).answer(to: request, cut: 100_000, then: number == 1 ? [.reset] : [])
        }
        let kept = Kept()
        let error = try #require(throws: HTTPError.self) {
            try client(server).download(HTTPRequest(.get, "/"), to: kept)
        }
        #expect(error.code == .interrupted)
        #expect(kept.bytes == Array(body.prefix(100_000)))
        let reset = try #require(throws: HTTPError.self) {
            try client(server).download(HTTPRequest(.get, "/"), to: Kept())
        }
        #expect(reset.code == .interrupted)
    }

    @Test("headers without end are too much")
    func headers() throws {
        let server = try ScriptedServer.tcp { _, _ in
            [.text("HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 20_000)), .hang]
        }
        let error = try #require(throws: HTTPError.self) {
            try client(server).download(HTTPRequest(.get, "/"), to: Kept())
        }
        #expect(error.code == .tooLarge)
    }

    @Test("a proxy that is named is used for every host, whatever the environment says of it")
    func proxy() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer("direct")] }
        let proxy = try ScriptedServer.tcp { _, _ in [.answer("by proxy")] }
        var client = client(server)
        client.proxy = "http://127.0.0.1:\(proxy.port)"
        client.usesEnvironmentProxies = true
        let kept = Kept()
        _ = try client.download(HTTPRequest(.get, "/a"), to: kept)
        #expect(kept.bytes == Array("by proxy".utf8))
        #expect(server.received.isEmpty)
        #expect(proxy.received.map(\.target) == ["http://127.0.0.1:\(server.port)/a"])
    }
}

@Suite(
    "Downloads by HTTPS", .enabled(if: Certificates.canBeMade, "the openssl command is not installed"))
struct SecureDownloadTests {
    let certificates: Certificates

    init() throws { certificates = try Certificates() }

    private func client(_ port: Int) -> HTTPClient {
        HTTPClient(
            .origin("https://127.0.0.1:\(port)"),
            tls: TLSSettings(authorities: .file("\(certificates.directory.path)/ca.crt")),
            timeoutMilliseconds: 20_000, maximumRedirects: 5)
    }

    @Test("a redirect leads from HTTPS to HTTPS, and never to HTTP, whatever is asked for")
    func redirects() throws {
        let plain = try ScriptedServer.tcp { _, _ in [.answer("plain")] }
        let identity = certificates.serverIdentity
        let target = try ScriptedServer.tcp(tls: identity) { _, _ in [.answer("there")] }
        let server = try ScriptedServer.tcp(tls: identity) { request, _ in
            let place =
                request.target == "/safe"
                ? "https://127.0.0.1:\(target.port)/" : "http://127.0.0.1:\(plain.port)/"
            return [.text("HTTP/1.1 302 Found\r\nLocation: \(place)?t=hunter2\r\nContent-Length: 0\r\n\r\n")]
        }
        let kept = Kept()
        _ = try client(server.port).download(HTTPRequest(.get, "/safe"), to: kept)
        #expect(kept.bytes == Array("there".utf8))
        let errors = [
            try #require(throws: HTTPError.self) {
                try client(server.port).download(HTTPRequest(.get, "/unsafe"), to: Kept())
            },
            try #require(throws: HTTPError.self) {
                try client(server.port).send(HTTPRequest(.get, "/unsafe"))
            },
        ]
        for error in errors {
            #expect(error.code == .protocolViolation)
            #expect(error.description.contains("other than https://"))
            #expect(!error.description.contains("hunter2"))
        }
        #expect(plain.received.isEmpty)
    }

    @Test("HTTPS goes through a proxy as a tunnel, and a proxy that refuses is an error")
    func tunnel() throws {
        let target = try ScriptedServer.tcp(tls: certificates.serverIdentity) { request, _ in
            ServedFile(body).answer(to: request)
        }
        let proxy = try ScriptedServer.tcp { request, number in
            guard request.method == "CONNECT", number == 0 else {
                return [.answer("no", status: "407 Proxy Authentication Required")]
            }
            return [.text("HTTP/1.1 200 Connection established\r\n\r\n"), .tunnel(port: target.port)]
        }
        var client = client(target.port)
        client.proxy = "http://127.0.0.1:\(proxy.port)"
        let kept = Kept()
        let head = try client.download(HTTPRequest(.get, "/"), to: kept)
        #expect(head.header("ETag") == "\"1\"")
        #expect(kept.heads == [head])
        #expect(kept.bytes == body)
        #expect(proxy.received.map(\.target) == ["127.0.0.1:\(target.port)"])
        #expect(throws: HTTPError.self) { try client.download(HTTPRequest(.get, "/"), to: Kept()) }
    }
}
