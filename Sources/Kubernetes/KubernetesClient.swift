import FoundationEssentials
import Web

/// The Kubernetes API, as far as it is spoken here.
public struct KubernetesClient: Sendable {
    private let kubeconfig: Kubeconfig

    /// Makes a client; nothing is sent yet.
    public init(_ kubeconfig: Kubeconfig) { self.kubeconfig = kubeconfig }

    /// The API server's `gitVersion`: `v1.31.4+k3s1`.
    ///
    /// - Parameter timeoutMilliseconds: for the whole exchange.
    public func version(timeoutMilliseconds: Int) throws(KubernetesError) -> String {
        let response = try ask("/version", timeoutMilliseconds)
        struct Answer: Decodable { var gitVersion: String }
        guard response.status == 200,
            let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)),
            (1...128).contains(answer.gitVersion.utf8.count)
        else { throw unexpected(response, "its version") }
        return answer.gitVersion
    }

    /// Whether the API server says that it is ready; false for a server that answers that it is not yet.
    ///
    /// - Parameter timeoutMilliseconds: for the whole exchange.
    public func isReady(timeoutMilliseconds: Int) throws(KubernetesError) -> Bool {
        let response = try ask("/readyz", timeoutMilliseconds)
        switch response.status {
        case 200: return true
        // 500 lists the checks that fail; 429 and 503 come from a server that is starting or overloaded.
        case 429, 500...599: return false
        default: throw unexpected(response, "whether it is ready")
        }
    }

    func ask(_ target: String, _ timeoutMilliseconds: Int) throws(KubernetesError) -> HTTPResponse {
        let client = HTTPClient(
            .origin(kubeconfig.server), tls: kubeconfig.tls, timeoutMilliseconds: timeoutMilliseconds,
            connectTimeoutMilliseconds: timeoutMilliseconds, maximumBodyBytes: 1 << 20)
        let response: HTTPResponse
        do {
            response = try client.send(
                HTTPRequest(
                    .get, target, headers: [HTTPHeader("Accept", "application/json")],
                    bearerToken: kubeconfig.token))
        } catch {
            throw KubernetesError(
                code: .transport(error.code), description: "API server \(error.description)")
        }
        guard response.status != 401, response.status != 403 else {
            throw KubernetesError(
                code: .unauthorised,
                description: "the API server refuses these credentials (\(response.status) for \(target)); "
                    + "check that the kubeconfig is of this cluster and not expired")
        }
        return response
    }

    func unexpected(_ response: HTTPResponse, _ what: String) -> KubernetesError {
        KubernetesError(
            code: .answer(status: response.status),
            description: "the API server did not say \(what): it answered with status \(response.status) "
                + "and \(response.body.count) bytes that are something else")
    }
}
