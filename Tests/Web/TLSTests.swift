import ScriptedServer
import Testing
import Web

@Suite(
    "HTTPS against a real server",
    .enabled(if: Certificates.canBeMade, "the openssl command is not installed"))
struct TLSTests {
    let certificates: Certificates

    init() throws { certificates = try Certificates() }

    private func send(
        to server: String, more: String = "", host: String = "127.0.0.1", tls: TLSSettings,
        token: Secret? = nil
    ) throws -> HTTPResponse {
        let (child, port) = try certificates.serve(server, more: more)
        defer { child.stop() }
        return try HTTPClient(.origin("https://\(host):\(port)"), tls: tls, timeoutMilliseconds: 20_000)
            .send(HTTPRequest(.get, "/", bearerToken: token))
    }

    private var trusting: TLSSettings {
        get throws { TLSSettings(authorities: .pem(try certificates.read("ca.crt"))) }
    }

    private func identity(key: String = "client.key", certificate: String = "client.crt") throws
        -> TLSSettings.Identity
    {
        .init(certificate: try certificates.read(certificate), key: Secret(try certificates.read(key)))
    }

    @Test("a server of the given authority is believed, the authority as bytes or as a file")
    func trusted() throws {
        #expect(try send(to: "server", tls: trusting).status == 200)
        let file = TLSSettings(authorities: .file("\(certificates.directory.path)/ca.crt"))
        #expect(try send(to: "server", tls: file).status == 200)
    }

    @Test("a server name that is not the address is checked in its place, and sent")
    func serverName() throws {
        var tls = try trusting
        tls.serverName = "kubernetes"
        #expect(try send(to: "server", tls: tls).status == 200)
        tls.serverName = "elsewhere"
        let error = try #require(throws: HTTPError.self) { try send(to: "server", tls: tls) }
        #expect(error.code == .tls)
    }

    @Test("a certificate of ours is shown where the server asks for one")
    func clientCertificate() throws {
        var tls = try trusting
        tls.identity = try identity()
        let response = try send(to: "server", more: "-Verify 1 -verify_return_error", tls: tls)
        #expect(response.status == 200)
        // The status page prints the certificate that it was shown.
        let page = String(decoding: response.body, as: UTF8.self)
        let shown = page.split(separator: "\n").filter { $0.contains("Subject:") }
        #expect(shown.count == 1 && shown[0].hasSuffix("client"))
        tls.identity = nil
        #expect(throws: HTTPError.self) {
            try send(to: "server", more: "-Verify 1 -verify_return_error", tls: tls)
        }
    }

    /// A connection that must not come about.
    enum Mistrust: String, CaseIterable, Sendable {
        case otherAuthority, machine, expired, wrongName, brokenAuthority
    }

    @Test("a server that does not prove who it is is not believed", arguments: Mistrust.allCases)
    func mistrust(_ mistrust: Mistrust) throws {
        var tls = try trusting
        var server = "server"
        var host = "127.0.0.1"
        switch mistrust {
        case .otherAuthority: tls.authorities = .pem(try certificates.read("other.crt"))
        case .machine: tls.authorities = .system
        case .expired: server = "expired"
        case .wrongName: host = "localhost"
        case .brokenAuthority: tls.authorities = .pem(Array("hunter2".utf8))
        }
        let error = try #require(throws: HTTPError.self) {
            try send(to: server, host: host, tls: tls, token: Secret(Array("hunter2".utf8)))
        }
        #expect(error.code == .tls)
        #expect(!error.mayHaveArrived)
        #expect(error.description.hasPrefix("\(host):"))
        #expect(!error.description.contains("hunter2"))
    }

    /// A key that cannot be used.
    enum Key: String, CaseIterable, Sendable { case locked, ofAnother, none, noKey }

    @Test(
        "a key that is locked, another's or none is an error at once, not a question on the terminal, and is not shown (invariant 13)",
        arguments: Key.allCases)
    func keys(_ key: Key) throws {
        var tls = try trusting
        switch key {
        case .locked: tls.identity = try identity(key: "locked.key")
        case .ofAnother: tls.identity = try identity(key: "server.key")
        case .none: tls.identity = .init(certificate: try certificates.read("client.crt"), key: Secret([]))
        case .noKey:
            tls.identity = .init(
                certificate: try certificates.read("client.crt"), key: Secret(Array("hunter2".utf8)))
        }
        let secret = String(decoding: tls.identity?.key.bytes ?? [], as: UTF8.self)
        let error = try #require(throws: HTTPError.self) { try send(to: "server", tls: tls) }
        #expect(error.code == .tls)
        for line in secret.split(separator: "\n") { #expect(!error.description.contains(line)) }
    }

    @Test("a server that speaks no TLS is an error")
    func plain() throws {
        let server = try ScriptedServer.tcp { _, _ in [.text("HTTP/1.1 200 OK\r\n\r\n")] }
        let tls = try trusting
        let error = try #require(throws: HTTPError.self) {
            try HTTPClient(.origin("https://127.0.0.1:\(server.port)"), tls: tls, timeoutMilliseconds: 20_000)
                .send(HTTPRequest(.get, "/"))
        }
        #expect(error.code == .tls)
    }
}
