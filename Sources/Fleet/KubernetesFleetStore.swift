public import Kubernetes
public import Ports
import Web

/// A fleet in ConfigMaps of one namespace, one for each key, of the cluster itself or of a hub.
///
/// Every change names the resourceVersion that it is for: without one a ConfigMap is the last writer's.
public final class KubernetesFleetStore: FleetStore {
    public let seesOthers = true

    private let client: KubernetesClient
    private let namespace: String
    private let timeout: Int

    /// Makes a store; nothing is asked yet.
    ///
    /// - Parameter timeoutMilliseconds: for one call, all pages of a list together.
    public init(
        _ client: KubernetesClient, namespace: String = "holdfast",
        timeoutMilliseconds: Int = FleetLimits.timeoutMilliseconds
    ) {
        self.client = client
        self.namespace = namespace
        timeout = timeoutMilliseconds
    }

    public func get(_ key: FleetKey) throws(FleetFailure) -> FleetValue? {
        try FleetLimits.check(key)
        let found: FoundConfigMap
        do {
            found = try client.get(path(of: key), as: FoundConfigMap.self, within: deadline)
        } catch {
            // Only where the API itself says so: what else answers at that address knows nothing of our keys.
            if error.code == .refused(status: 404, reason: "NotFound") { return nil }
            throw failure(error, key.description, isWrite: false)
        }
        let entry = try found.entry(of: key.kind)
        guard entry.key == key else {
            throw FleetFailure(.malformed, "\(key): the API server answered with \(entry.key)")
        }
        return entry.value
    }

    public func list(_ kind: FleetKey.Kind) throws(FleetFailure) -> [FleetEntry] {
        let found: [FoundConfigMap]
        do {
            found = try client.list(
                collection, selector: "\(ConfigMapEntry.kindLabel)=\(kind.rawValue)", of: FoundConfigMap.self,
                within: deadline)
        } catch {
            throw failure(error, kind.rawValue, isWrite: false)
        }
        var entries: [FleetEntry] = []
        var budget = FleetLimits.ListBudget(kind)
        for object in found {
            let entry = try object.entry(of: kind)
            try budget.take(entry)
            entries.append(entry)
        }
        // The server's order is that of the ConfigMaps' names.
        return entries.sorted { $0.key.name.utf8.lexicographicallyPrecedes($1.key.name.utf8) }
    }

    public func create(_ key: FleetKey, _ text: String) throws(FleetFailure) -> FleetRevision {
        let object = try entry(key, text, "")
        do {
            return try client.create(collection, object, as: Written.self, within: deadline).revision
        } catch {
            if error.code == .refused(status: 404, reason: "NotFound") {
                throw FleetFailure(
                    .forbidden,
                    "\(key): there is no namespace \(namespace); make it and the rights in it with roles.yaml in "
                        + "/usr/share/holdfast/kubernetes (or below /usr/local)")
            }
            throw failure(error, key.description, isWrite: true)
        }
    }

    public func put(
        _ key: FleetKey, _ text: String, ifRevision revision: FleetRevision
    ) throws(FleetFailure) -> FleetRevision {
        let object = try entry(key, text, revision.text)
        do {
            return try client.replace(path(of: key), with: object, as: Written.self, within: deadline)
                .revision
        } catch {
            throw failure(error, key.description, isWrite: true)
        }
    }

    public func delete(_ key: FleetKey, ifRevision revision: FleetRevision) throws(FleetFailure) {
        try FleetLimits.check(key)
        do {
            try client.delete(path(of: key), resourceVersion: revision.text, within: deadline)
        } catch {
            throw failure(error, key.description, isWrite: true)
        }
    }

    // MARK: Requests

    private struct Written: Decodable {
        struct Metadata: Decodable { var resourceVersion: String }
        var metadata: Metadata
        var revision: FleetRevision { FleetRevision(metadata.resourceVersion) }
    }

    private func entry(
        _ key: FleetKey, _ text: String, _ revision: String
    ) throws(FleetFailure) -> ConfigMapEntry {
        try FleetLimits.check(key)
        try FleetLimits.check(text, for: key)
        return ConfigMapEntry(key: key, text: text, namespace: namespace, resourceVersion: revision)
    }

    private var collection: String { "/api/v1/namespaces/\(encoded(namespace))/configmaps" }
    private func path(of key: FleetKey) -> String { "\(collection)/\(ConfigMapEntry.name(of: key))" }
    private var deadline: Deadline { Deadline(afterMilliseconds: timeout) }

    // MARK: Failures

    private func failure(_ error: KubernetesError, _ what: String, isWrite: Bool) -> FleetFailure {
        FleetFailure(code(error, isWrite: isWrite), "\(what): \(error.description)")
    }

    private func code(_ error: KubernetesError, isWrite: Bool) -> FleetFailure.Code {
        switch error.code {
        case .kubeconfig, .unauthorised: return .forbidden
        case .transport(let code):
            if isWrite, error.mayHaveArrived { return .unanswered }
            switch code {
            case .noLibrary, .denied, .invalidRequest, .tls: return .forbidden
            case .tooLarge, .protocolViolation: return .malformed
            case .absent, .refused, .unreachable: return .unavailable
            case .timeout, .interrupted, .stopped, .other:
                return error.mayHaveArrived ? .unanswered : .unavailable
            }
        case .refused(let status, _), .answer(let status):
            // Made invalid before it was sent.
            if isWrite, !error.mayHaveArrived { return .malformed }
            switch status {
            case 404 where isWrite && error.code == .refused(status: 404, reason: "NotFound"):
                return .conflict
            case 409: return .conflict
            case 429: return .unavailable
            // A server that gave up waiting for etcd, and a proxy that lost its server, both say so of what may still
            // be done.
            case 408, 500...599: return isWrite ? .unanswered : .unavailable
            // Done, it seems, but not as it should have been said.
            case 200...299 where isWrite: return .unanswered
            default: return .malformed
            }
        }
    }
}
