public import Host
import Kubernetes
public import Model
public import Ports
import Web

/// The cluster of a node, as far as a step asks it.
public struct StepCluster: StepClusterPort {
    let root: Root
    /// Milliseconds that one call may take in all.
    let patience: Int
    /// Milliseconds that one API server of several may take.
    let each: Int
    let cluster: NodeCluster

    /// Makes the port of a node.
    ///
    /// - Parameters:
    ///   - patience: milliseconds that one call may take in all.
    ///   - each: milliseconds that one API server or member of several may take, so that one that hangs does not take it all.
    public init(root: Root, patience: Int = 20_000, each: Int = 5000) {
        self.root = root
        self.patience = patience
        self.each = each
        cluster = NodeCluster(root: root, patience: patience)
    }

    /// By the kubelet's name, or by the machine id.
    public func nodeName(through access: ClusterAccess) throws(ClusterFailure) -> String? {
        try asking(access) { (client, deadline) throws(KubernetesError) in
            try cluster.ourNode(access, client, deadline)?.name
        }
    }

    // MARK: Draining

    /// One round over the Pods of our Node.
    public func drainOnce(through access: ClusterAccess) throws(ClusterFailure) -> DrainProgress {
        try asking(access) { (client, deadline) throws(KubernetesError) in
            guard let node = try cluster.ourNode(access, client, deadline) else {
                throw KubernetesError(
                    code: .kubeconfig, description: "the cluster has no Node that is this machine")
            }
            var progress = DrainProgress(left: 0)
            for pod in try client.pods(ofNode: node.name, within: deadline).sorted(by: { $0.path < $1.path })
            {
                switch pod.drainPod.fate {
                case .stays: continue
                case .leaves: progress.left += 1
                case .blocks(let reason):
                    progress.left += 1
                    progress.blocked.append(DrainProgress.Blocked(pod: pod.path, reason: reason))
                case .evict:
                    switch try client.evict(pod, within: deadline) {
                    case .gone: continue
                    case .evicted:
                        progress.left += 1
                        progress.evicted += 1
                    case .kept(let reason):
                        progress.left += 1
                        progress.blocked.append(DrainProgress.Blocked(pod: pod.path, reason: reason))
                    }
                }
            }
            return progress
        }
    }

    // MARK: Deprecated APIs

    /// Asks every API server that keeps itself among the endpoints of the Service `kubernetes`.
    public func deprecatedAPIs(through access: ClusterAccess) throws(ClusterFailure) -> [APIServerSample] {
        try asking(access) { (client, deadline) throws(KubernetesError) in
            try client.apiServers(within: deadline).map { endpoint in
                sample(endpoint, client, deadline)
            }
        }
    }

    private func sample(
        _ endpoint: APIServerEndpoint, _ client: KubernetesClient, _ deadline: Deadline
    ) -> APIServerSample {
        do throws(KubernetesError) {
            let metrics = try client.at(endpoint).metrics(within: part(of: deadline))
            guard let start = metrics.start, !metrics.isCut else {
                return APIServerSample(
                    address: endpoint.authority, said: nil,
                    silence: metrics.isCut
                        ? "its metrics are longer than is read" : "it does not say when its process began")
            }
            let used = metrics.deprecated.map { sample in
                DeprecatedAPI(
                    group: cut(sample.labels["group"] ?? ""), version: cut(sample.labels["version"] ?? ""),
                    resource: cut(sample.labels["resource"] ?? ""),
                    subresource: cut(sample.labels["subresource"] ?? ""),
                    removedIn: cut(sample.labels["removed_release"] ?? ""))
            }
            return APIServerSample(
                address: endpoint.authority, said: .init(start: Instant(seconds: start), used: used))
        } catch {
            return APIServerSample(address: endpoint.authority, said: nil, silence: error.description)
        }
    }

    // MARK: Exchanges

    func asking<Result>(
        _ access: ClusterAccess, _ body: (KubernetesClient, Deadline) throws(KubernetesError) -> Result
    ) throws(ClusterFailure) -> Result {
        let deadline = Deadline(afterMilliseconds: patience)
        let client = try cluster.client(access)
        return try cluster.failing { () throws(KubernetesError) in try body(client, deadline) }
    }

    /// What one of several may take of what is left.
    func part(of deadline: Deadline) -> Deadline {
        Deadline(afterMilliseconds: min(each, deadline.millisecondsLeft))
    }

    private func cut(_ text: String) -> String { text.cut(to: 128).printable }
}

extension PodObject {
    fileprivate var path: String { "\(namespace)/\(name)" }

    fileprivate var drainPod: DrainPod {
        DrainPod(
            namespace: namespace, name: name, uid: uid, phase: phase, controller: controller,
            isMirror: isMirror, isEnding: isEnding)
    }
}
