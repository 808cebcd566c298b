import FoundationEssentials
public import Web
import YAML

/// What a kubeconfig's current context says: a server, and who we are to it.
///
/// The part that is understood is what the distributions write for their own administrators. What would execute a
/// program (`exec`, `auth-provider`), leave out the proof of who the server is, or act as somebody else is refused,
/// never skipped (invariant 11).
public struct Kubeconfig: Sendable {
    /// `https://HOST[:PORT][/BASE]`.
    public var server: String
    /// Whom the server has to prove to be, and our client certificate.
    public var tls: TLSSettings
    /// A bearer token, beside or in place of a client certificate.
    public var token: Secret?

    /// Makes a configuration.
    public init(server: String, tls: TLSSettings, token: Secret? = nil) {
        self.server = server
        self.tls = tls
        self.token = token
    }

    /// Bytes of a kubeconfig, and of each file that it names, that are read at most.
    public static let maximumBytes = 1 << 20

    /// Reads a kubeconfig.
    ///
    /// - Parameter path: where it was read from; relative paths in it begin at its directory.
    /// - Parameter readFile: reads a file that it names, by its absolute path, up to `maximumBytes`.
    /// - Throws: `KubernetesError` with the place in the file.
    public init(
        _ bytes: [UInt8], path: String, readFile: @escaping (String) throws -> [UInt8]
    ) throws(KubernetesError) {
        let document: YAMLNode
        do {
            document = try parseYAML(bytes, limits: YAMLLimits(bytes: Self.maximumBytes))
        } catch {
            // The parser's messages speak of shapes and never quote a value.
            throw KubernetesError(code: .kubeconfig, description: "\(path):\(error.description)")
        }
        let reader = KubeconfigReader(path: path, readFile: readFile)
        self = try reader.read(document)
    }
}

/// Goes through the tree of one kubeconfig.
private struct KubeconfigReader {
    let path: String
    let readFile: (String) throws -> [UInt8]

    func read(_ document: YAMLNode) throws(KubernetesError) -> Kubeconfig {
        guard let context = try text("current-context", in: document), !context.isEmpty else {
            throw fault(document, "no current-context is set; set one with kubectl config use-context")
        }
        let chosen = try entry("contexts", named: context, holding: "context", in: document)
        guard let clusterName = try text("cluster", in: chosen) else {
            throw fault(chosen, "the current context names no cluster")
        }
        let cluster = try entry("clusters", named: clusterName, holding: "cluster", in: document)
        var user: YAMLNode?
        if let userName = try text("user", in: chosen), !userName.isEmpty {
            user = try entry("users", named: userName, holding: "user", in: document)
        }
        return try connection(cluster: cluster, user: user)
    }

    private func connection(cluster: YAMLNode, user: YAMLNode?) throws(KubernetesError) -> Kubeconfig {
        guard let server = try text("server", in: cluster), !server.isEmpty else {
            throw fault(cluster, "the cluster has no server")
        }
        if let node = try value("proxy-url", in: cluster), !node.isEmpty {
            throw fault(node, "proxy-url is not supported; reach the API server directly")
        }
        if let node = try value("insecure-skip-tls-verify", in: cluster), node.scalar?.text != "false" {
            throw fault(
                node,
                "insecure-skip-tls-verify is refused, since anybody could answer; "
                    + "give certificate-authority-data instead")
        }
        var tls = TLSSettings()
        if let authority = try bytes("certificate-authority", in: cluster) {
            tls.authorities = .pem(authority)
        }
        if let name = try text("tls-server-name", in: cluster), !name.isEmpty { tls.serverName = name }
        guard let user else { return Kubeconfig(server: server, tls: tls) }

        for key in ["exec", "auth-provider"] {
            if let node = try value(key, in: user) {
                throw fault(
                    node,
                    "\(key) would run another program for credentials, which is never done here; "
                        + "use a client certificate or a token")
            }
        }
        for key in ["username", "password"] {
            if let node = try value(key, in: user) {
                throw fault(node, "\(key) is not supported; use a client certificate or a token")
            }
        }
        for key in ["as", "as-uid", "as-groups", "as-user-extra"] {
            if let node = try value(key, in: user) {
                throw fault(node, "\(key) is not supported; use credentials of the one who is meant")
            }
        }
        let certificate = try bytes("client-certificate", in: user)
        let key = try bytes("client-key", in: user)
        switch (certificate, key) {
        case (nil, nil): break
        case (let certificate?, let key?): tls.identity = .init(certificate: certificate, key: Secret(key))
        case (_?, nil): throw fault(user, "the user has a client certificate and no client key")
        case (nil, _?): throw fault(user, "the user has a client key and no client certificate")
        }
        return Kubeconfig(server: server, tls: tls, token: try token(of: user))
    }

    // As in client-go, a token file goes before a token: it is the one that is renewed.
    private func token(of user: YAMLNode) throws(KubernetesError) -> Secret? {
        let content: [UInt8]
        if let node = try value("tokenFile", in: user), let file = node.scalar?.text, !file.isEmpty {
            content = try read(file, named: "tokenFile", at: node)
        } else if let text = try text("token", in: user), !text.isEmpty {
            content = Array(text.utf8)
        } else {
            return nil
        }
        var trimmed = content[...]
        while let byte = trimmed.last, byte <= 32 { trimmed = trimmed.dropLast() }
        while let byte = trimmed.first, byte <= 32 { trimmed = trimmed.dropFirst() }
        return Secret(trimmed)
    }

    // MARK: The tree

    /// What stands under a key: `KEY-data` in base64, or else the file that `KEY` names.
    private func bytes(_ key: String, in mapping: YAMLNode) throws(KubernetesError) -> [UInt8]? {
        if let node = try value("\(key)-data", in: mapping), !node.isEmpty {
            guard let encoded = node.scalar?.text,
                let data = Data(base64Encoded: encoded.filter { !$0.isWhitespace }), !data.isEmpty
            else { throw fault(node, "\(key)-data is not base64") }
            return Array(data)
        }
        guard let node = try value(key, in: mapping), let file = node.scalar?.text, !file.isEmpty else {
            return nil
        }
        return try read(file, named: key, at: node)
    }

    private func read(_ file: String, named key: String, at node: YAMLNode) throws(KubernetesError) -> [UInt8]
    {
        guard !file.utf8.contains(0) else { throw fault(node, "\(key) is not a path") }
        let directory = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        let content: [UInt8]
        do {
            content = try readFile(file.hasPrefix("/") ? file : directory + file)
        } catch {
            throw fault(node, "\(key) cannot be read: \(error)")
        }
        guard !content.isEmpty else { throw fault(node, "\(key): the file is empty") }
        return content
    }

    /// The entry of a list that carries a name, and what it holds: `clusters: [{name: a, cluster: {…}}]`.
    private func entry(
        _ list: String, named name: String, holding key: String, in document: YAMLNode
    ) throws(KubernetesError) -> YAMLNode {
        guard let node = try value(list, in: document), let entries = node.sequence else {
            throw fault(document, "there is no list of \(list)")
        }
        for entry in entries where try text("name", in: entry) == name {
            guard let content = try value(key, in: entry) else {
                throw fault(entry, "there is no \(key) in it")
            }
            return content
        }
        throw fault(node, "none of the \(list) has the name that is asked for")
    }

    private func text(_ key: String, in mapping: YAMLNode) throws(KubernetesError) -> String? {
        guard let node = try value(key, in: mapping) else { return nil }
        guard let scalar = node.scalar else { throw fault(node, "\(key) is not a text") }
        return scalar.text
    }

    private func value(_ key: String, in node: YAMLNode) throws(KubernetesError) -> YAMLNode? {
        guard let pairs = node.mapping else {
            throw fault(node, "this is not a mapping; a kubeconfig has \(key) in one here")
        }
        let matches = pairs.filter { $0.key.scalar?.text == key }
        guard matches.count <= 1 else { throw fault(matches[1].key, "\(key) is there twice") }
        return matches.first?.value
    }

    /// An error at a place; the message names keys and never values, which can be credentials.
    private func fault(_ node: YAMLNode, _ message: String) -> KubernetesError {
        KubernetesError(
            code: .kubeconfig,
            description: "\(path):\(node.position.line):\(node.position.column): \(message)")
    }
}
