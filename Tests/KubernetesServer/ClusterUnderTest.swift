import FoundationEssentials
import Glibc

/// The kubeconfig of a real API server that tests are pointed at (HOLDFAST_TEST_KUBECONFIG); nil for the stand-in.
public var realKubeconfig: String? { getenv("HOLDFAST_TEST_KUBECONFIG").map { String(cString: $0) } }

extension KubernetesServer {
    /// A kubeconfig that leads here.
    ///
    /// - Parameter directory: with `ca.crt`, and `client.crt` and its key where no token is given; nil for plain HTTP.
    public func kubeconfig(certificates directory: String? = nil, token: String? = nil) -> String {
        let scheme = directory == nil ? "http" : "https"
        let authority = directory.map { "\n    certificate-authority: \($0)/ca.crt" } ?? ""
        var user = " {}"
        if let token {
            user = "\n    token: \(token)"
        } else if let directory {
            user =
                "\n    client-certificate: \(directory)/client.crt\n    client-key: \(directory)/client.key"
        }
        return """
            apiVersion: v1
            kind: Config
            current-context: c
            contexts: [{name: c, context: {cluster: c, user: u}}]
            clusters:
            - name: c
              cluster:
                server: \(scheme)://127.0.0.1:\(port)\(authority)
            users:
            - name: u
              user:\(user)

            """
    }
}
