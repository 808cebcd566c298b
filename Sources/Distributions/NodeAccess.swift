import Host
import Kubernetes
import Model
import Ports

/// How a node's own API server is asked about this node.
struct NodeAccess {
    /// The distribution's own, or that of node.yaml; nil where neither can be read.
    var kubeconfig: Kubeconfig?
    /// What the cluster calls this node, as far as the unit tells.
    var node: String
}

extension BinaryLook {
    /// How the API server is asked about an installation's node; nil where its unit is not there.
    mutating func access(to id: InstallationID) -> NodeAccess? {
        let own = Machine.hostName(root: site.root)?.lowercased() ?? "localhost"
        switch id.distribution {
        case .k3s:
            let units = services(
                named: K3sService.name, subcommands: K3sService.subcommands, ObserverMemory())
            guard let unit = units.first(where: { $0.id == id }) else { return nil }
            let service = K3sService(
                unit.program, environment: unit.environment,
                configuration: K3sAdapter().configuration(of: unit, &self))
            let path =
                service.role == .agent
                ? "\(service.dataDirectory)/agent/kubelet.kubeconfig" : service.kubeconfig
            return NodeAccess(kubeconfig: kubeconfig(path), node: service.nodeName?.lowercased() ?? own)
        case .k0s:
            let units = services(
                named: K0sService.name, subcommands: K0sService.subcommands, ObserverMemory())
            guard let unit = units.first(where: { $0.id == id }) else { return nil }
            return NodeAccess(
                kubeconfig: kubeconfig(K0sService(unit.program).kubeconfig),
                node: unit.program.arguments.value(of: "node-name")?.lowercased() ?? own)
        case .microk8s:
            return NodeAccess(
                kubeconfig: kubeconfig("\(MicroK8sData.directory)/credentials/client.config"), node: own)
        }
    }

    private func kubeconfig(_ path: String) -> Kubeconfig? {
        read(kubeconfig: path) ?? site.kubeconfig.flatMap(read(kubeconfig:))
    }
}
