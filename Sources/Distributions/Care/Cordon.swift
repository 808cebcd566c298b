import Kubernetes
import Model
import Ports
import Web

extension NodeCluster {
    /// What the cordon of a Node that takes no Pods reads as.
    static let cordoned = "true"

    /// Whether our Node is cordoned, by whomever.
    func isCordoned(_ name: String) throws(EffectFailure) -> Bool {
        try onNode { (client, deadline) throws(KubernetesError) in
            let node = try client.node(name, within: deadline)
            try self.expectOwn(node)
            return node.isCordoned
        }
    }

    /// Cordons our Node, or lets it take Pods again.
    func setCordon(_ isCordoned: Bool, of name: String) throws(EffectFailure) {
        try onNode { (client, deadline) throws(KubernetesError) in
            try client.setCordon(isCordoned, ofNode: name, within: deadline) { node throws(KubernetesError) in
                try self.expectOwn(node)
            }
        }
    }

    private func onNode<Result>(
        _ body: (KubernetesClient, Deadline) throws(KubernetesError) -> Result
    ) throws(EffectFailure) -> Result {
        do {
            return try acting { (client, _, _, deadline) throws(KubernetesError) in try body(client, deadline)
            }
        } catch {
            throw EffectFailure(error.description)
        }
    }

    /// A Node of our name that is another machine is never touched.
    private func expectOwn(_ node: NodeObject) throws(KubernetesError) {
        guard let machineID, node.machineID == machineID else {
            throw KubernetesError(
                code: .kubeconfig,
                description: "the Node \(node.name) is not known to be this machine, so it is left as it is")
        }
    }
}
