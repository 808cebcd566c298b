import Agent
import CommandLine
import Host
import Ledger
import Model
import PolicyFile
import Ports
import Reports

/// `holdfast status --fleet`: every node of the fleet.
func statusFleet(_ place: Place, _ invocation: Invocation, on screen: Screen) throws(Failure) {
    let report = try place.fleetReport(try place.openFleet(), nodes: true)
    if invocation.value("output") == "json" { return try screen.json(report) }
    let text = place.text(report, on: screen)
    if !report.seesOthers {
        screen.out(
            "The embedded store sees this node alone; fleet in node.yaml names one that sees others.\n\n")
    }
    if !report.rollouts.isEmpty { screen.out(text.rollouts() + "\n") }
    screen.out(text.nodes())
}

/// `holdfast fleet join`: what another node needs to be part of this fleet.
func fleetJoin(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    screen.out(joinText(place.node, id: try? place.fleetIdentity().id))
    return .done
}

/// What a person does on another node, in order.
///
/// - Parameter id: this node's own; nil where it has none.
private func joinText(_ node: NodeFile, id: String?) -> String {
    let cluster = node.cluster
    var text = """
        On the node that joins, as root:

          1. Install Holdfast as here (its package, ./install or make install), and copy /etc/holdfast/policy.yaml from
             here: a node whose policy is another takes part in no rollout.


        """
    switch node.fleet {
    case .sqlite:
        return """
            This node's fleet is the embedded store, which no other machine sees. First choose a store that all reach,
            in /etc/holdfast/node.yaml of each node, this one included:

              fleet: {store: kubernetes}              # ConfigMaps in the cluster itself; see /usr/share/holdfast/kubernetes
              fleet: {store: etcd, endpoints: ["https://…:2379"], caFile: /etc/holdfast/etcd-ca.pem, \
            userFile: /etc/holdfast/etcd-user}

            then give this command again.
            \(id.map { "\nThis node's id in a fleet is \($0): its account and its record are named so.\n" } ?? "")
            """
    case .kubernetes(let kubeconfig, let namespace):
        text += """
              2. Let it speak to the API server. A server of the control plane uses the distribution's own kubeconfig. A
                 worker has none that may write: make it an account of its own from here, with kubectl as an
                 administrator, as README.md in /usr/share/holdfast/kubernetes (or below /usr/local) says, and
                 copy the kubeconfig to the worker as /etc/holdfast/kubeconfig, mode 0600. This command tells the worker's id on the worker itself, while
                 node.yaml there names no store.

              3. Write /etc/holdfast/node.yaml there, root's alone:

                   cluster: \(cluster)
                   fleet: {store: kubernetes, namespace: \(namespace), kubeconfig: /etc/holdfast/kubeconfig}
                   kubeconfig: /etc/holdfast/kubeconfig

            """
        if let kubeconfig { text += "     Here the store is reached by \(kubeconfig).\n" }
    case .etcd(let endpoints, let caFile, let userFile):
        let files = [caFile, userFile].compactMap(\.self)
        text +=
            files.isEmpty
            ? "  2. Nothing is to be copied: here etcd is reached without a CA's file and without a user.\n"
            : "  2. Copy what etcd is reached with, root's alone (mode 0600 for the user's file):\n"
        for file in files { text += "       \(file)\n" }
        let list = endpoints.map { "\"\($0)\"" }.joined(separator: ", ")
        let ca = caFile.map { ", caFile: \($0)" } ?? ""
        let user = userFile.map { ", userFile: \($0)" } ?? ""
        text += """

              3. Write /etc/holdfast/node.yaml there, root's alone:

                   cluster: \(cluster)
                   fleet: {store: etcd, endpoints: [\(list)]\(ca)\(user)}

            """
    }
    text += """

          4. holdfast adopt, then holdfast check --fleet. It shows in 'holdfast status --fleet' here at once.

        """
    return text
}

/// `holdfast fleet forget NODE`: takes the record of a node away that is gone for good.
func fleetForget(_ invocation: Invocation, on screen: Screen) throws(Failure) -> ExitCode {
    let place = try Place(invocation)
    try place.needsRoot("a node is forgotten")
    let word = invocation.value("node") ?? ""
    let fleet = try place.openFleet()
    do throws(FleetFailure) {
        let found = try fleet.port.nodes().records.filter { $0.name == word || $0.id == word }
        guard let record = found.first else {
            throw FleetFailure(
                .forbidden, "no node is called \(word.printable); 'holdfast status --fleet' shows all")
        }
        guard found.count == 1 else {
            throw FleetFailure(
                .forbidden,
                "several nodes are called so; name one by its id: \(found.map(\.id).joined(separator: ", "))")
        }
        for distribution in Distribution.allCases {
            guard let document = try fleet.port.rollout(of: distribution)?.value, !document.state.hasEnded,
                document.grants.contains(where: { $0.grant.node == record.id })
            else { continue }
            throw FleetFailure(
                .forbidden,
                "\(record.name) holds a grant of rollout \(document.id): 'holdfast rollout evict \(record.id)' first"
            )
        }
        if let stored = try fleet.port.node(record.id) { try fleet.port.remove(stored) }
        let part = record.parts.first
        let said = RolloutWord(
            distribution: part?.distribution ?? .k3s, rollout: nil, version: nil,
            word: .forget(node: record.name), reason: "", claimedBy: claimedBy())
        do throws(Failure) {
            try place.record(.rolloutSaid(said), reading: place.clock.read())
        } catch {
            screen.error("Warning: it is not recorded here: \(error.lines.joined(separator: "; "))")
        }
        screen.out("\(said.summary.printable)\n")
    } catch {
        throw Failure(code: .failed, message: error.description)
    }
    return .done
}
