import Host
import Kubernetes
public import Model
public import Ports
import Web

extension StepCluster {
    /// The control plane of this cluster: its Nodes, what each API server answers, and who votes.
    public func controlPlane(
        of installation: Installation, through access: ClusterAccess
    ) throws(ClusterFailure) -> ControlPlane {
        try asking(access) { (client, deadline) throws(KubernetesError) in
            let nodes = try client.nodes(within: deadline)
            let own = try cluster.ourNode(access, client, deadline)?.name
            var look = ControlPlaneLook(nodes: nodes, own: own)
            switch installation.id.distribution {
            case .k3s: look.takeK3s(hasEtcd: installation.dataStore == .etcd)
            case .microk8s: look.takeMicroK8s(DqliteMembers.read(root))
            case .k0s:
                look.takeK0s(
                    etcd: installation.dataStore == .etcd
                        ? etcdMembers(of: installation, within: part(of: deadline)) : nil,
                    controllers: try controllers(client, deadline))
            }
            let servers = try client.apiServers(within: deadline)
            look.take(servers.map { answer(of: $0, client, deadline) })
            return look.controlPlane
        }
    }

    private func answer(
        of endpoint: APIServerEndpoint, _ client: KubernetesClient, _ deadline: Deadline
    ) -> APIServerAnswer {
        let part = part(of: deadline)
        do throws(KubernetesError) {
            let server = client.at(endpoint)
            guard try server.isReady(timeoutMilliseconds: part.millisecondsLeft) else {
                return APIServerAnswer(address: endpoint.address, isReady: false)
            }
            return APIServerAnswer(
                address: endpoint.address, isReady: true,
                version: Version(try server.version(timeoutMilliseconds: part.millisecondsLeft)))
        } catch {
            // One that cannot prove itself, or does not take us, may be well: nobody knows.
            let isKnown: Bool
            switch error.code {
            case .transport(.refused), .transport(.timeout), .transport(.interrupted): isKnown = true
            default: isKnown = false
            }
            return APIServerAnswer(
                address: endpoint.address, isReady: isKnown ? false : nil, trouble: error.description)
        }
    }

    /// k0s's controllers as its autopilot knows them: one without workloads has no Node.
    private func controllers(
        _ client: KubernetesClient, _ deadline: Deadline
    ) throws(KubernetesError) -> [K0sController]? {
        do {
            return try client.list(
                "/apis/autopilot.k0sproject.io/v1beta2/controlnodes", of: K0sController.self, within: deadline
            )
        } catch {
            guard error.isAbsence || error.isForbidden else { throw error }
            return nil
        }
    }
}

/// What one API server answered.
struct APIServerAnswer: Hashable {
    var address: String
    /// Nil where nobody can tell.
    var isReady: Bool?
    var version: Version?
    var trouble: String?
}

/// A ControlNode of k0s's autopilot (autopilot.k0sproject.io/v1beta2).
struct K0sController: Decodable, Hashable {
    var name: String
    var addresses: [String]
    var version: String?

    init(name: String, addresses: [String], version: String?) {
        self.name = name
        self.addresses = addresses
        self.version = version
    }

    init(from decoder: any Decoder) throws {
        struct Object: Decodable {
            struct Metadata: Decodable { var name: String }
            struct Status: Decodable {
                struct Address: Decodable { var address: String }
                var addresses: [Address]?
                var k0sVersion: String?
            }
            var metadata: Metadata
            var status: Status?
        }
        let object = try Object(from: decoder)
        name = object.metadata.name
        addresses = (object.status?.addresses ?? []).map(\.address)
        version = object.status?.k0sVersion
    }
}

/// Puts together what is known of a control plane; pure.
struct ControlPlaneLook {
    private struct Entry {
        var member: ControlPlaneMember
        var addresses: Set<String>
        /// Whether an API server belongs to it; etcd alone may run there.
        var hasAPI = true
    }

    private let nodes: [NodeObject]
    private let own: String?
    private var entries: [Entry] = []
    private var gaps: [String] = []
    private var mayHaveOthers = false

    init(nodes: [NodeObject], own: String?) {
        self.nodes = nodes
        self.own = own
    }

    private func entry(_ node: NodeObject, hasAPI: Bool = true) -> Entry {
        var member = ControlPlaneMember(name: node.name, isOwn: node.name == own)
        member.isReady = node.condition("Ready")
        member.isCordoned = node.isCordoned
        member.kubelet = Version(node.kubeletVersion)
        return Entry(member: member, addresses: Set(node.addresses), hasAPI: hasAPI)
    }

    private static func isControlPlane(_ node: NodeObject) -> Bool {
        node.labels["node-role.kubernetes.io/control-plane"] != nil
            || node.labels["node-role.kubernetes.io/master"] != nil
    }

    /// K3s labels its servers, and says of each member of its etcd on the Node itself whether it votes.
    mutating func takeK3s(hasEtcd: Bool) {
        for node in nodes {
            let isEtcd = node.labels["node-role.kubernetes.io/etcd"] != nil
            let hasAPI = Self.isControlPlane(node)
            guard hasAPI || (isEtcd && hasEtcd) else { continue }
            var entry = entry(node, hasAPI: hasAPI)
            if hasEtcd {
                entry.member.votes = isEtcd ? node.condition("EtcdIsVoter") : nil
                entry.member.keepsState = isEtcd
            }
            entries.append(entry)
        }
    }

    /// MicroK8s labels its Nodes; who votes stands in the files of dqlite, by address.
    mutating func takeMicroK8s(_ dqlite: DqliteMembers?) {
        for node in nodes
        where node.labels["node.kubernetes.io/microk8s-controlplane"] != nil || Self.isControlPlane(node) {
            var entry = entry(node)
            entry.member.votes = dqlite?.members.first { entry.addresses.contains($0.host) }?.isVoter
            entries.append(entry)
        }
        guard let dqlite else {
            gaps.append("dqlite's files do not tell who its members are")
            return
        }
        let known = entries.reduce(into: Set<String>()) { $0.formUnion($1.addresses) }
        for member in dqlite.members where !known.contains(member.host) && !member.isLocal {
            gaps.append("dqlite has a member at \(member.host) that is no Node of the control plane")
            mayHaveOthers = true
        }
    }

    /// k0s's controllers: of those without workloads only etcd and autopilot tell.
    mutating func takeK0s(etcd: EtcdMembers.Finding?, controllers: [K0sController]?) {
        for node in nodes where Self.isControlPlane(node) { entries.append(entry(node)) }
        for controller in controllers ?? [] {
            let index = index(of: controller.name)
            entries[index].addresses.formUnion(controller.addresses)
            entries[index].member.running = controller.version.flatMap { Version($0) }
        }
        switch etcd {
        case .members(let members, let own)?:
            for member in members {
                guard !member.name.isEmpty else {
                    gaps.append(
                        "a member of etcd (\(member.hosts.joined(separator: ", "))) has not started yet")
                    mayHaveOthers = true
                    continue
                }
                let index = index(of: member.name)
                entries[index].addresses.formUnion(member.hosts)
                entries[index].member.votes = !member.isLearner
                if member.id == own { entries[index].member.isOwn = true }
            }
        case .unknown(let reason)?: gaps.append(reason)
        case nil:
            guard controllers == nil else { break }
            gaps.append(
                "autopilot, which knows controllers without workloads, is disabled or not for us to ask")
            mayHaveOthers = true
        }
    }

    private mutating func index(of name: String) -> Int {
        if let index = entries.firstIndex(where: { $0.member.name == name }) { return index }
        entries.append(Entry(member: ControlPlaneMember(name: name, isOwn: name == own), addresses: []))
        return entries.count - 1
    }

    /// Takes in what the API servers answered, each by its address.
    mutating func take(_ answers: [APIServerAnswer]) {
        for answer in answers {
            if let trouble = answer.trouble { gaps.append(trouble) }
            guard let index = entries.firstIndex(where: { $0.addresses.contains(answer.address) }) else {
                // A cluster of one may advertise an address that its Node does not have.
                if entries.count == 1, answers.count == 1 {
                    take(answer, at: 0)
                } else {
                    gaps.append("an API server answers at \(answer.address), and no member is known there")
                    mayHaveOthers = true
                }
                continue
            }
            take(answer, at: index)
        }
        for index in entries.indices where !entries[index].hasAPI {
            // etcd alone: that its Node is Ready is what can be had.
            entries[index].member.answers = entries[index].member.isReady
        }
    }

    private mutating func take(_ answer: APIServerAnswer, at index: Int) {
        entries[index].member.answers = answer.isReady
        // k0s builds its API server as a version that names no release of k0s.
        if let version = answer.version, entries[index].member.running == nil, !version.build.hasPrefix("k0s")
        {
            entries[index].member.running = version
        }
    }

    var controlPlane: ControlPlane {
        ControlPlane(
            members: entries.map(\.member).sorted { $0.name < $1.name }, gaps: gaps,
            mayHaveOthers: mayHaveOthers)
    }
}
