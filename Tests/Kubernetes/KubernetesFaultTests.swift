import FoundationEssentials
import Kubernetes
import KubernetesServer
import ScriptedServer
import Synchronization
import Testing
import Web

private let soon = 20_000

@Suite("The Kubernetes API when something is wrong")
struct KubernetesFaultTests {
    private func server() throws -> KubernetesServer { try KubernetesServer { Issue.record("\($0)") } }

    private func client(_ server: KubernetesServer) -> KubernetesClient {
        KubernetesClient(Kubeconfig(server: "http://127.0.0.1:\(server.port)", tls: TLSSettings()))
    }

    private func setLabel(_ server: KubernetesServer) throws {
        try client(server).setLabel(
            "a/b", to: "disabled", ofNode: "edge-1", within: Deadline(afterMilliseconds: soon))
    }

    @Test("a Node that changes while a label is set is read again, and what changed stays")
    func conflict() throws {
        let server = try server()
        server.put("/api/v1/nodes/edge-1", ["kind": "Node"])
        let rounds = Mutex(0)
        server.meanwhile { request, server in
            guard request.method == "PATCH",
                rounds.withLock({
                    $0 += 1; return $0
                }) <= 3
            else { return }
            server.change("/api/v1/nodes/edge-1", ["metadata": ["labels": ["theirs": "1"]]])
            server.change(
                "/api/v1/nodes/edge-1", ["status": ["beat": .number(Double(rounds.withLock { $0 }))]])
        }
        try setLabel(server)
        let labels = server.object("/api/v1/nodes/edge-1")?.at("metadata", "labels")
        #expect(labels == ["theirs": "1", "a/b": "disabled"])
        #expect(rounds.withLock { $0 } == 4)
    }

    @Test("a Node that never holds still is given up after a bounded number of tries")
    func endless() throws {
        let server = try server()
        server.put("/api/v1/nodes/edge-1", ["kind": "Node"])
        let rounds = Mutex(0)
        server.meanwhile { request, server in
            guard request.method == "PATCH" else { return }
            let round = rounds.withLock {
                $0 += 1; return $0
            }
            server.change("/api/v1/nodes/edge-1", ["status": ["beat": .number(Double(round))]])
        }
        let error = try #require(throws: KubernetesError.self) { try setLabel(server) }
        #expect(error.isConflict)
        #expect(rounds.withLock { $0 } == KubernetesClient.mostTries)
    }

    @Test("a list comes in pages, and is read once more where its next page is gone")
    func pages() throws {
        let server = try server()
        let count = KubernetesClient.pageSize * 2 + 1
        for number in 0..<count { server.put("/api/v1/nodes/n\(number)", ["kind": "Node"]) }
        let isExpired = Mutex(true)
        server.disturb { request in
            guard request.target.contains("continue="), isExpired.withLock({ $0 }) else { return nil }
            isExpired.withLock { $0 = false }
            return [
                .answer(#"{"kind":"Status","reason":"Expired","message":"too old"}"#, status: "410 Gone")
            ]
        }
        let nodes = try client(server).list(
            "/api/v1/nodes", of: NodeObject.self, within: Deadline(afterMilliseconds: soon))
        #expect(Set(nodes.map(\.name)).count == count && nodes.count == count)
        #expect(!isExpired.withLock { $0 })
    }

    @Test(
        "what is no list is not taken for one without items",
        arguments: ["{}", #"{"items":[]}"#, #"{"kind":"Node","metadata":{"name":"edge-1"}}"#])
    func noList(answer: String) throws {
        let server = try server()
        server.disturb { _ in [.answer(answer)] }
        let error = try #require(throws: KubernetesError.self) {
            try client(server).list(
                "/api/v1/nodes", of: NodeObject.self, within: Deadline(afterMilliseconds: soon))
        }
        #expect(error.code == .answer(status: 200))
    }

    @Test("a list holds what carries the labels that it was asked for")
    func selected() throws {
        let server = try server()
        server.put("/api/v1/nodes/a", ["metadata": ["labels": .object(["holdfast/kind": "x"])]])
        server.put("/api/v1/nodes/b", ["metadata": ["labels": .object(["holdfast/kind": "y"])]])
        server.put("/api/v1/nodes/c", [:])
        let found = try client(server).list(
            "/api/v1/nodes", selector: "holdfast/kind=x", of: NodeObject.self,
            within: Deadline(afterMilliseconds: soon))
        #expect(found.map(\.name) == ["a"])
    }

    // The API takes zero for none.
    @Test(
        "nothing is replaced or taken away without the state that it was read in", arguments: ["", "0", "00"])
    func noVersion(version: String) throws {
        struct Change: VersionedChange { var resourceVersion: String }
        let server = try server()
        server.put("/api/v1/nodes/a", [:])
        let deadline = Deadline(afterMilliseconds: soon)
        for change in [
            {
                _ = try client(server).replace(
                    "/api/v1/nodes/a", with: Change(resourceVersion: version), as: NodeObject.self,
                    within: deadline)
            },
            { try client(server).delete("/api/v1/nodes/a", resourceVersion: version, within: deadline) },
        ] as [() throws -> Void] {
            let error = try #require(throws: KubernetesError.self) { try change() }
            #expect(!error.mayHaveArrived)
        }
        #expect(server.requests.isEmpty)
    }

    @Test("a list without an end is given up")
    func endlessList() throws {
        let server = try server()
        server.disturb { _ in [.answer(#"{"kind":"NodeList","metadata":{"continue":"again"},"items":[]}"#)] }
        #expect(throws: KubernetesError.self) {
            try client(server).list(
                "/api/v1/nodes", of: NodeObject.self, within: Deadline(afterMilliseconds: soon))
        }
        #expect(server.requests.count == KubernetesClient.mostPages)
    }

    @Test(
        "a Status says why, by its reason and in its words",
        arguments: [
            (409, "Conflict"), (422, "Invalid"), (429, "TooManyRequests"), (500, "InternalError"),
            (503, "ServiceUnavailable"),
        ])
    func status(code: Int, reason: String) throws {
        let server = try server()
        server.disturb { _ in
            let body =
                #"{"kind":"Status","status":"Failure","reason":"\#(reason)","message":"because\u001b[2J","code":\#(code)}"#
            return [.answer(body, status: "\(code) -")]
        }
        let error = try #require(throws: KubernetesError.self) {
            try client(server).node("edge-1", within: Deadline(afterMilliseconds: soon))
        }
        #expect(error.code == .refused(status: code, reason: reason))
        #expect(error.description.contains("because?[2J"))
    }

    @Test("a Status is told in bounded length, however many marks its letters have")
    func longStatus() throws {
        let server = try server()
        let long = "a" + String(repeating: "\\u0301", count: 4000)
        server.disturb { _ in
            [.answer(#"{"kind":"Status","reason":"\#(long)","message":"\#(long)"}"#, status: "409 -")]
        }
        let error = try #require(throws: KubernetesError.self) {
            try client(server).node("edge-1", within: Deadline(afterMilliseconds: soon))
        }
        #expect(error.isConflict)
        #expect(error.description.utf8.count < 2000)
    }

    @Test("several requests share one deadline")
    func deadline() throws {
        let server = try server()
        server.put("/api/v1/nodes/edge-1", ["kind": "Node"])
        server.disturb { request in request.method == "PATCH" ? [.hang] : nil }
        let deadline = Deadline(afterMilliseconds: 300)
        let error = try #require(throws: KubernetesError.self) {
            try client(server).setLabel("a/b", to: "1", ofNode: "edge-1", within: deadline)
        }
        #expect(error.code == .transport(.timeout))
        #expect(deadline.millisecondsLeft == 0)
        // Nothing more is asked once it is over.
        #expect(throws: KubernetesError.self) { try client(server).node("edge-1", within: deadline) }
        #expect(server.requests.count == 2)
    }
}

@Suite(
    "Credentials at an API server",
    .enabled(if: Certificates.canBeMade, "the openssl command is not installed"))
struct KubernetesCredentialTests {
    private let certificates: Certificates
    private let server: KubernetesServer

    init() throws {
        certificates = try Certificates()
        server = try KubernetesServer(
            tls: certificates.serverIdentity, access: .credentials(tokens: ["right-token"])
        ) { Issue.record("\($0)") }
        server.put("/api/v1/nodes/edge-1", ["kind": "Node"])
    }

    private func node(_ text: String) throws -> NodeObject {
        let kubeconfig = try Kubeconfig(Array(text.utf8), path: "/root/config") {
            Array(try Data(contentsOf: URL(filePath: $0)))
        }
        return try KubernetesClient(kubeconfig).node("edge-1", within: Deadline(afterMilliseconds: soon))
    }

    @Test("a client certificate or a token of the kubeconfig lets us in")
    func known() throws {
        let directory = certificates.directory.path
        #expect(try node(server.kubeconfig(certificates: directory)).name == "edge-1")
        #expect(try node(server.kubeconfig(certificates: directory, token: "right-token")).name == "edge-1")
    }

    @Test("who is not known is told so, and no token is in the error (invariant 13)")
    func unknown() throws {
        let error = try #require(throws: KubernetesError.self) {
            try node(server.kubeconfig(certificates: certificates.directory.path, token: "wrong-token"))
        }
        #expect(error.code == .unauthorised)
        #expect(!error.description.contains("wrong-token"))
    }

    @Test("invariant 13: a server that says our token back gets it into no error", arguments: [403, 409])
    func echoed(status: Int) throws {
        server.disturb { request in
            let said = request.header("authorization") ?? ""
            return [
                .answer(
                    #"{"kind":"Status","reason":"Forbidden","message":"no: \#(said)"}"#, status: "\(status) -"
                )
            ]
        }
        let error = try #require(throws: KubernetesError.self) {
            try node(server.kubeconfig(certificates: certificates.directory.path, token: "right-token"))
        }
        #expect(!error.description.contains("right-token"))
    }

    @Test("what we may not do is told with the server's words")
    func forbidden() throws {
        server.forbid("GET /api/v1/nodes")
        let error = try #require(throws: KubernetesError.self) {
            try node(server.kubeconfig(certificates: certificates.directory.path))
        }
        #expect(error.code == .unauthorised)
        #expect(error.description.contains("nodes is forbidden: User"))
    }
}
