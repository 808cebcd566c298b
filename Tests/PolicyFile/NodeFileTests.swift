import Host
import Model
import PolicyFile
import Ports
import Testing

private func node(_ text: String) -> ParsedFile<NodeFile> {
    parseNodeFile(Array(text.utf8), file: "node.yaml")
}

@Suite("node.yaml")
struct NodeFileTests {
    @Test(
        "an empty file, and one of comments alone, is a node alone on the embedded store",
        arguments: ["", "# name: a\n"])
    func empty(_ text: String) throws {
        let file = try node(text).value
        #expect(file == NodeFile())
        #expect(
            file.cluster == "default" && file.fleet == .sqlite && file.stateDirectory == "/var/lib/holdfast")
    }

    @Test("every key is read")
    func everything() throws {
        let file = try node(
            """
            name: no
            cluster: shop-eu
            labels: {rack: 07, spare: off}
            fleet: {store: etcd, endpoints: ["https://a:2379", "https://b:2379"], caFile: /etc/ca.pem, userFile: /etc/user}
            kubeconfig: /etc/kube.yaml
            stateDirectory: /srv/holdfast
            units: [k3s-edge, k3s-lab.service]
            """
        ).value
        var expected = NodeFile()
        expected.name = "no"
        expected.cluster = "shop-eu"
        expected.labels = ["rack": "07", "spare": "off"]
        expected.fleet = .etcd(
            endpoints: ["https://a:2379", "https://b:2379"], caFile: "/etc/ca.pem", userFile: "/etc/user")
        expected.kubeconfig = "/etc/kube.yaml"
        expected.stateDirectory = "/srv/holdfast"
        expected.units = ["k3s-edge.service", "k3s-lab.service"]
        #expect(file == expected)
    }

    @Test("the documented defaults may be written out")
    func defaults() throws {
        let text =
            "name: \"\"\ncluster: default\nlabels: {}\nfleet: {store: sqlite}\nkubeconfig: \"\"\nstateDirectory: /var/lib/holdfast\n"
        #expect(try node(text).value == NodeFile())
        #expect(try node("fleet: sqlite").value == NodeFile())
        #expect(
            try node("fleet: {store: kubernetes}").value.fleet
                == .kubernetes(kubeconfig: nil, namespace: "holdfast"))
        #expect(
            try node("fleet: {store: kubernetes, kubeconfig: /a, namespace: b}").value.fleet
                == .kubernetes(kubeconfig: "/a", namespace: "b"))
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var yaml: String
        var column: Int
        var part: String
        var testDescription: String { yaml }
    }

    @Test(
        "what is wrong is said where it is wrong",
        arguments: [
            Wrong(yaml: "clusters: a", column: 1, part: "did you mean `cluster`?"),
            Wrong(yaml: "name: edge-*", column: 7, part: "is a pattern"),
            Wrong(yaml: "cluster: \"\"", column: 10, part: "is empty"),
            Wrong(yaml: "labels: [a]", column: 9, part: "needs a mapping"),
            Wrong(yaml: "fleet: {store: redis}", column: 16, part: "is not sqlite, kubernetes or etcd"),
            Wrong(yaml: "fleet: etcd", column: 8, part: "is not sqlite"),
            Wrong(yaml: "fleet: {store: etcd}", column: 8, part: "`endpoints` is missing"),
            Wrong(yaml: "fleet: {store: etcd, endpoints: []}", column: 33, part: "an empty list"),
            Wrong(
                yaml: "fleet: {store: sqlite, namespace: a}", column: 35, part: "no key of the store sqlite"),
            Wrong(yaml: "fleet: {store: kubernetes, namespace: A_b}", column: 39, part: "no namespace"),
            Wrong(yaml: "kubeconfig: ~/.kube/config", column: 13, part: "not an absolute path"),
            Wrong(yaml: "stateDirectory: /", column: 17, part: "root directory"),
            Wrong(yaml: "stateDirectory: /var/../etc", column: 17, part: "goes up"),
            Wrong(yaml: "units: []", column: 8, part: "an empty list"),
            Wrong(yaml: "units: [a.timer]", column: 9, part: "no service unit"),
            Wrong(yaml: "units: [../a]", column: 9, part: "no service unit"),
        ])
    func wrong(_ wrong: Wrong) {
        let faults = node(wrong.yaml).faults
        #expect(faults.map(\.column) == [wrong.column], "\(faults)")
        #expect(faults.first?.message.contains(wrong.part) == true, "\(faults)")
    }

    @Test("an absent file is fine, one that others could write or that cannot be read is not")
    func reading() throws {
        #expect(
            try readNodeFile(at: "/n", read: { _ in nil }, ownership: { _ in "anybody" }).value == NodeFile())
        let open = readNodeFile(at: "/n", read: { _ in [] }, ownership: { _ in "writable by group" })
        #expect(open.faults.map(\.description) == ["/n:1:1: writable by group"])
        let failed = readNodeFile(
            at: "/n", read: { _ throws(HostError) in throw HostError(description: "input/output error") },
            ownership: nil)
        #expect(failed.faults.map(\.description) == ["/n:1:1: input/output error"])
    }
}
