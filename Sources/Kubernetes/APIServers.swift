public import Web

/// Where an API server of the cluster listens, besides the one that the kubeconfig leads to.
public struct APIServerEndpoint: Hashable, Sendable {
    /// `10.0.0.1`, or an IPv6 address without brackets.
    public var address: String
    /// Its port.
    public var port: Int

    /// `10.0.0.1:6443`.
    public var authority: String { address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)" }
}

extension KubernetesClient {
    /// The API servers of the cluster: each keeps itself among the endpoints of the Service `kubernetes`, in order.
    public func apiServers(within deadline: Deadline) throws(KubernetesError) -> [APIServerEndpoint] {
        struct Slice: Decodable {
            struct Endpoint: Decodable { var addresses: [String]? }
            struct Port: Decodable {
                var name: String?
                var port: Int?
            }
            var endpoints: [Endpoint]?
            var ports: [Port]?
        }
        let slices = try list(
            "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
            selector: "kubernetes.io/service-name=kubernetes", of: Slice.self, within: deadline)
        var found: Set<APIServerEndpoint> = []
        for slice in slices {
            guard let port = (slice.ports ?? []).first(where: { $0.name == "https" || $0.name == nil })?.port,
                (1...65_535).contains(port)
            else { continue }
            for address in (slice.endpoints ?? []).flatMap({ $0.addresses ?? [] }) where isAddress(address) {
                found.insert(APIServerEndpoint(address: address, port: port))
            }
        }
        return found.sorted { $0.authority < $1.authority }
    }

    /// The same credentials before another API server of the same cluster, which has to prove that it is one of it.
    public func at(_ endpoint: APIServerEndpoint) -> KubernetesClient {
        var other = kubeconfig
        let scheme = kubeconfig.server.prefix { $0 != ":" }
        other.server = "\(scheme)://\(endpoint.authority)"
        return KubernetesClient(other)
    }

    /// The wanted metrics of this API server.
    ///
    /// - Parameter limit: in bytes; a large cluster's come to some tens of megabytes, none of which is kept.
    public func metrics(
        within deadline: Deadline, limit: Int = 256 << 20
    ) throws(KubernetesError) -> MetricsReader {
        let left = deadline.millisecondsLeft
        let client = HTTPClient(
            .origin(kubeconfig.server), tls: kubeconfig.tls, timeoutMilliseconds: max(1, left),
            connectTimeoutMilliseconds: max(1, left), maximumBodyBytes: limit)
        var reader = MetricsReader()
        let response: HTTPResponse
        do {
            response = try client.stream(
                HTTPRequest(
                    .get, "/metrics", headers: [HTTPHeader("Accept", "text/plain")],
                    bearerToken: kubeconfig.token)
            ) { reader.take($0) }
        } catch {
            throw KubernetesError(
                code: .transport(error.code), description: "API server \(error.description)")
        }
        guard response.status == 200 else {
            let isForbidden = response.status == 401 || response.status == 403
            throw KubernetesError(
                code: isForbidden ? .unauthorised : .answer(status: response.status),
                description: "the API server answers /metrics with \(response.status)"
                    + (isForbidden
                        ? "; give its user the rights that README.md in /usr/share/holdfast/kubernetes (or below /usr/local) lists"
                        : ""))
        }
        reader.finish()
        return reader
    }
}

/// Whether a text is an address and nothing else: it becomes part of a URL.
private func isAddress(_ text: String) -> Bool {
    (2...45).contains(text.utf8.count)
        && text.utf8.allSatisfy {
            (48...57).contains($0) || (97...102).contains($0) || (65...70).contains($0)
                || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":")
        }
}
