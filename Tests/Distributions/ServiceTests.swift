import Model
import Testing

@testable import Distributions

@Suite("What K3s units say")
struct K3sServiceTests {
    struct Case: Sendable {
        var arguments: [String]
        var environment: [String: String] = [:]
        var configuration: [String: String]? = [:]
        var hasEtcd = false
        var role: Role? = .server
        var data = "/var/lib/rancher/k3s"
        var store: DataStore
    }

    @Test(
        "role, data directory and data store",
        arguments: [
            Case(arguments: ["server"], store: .sqlite),
            Case(arguments: ["server"], hasEtcd: true, store: .etcd),
            Case(arguments: ["server", "--cluster-init"], store: .etcd),
            Case(arguments: ["server", "--cluster-init=false"], store: .sqlite),
            Case(arguments: ["server", "--server", "https://10.0.0.1:6443"], store: .etcd),
            Case(arguments: ["server", "-s=https://10.0.0.1:6443"], store: .etcd),
            Case(arguments: ["server"], environment: ["K3S_URL": "https://10.0.0.1:6443"], store: .etcd),
            Case(arguments: ["server"], environment: ["K3S_CLUSTER_INIT": "true"], store: .etcd),
            Case(arguments: ["server", "--datastore-endpoint=mysql://u:p@tcp(h)/k3s"], store: .external),
            // A server that once had an etcd and was moved: the endpoint is what K3s takes.
            Case(
                arguments: ["server", "--datastore-endpoint", "postgres://u:p@h/k3s"], hasEtcd: true,
                store: .external),
            Case(arguments: ["server", "--datastore-endpoint=sqlite:///x.db"], store: .sqlite),
            Case(
                arguments: ["server"], environment: ["K3S_DATASTORE_ENDPOINT": "http://etcd:2379"],
                store: .external),
            Case(arguments: ["server", "--disable-etcd", "--server=https://x"], store: .none),
            Case(
                arguments: ["server"], configuration: ["cluster-init": "true", "data-dir": "/c"], data: "/c",
                store: .etcd),
            Case(
                arguments: ["server", "--data-dir=/a"], environment: ["K3S_DATA_DIR": "/e"],
                configuration: ["data-dir": "/c"], data: "/a", store: .sqlite),
            Case(arguments: ["server", "-d", "/a"], data: "/a", store: .sqlite),
            Case(
                arguments: ["server"], environment: ["K3S_DATA_DIR": "/e"], configuration: ["data-dir": "/c"],
                data: "/c", store: .sqlite),
            Case(arguments: ["server"], environment: ["K3S_DATA_DIR": "/e"], data: "/e", store: .sqlite),
            Case(arguments: ["server", "--disable-agent"], store: .sqlite),
            // What cannot be read could say anything.
            Case(arguments: ["server", "--cluster-init"], configuration: nil, store: .unknown),
            Case(arguments: ["agent", "--server=https://x"], role: .agent, store: .none),
            Case(arguments: ["agent"], configuration: nil, role: .agent, store: .none),
            Case(arguments: ["run"], role: nil, store: .unknown),
        ])
    func reading(_ row: Case) throws {
        let program = try #require(
            ServiceProgram(
                command: ["/usr/local/bin/k3s"] + row.arguments, named: "k3s",
                subcommands: K3sService.subcommands, anyShape: true))
        let service = K3sService(program, environment: row.environment, configuration: row.configuration)
        #expect(service.role == row.role)
        #expect(service.dataDirectory == row.data)
        #expect(service.dataStore(hasEtcd: row.hasEtcd) == row.store)
    }

    @Test("a configuration file gives its scalars by flag; lists and odd shapes are left out")
    func configuration() throws {
        let text = "data-dir: /d\ncluster-init: true\nnode-label:\n  - a=b\ntoken: \"1.30\"\n"
        #expect(
            try k3sConfiguration(Array(text.utf8)) == [
                "data-dir": "/d", "cluster-init": "true", "token": "1.30",
            ])
        #expect(try k3sConfiguration([]).isEmpty)
        #expect(try k3sConfiguration(Array("- a\n".utf8)).isEmpty)
    }
}

@Suite("What k0s units say")
struct K0sServiceTests {
    struct Case: Sendable {
        var arguments: [String]
        var configuration: String?
        var role: Role?
        var store: DataStore
    }

    private static let external = """
        spec:
          storage:
            type: etcd
            etcd: {externalCluster: {endpoints: ["https://10.0.0.1:2379"], etcdPrefix: k0s}}
        """

    @Test(
        "role and data store",
        arguments: [
            Case(arguments: ["controller"], role: .controller, store: .etcd),
            Case(arguments: ["controller", "--enable-worker"], role: .controllerAndWorker, store: .etcd),
            Case(arguments: ["controller", "--enable-worker=false"], role: .controller, store: .etcd),
            Case(arguments: ["controller", "--single"], role: .single, store: .sqlite),
            Case(arguments: ["controller", "--enable-worker", "--single"], role: .single, store: .sqlite),
            Case(arguments: ["--debug", "controller"], role: .controller, store: .etcd),
            Case(arguments: ["worker", "--token-file=/t"], role: .worker, store: .none),
            Case(
                arguments: ["controller"], configuration: "spec: {storage: {type: kine}}", role: .controller,
                store: .sqlite),
            Case(
                arguments: ["controller"],
                configuration: "spec: {storage: {type: kine, kine: {dataSource: 'sqlite:///db'}}}",
                role: .controller, store: .sqlite),
            Case(
                arguments: ["controller"],
                configuration: "spec: {storage: {type: kine, kine: {dataSource: 'mysql://u:p@h/d'}}}",
                role: .controller, store: .external),
            Case(
                arguments: ["controller", "--single"], configuration: "spec: {storage: {type: etcd}}",
                role: .single, store: .etcd),
            Case(arguments: ["controller"], configuration: external, role: .controller, store: .external),
            Case(
                arguments: ["controller"],
                configuration: "spec: {storage: {type: etcd, etcd: {externalCluster: null}}}",
                role: .controller, store: .etcd),
            Case(
                arguments: ["controller"], configuration: "spec: {storage: {type: foundationdb}}",
                role: .controller, store: .unknown),
            Case(
                arguments: ["controller"], configuration: "spec: {api: {}}", role: .controller, store: .etcd),
            Case(arguments: ["controller", "--single"], configuration: "", role: .single, store: .sqlite),
            Case(arguments: ["run"], role: nil, store: .unknown),
        ])
    func reading(_ row: Case) throws {
        let program = try #require(
            ServiceProgram(
                command: ["/usr/local/bin/k0s"] + row.arguments, named: "k0s",
                subcommands: K0sService.subcommands, anyShape: true))
        let service = K0sService(program)
        #expect(service.role == row.role)
        #expect(
            service.dataStore(try row.configuration.flatMap { try k0sStorage(Array($0.utf8)) }) == row.store)
    }

    struct Place: Sendable {
        var arguments: [String]
        var data = "/var/lib/k0s"
        var socket = "/run/k0s/status.sock"
        var configuration: String? = "/etc/k0s/k0s.yaml"
    }

    @Test(
        "places",
        arguments: [
            Place(arguments: ["controller"]),
            Place(
                arguments: ["controller", "--data-dir=/d", "-c", "/c.yaml"], data: "/d",
                configuration: "/c.yaml"),
            Place(
                arguments: ["controller", "-c/c.yaml", "--run-dir=/r"], socket: "/r/status.sock",
                configuration: "/c.yaml"),
            Place(
                arguments: ["worker", "--status-socket", "/s.sock"], socket: "/s.sock", configuration: nil),
        ])
    func places(_ row: Place) throws {
        let program = try #require(
            ServiceProgram(
                command: ["/usr/local/bin/k0s"] + row.arguments, named: "k0s",
                subcommands: K0sService.subcommands))
        let service = K0sService(program)
        #expect(service.dataDirectory == row.data)
        #expect(service.statusSocket == row.socket)
        #expect(service.configurationFile == row.configuration)
    }

    struct Status: Sendable {
        var body: String
        var version: String?
    }

    @Test(
        "only a version of k0s is taken from a status",
        arguments: [
            Status(
                body: #"{"Version":"v1.36.3+k0s.2","Pid":7,"Role":"controller"}"#, version: "v1.36.3+k0s.2"),
            Status(body: #"{"Version":"v1.36.3"}"#), Status(body: #"{"Version":"v1.31.4+k3s1"}"#),
            Status(body: #"{"Version":7}"#), Status(body: "{}"), Status(body: "not JSON"), Status(body: ""),
        ])
    func status(_ row: Status) {
        #expect(k0sVersion(inStatus: Array(row.body.utf8))?.description == row.version)
    }

    @Test(
        "only a loopback is this machine",
        arguments: [
            ("https://127.0.0.1:6443", true), ("https://localhost:6443", true),
            ("https://[::1]:6443/x", true),
            ("https://10.0.0.1:6443", false), ("https://localhost.evil:6443", false), ("https://kube", false),
            ("", false),
            ("127.0.0.1", false), ("https://[::1", true), ("https://127.evil.example", false),
        ])
    func loopback(server: String, expected: Bool) { #expect(namesThisMachine(server) == expected) }
}
