import Kubernetes
import ScriptedServer
import Testing
import Web

@Suite("Asking the API server")
struct KubernetesClientTests {
    private func client(_ server: ScriptedServer) -> KubernetesClient {
        KubernetesClient(Kubeconfig(server: "http://127.0.0.1:\(server.port)", tls: TLSSettings()))
    }

    @Test("the version is its gitVersion")
    func version() throws {
        // Recorded from kube-apiserver 1.36.
        let answer = """
            {"major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1",
             "minCompatibilityMinor": "35", "gitVersion": "v1.36.2", "gitTreeState": "clean", "goVersion": "go1.26.3",
             "compiler": "gc", "platform": "linux/amd64"}
            """
        let server = try ScriptedServer.tcp { _, _ in [.chunked(Array(answer.utf8), size: 50)] }
        #expect(try client(server).version(timeoutMilliseconds: 5000) == "v1.36.2")
        server.stop()
        #expect(server.received.map(\.target) == ["/version"])
    }

    @Test(
        "readiness is its word, and a failing check is a no",
        arguments: [
            ("200 OK", true), ("500 Internal Server Error", false), ("503 Service Unavailable", false),
        ])
    func ready(status: String, isReady: Bool) throws {
        let server = try ScriptedServer.tcp { _, _ in
            [.answer("[+]ping ok", status: status, type: "text/plain")]
        }
        #expect(try client(server).isReady(timeoutMilliseconds: 5000) == isReady)
        server.stop()
        #expect(server.received.map(\.target) == ["/readyz"])
    }

    @Test(
        "refusals and answers that are something else are errors of their kind",
        arguments: [
            ("401 Unauthorized", "{}", KubernetesError.Code.unauthorised),
            ("403 Forbidden", "{}", .unauthorised),
            ("404 Not Found", "404 page not found\n", .answer(status: 404)),
            ("200 OK", "<html>", .answer(status: 200)),
            ("200 OK", "{\"gitVersion\": 1}", .answer(status: 200)),
            ("200 OK", "{\"gitVersion\": \"\"}", .answer(status: 200)),
            ("302 Found", "", .answer(status: 302)),
        ])
    func failures(status: String, body: String, code: KubernetesError.Code) throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer(body, status: status)] }
        let error = try #require(throws: KubernetesError.self) {
            try client(server).version(timeoutMilliseconds: 5000)
        }
        #expect(error.code == code)
    }

    @Test("a silent server is given up within the time, and an absent one is refused")
    func transport() throws {
        let server = try ScriptedServer.tcp { _, _ in [.hang] }
        let silent = try #require(throws: KubernetesError.self) {
            try client(server).version(timeoutMilliseconds: 150)
        }
        #expect(silent.code == .transport(.timeout))
        // Port 1: one that a server gave up may be another test's by now.
        let absent = KubernetesClient(Kubeconfig(server: "http://127.0.0.1:1", tls: TLSSettings()))
        let refused = try #require(throws: KubernetesError.self) {
            try absent.version(timeoutMilliseconds: 5000)
        }
        #expect(refused.code == .transport(.refused))
    }

    @Test("a token is not sent where anybody can read it, and is in no error (invariant 13)")
    func plainToken() throws {
        let server = try ScriptedServer.tcp { _, _ in [.answer("{}")] }
        let client = KubernetesClient(
            Kubeconfig(
                server: "http://127.0.0.1:\(server.port)", tls: TLSSettings(),
                token: Secret(Array("hunter2".utf8))))
        let error = try #require(throws: KubernetesError.self) {
            try client.version(timeoutMilliseconds: 5000)
        }
        #expect(error.code == .transport(.invalidRequest))
        #expect(!error.description.contains("hunter2"))
        server.stop()
        #expect(server.received.isEmpty)
    }
}
