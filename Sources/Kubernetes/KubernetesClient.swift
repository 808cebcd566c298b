import FoundationEssentials
public import Web

/// The Kubernetes API, as far as it is spoken here.
///
/// A request is one connection; several share one deadline.
public struct KubernetesClient: Sendable {
    let kubeconfig: Kubeconfig

    /// Bytes of one answer that are taken at most; a page of a list with all its managed fields is far below.
    public static let maximumAnswerBytes = 8 << 20
    /// Bytes of all pages of a list that are taken at most.
    public static let maximumListBytes = 128 << 20
    /// Objects that a page of a list is asked to hold; fewer where they turn out to be large.
    public static let pageSize = 250
    /// Pages of a list that are read at most; a longer one is an error.
    public static let mostPages = 80

    /// Makes a client; nothing is sent yet.
    public init(_ kubeconfig: Kubeconfig) { self.kubeconfig = kubeconfig }

    /// The API server's `gitVersion`: `v1.31.4+k3s1`.
    ///
    /// - Parameter timeoutMilliseconds: for the whole exchange.
    public func version(timeoutMilliseconds: Int) throws(KubernetesError) -> String {
        let response = try send(
            .get, "/version", within: Deadline(afterMilliseconds: timeoutMilliseconds))
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
        let response = try send(.get, "/readyz", within: Deadline(afterMilliseconds: timeoutMilliseconds))
        switch response.status {
        case 200: return true
        // 500 lists the checks that fail; 429 and 503 come from a server that is starting or overloaded.
        case 429, 500...599: return false
        default: throw unexpected(response, "whether it is ready")
        }
    }

    // MARK: Objects

    /// Reads an object.
    ///
    /// - Parameter path: of the object, percent-encoded.
    public func get<Object: Decodable>(
        _ path: String, as type: Object.Type, within deadline: Deadline
    ) throws(KubernetesError) -> Object {
        try decode(type, from: try send(.get, path, within: deadline), of: path)
    }

    /// Reads all objects of a list, page by page.
    ///
    /// A list that changed so much that its next page cannot be given any longer (410) is read once more from the start.
    ///
    /// - Parameters:
    ///   - path: of the list, percent-encoded; with a query, but for `limit`, `continue` and the selector.
    ///   - selector: a label selector, `holdfast/kind=node`; nil for all objects.
    public func list<Item: Decodable>(
        _ path: String, selector: String? = nil, of type: Item.Type, within deadline: Deadline
    ) throws(KubernetesError) -> [Item] {
        do {
            return try pages(path, selector, of: type, within: deadline)
        } catch {
            guard case .refused(status: 410, _) = error.code else { throw error }
            return try pages(path, selector, of: type, within: deadline)
        }
    }

    private func pages<Item: Decodable>(
        _ path: String, _ selector: String?, of type: Item.Type, within deadline: Deadline
    ) throws(KubernetesError) -> [Item] {
        let query = selector.map { "labelSelector=\(encoded($0))&" } ?? ""
        var items: [Item] = []
        var next = ""
        var size = Self.pageSize
        var bytes = 0
        for _ in 0..<Self.mostPages {
            let target =
                "\(path)\(path.contains("?") ? "&" : "?")\(query)limit=\(size)"
                + (next.isEmpty ? "" : "&continue=\(encoded(next))")
            let response: HTTPResponse
            do throws(KubernetesError) {
                response = try send(.get, target, within: deadline)
            } catch {
                guard error.code == .transport(.tooLarge), size > 1 else { throw error }
                size = max(1, size / 8)
                continue
            }
            bytes += response.body.count
            guard bytes <= Self.maximumListBytes else {
                throw KubernetesError(
                    code: .transport(.tooLarge),
                    description:
                        "the API server's list \(path) is larger than the \(Self.maximumListBytes) bytes "
                        + "that are taken")
            }
            let page = try decode(Page<Item>.self, from: response, of: path)
            // What is another object, or none, is no list without items.
            guard page.kind?.hasSuffix("List") == true else { throw unexpected(response, "what \(path) is") }
            items += page.items ?? []
            next = page.metadata?.continue ?? ""
            if next.isEmpty { return items }
        }
        throw KubernetesError(
            code: .answer(status: 200),
            description: "the API server's list \(path) goes on after \(Self.mostPages) pages, which is more "
                + "than is read")
    }

    /// Creates an object.
    ///
    /// - Parameter path: of the list that it goes into.
    public func create(
        _ path: String, _ object: some Encodable, within deadline: Deadline
    ) throws(KubernetesError) {
        try accept(
            try send(
                .post, path, type: "application/json", body: try body(of: object), within: deadline), of: path
        )
    }

    /// Creates an object, and reads what became of it.
    ///
    /// - Parameter path: of the list that it goes into.
    public func create<Object: Decodable>(
        _ path: String, _ object: some Encodable, as type: Object.Type, within deadline: Deadline
    ) throws(KubernetesError) -> Object {
        let response = try send(
            .post, path, type: "application/json", body: try body(of: object), within: deadline)
        return try decode(type, from: response, of: path)
    }

    /// Puts an object in the place of one that is still as it was read (409 where it is not), and reads what became of it.
    public func replace<Object: Decodable>(
        _ path: String, with object: some VersionedChange, as type: Object.Type, within deadline: Deadline
    ) throws(KubernetesError) -> Object {
        try requireVersion(object.resourceVersion, of: path)
        let response = try send(
            .put, path, type: "application/json", body: try body(of: object), within: deadline)
        return try decode(type, from: response, of: path)
    }

    /// Takes an object away that is still as it was read (409 where it is not).
    public func delete(
        _ path: String, resourceVersion: String, within deadline: Deadline
    ) throws(KubernetesError) {
        struct Options: Encodable {
            struct Preconditions: Encodable { var resourceVersion: String }
            var apiVersion = "v1"
            var kind = "DeleteOptions"
            var preconditions: Preconditions
        }
        try requireVersion(resourceVersion, of: path)
        // A Status, or the object where its end takes a while.
        struct Answer: Decodable { var kind: String }
        let options = Options(preconditions: .init(resourceVersion: resourceVersion))
        let response = try send(
            .delete, path, type: "application/json", body: try body(of: options), within: deadline)
        _ = try decode(Answer.self, from: response, of: path)
    }

    /// Changes an object by a merge patch (RFC 7386).
    ///
    /// - Parameter patch: holds `metadata.resourceVersion`, so that it meets the object that was read or none at all
    ///   (409): without one the last write wins, whoever wrote before.
    public func patch(
        _ path: String, _ patch: some VersionedChange, within deadline: Deadline
    ) throws(KubernetesError) {
        try requireVersion(patch.resourceVersion, of: path)
        try accept(
            try send(
                .patch, path, type: "application/merge-patch+json", body: try body(of: patch),
                within: deadline), of: path)
    }

    private func requireVersion(_ version: String, of path: String) throws(KubernetesError) {
        // The API takes zero for none, and then lets the last writer win.
        guard version.allSatisfy({ $0 == "0" }) else { return }
        throw KubernetesError(
            code: .answer(status: 200),
            description: "the API server gave \(path) no resourceVersion, so it is not changed",
            mayHaveArrived: false)
    }

    // MARK: Exchanges

    private func send(
        _ method: HTTPRequest.Method, _ target: String, type: String? = nil, body: [UInt8] = [],
        within deadline: Deadline
    ) throws(KubernetesError) -> HTTPResponse {
        let left = deadline.millisecondsLeft
        guard left > 0 else {
            throw KubernetesError(
                code: .transport(.timeout), description: "API server \(kubeconfig.server): no answer in time",
                mayHaveArrived: false)
        }
        let client = HTTPClient(
            .origin(kubeconfig.server), tls: kubeconfig.tls, timeoutMilliseconds: left,
            connectTimeoutMilliseconds: left, maximumBodyBytes: Self.maximumAnswerBytes)
        var headers = [HTTPHeader("Accept", "application/json")]
        if let type { headers.append(HTTPHeader("Content-Type", type)) }
        let response: HTTPResponse
        do {
            response = try client.send(
                HTTPRequest(method, target, headers: headers, body: body, bearerToken: kubeconfig.token))
        } catch {
            throw KubernetesError(
                code: .transport(error.code), description: "API server \(error.description)",
                mayHaveArrived: error.mayHaveArrived)
        }
        guard response.status != 401, response.status != 403 else {
            let path = target.prefix { $0 != "?" }
            let advice =
                response.status == 401
                ? "check that the kubeconfig is of this cluster and not expired"
                : "give its user the rights that README.md in /usr/share/holdfast/kubernetes (or below /usr/local) lists"
            throw KubernetesError(
                code: .unauthorised,
                description: "the API server refuses these credentials (\(response.status) for \(path)"
                    + "\(said(response).map { ": \($0.text)" } ?? "")); \(advice)")
        }
        return response
    }

    private func body(of object: some Encodable) throws(KubernetesError) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(object))
        } catch {
            throw KubernetesError(
                code: .transport(.invalidRequest), description: "what was to be sent is no JSON",
                mayHaveArrived: false)
        }
    }

    private func decode<Object: Decodable>(
        _ type: Object.Type, from response: HTTPResponse, of path: String
    ) throws(KubernetesError) -> Object {
        try accept(response, of: path)
        guard let object = try? JSONDecoder().decode(type, from: Data(response.body)) else {
            throw unexpected(response, "what \(path) is")
        }
        return object
    }

    private func accept(_ response: HTTPResponse, of path: String) throws(KubernetesError) {
        guard !(200...299).contains(response.status) else { return }
        guard let said = said(response) else { throw unexpected(response, "what \(path) is") }
        throw KubernetesError(
            code: .refused(status: response.status, reason: said.reason),
            description: "the API server refuses \(path) (\(response.status) \(said.reason)): \(said.text)")
    }

    /// What a Status says; nil where the answer is none, or repeats a credential of ours (invariant 13).
    private func said(_ response: HTTPResponse) -> (reason: String, text: String)? {
        struct Status: Decodable {
            var kind: String
            var reason: String?
            var message: String?
        }
        guard response.body.count <= 65_536,
            let status = try? JSONDecoder().decode(Status.self, from: Data(response.body)),
            status.kind == "Status"
        else { return nil }
        // By scalars, since a single character can have any number of bytes.
        let text = String((status.message ?? "").unicodeScalars.prefix(300))
        let reason = String((status.reason ?? "").unicodeScalars.prefix(64))
        if let token = kubeconfig.token, !token.bytes.isEmpty {
            let secret = String(decoding: token.bytes, as: UTF8.self)
            guard !(status.message ?? "").contains(secret), !(status.reason ?? "").contains(secret) else {
                return nil
            }
        }
        return (reason.filter { $0.isLetter }, String(text.map { isPlain($0) ? $0 : "?" }))
    }

    private func unexpected(_ response: HTTPResponse, _ what: String) -> KubernetesError {
        KubernetesError(
            code: .answer(status: response.status),
            description: "the API server did not say \(what): it answered with status \(response.status) "
                + "and \(response.body.count) bytes that are something else")
    }
}

/// One page of a list.
private struct Page<Item: Decodable>: Decodable {
    struct Metadata: Decodable { var `continue`: String? }
    var kind: String?
    var metadata: Metadata?
    var items: [Item]?
}

/// A change that names the state of the object that it is for.
public protocol VersionedChange: Encodable {
    /// What is encoded as `metadata.resourceVersion`.
    var resourceVersion: String { get }
}

/// Whether a character can be shown: no control character, and nothing that turns a line around.
private func isPlain(_ character: Character) -> Bool {
    character.unicodeScalars.allSatisfy { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
            false
        default: true
        }
    }
}

/// A text as the value of a query: all but unreserved characters by their bytes (RFC 3986, 2.3).
public func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            bytes.append(byte)
        default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
