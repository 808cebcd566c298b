public import ScriptedServer
import Synchronization

/// A stand-in for an API server that behaves as a recorded kube-apiserver 1.36 does: resourceVersions and their
/// conflicts, lists in pages, Status errors, credentials.
///
/// An object that is changed without a resourceVersion is a fault of the program under test, whatever the real server
/// makes of it (for a ConfigMap: the last write wins): `onFault` is called with it.
public final class KubernetesServer: Sendable {
    /// Who may ask.
    public enum Access: Sendable {
        /// Anybody.
        case open
        /// Who shows a client certificate, or one of these tokens.
        case credentials(tokens: Set<String>)
    }

    struct State {
        var objects: [String: AnyJSON] = [:]
        var revision = 400
        /// `VERB path`, by a prefix: refused as RBAC does.
        var forbidden: [String] = []
        /// What is said in place of an answer.
        var fault: (@Sendable (ScriptedServer.Received) -> [ScriptedServer.Step]?)?
        /// Somebody else's work, between a request and its answer.
        var meanwhile: (@Sendable (ScriptedServer.Received, KubernetesServer) -> Void)?
        /// How often a disruption budget still keeps a Pod, by its path.
        var disruptions: [String: Int] = [:]
        /// What `/metrics` says; nil where it is not served.
        var metrics: String?
        /// What `/readyz` says.
        var isReady = true
    }

    let state = Mutex(State())
    private let access: Access
    private let onFault: @Sendable (String) -> Void
    private let listener = Mutex<ScriptedServer?>(nil)

    /// The lists that are served; whatever is asked for elsewhere is not known to the cluster.
    static let kinds: [String: String] = [
        "nodes": "Node", "configmaps": "ConfigMap", "namespaces": "Namespace", "events": "Event",
        "leases": "Lease", "plans": "Plan", "updateconfigs": "UpdateConfig", "pods": "Pod",
        "endpointslices": "EndpointSlice", "controlnodes": "ControlNode",
    ]
    private let groups: Set<String>

    /// Begins to listen on 127.0.0.1.
    ///
    /// - Parameters:
    ///   - groups: what is served besides the core: `upgrade.cattle.io/v1`.
    ///   - onFault: called on the server's thread.
    public init(
        tls: ServerIdentity? = nil, access: Access = .open,
        groups: Set<String> = ["coordination.k8s.io/v1", "upgrade.cattle.io/v1"],
        onFault: @escaping @Sendable (String) -> Void
    ) throws {
        self.access = access
        self.groups = groups
        self.onFault = onFault
        let server = try ScriptedServer.tcp(tls: tls) { [weak self] request, _ in
            guard let self else { return [.reset] }
            return self.answer(request)
        }
        listener.withLock { $0 = server }
    }

    deinit { stop() }

    /// Stops listening.
    public func stop() { listener.withLock { $0 }?.stop() }

    /// Where it listens.
    public var port: Int { listener.withLock { $0?.port ?? 0 } }

    /// Every request so far: `GET /api/v1/nodes/edge-1`.
    public var requests: [String] {
        listener.withLock { $0?.received ?? [] }.map { "\($0.method) \($0.target)" }
    }

    // MARK: What stands there

    /// Puts an object there, as somebody else.
    public func put(_ path: String, _ object: AnyJSON) {
        state.withLock { state in
            state.revision += 1
            state.objects[path] = Self.stamped(
                object, at: path, revision: state.revision, old: state.objects[path])
        }
    }

    /// Changes an object, as somebody else.
    public func change(_ path: String, _ patch: AnyJSON) {
        guard let object = object(path) else { return }
        put(path, object.merged(with: patch))
    }

    /// Takes an object away, as somebody else.
    public func remove(_ path: String) { state.withLock { $0.objects[path] = nil } }

    /// An object as it now is.
    public func object(_ path: String) -> AnyJSON? { state.withLock { $0.objects[path] } }

    /// The objects below a path.
    public func objects(below path: String) -> [AnyJSON] {
        state.withLock { state in
            state.objects.filter { $0.key.hasPrefix(path + "/") }.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// Refuses what begins so, `PATCH /api/v1/nodes`, as for a user without that right.
    public func forbid(_ requests: String...) { state.withLock { $0.forbidden += requests } }

    /// Says something else than an answer from now on; nil for whatever is to be answered all the same.
    public func disturb(_ fault: (@Sendable (ScriptedServer.Received) -> [ScriptedServer.Step]?)?) {
        state.withLock { $0.fault = fault }
    }

    /// Has somebody else do something before a request is answered.
    public func meanwhile(_ work: (@Sendable (ScriptedServer.Received, KubernetesServer) -> Void)?) {
        state.withLock { $0.meanwhile = work }
    }

    // MARK: Answers

    private func answer(_ request: ScriptedServer.Received) -> [ScriptedServer.Step] {
        let (fault, meanwhile) = state.withLock { ($0.fault, $0.meanwhile) }
        if let steps = fault?(request) { return steps }
        meanwhile?(request, self)
        let reply = refusal(of: request) ?? reply(to: request)
        return [
            .answer(
                reply.text.map { Array($0.utf8) } ?? reply.body.bytes, status: "\(reply.status) -",
                type: reply.text == nil ? "application/json" : "text/plain; charset=utf-8")
        ]
    }

    private func refusal(of request: ScriptedServer.Received) -> Reply? {
        let line = "\(request.method) \(request.target)"
        let path = String(request.target.prefix { $0 != "?" })
        let name = Place(path, groups: groups)?.list ?? "resource"
        if case .credentials(let tokens) = access {
            let bearer = request.header("authorization")
            if let bearer {
                guard bearer.hasPrefix("Bearer "), tokens.contains(String(bearer.dropFirst(7))) else {
                    return .failure(401, "Unauthorized", "Unauthorized")
                }
            } else if request.peer == nil {
                return .forbidden(user: "system:anonymous", list: name)
            }
        }
        let isForbidden = state.withLock { $0.forbidden.contains { line.hasPrefix($0) } }
        return isForbidden ? .forbidden(user: "holdfast", list: name) : nil
    }

    private func reply(to request: ScriptedServer.Received) -> Reply {
        let path = String(request.target.prefix { $0 != "?" })
        switch path {
        case "/readyz" where !state.withLock(\.isReady): return Reply(status: 500, text: "[-]etcd failed")
        case "/readyz", "/livez": return Reply(status: 200, text: "ok")
        case "/metrics":
            guard let text = state.withLock(\.metrics) else { break }
            return Reply(status: 200, text: text)
        case "/version":
            return Reply(status: 200, body: ["major": "1", "minor": "36", "gitVersion": "v1.36.2"])
        default: break
        }
        if let reply = evict(path, request) { return reply }
        guard let place = Place(path, groups: groups) else {
            return Reply(status: 404, text: "404 page not found\n")
        }
        switch (request.method, place.name) {
        case ("GET", nil): return list(place, query: request.target.dropFirst(path.count + 1))
        case ("GET", _): return object(path).map { Reply(status: 200, body: $0) } ?? place.missing
        case ("POST", nil): return create(place, request)
        case ("PUT", _?): return replace(place, path, request)
        case ("PATCH", _?): return patch(place, path, request)
        case ("DELETE", _?): return delete(place, path, request)
        default: return .failure(405, "MethodNotAllowed", "the server does not allow this method")
        }
    }

    private func list(_ place: Place, query: Substring) -> Reply {
        var options: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { options[String(parts[0])] = decoded(parts[1]) }
        }
        let selector = options["labelSelector"]
        let (objects, revision) = state.withLock { state in
            let chosen = state.objects.filter {
                place.holds($0.key) && isSelected($0.value, by: selector)
                    && Self.isOnNode($0.value, options["fieldSelector"])
            }
            return (chosen.sorted { $0.key < $1.key }, state.revision)
        }
        let start = options["continue"].flatMap { Self.path(ofToken: $0) }.flatMap { path in
            objects.firstIndex { $0.key == path }.map { $0 + 1 }
        }
        if options["continue"] != nil, start == nil {
            return .failure(410, "Expired", "The provided continue parameter is too old")
        }
        let rest = objects.dropFirst(start ?? 0)
        let limit = options["limit"].flatMap { Int($0) } ?? rest.count
        var metadata: AnyJSON = ["resourceVersion": .text("\(revision)")]
        if rest.count > limit, let last = rest.prefix(limit).last {
            metadata["continue"] = .text(Self.token(after: last.key))
            metadata["remainingItemCount"] = .number(Double(rest.count - limit))
        }
        return Reply(
            status: 200,
            body: [
                "kind": .text("\(place.kind)List"), "metadata": metadata,
                "items": .list(rest.prefix(limit).map(\.value)),
            ])
    }

    private static func token(after path: String) -> String {
        // Opaque to who gets it; here what needs no encoding.
        path.utf8.map { String($0, radix: 16) }.joined(separator: "-")
    }

    private static func path(ofToken token: String) -> String? {
        let bytes = token.split(separator: "-").compactMap { UInt8($0, radix: 16) }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    private func body(_ request: ScriptedServer.Received, _ type: String) -> Result<AnyJSON, Reply> {
        guard request.header("content-type") == type, let body = try? AnyJSON(bytes: request.body) else {
            return .failure(
                .failure(
                    415, "UnsupportedMediaType",
                    "the body of the request was in an unknown format - accepted media types include: \(type)"
                ))
        }
        return .success(body)
    }

    private func create(_ place: Place, _ request: ScriptedServer.Received) -> Reply {
        let object: AnyJSON
        switch body(request, "application/json") {
        case .success(let body): object = body
        case .failure(let reply): return reply
        }
        guard let name = object.at("metadata", "name")?.text else {
            return .failure(422, "Invalid", "name or generateName is required")
        }
        let path = "\(place.collection)/\(name)"
        return state.withLock { state in
            guard state.objects[path] == nil else {
                return .failure(409, "AlreadyExists", "\(place.list) \"\(name)\" already exists")
            }
            state.revision += 1
            let made = Self.stamped(object, at: path, revision: state.revision, old: nil)
            state.objects[path] = made
            return Reply(status: 201, body: made)
        }
    }

    private func replace(_ place: Place, _ path: String, _ request: ScriptedServer.Received) -> Reply {
        switch body(request, "application/json") {
        case .success(let object): return update(place, path, to: { _ in object }, given: object, request)
        case .failure(let reply): return reply
        }
    }

    private func patch(_ place: Place, _ path: String, _ request: ScriptedServer.Received) -> Reply {
        switch body(request, "application/merge-patch+json") {
        case .success(let patch):
            return update(place, path, to: { $0.merged(with: patch) }, given: patch, request)
        case .failure(let reply): return reply
        }
    }

    private func delete(_ place: Place, _ path: String, _ request: ScriptedServer.Received) -> Reply {
        let options = try? AnyJSON(bytes: request.body)
        return state.withLock { state in
            guard let old = state.objects[path] else { return place.missing }
            if let wanted = options?.at("preconditions", "resourceVersion"),
                wanted != old.at("metadata", "resourceVersion")
            {
                return .failure(409, "Conflict", "the ResourceVersion in the precondition does not match")
            }
            state.objects[path] = nil
            return Reply(status: 200, body: ["kind": "Status", "status": "Success"])
        }
    }

    private func update(
        _ place: Place, _ path: String, to change: (AnyJSON) -> AnyJSON, given: AnyJSON,
        _ request: ScriptedServer.Received
    ) -> Reply {
        // Zero is none.
        let revision = given.at("metadata", "resourceVersion")?.text.flatMap { Int($0) == 0 ? nil : $0 }
        if revision == nil {
            onFault("\(request.method) \(path) without a resourceVersion")
            if request.method == "PUT", place.list == "leases" {
                return .failure(
                    422, "Invalid",
                    "\(place.qualified) \"\(place.name ?? "")\" is invalid: metadata.resourceVersion: Invalid value: 0: "
                        + "must be specified for an update")
            }
        }
        return state.withLock { state in
            guard let old = state.objects[path] else { return place.missing }
            if let revision, revision != old.at("metadata", "resourceVersion")?.text {
                return .failure(
                    409, "Conflict",
                    "Operation cannot be fulfilled on \(place.qualified) \"\(place.name ?? "")\": the object has been "
                        + "modified; please apply your changes to the latest version and try again")
            }
            let new = Self.stamped(change(old), at: path, revision: state.revision + 1, old: old)
            var unmoved = new
            unmoved["metadata"]?["resourceVersion"] = old.at("metadata", "resourceVersion")
            // What changes nothing keeps its resourceVersion.
            if unmoved == old { return Reply(status: 200, body: old) }
            state.revision += 1
            state.objects[path] = new
            return Reply(status: 200, body: new)
        }
    }

    private static func stamped(_ object: AnyJSON, at path: String, revision: Int, old: AnyJSON?) -> AnyJSON {
        var object = object
        var metadata = object["metadata"] ?? [:]
        metadata["resourceVersion"] = .text("\(revision)")
        metadata["uid"] = old?.at("metadata", "uid") ?? metadata["uid"] ?? .text("uid-of-\(path)")
        metadata["name"] = metadata["name"] ?? .text(String(path.split(separator: "/").last ?? ""))
        let parts = path.split(separator: "/")
        if let index = parts.firstIndex(of: "namespaces"), index + 2 < parts.count {
            metadata["namespace"] = .text(String(parts[index + 1]))
        }
        object["metadata"] = metadata
        return object
    }
}

/// Whether an object carries all labels of a selector; of its language, equality alone.
private func isSelected(_ object: AnyJSON, by selector: String?) -> Bool {
    (selector ?? "").split(separator: ",").allSatisfy { term in
        let parts = term.split(separator: "=", maxSplits: 1)
        return parts.count == 2
            && object.at("metadata", "labels", String(parts[0]))?.text == String(parts[1])
    }
}

/// A value of a query without its `%XX`.
private func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%"),
            let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
        {
            bytes.append(code)
            rest = rest.dropFirst(2)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
