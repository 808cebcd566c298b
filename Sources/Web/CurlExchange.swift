import CCurl

/// CURLE_TOO_LARGE by its number, which the headers name since 8.6: from then on libcurl has limits of its own, such
/// as 5000 header lines.
private let tooLarge: UInt32 = 100

/// One request over TCP, with or without TLS, by libcurl.
struct CurlExchange {
    var origin: Origin
    var client: HTTPClient

    /// Sends a request and reads the answer.
    ///
    /// Where DNS never answers it ends with the time to connect from libcurl 7.87 on, which can leave the resolver's thread
    /// behind (Debian 12 has 7.88: 1.7 s of 1.7 s were measured). An older one (Ubuntu 22.04 has 7.81) waits for that
    /// thread whatever limits it is given, 150 s where resolv.conf says so, and is given a resolver that asks each server
    /// once for 2 s. With nss-resolve nothing bounds it but the service's TimeoutStartSec.
    ///
    /// - Parameters:
    ///   - transfer: who takes the body in, however long it is; nil to have it in the answer.
    ///   - consumer: takes a bounded body as it comes in; what is returned then has none.
    func perform(
        _ request: HTTPRequest, transfer: Transfer? = nil, consumer: ((UnsafeRawBufferPointer) -> Void)? = nil
    ) throws(HTTPError) -> HTTPResponse {
        let headers = try request.checkedHeaders()
        guard origin.isEncrypted || request.bearerToken == nil else {
            throw HTTPError(
                code: .invalidRequest,
                description:
                    "\(origin.authority): a token is not sent over http://, where anybody can read it; "
                    + "use https://")
        }
        let library = try client.library()
        guard let handle = ccurl_make(library.pointer) else { throw outOfMemory }
        defer { ccurl_free(library.pointer, handle) }
        var options = Options(library: library.pointer, handle: handle, server: origin.authority)
        try setTerms(&options, isBounded: transfer == nil)
        try setTLS(&options)

        let list = try HeaderList(library: library.pointer, lines: lines(headers))
        try options.set(CURLOPT_HTTPHEADER, pointer: list.pointer)
        try options.set(CURLOPT_URL, text: origin.url(target: request.target, name: client.tls.serverName))
        try options.set(CURLOPT_CUSTOMREQUEST, text: request.method.rawValue)
        if !request.body.isEmpty || request.method != .get {
            // In this order: the size is taken by the copy.
            try options.set(CURLOPT_POSTFIELDSIZE, number: request.body.count)
            let code = request.body.withUnsafeBytes {
                ccurl_set_text(
                    library.pointer, handle, CURLOPT_COPYPOSTFIELDS,
                    $0.baseAddress?.assumingMemoryBound(to: CChar.self))
            }
            guard code == CURLE_OK else { throw outOfMemory }
            if request.body.isEmpty { try options.set(CURLOPT_POST, number: 1) }
        }
        return try run(&options, list: list, transfer: transfer, consumer)
    }

    private func lines(_ headers: [HTTPHeader]) -> [String] {
        var lines = headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        // No wait for "100 Continue": bodies are small.
        lines.append("Expect:")
        // libcurl would call a body a form.
        if !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        if client.tls.serverName != nil { lines.append("Host: \(origin.authority)") }
        return lines
    }

    private func setTerms(_ options: inout Options, isBounded: Bool) throws(HTTPError) {
        // No signal handlers, and no wait for a resolver's thread when the time is over.
        try options.set(CURLOPT_NOSIGNAL, number: 1)
        options.setIfKnown(CURLOPT_QUICK_EXIT, number: 1)
        // A transfer ends where nothing more comes, however long all of it takes.
        try options.set(CURLOPT_TIMEOUT_MS, number: isBounded ? max(1, client.timeoutMilliseconds) : 0)
        try options.set(CURLOPT_CONNECTTIMEOUT_MS, number: max(1, client.connectTimeoutMilliseconds))
        try options.set(CURLOPT_HTTP_VERSION, number: CURL_HTTP_VERSION_1_1)
        try options.set(CURLOPT_USERAGENT, text: "holdfast")
        // 7.85 took the bit masks' place by texts.
        if !options.setIfKnown(CURLOPT_PROTOCOLS_STR, text: "http,https") {
            try options.set(CURLOPT_PROTOCOLS, number: Int(CURLPROTO_HTTP | CURLPROTO_HTTPS))
        }
        let further = origin.isEncrypted ? "https" : "http,https"
        if !options.setIfKnown(CURLOPT_REDIR_PROTOCOLS_STR, text: further) {
            let mask = origin.isEncrypted ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS
            try options.set(CURLOPT_REDIR_PROTOCOLS, number: Int(mask))
        }
        try options.set(CURLOPT_FOLLOWLOCATION, number: client.maximumRedirects > 0 ? 1 : 0)
        try options.set(CURLOPT_MAXREDIRS, number: client.maximumRedirects)
        // An empty text, unlike none, keeps libcurl from reading the environment.
        if let proxy = client.proxy {
            try options.set(CURLOPT_PROXY, text: proxy)
            try options.set(CURLOPT_NOPROXY, text: "")
        } else if !client.usesEnvironmentProxies {
            try options.set(CURLOPT_PROXY, text: "")
        }
    }

    private func setTLS(_ options: inout Options) throws(HTTPError) {
        try options.set(CURLOPT_SSL_VERIFYPEER, number: 1)
        try options.set(CURLOPT_SSL_VERIFYHOST, number: 2)
        try options.set(CURLOPT_SSLVERSION, number: Int(CURL_SSLVERSION_TLSv1_2))
        switch client.tls.authorities {
        case .system:
            break
        case .file(let path):
            try options.set(CURLOPT_CAINFO, text: path)
            try options.set(CURLOPT_CAPATH, text: nil)
        case .pem(let bytes):
            try options.set(CURLOPT_CAINFO_BLOB, blob: bytes)
            // Else libcurl believes the machine's authorities as well.
            try options.set(CURLOPT_CAPATH, text: nil)
        }
        if let identity = client.tls.identity {
            try options.set(CURLOPT_SSLCERT_BLOB, blob: identity.certificate)
            try options.set(CURLOPT_SSLKEY_BLOB, blob: identity.key.bytes)
            // Without it OpenSSL asks the terminal for the passphrase of an encrypted key, and waits.
            try options.set(CURLOPT_KEYPASSWD, text: "")
        }
        if let name = client.tls.serverName {
            guard !name.isEmpty, name.utf8.allSatisfy({ isTokenByte($0) }) else {
                throw HTTPError(
                    code: .invalidRequest,
                    description: "\(origin.authority): the TLS server name is not a host name")
            }
            let list = try HeaderList(
                library: options.library, lines: ["\(name):\(origin.port):\(origin.authority)"])
            try options.set(CURLOPT_CONNECT_TO, pointer: list.pointer)
            options.keep(list)
        }
    }

    private func run(
        _ options: inout Options, list: HeaderList, transfer: Transfer?,
        _ consumer: ((UnsafeRawBufferPointer) -> Void)?
    ) throws(HTTPError) -> HTTPResponse {
        let sink = Sink(maximumBody: client.maximumBodyBytes, transfer: transfer, consumer: consumer)
        let place = Unmanaged.passUnretained(sink).toOpaque()
        try options.set(CURLOPT_WRITEDATA, pointer: place)
        try options.set(CURLOPT_HEADERDATA, pointer: place)
        try options.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, place in
            Sink.at(place)?.takeBody(bytes, size &* count) ?? 0
        }
        try options.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, place in
            Sink.at(place)?.takeHeader(bytes, size &* count) ?? 0
        }
        if transfer != nil {
            try options.setProgress(place) { place, _, _, _, _ in
                Sink.at(place)?.goesOn() == false ? 1 : 0
            }
        }
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        text.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        defer { text.deallocate() }
        try options.set(CURLOPT_ERRORBUFFER, pointer: UnsafeMutableRawPointer(text))

        let code = withExtendedLifetime((sink, list, options)) {
            ccurl_perform(options.library, options.handle)
        }
        // The buffer dies before the handle does.
        try options.set(CURLOPT_ERRORBUFFER, pointer: nil)
        if let overflow = sink.overflow {
            var error = HTTPError(code: .tooLarge, description: "\(origin.authority): \(overflow)")
            error.status = sink.begun
            throw error
        }
        if let transfer, try transfer.isLeft(sink.head, server: origin.authority, isWhole: code == CURLE_OK) {
            return sink.head
        }
        guard code == CURLE_OK else {
            var error = failure(
                code, detail: String(cString: text), explanation: ccurl_explain(options.library, code))
            // libcurl counts what it has sent, and sends nothing before the server has proven who it is.
            var sent = 0
            if ccurl_get_long(options.library, options.handle, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK {
                error.mayHaveArrived = sent > 0
            }
            error.status = sink.begun
            throw error
        }
        var status = 0
        guard ccurl_get_long(options.library, options.handle, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK
        else {
            throw outOfMemory
        }
        return HTTPResponse(status: status, headers: sink.headers, body: sink.body)
    }

    private var outOfMemory: HTTPError {
        HTTPError(code: .other, description: "\(origin.authority): there is not enough memory for a request")
    }

    private func failure(
        _ code: CURLcode, detail: String, explanation: UnsafePointer<CChar>?
    ) -> HTTPError {
        let reason = detail.isEmpty ? explanation.map { String(cString: $0) } ?? "no reason given" : detail
        let server = origin.authority
        switch code {
        case CURLE_COULDNT_CONNECT:
            return HTTPError(
                code: .refused,
                description: "\(server): no connection (\(reason)); check that the server runs")
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return HTTPError(
                code: .unreachable, description: "\(server): the name does not resolve; check it and DNS")
        case CURLE_OPERATION_TIMEDOUT:
            return HTTPError(
                code: .timeout,
                description: "\(server): no whole answer within \(client.timeoutMilliseconds) ms; "
                    + "see whether the server hangs or the way there is blocked")
        case CURLE_SSL_CERTPROBLEM:
            return HTTPError(
                code: .tls,
                description: "\(server): our own certificate or its key cannot be used; "
                    + "check that both are PEM, fit each other and have no passphrase")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CONNECT_ERROR,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
            return HTTPError(
                code: .tls,
                description: "\(server): no trusted connection (\(reason)); "
                    + "check the certificates' authority, names and dates, and this machine's clock")
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR:
            return HTTPError(
                code: .interrupted,
                description: "\(server): the connection ended before the answer (\(reason))")
        case CURLcode(rawValue: tooLarge):
            return HTTPError(
                code: .tooLarge, description: "\(server): a part of the answer is too large (\(reason))")
        case CURLE_UNSUPPORTED_PROTOCOL where origin.isEncrypted:
            return HTTPError(
                code: .protocolViolation,
                description:
                    "\(server): it redirects to something other than https://, which is not followed; "
                    + "name an address that stays encrypted")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
            CURLE_TOO_MANY_REDIRECTS:
            return HTTPError(
                code: .protocolViolation, description: "\(server): not a usable answer (\(reason))")
        default:
            return HTTPError(code: .other, description: "\(server): \(reason)")
        }
    }
}
