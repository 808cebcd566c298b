import Fleet
import FleetSuite
import FoundationEssentials
import Glibc
import Ports
import ScriptedServer
import Testing

/// An etcd that says what a test tells it to, by plain HTTP.
private struct ScriptedEtcd {
    let server: ScriptedServer
    var endpoint: String { "http://127.0.0.1:\(server.port)" }
    var asked: Int { server.received.count }

    init(_ steps: ScriptedServer.Step...) throws { server = try ScriptedServer.tcp { _, _ in steps } }

    /// Answers a read with nothing, and a change with its success.
    static func well() throws -> ScriptedEtcd {
        try ScriptedEtcd(.answer(#"{"header":{"revision":"7"},"succeeded":true}"#))
    }
}

@Suite("The fleet's store in etcd")
struct EtcdStoreTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        var step: ScriptedServer.Step
        var read: FleetFailure.Code
        var write: FleetFailure.Code
        var testDescription: String { name }

        init(
            _ name: String, _ step: ScriptedServer.Step, read: FleetFailure.Code, write: FleetFailure.Code
        ) {
            self.name = name
            self.step = step
            self.read = read
            self.write = write
        }
    }

    private static func refusal(_ status: Int, _ message: String) -> ScriptedServer.Step {
        .answer(#"{"error":"\#(message)","message":"\#(message)","code":2}"#, status: "\(status) -")
    }

    static let everyFault = [
        Fault(
            "400, no user", refusal(400, "etcdserver: user name is empty"), read: .forbidden,
            write: .forbidden),
        Fault("401", refusal(401, "etcdserver: invalid auth token"), read: .forbidden, write: .forbidden),
        Fault("403", refusal(403, "etcdserver: permission denied"), read: .forbidden, write: .forbidden),
        Fault(
            "404, no gateway", .answer("404 page not found", status: "404 -"), read: .forbidden,
            write: .forbidden),
        Fault("429", refusal(429, "etcdserver: too many requests"), read: .unavailable, write: .unavailable),
        // The proposal may be with the members already.
        Fault("503", refusal(503, "etcdserver: leader changed"), read: .unavailable, write: .unanswered),
        Fault("504", refusal(504, "context deadline exceeded"), read: .unavailable, write: .unanswered),
        Fault("400", refusal(400, "etcdserver: key is not provided"), read: .malformed, write: .malformed),
        Fault("silence", .hang, read: .unanswered, write: .unanswered),
        Fault("a connection that breaks", .reset, read: .unanswered, write: .unanswered),
        Fault("rubbish", .answer("<html>"), read: .malformed, write: .unanswered),
        Fault("no header", .answer("{}"), read: .malformed, write: .unanswered),
        Fault(
            "more than is taken", .answer(Array(repeating: 32, count: 9 << 20)), read: .malformed,
            write: .unanswered),
    ]

    private let key = FleetKey(.rollout, "k3s")
    private let revision = FleetRevision("5")

    private func store(_ etcd: ScriptedEtcd..., timeoutMilliseconds: Int = 1500) throws -> EtcdFleetStore {
        try EtcdFleetStore(
            endpoints: etcd.map(\.endpoint), timeoutMilliseconds: timeoutMilliseconds)
    }

    @Test(
        "what is not an answer is a failure of its kind, and a change is asked for once",
        arguments: everyFault)
    func faults(fault: Fault) throws {
        let etcd = try ScriptedEtcd(fault.step)
        let store = try store(etcd)
        expect(fault.read) { try store.get(key) }
        expect(fault.read) { try store.list(.rollout) }
        expect(fault.write) { try store.create(key, "1") }
        expect(fault.write) { try store.put(key, "2", ifRevision: revision) }
        expect(fault.write) { try store.delete(key, ifRevision: revision) }
        #expect(etcd.server.received.filter { $0.target == "/v3/kv/txn" }.count <= 3)
    }

    struct Rubbish: Sendable, CustomTestStringConvertible {
        var name: String
        var kvs: String
        var testDescription: String { name }
    }

    private static func pair(_ key: String, _ value: String = "MQ==", revision: String = "5") -> String {
        let key = Data(key.utf8).base64EncodedString()
        return #"{"key":"\#(key)","value":"\#(value)","mod_revision":"\#(revision)"}"#
    }

    static let everyRubbish = [
        Rubbish(name: "another key", kvs: pair("/holdfast/rollout/k0s")),
        Rubbish(name: "another prefix", kvs: pair("/elsewhere/rollout/k3s")),
        Rubbish(name: "no kind", kvs: pair("/holdfast/x/k3s")),
        Rubbish(name: "no name", kvs: pair("/holdfast/rollout/")),
        Rubbish(name: "a key in no Base64", kvs: #"{"key":"?","value":"","mod_revision":"5"}"#),
        Rubbish(name: "a value in no Base64", kvs: pair("/holdfast/rollout/k3s", "?")),
        Rubbish(name: "a value in no UTF-8", kvs: pair("/holdfast/rollout/k3s", "/w==")),
        Rubbish(name: "no revision", kvs: pair("/holdfast/rollout/k3s", revision: "0")),
        Rubbish(
            name: "two for one", kvs: pair("/holdfast/rollout/k3s") + "," + pair("/holdfast/rollout/k3s")),
        Rubbish(
            name: "a value that is too long",
            kvs: pair("/holdfast/rollout/k3s", String(repeating: "AAAA", count: 200_000))),
    ]

    @Test(
        "what etcd should not hold there is told of, and is never taken for nothing", arguments: everyRubbish)
    func rubbish(rubbish: Rubbish) throws {
        let etcd = try ScriptedEtcd(.answer(#"{"header":{"revision":"7"},"kvs":[\#(rubbish.kvs)]}"#))
        expect(.malformed) { try store(etcd).get(key) }
        if rubbish.name != "another key" { expect(.malformed) { try store(etcd).list(.rollout) } }
    }

    @Test("a list that never ends is given up")
    func endless() throws {
        let kvs = Self.pair("/holdfast/rollout/k3s")
        let same = try ScriptedEtcd(.answer(#"{"header":{"revision":"7"},"kvs":[\#(kvs)],"more":true}"#))
        expect(.malformed) { try store(same).list(.rollout) }
        #expect(same.asked == 2)
    }

    @Test("all pages of a list are of one state of the store, each from where the last one ended")
    func pages() throws {
        let names = ["a", "b/c", "z"]
        let server = try ScriptedServer.tcp { _, number in
            let pair = Self.pair("/holdfast/node/\(names[min(number, 2)])")
            let more = number < 2 ? #","more":true"# : ""
            // Meanwhile the store goes on.
            return [.answer(#"{"header":{"revision":"\#(7 + number)"},"kvs":[\#(pair)]\#(more)}"#)]
        }
        let store = try EtcdFleetStore(endpoints: ["http://127.0.0.1:\(server.port)"])
        #expect(try store.list(.node).map(\.key.name) == names)
        server.stop()
        struct Asked: Decodable {
            var key: Data
            var range_end: Data
            var revision: String?
        }
        let asked = try server.received.map { try JSONDecoder().decode(Asked.self, from: Data($0.body)) }
        #expect(asked.map(\.revision) == [nil, "7", "7"])
        #expect(
            asked.map { String(decoding: $0.key, as: UTF8.self) } == [
                "/holdfast/node/", "/holdfast/node/a\0", "/holdfast/node/b/c\0",
            ])
        #expect(asked.allSatisfy { String(decoding: $0.range_end, as: UTF8.self) == "/holdfast/node0" })
    }

    @Test("where nobody listens nothing was changed")
    func refused() throws {
        // Port 1: one that a server gave up may be another test's by now.
        let store = try EtcdFleetStore(endpoints: ["http://127.0.0.1:1"])
        expect(.unavailable) { try store.get(key) }
        expect(.unavailable) { try store.create(key, "1") }
        expect(.unavailable) { try store.delete(key, ifRevision: revision) }
    }

    // MARK: Several endpoints

    @Test("where one member takes no connection the next is asked, for a change too")
    func absentMember() throws {
        let well = try ScriptedEtcd.well()
        let store = try EtcdFleetStore(endpoints: ["http://127.0.0.1:1", well.endpoint])
        #expect(try store.create(key, "1") == FleetRevision("7"))
        #expect(try store.get(key) == nil)
        #expect(well.asked == 2)
    }

    struct Illness: Sendable, CustomTestStringConvertible {
        var name: String
        var step: ScriptedServer.Step
        var testDescription: String { name }
    }

    @Test(
        "a read goes on to the next member, and a change that may have arrived does not",
        arguments: [
            Illness(name: "silence", step: .hang), Illness(name: "a connection that breaks", step: .reset),
            Illness(name: "503", step: refusal(503, "etcdserver: leader changed")),
        ])
    func illMember(illness: Illness) throws {
        let (ill, well) = (try ScriptedEtcd(illness.step), try ScriptedEtcd.well())
        #expect(try store(ill, well).get(key) == nil)
        #expect(well.asked == 1)
        let store = try store(ill, well)
        expect(.unanswered) { try store.create(key, "1") }
        #expect(well.asked == 1)
        // Whoever reads again, and then decides to try again, begins with the other.
        #expect(try store.get(key) == nil)
        #expect(try store.create(key, "1") == FleetRevision("7"))
        #expect(well.asked == 3)
        #expect(ill.asked <= 2)
    }

    // MARK: Credentials

    @Test("a password is never sent in clear text (invariant 13)")
    func plain() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("holdfast:hunter2", to: "user")
        for endpoints in [["http://127.0.0.1:1"], ["https://127.0.0.1:1", "http://127.0.0.1:1"]] {
            expect(.forbidden) { try EtcdFleetStore(endpoints: endpoints, userFile: file) }
        }
    }

    @Test("a token that is not taken is renewed once, not for ever, and is in no error (invariant 13)")
    func renewal() throws {
        let certificates = try Certificates()
        let server = try ScriptedServer.tcp(tls: certificates.serverIdentity) { request, _ in
            request.target == "/v3/auth/authenticate"
                ? [.answer(#"{"header":{},"token":"hunter2.7"}"#)]
                : [Self.refusal(401, "etcdserver: invalid auth token hunter2.7")]
        }
        let file = try certificates.directory.write("holdfast:hunter2\n", to: "user")
        try #require(chmod(file, 0o600) == 0)
        let store = try EtcdFleetStore(
            endpoints: ["https://127.0.0.1:\(server.port)"], caFile: "\(certificates.directory.path)/ca.crt",
            userFile: file)
        for _ in 0..<2 {
            let failure = try #require(throws: FleetFailure.self) { try store.create(key, "1") }
            #expect(failure.code == .forbidden)
            #expect(!failure.description.contains("hunter2"))
        }
        server.stop()
        // The first call brought a token of its own; the second had one that may have been too old.
        #expect(
            server.received.map(\.target) == [
                "/v3/auth/authenticate", "/v3/kv/txn", "/v3/kv/txn", "/v3/auth/authenticate", "/v3/kv/txn",
            ])
        #expect(server.received[1].header("authorization") == "hunter2.7")
        #expect(!server.received[1].head.contains("Bearer"))
    }
}
