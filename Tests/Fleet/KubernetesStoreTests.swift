import Fleet
import FleetSuite
import Kubernetes
import KubernetesServer
import Ports
import ScriptedServer
import Synchronization
import Testing
import Web

@Suite("The fleet's store in ConfigMaps")
struct KubernetesStoreTests {
    /// What an API server, or what stands in front of it, says in place of an answer.
    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        var steps: [ScriptedServer.Step]
        var read: FleetFailure.Code
        var write: FleetFailure.Code
        var testDescription: String { name }

        init(
            _ name: String, _ step: ScriptedServer.Step, read: FleetFailure.Code, write: FleetFailure.Code
        ) {
            self.name = name
            steps = [step]
            self.read = read
            self.write = write
        }
    }

    private static func status(_ code: Int, _ reason: String) -> ScriptedServer.Step {
        .answer(
            #"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"\#(reason)","code":\#(code)}"#,
            status: "\(code) -")
    }

    static let everyFault = [
        Fault("401", status(401, "Unauthorized"), read: .forbidden, write: .forbidden),
        Fault("403", status(403, "Forbidden"), read: .forbidden, write: .forbidden),
        Fault("429", status(429, "TooManyRequests"), read: .unavailable, write: .unavailable),
        // Etcd behind it did not answer in time: the change may still be made.
        Fault("500", status(500, "InternalError"), read: .unavailable, write: .unanswered),
        Fault("504", status(504, "Timeout"), read: .unavailable, write: .unanswered),
        Fault(
            "a proxy's 503", .answer("<html>", status: "503 -", type: "text/html"), read: .unavailable,
            write: .unanswered),
        Fault("silence", .hang, read: .unanswered, write: .unanswered),
        Fault("a connection that breaks", .reset, read: .unanswered, write: .unanswered),
        Fault("rubbish", .answer("<html>"), read: .malformed, write: .unanswered),
        Fault("no object", .answer("{}"), read: .malformed, write: .unanswered),
        // Not the API's own word that there is no such object.
        Fault(
            "another server's 404", .answer("404 page not found\n", status: "404 -", type: "text/plain"),
            read: .malformed, write: .malformed),
        Fault("a redirect", .answer("", status: "302 -"), read: .malformed, write: .malformed),
        Fault("413", status(413, "RequestEntityTooLarge"), read: .malformed, write: .malformed),
    ]

    private let key = FleetKey(.rollout, "k3s")

    @Test(
        "what is not an answer is a failure of its kind, is asked for once, and changes nothing",
        arguments: everyFault)
    func faults(fault: Fault) throws {
        let cluster = try FleetCluster(standIn: true)
        let server = try #require(cluster.standIn)
        let revision = try cluster.store().create(key, "1")
        let store = cluster.store(timeoutMilliseconds: 1500)
        let before = server.requests.count
        server.disturb { _ in fault.steps }
        expect(fault.read) { try store.get(key) }
        expect(fault.read) { try store.list(.rollout) }
        expect(fault.write) { try store.create(FleetKey(.rollout, "k0s"), "1") }
        expect(fault.write) { try store.put(key, "2", ifRevision: revision) }
        expect(fault.write) { try store.delete(key, ifRevision: revision) }
        #expect(server.requests.count <= before + 5)
        let path = "/api/v1/namespaces/\(cluster.namespace)/configmaps"
        #expect(server.objects(below: path).map { $0.at("data", "value")?.text } == ["1"])
    }

    @Test("where nobody listens nothing was changed")
    func refused() throws {
        // Port 1: one that a server gave up may be another test's by now.
        let client = KubernetesClient(Kubeconfig(server: "http://127.0.0.1:1", tls: TLSSettings()))
        let store = KubernetesFleetStore(client)
        expect(.unavailable) { try store.get(key) }
        expect(.unavailable) { try store.create(key, "1") }
        expect(.unavailable) { try store.put(key, "1", ifRevision: FleetRevision("1")) }
        expect(.unavailable) { try store.delete(key, ifRevision: FleetRevision("1")) }
    }

    @Test("a change whose reply is lost is not sent again, and is there for who reads again")
    func lostReply() throws {
        let cluster = try FleetCluster(standIn: true)
        let server = try #require(cluster.standIn)
        let path = "/api/v1/namespaces/\(cluster.namespace)/configmaps/rollout-k3s"
        server.disturb { [weak server] request in
            guard request.method == "POST", let object = try? AnyJSON(bytes: request.body) else { return nil }
            server?.put(path, object)
            return [.reset]
        }
        expect(.unanswered) { try cluster.store().create(key, "1") }
        #expect(server.requests.filter { $0.hasPrefix("POST") && $0.hasSuffix("/configmaps") }.count == 1)
        #expect(try cluster.store().get(key)?.text == "1")
    }

    @Test("who may not is told which rights to give")
    func forbidden() throws {
        let cluster = try FleetCluster(standIn: true)
        try #require(cluster.standIn).forbid("GET /api/v1/namespaces", "POST /api/v1/namespaces")
        for ask in [{ _ = try $0.get(key) }, { _ = try $0.create(key, "1") }]
            as [(any FleetStore) throws -> Void]
        {
            let failure = try #require(throws: FleetFailure.self) { try ask(cluster.store()) }
            #expect(
                failure.code == .forbidden && failure.description.contains("/usr/share/holdfast/kubernetes"))
        }
    }

    @Test("a namespace that is not there is told of by name")
    func noNamespace() throws {
        let cluster = try FleetCluster(standIn: true)
        try #require(cluster.standIn).disturb { request in
            // Recorded: what is said of the namespace, not of the ConfigMap.
            guard request.method == "POST" else { return nil }
            return [Self.status(404, "NotFound")]
        }
        let failure = try #require(throws: FleetFailure.self) { try cluster.store().create(key, "1") }
        #expect(failure.code == .forbidden && failure.description.contains(cluster.namespace))
    }

    @Test("a key is one ConfigMap that people can find, with its kind as a label")
    func layout() throws {
        let cluster = try FleetCluster(standIn: true)
        let server = try #require(cluster.standIn)
        _ = try cluster.store().create(key, #"{"format":1}"#)
        _ = try cluster.store().create(FleetKey(.quarantine, "revision:7"), "{}")
        let made = server.objects(below: "/api/v1/namespaces/\(cluster.namespace)/configmaps")
        #expect(
            made.map { $0.at("metadata", "name")?.text } == [
                "quarantine.b302b0e9bc20f06fc85adf66fb72478649f6b011f07389cc79164363fb53de46", "rollout-k3s",
            ])
        #expect(made.last?["data"] == ["key": "rollout/k3s", "value": #"{"format":1}"#])
        #expect(
            made.last?.at("metadata", "labels")
                == .object(["app.kubernetes.io/managed-by": "holdfast", "holdfast/kind": "rollout"]))
    }

    @Test("other ConfigMaps of the namespace are none of ours, and one that only looks so is told of")
    func strangers() throws {
        let cluster = try FleetCluster(standIn: true)
        let server = try #require(cluster.standIn)
        let path = "/api/v1/namespaces/\(cluster.namespace)/configmaps"
        server.put("\(path)/kube-root-ca.crt", ["data": ["ca.crt": "x"]])
        #expect(try cluster.store().list(.node) == [])
        let labels: AnyJSON = .object(["holdfast/kind": "node"])
        let impostors: [AnyJSON] = [
            // Another key's name, no key, another kind's, no value, no data.
            ["key": "node/b", "value": "1"], ["value": "1"], ["key": "rollout/a", "value": "1"],
            ["key": "node/a"], .null,
        ]
        for data in impostors {
            server.put("\(path)/node-a", ["metadata": ["labels": labels], "data": data])
            expect(.malformed) { try cluster.store().list(.node) }
            expect(.malformed) { try cluster.store().get(FleetKey(.node, "a")) }
        }
    }

    @Test("a long list comes in pages, whole and in order, large values in smaller ones")
    func pages() throws {
        let cluster = try FleetCluster(standIn: true)
        let server = try #require(cluster.standIn)
        let path = "/api/v1/namespaces/\(cluster.namespace)/configmaps"
        let labels: AnyJSON = .object(["holdfast/kind": "node"])
        let names = (0..<(KubernetesClient.pageSize * 2 + 1)).map { "n\(100_000 + $0)" }
        for name in names.shuffled() {
            // The last ones hold more than an answer may, 250 together.
            let value = name > "n100400" ? String(repeating: "x", count: 100_000) : name
            server.put(
                "\(path)/node-\(name)",
                [
                    "metadata": ["labels": labels],
                    "data": ["key": .text("node/\(name)"), "value": .text(value)],
                ])
        }
        let store = cluster.store(timeoutMilliseconds: 60_000)
        #expect(try store.list(.node).map(\.key.name) == names)
        #expect(KubernetesClient.pageSize * KubernetesClient.mostPages >= FleetLimits.listedKeys)
    }
}
