/// One server, and on which terms it is asked.
///
/// A request is one connection; nothing is kept between two. Unix sockets are spoken to directly; TCP and TLS by libcurl, which is loaded with the first such request.
public struct HTTPClient: Sendable {
    /// Where the server is.
    public enum Endpoint: Hashable, Sendable {
        /// An absolute path.
        case unixSocket(path: String)
        /// `https://HOST[:PORT][/BASE]` or `http://…`, without credentials; targets are put after it.
        case origin(String)
    }

    /// Where the server is.
    public var endpoint: Endpoint
    /// For `https://` alone.
    public var tls: TLSSettings
    /// For the whole exchange, name resolution and redirects included.
    public var timeoutMilliseconds: Int
    /// Of it, for reaching the server.
    public var connectTimeoutMilliseconds: Int
    /// A larger answer is an error.
    public var maximumBodyBytes: Int
    /// How many redirects are followed; where it is 0, a redirect is an answer like any other.
    ///
    /// They lead to HTTP and HTTPS alone, from HTTPS to HTTPS alone, and a bearer token is never taken to another host.
    public var maximumRedirects: Int
    /// Whether `https_proxy` and its kin are heeded.
    public var usesEnvironmentProxies: Bool
    /// The proxy for every host, whatever the environment says: `http://HOST:PORT`; nil for none.
    public var proxy: String?

    /// Another library than `libcurl.so.4`; for tests of its absence.
    var library = CurlLibrary.standard

    /// Makes a client.
    public init(
        _ endpoint: Endpoint, tls: TLSSettings = TLSSettings(), timeoutMilliseconds: Int = 10_000,
        connectTimeoutMilliseconds: Int = 3000, maximumBodyBytes: Int = 4 << 20, maximumRedirects: Int = 0,
        usesEnvironmentProxies: Bool = false, proxy: String? = nil
    ) {
        self.endpoint = endpoint
        self.tls = tls
        self.timeoutMilliseconds = timeoutMilliseconds
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.maximumBodyBytes = maximumBodyBytes
        self.maximumRedirects = maximumRedirects
        self.usesEnvironmentProxies = usesEnvironmentProxies
        self.proxy = proxy
    }

    /// Sends a request and waits for the answer.
    ///
    /// - Returns: Whatever the server answered, an error status too.
    /// - Throws: `HTTPError` where there was no whole answer.
    public func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
        switch endpoint {
        case .unixSocket(let path):
            let exchange = UnixExchange(
                path: path, maximumBody: maximumBodyBytes, connectMilliseconds: connectTimeoutMilliseconds,
                totalMilliseconds: timeoutMilliseconds)
            return try exchange.perform(request)
        case .origin(let text):
            return try CurlExchange(origin: Origin(text), client: self).perform(request)
        }
    }

    /// Sends a request and hands the answer's body over as it comes in, so that none of it is kept.
    ///
    /// For TCP and TLS alone. The body of an error status is handed over as well; redirects are not followed.
    ///
    /// - Parameter consumer: kept no longer than the call. It escapes all the same, since `withoutActuallyEscaping` would
    ///   leave the length of this file's path in the program, which is to be the same bytes wherever it is built.
    /// - Returns: the answer without its body.
    /// - Throws: `HTTPError` where there was no whole answer, whatever was handed over until then.
    public func stream(
        _ request: HTTPRequest, to consumer: @escaping (UnsafeRawBufferPointer) -> Void
    ) throws(HTTPError) -> HTTPResponse {
        guard case .origin(let text) = endpoint, maximumRedirects == 0 else {
            throw HTTPError(
                code: .invalidRequest, description: "only an answer over TCP, without redirects, is streamed")
        }
        return try CurlExchange(origin: Origin(text), client: self).perform(request, consumer: consumer)
    }

    /// Reads a target, and reads it once more where the first try met a server that is just being restarted.
    ///
    /// - Parameter pauseMilliseconds: how long a restart is given; both tries and the pause share the time that a
    ///   single request has.
    /// - Parameter again: whether an outcome is one for which a second try is worth while.
    public func read(
        _ target: String, pauseMilliseconds: Int,
        again: (Result<HTTPResponse, HTTPError>) -> Bool
    ) throws(HTTPError) -> HTTPResponse {
        let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
        let first = attempt(target)
        guard again(first), deadline.millisecondsLeft > pauseMilliseconds else { return try first.get() }
        pause(milliseconds: pauseMilliseconds)
        var client = self
        client.timeoutMilliseconds = deadline.millisecondsLeft
        return try client.attempt(target).get()
    }

    private func attempt(_ target: String) -> Result<HTTPResponse, HTTPError> {
        do throws(HTTPError) { return .success(try send(HTTPRequest(.get, target))) } catch {
            return .failure(error)
        }
    }
}
