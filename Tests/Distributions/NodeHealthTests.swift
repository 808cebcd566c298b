import Distributions
import Host
import KubernetesServer
import Model
import Ports
import ScriptedServer
import Testing

@Suite("How a step asks a node whether it is well")
struct NodeHealthTests {
    private static let units = "etc/systemd/system"
    private static let own = "\(units)/k3s.service"
    private static let other = "\(units)/other.service"

    /// A node that is well by its API server.
    private func node() throws -> StepNode {
        let node = try StepNode()
        node.putNode("edge-1")
        try node.directory.write(
            "[Service]\nExecStart=/usr/local/bin/k3s server --write-kubeconfig /etc/kubeconfig\n",
            to: Self.own)
        try node.directory.write("[Service]\nExecStart=/bin/true\n", to: Self.other)
        return node
    }

    private func ask(_ check: HealthPolicy.Check, _ node: StepNode) -> HealthAnswer {
        let root = Root(node.directory.path)
        return NodeHealth(site: Site(root: root, units: UnitFiles(root: root)))
            .ask(check, of: node.installation(), patience: TimeSpan(seconds: 5))
    }

    @Test(
        "a unit file of another service that the kernel does not give says nothing of the node",
        arguments: [HealthPolicy.Check.readyz, .nodeReady])
    func another(check: HealthPolicy.Check) throws {
        let node = try node()
        #expect(ask(check, node) == .well, "what this test rests on")
        let lease = try LeasedFile("\(node.directory.path)/\(Self.other)")
        withExtendedLifetime(lease) { #expect(ask(check, node) == .well) }
    }

    @Test("its own unit file that the kernel does not give is the reason, and not a missing kubeconfig")
    func own() throws {
        let node = try node()
        let lease = try LeasedFile("\(node.directory.path)/\(Self.own)")
        withExtendedLifetime(lease) {
            guard case .unknown(let reason) = ask(.readyz, node) else {
                Issue.record("it is known without its unit")
                return
            }
            #expect(reason.contains(Self.own) && !reason.contains("kubeconfig"))
        }
        try node.directory.write("[Service]\nExecStart=/bin/true\n", to: Self.own)
        #expect(
            ask(.readyz, node)
                == .unknown(
                    "whether the API server is ready (readyz) cannot be asked: there is no kubeconfig of this node to ask with"
                ))
    }
}
