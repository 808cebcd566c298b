public import Host
import Kubernetes
public import Model
public import Ports
import Web

/// The cluster of a node, by its API server: plans, the labels that keep them away, and Events of the Node.
///
/// Our Node is the one of the kubelet's name whose machine id is ours; where there is none of that name, the only one with
/// our machine id. One of our name that is another machine is never touched: its kubeconfig is of another cluster.
public final class NodeCluster: ClusterPort, SettingPort {
    private let root: Root
    /// Milliseconds that one look may take, and what comes after it.
    private let patience: Int
    private var session: ClusterSession?
    /// What is left for labels and events.
    private var budget: Int

    /// Makes the port of a node.
    ///
    /// - Parameter patience: milliseconds that a look may take in all, and again what is done after it.
    public init(root: Root, patience: Int = 2000) {
        self.root = root
        self.patience = patience
        budget = patience
    }

    // MARK: Looking

    /// Asks for our Node, for the controller's plans, and of a k0s cluster for autopilot's.
    public func look(through access: ClusterAccess) throws(ClusterFailure) -> ClusterObservation {
        let deadline = Deadline(afterMilliseconds: patience)
        let client = try client(access)
        return try failing { () throws(KubernetesError) in
            let node = try ourNode(access, client, deadline)
            let plans = try orNone {
                () throws(KubernetesError) in
                try client.list("/apis/upgrade.cattle.io/v1/plans", of: PlanObject.self, within: deadline)
            }
            var autopilot: Autopilot?
            if access.distribution == .k0s {
                autopilot = try look(forAutopilot: client, node?.name ?? nodeName(access), deadline)
            }
            let planLabels = (node?.labels ?? [:]).filter { $0.key.hasPrefix(ClusterNode.planLabelPrefix) }
            return ClusterObservation(
                node: node.map {
                    ClusterNode(
                        name: $0.name,
                        planLabels: Dictionary(
                            planLabels.map {
                                (String($0.key.dropFirst(ClusterNode.planLabelPrefix.count)), $0.value)
                            }, uniquingKeysWith: { first, _ in first }))
                },
                plans: plans.map { $0.plan(for: node.map { ($0.name, $0.labels) }) }
                    .sorted { $0.path < $1.path },
                autopilot: autopilot)
        }
    }

    private func look(
        forAutopilot client: KubernetesClient, _ node: String, _ deadline: Deadline
    ) throws(KubernetesError) -> Autopilot? {
        let group = "/apis/autopilot.k0sproject.io/v1beta2"
        let configs = try orNone {
            () throws(KubernetesError) in
            try client.list("\(group)/updateconfigs", of: UpdateConfigObject.self, within: deadline)
        }
        let plans = try orNone {
            () throws(KubernetesError) in
            try client.list("\(group)/plans", of: AutopilotPlanObject.self, within: deadline)
        }
        // Only the Plan of this name is acted on.
        let plan = plans.first { $0.metadata.name == "autopilot" }?.plan(for: node)
        guard !configs.isEmpty || plan != nil else { return nil }
        return Autopilot(configs: configs.map(\.config).sorted { $0.name < $1.name }, plan: plan)
    }

    /// A list, or an empty one where the cluster does not know the kind.
    private func orNone<Item>(
        _ list: () throws(KubernetesError) -> [Item]
    ) throws(KubernetesError) -> [Item] {
        do {
            return try list()
        } catch {
            guard error.isAbsence else { throw error }
            return []
        }
    }

    func ourNode(
        _ access: ClusterAccess, _ client: KubernetesClient, _ deadline: Deadline
    ) throws(KubernetesError) -> NodeObject? {
        let machine = machineID
        do {
            let node = try client.node(nodeName(access), within: deadline)
            if node.machineID.isEmpty || machine == nil || node.machineID == machine { return node }
        } catch {
            guard error.isAbsence else { throw error }
        }
        guard let machine else { return nil }
        let ours = try client.nodes(within: deadline)
            .filter { $0.machineID == machine }
        // Two of one machine id are clones, and nobody can tell which of them we are.
        return ours.count == 1 ? ours.first : nil
    }

    private func nodeName(_ access: ClusterAccess) -> String {
        access.nodeName ?? (Machine.hostName(root: root) ?? "localhost").lowercased()
    }

    var machineID: String? {
        guard let path = try? root.resolve("/etc/machine-id"), let bytes = try? readFile(path, limit: 256)
        else {
            return nil
        }
        let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        return text.isEmpty ? nil : text
    }

    // MARK: Labels

    /// Settles by what labels are set and events told from now on, with time of its own.
    public func settle(_ session: ClusterSession?) {
        self.session = session
        // A step looks many times; each look has what a tick has.
        budget = patience
    }

    /// The label of a plan, or the cordon of our Node, as it now is.
    public func read(_ setting: Setting) throws(EffectFailure) -> String? {
        if setting.kind == .cordon { return try isCordoned(setting.subject) ? Self.cordoned : nil }
        return try doing { (client, node, deadline) throws(KubernetesError) in
            try client.node(node, within: deadline).labels[ClusterNode.planLabelPrefix + setting.subject]
        }
    }

    /// Sets the label of a plan or the cordon of our Node, or takes it away.
    public func write(_ setting: Setting, _ value: String?) throws(EffectFailure) {
        if setting.kind == .cordon { return try setCordon(value != nil, of: setting.subject) }
        try doing { (client, node, deadline) throws(KubernetesError) in
            try client.setLabel(
                ClusterNode.planLabelPrefix + setting.subject, to: value, ofNode: node, within: deadline)
        }
    }

    /// A label or a cordon reads back as it was set.
    public func isSame(_ setting: Setting, reading: String?, as value: String?) -> Bool { reading == value }

    private func doing<Result>(
        _ body: (KubernetesClient, String, Deadline) throws(KubernetesError) -> Result
    ) throws(EffectFailure) -> Result {
        do {
            return try acting { (client, node, _, deadline) throws(KubernetesError) in
                guard let node else {
                    throw KubernetesError(
                        code: .kubeconfig, description: "the cluster has no Node that is this machine")
                }
                return try body(client, node, deadline)
            }
        } catch {
            throw EffectFailure(error.description)
        }
    }

    /// Does something within what is left of the time that a tick has for it.
    func acting<Result>(
        _ body: (KubernetesClient, String?, ClusterAccess, Deadline) throws(KubernetesError) -> Result
    ) throws(ClusterFailure) -> Result {
        guard let session else {
            throw ClusterFailure(
                "nothing here leads to the cluster; name a kubeconfig in /etc/holdfast/node.yaml")
        }
        if let silence = session.silence { throw ClusterFailure(silence) }
        guard budget > 0 else {
            throw ClusterFailure("the cluster took too long; what is left is done by a later tick")
        }
        let client = try client(session.access)
        let deadline = Deadline(afterMilliseconds: budget)
        // A cluster that hung once took all there is, whatever a rounded wait has left of it.
        defer { budget = deadline.millisecondsLeft < 5 ? 0 : deadline.millisecondsLeft }
        return try failing { () throws(KubernetesError) in
            try body(client, session.node, session.access, deadline)
        }
    }

    // MARK: Events

    /// Creates an Event of our Node for each, as its kubelet does.
    ///
    /// Where no way leads to the cluster, or it was found silent, there is nobody to tell.
    public func tell(_ events: [NodeEvent]) throws(ClusterFailure) {
        guard let session, session.silence == nil else { return }
        try acting { (client, node, access, deadline) throws(KubernetesError) in
            var name = node
            if name == nil { name = try ourNode(access, client, deadline)?.name }
            // A controller without workloads has no Node that could be told of.
            guard let name else { return }
            for event in events {
                do throws(KubernetesError) {
                    try client.create(
                        "/api/v1/namespaces/default/events", EventObject(event, node: name), within: deadline)
                } catch {
                    guard error.isAlreadyThere else { throw error }
                }
            }
        }
    }

    // MARK: The kubeconfig

    func client(_ access: ClusterAccess) throws(ClusterFailure) -> KubernetesClient {
        let path = access.kubeconfig
        do {
            let bytes = try readFile(root.resolve(path), limit: Kubeconfig.maximumBytes)
            let root = root
            return KubernetesClient(
                try Kubeconfig(bytes, path: path) { name in
                    try readFile(root.resolve(name), limit: Kubeconfig.maximumBytes)
                })
        } catch let error as KubernetesError {
            throw ClusterFailure(error.description)
        } catch let error as HostError {
            throw ClusterFailure(
                error.isAbsence
                    ? "\(path): there is no kubeconfig; write one there, or name another in /etc/holdfast/node.yaml"
                    : error.description)
        } catch {
            throw ClusterFailure("\(path): it cannot be read")
        }
    }

    func failing<Result>(
        _ body: () throws(KubernetesError) -> Result
    ) throws(ClusterFailure) -> Result {
        do {
            return try body()
        } catch {
            throw ClusterFailure(error.description, isForbidden: error.isForbidden)
        }
    }
}
