import Host
import Kubernetes
import Model

extension BinaryLook {
    /// A file of the node, read.
    struct ReadFile {
        var path: String
        var content: [UInt8]
    }

    /// No configuration comes near it.
    private static let longestConfiguration = 1 << 20

    /// Those of these files of the node that are there; one that cannot be read is a problem.
    mutating func files(_ paths: [String]) -> [ReadFile] {
        var files: [ReadFile] = []
        for path in paths where path.hasPrefix("/") {
            do {
                let place = try site.root.resolve(path)
                guard let content = try readFileIfPresent(place, limit: Self.longestConfiguration) else {
                    continue
                }
                files.append(ReadFile(path: path, content: content))
            } catch {
                problems.append(.configuration(path, error.description))
            }
        }
        return files
    }

    /// The files of a K3s configuration's directory of additions, in the order in which they apply.
    func dropIns(of file: String) -> [String] {
        guard file.hasPrefix("/"), let directory = try? site.root.resolve("\(file).d"),
            let names = try? listDirectory(directory, limit: 1000)
        else { return [] }
        return names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.map { "\(file).d/\($0)" }
    }

    /// The version that the API server of this very node says; nil where it does not in time.
    ///
    /// A kubeconfig from node.yaml may lead to a balancer, behind which another node answers: it counts only where it
    /// names this machine.
    ///
    /// - Parameter kubeconfig: the distribution's own.
    func apiVersion(kubeconfig: String) -> Version? {
        let own = read(kubeconfig: kubeconfig)
        let given = site.kubeconfig.flatMap(read).flatMap { namesThisMachine($0.server) ? $0 : nil }
        guard let configuration = own ?? given,
            let text = try? KubernetesClient(configuration).version(timeoutMilliseconds: site.patience)
        else { return nil }
        return Version(text)
    }

    func read(kubeconfig path: String) -> Kubeconfig? {
        let root = site.root
        guard path.hasPrefix("/"), let place = try? root.resolve(path),
            let bytes = try? readFileIfPresent(place, limit: Kubeconfig.maximumBytes)
        else { return nil }
        return try? Kubeconfig(bytes, path: path) { name in
            try readFile(root.resolve(name), limit: Kubeconfig.maximumBytes)
        }
    }
}

/// Whether the host of a URL is the loopback.
func namesThisMachine(_ server: String) -> Bool {
    guard let scheme = server.firstRange(of: "://") else { return false }
    let authority = server[scheme.upperBound...].prefix { $0 != "/" }
    let host: Substring
    if authority.hasPrefix("[") {
        host = authority.dropFirst().prefix { $0 != "]" }
    } else {
        host = authority.prefix { $0 != ":" }
    }
    if host == "localhost" || host == "::1" { return true }
    return host.hasPrefix("127.") && host.allSatisfy { $0 == "." || $0.isWholeNumber }
}

extension Problem {
    /// A distribution's configuration file could not be used; what it would have said counts as unsaid.
    static func configuration(_ path: String, _ reason: String) -> Problem {
        let text = reason.hasPrefix(path) ? reason : "\(path): \(reason)"
        return Problem(
            code: "configuration-unreadable", text: "\(text); role and data store may be other than shown",
            about: path)
    }
}
