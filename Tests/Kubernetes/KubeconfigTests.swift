import FoundationEssentials
import Kubernetes
import Testing
import Web

private struct Missing: Error, CustomStringConvertible {
    var description: String
}

@Suite("Reading a kubeconfig")
struct KubeconfigTests {
    /// As K3s writes it, with other credentials.
    static let k3s = """
        apiVersion: v1
        clusters:
        - cluster:
            certificate-authority-data: Q0EtUEVN
            server: https://127.0.0.1:6443
          name: default
        contexts:
        - context:
            cluster: default
            user: default
          name: default
        current-context: default
        kind: Config
        preferences: {}
        users:
        - name: default
          user:
            client-certificate-data: Q0VSVC1QRU0=
            client-key-data: S0VZLVBFTQ==
        """

    static func read(_ text: String, files: [String: String] = [:]) throws -> Kubeconfig {
        try Kubeconfig(Array(text.utf8), path: "/etc/rancher/k3s/k3s.yaml") { path in
            guard let content = files[path] else {
                throw Missing(description: "\(path): no such file")
            }
            return Array(content.utf8)
        }
    }

    @Test("what K3s writes is understood: server, authority, client certificate and key")
    func embedded() throws {
        let kubeconfig = try Self.read(Self.k3s)
        #expect(kubeconfig.server == "https://127.0.0.1:6443")
        #expect(kubeconfig.tls.authorities == .pem(Array("CA-PEM".utf8)))
        #expect(kubeconfig.tls.identity?.certificate == Array("CERT-PEM".utf8))
        #expect(kubeconfig.tls.identity?.key.bytes == Array("KEY-PEM".utf8))
        #expect(kubeconfig.token == nil)
    }

    @Test("files are read, relative ones beside the kubeconfig, and a token file goes before a token")
    func files() throws {
        let text = """
            current-context: b
            contexts: [{name: a, context: {cluster: none}}, {name: b, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: {server: "https://api:16443", certificate-authority: ca.crt, tls-server-name: kubernetes}}]
            users: [{name: u, user: {tokenFile: /run/token, token: older}}]
            """
        let kubeconfig = try Self.read(
            text, files: ["/etc/rancher/k3s/ca.crt": "CA", "/run/token": " newer\\n\n"])
        #expect(kubeconfig.tls.authorities == .pem(Array("CA".utf8)))
        #expect(kubeconfig.tls.serverName == "kubernetes")
        #expect(kubeconfig.token?.bytes == Array("newer\\n".utf8))
    }

    @Test("a user is not needed, and no authority means those of the machine")
    func anonymous() throws {
        let kubeconfig = try Self.read(
            """
            {"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "c"}}],
             "clusters": [{"name": "c", "cluster": {"server": "https://api", "insecure-skip-tls-verify": false}}]}
            """)
        #expect(kubeconfig.tls == TLSSettings())
        #expect(kubeconfig.token == nil)
    }

    /// A change to the K3s file, and what the error says of it.
    struct Refusal: Sendable, CustomTestStringConvertible {
        var replace: String
        var with: String
        var says: String
        var testDescription: String { "\(replace) → \(with)" }
    }

    @Test(
        "what cannot be done safely is refused by its place; nothing is executed (invariant 11) and no value repeated (13)",
        arguments: [
            Refusal(
                replace: "    client-key-data: S0VZLVBFTQ==", with: "    exec: {command: /bin/hunter2}",
                says: "k3s.yaml:19:11: exec would run another program"),
            Refusal(
                replace: "    client-key-data: S0VZLVBFTQ==", with: "    auth-provider: {name: hunter2}",
                says: "auth-provider would run"),
            Refusal(
                replace: "    client-key-data: S0VZLVBFTQ==", with: "    password: hunter2",
                says: "password is not supported"),
            Refusal(
                replace: "    client-key-data: S0VZLVBFTQ==", with: "    as: hunter2",
                says: "as is not supported"),
            Refusal(replace: "    client-key-data: S0VZLVBFTQ==", with: "", says: "no client key"),
            Refusal(
                replace: "    client-certificate-data: Q0VSVC1QRU0=\n", with: "",
                says: "no client certificate"),
            Refusal(replace: "S0VZLVBFTQ==", with: "hunter2!", says: "client-key-data is not base64"),
            Refusal(replace: "S0VZLVBFTQ==", with: "[hunter2]", says: "client-key-data is not base64"),
            Refusal(
                replace: "client-key-data: S0VZLVBFTQ==", with: "client-key: gone",
                says: "client-key cannot be read"),
            Refusal(
                replace: "    server:", with: "    insecure-skip-tls-verify: true\n    server:",
                says: "insecure-skip-tls-verify is refused"),
            Refusal(
                replace: "    server:", with: "    insecure-skip-tls-verify: yes\n    server:",
                says: "insecure-skip-tls-verify is refused"),
            Refusal(
                replace: "    server:", with: "    proxy-url: http://u:hunter2@proxy\n    server:",
                says: "proxy-url is not supported"),
            Refusal(
                replace: "    server: https://127.0.0.1:6443\n", with: "", says: "the cluster has no server"),
            Refusal(
                replace: "    server: https://127.0.0.1:6443", with: "    server: [a]",
                says: "server is not a text"),
            Refusal(
                replace: "current-context: default", with: "current-context: other",
                says: "none of the contexts"),
            Refusal(replace: "current-context: default\n", with: "", says: "no current-context is set"),
            Refusal(
                replace: "    cluster: default", with: "    cluster: other", says: "none of the clusters"),
            Refusal(replace: "    user: default", with: "    user: other", says: "none of the users"),
            Refusal(replace: "preferences: {}", with: "users: []", says: "users is there twice"),
            Refusal(replace: "kind: Config", with: "kind: &a Config", says: "k3s.yaml:13:"),
            Refusal(replace: k3s, with: "", says: "this is not a mapping"),
            Refusal(replace: k3s, with: "- a", says: "this is not a mapping"),
            Refusal(replace: k3s, with: "token: 'hunter2", says: "k3s.yaml:1:8: the quotation mark"),
        ])
    func refusals(_ refusal: Refusal) throws {
        let text = Self.k3s.replacing(refusal.replace, with: refusal.with)
        try #require(text != Self.k3s)
        let error = try #require(throws: KubernetesError.self) { try Self.read(text) }
        #expect(error.code == .kubeconfig)
        #expect(error.description.contains(refusal.says))
        #expect(error.description.hasPrefix("/etc/rancher/k3s/k3s.yaml:"))
        #expect(!error.description.contains("hunter2"))
    }

    @Test("a kubeconfig that is printed or dumped shows neither token nor key (invariant 13)")
    func redaction() throws {
        var kubeconfig = try Self.read(Self.k3s)
        kubeconfig.token = Secret(Array("hunter2".utf8))
        var text = "\(kubeconfig) \(String(reflecting: kubeconfig))"
        dump(kubeconfig, to: &text)
        dump(
            HTTPRequest(
                .get, "/", headers: [HTTPHeader("X-Token", "hunter2")], bearerToken: kubeconfig.token),
            to: &text)
        #expect(!text.contains("hunter2"))
        // A byte array is shown as its numbers.
        #expect(!text.contains("104, 117, 110"))
        #expect(!text.contains("\(Array("KEY-PEM".utf8))"))
    }
}
