import FoundationEssentials
import ScriptedServer
import Synchronization

// What kube-apiserver's documentation says of evictions (concepts/scheduling-eviction/api-eviction): 201 and the Pod is
// being ended, 429 while a disruption budget keeps it, 404 where it is gone, 409 where another Pod has the name now.
extension KubernetesServer {
    /// Has a disruption budget keep a Pod so many times.
    public func keep(_ pod: String, times: Int) {
        state.withLock { $0.disruptions[pod] = times }
    }

    /// Has `/metrics` say something.
    public func serveMetrics(_ text: String?) { state.withLock { $0.metrics = text } }

    /// Has `/readyz` say whether it is ready.
    public func becomeReady(_ isReady: Bool) { state.withLock { $0.isReady = isReady } }

    /// A kubelet has ended the Pods that were evicted.
    public func endEvictedPods() {
        state.withLock { state in
            state.objects = state.objects.filter { $0.value.at("metadata", "deletionTimestamp") == nil }
        }
    }

    /// Answers an eviction; nil where it is none.
    func evict(_ path: String, _ request: ScriptedServer.Received) -> Reply? {
        guard request.method == "POST", path.hasSuffix("/eviction"), path.contains("/pods/") else {
            return nil
        }
        guard let body = try? AnyJSON(bytes: request.body), body["apiVersion"] == "policy/v1",
            body["kind"] == "Eviction"
        else { return .failure(400, "BadRequest", "the object provided is unrecognized") }
        let pod = String(path.dropLast("/eviction".count))
        let name = pod.split(separator: "/").last.map(String.init) ?? ""
        return state.withLock { state in
            guard var object = state.objects[pod] else {
                return .failure(404, "NotFound", "pods \"\(name)\" not found")
            }
            if let uid = body.at("deleteOptions", "preconditions", "uid"), uid != object.at("metadata", "uid")
            {
                return .failure(
                    409, "Conflict",
                    "Operation cannot be fulfilled on Pod \"\(name)\": Precondition failed: UID in precondition"
                )
            }
            if let times = state.disruptions[pod], times > 0 {
                state.disruptions[pod] = times - 1
                return .failure(
                    429, "TooManyRequests",
                    "Cannot evict pod as it would violate the pod's disruption budget.")
            }
            state.revision += 1
            object["metadata"]?["deletionTimestamp"] = "2026-08-31T00:00:00Z"
            state.objects[pod] = object
            return Reply(status: 201, body: ["kind": "Status", "apiVersion": "v1", "status": "Success"])
        }
    }

    /// Whether an object is on the Node that a field selector asks for, the only one that is understood here.
    static func isOnNode(_ object: AnyJSON, _ selector: String?) -> Bool {
        guard let selector else { return true }
        let parts = selector.split(separator: "=", maxSplits: 1).map(String.init)
        return parts.first == "spec.nodeName" && object.at("spec", "nodeName")?.text == parts.last
    }
}
