import FoundationEssentials
import Host
import Model
import ScriptedServer
import Testing

@testable import Distributions

@Suite("MicroK8s by what is on disk")
struct MicroK8sFilesTests {
    /// A node without snapd, whose state names a revision.
    private func node(state: String?, current: String?, mounted: [String: String]) throws -> MicroK8sNode {
        let node = try MicroK8sNode()
        if let state {
            try node.directory.write(
                "{\"data\":{\"snaps\":{\"microk8s\":\(state)}}}", to: "var/lib/snapd/state.json")
        }
        if let current { try node.directory.link("snap/microk8s/current", to: current) }
        for (revision, version) in mounted {
            try node.directory.write(
                "name: microk8s\nversion: \(version)\n", to: "snap/microk8s/\(revision)/meta/snap.yaml")
        }
        return node
    }

    @Test(
        "without snapd its state tells revision and channel, the mounted snap its version, and the rest is said to be unknown"
    )
    func state() throws {
        let state = String(
            decoding: try SnapdFixture.read("state-microk8s-reverted-2.68.3.json"), as: UTF8.self)
        let node = try node(state: state, current: "2", mounted: ["2": "v1.32.4", "5": "v1.33.1"])
        let units = NoUnits(names: [
            "k3s.service", "snap.microk8s.daemon-kubelite.service", "snap.microk8s.x.service",
        ])
        let findings = node.look(units: units)
        #expect(findings.problems.map(\.code) == ["snapd-absent"])
        let installation = try #require(findings.installations.first)
        #expect(
            installation.installed
                == Installed(
                    artifact: Artifact(version: Version("v1.32.4"), revision: "2", channel: "1.31/stable"),
                    path: "/snap/microk8s/2", evidence: .snapd, origin: .verified))
        #expect(installation.running == nil)
        #expect(installation.hold == nil)
        #expect(installation.units.map(\.name) == ["snap.microk8s.daemon-kubelite.service"])
    }

    @Test(
        "without snapd, a unit file of another service that the kernel does not give hides none of its units")
    func unread() throws {
        let node = try node(state: nil, current: "7", mounted: ["7": "v1.31.9"])
        let units = "etc/systemd/system"
        for name in ["snap.microk8s.daemon-kubelite", "other"] {
            try node.directory.write("[Service]\nExecStart=/bin/true\n", to: "\(units)/\(name).service")
        }
        let files = UnitFiles(root: Root(node.directory.path))
        let lease = try LeasedFile("\(node.directory.path)/\(units)/other.service")
        try withExtendedLifetime(lease) {
            let findings = node.look(
                units: files.snapshot(known: nil, question: nil, now: MicroK8sNode.recorded))
            let installation = try #require(findings.installations.first)
            #expect(installation.units.map(\.name) == ["snap.microk8s.daemon-kubelite.service"])
            #expect(findings.problems.map(\.code) == ["snapd-absent", "units-unreadable"])
        }
    }

    @Test("a mounted snap that no state of snapd backs is only claimed")
    func withoutState() throws {
        let installed = try #require(
            try node(state: nil, current: "7", mounted: ["7": "v1.31.9"]).look().installations.first?
                .installed)
        #expect(installed.artifact == Artifact(version: Version("v1.31.9"), revision: "7"))
        #expect(installed.origin == .claimed)
    }

    @Test("a sideloaded revision is claimed whatever the state says")
    func sideloaded() throws {
        let state =
            "{\"current\":\"x1\",\"sequence\":[{\"name\":\"microk8s\",\"revision\":\"x1\",\"snap-id\":\"id\"}]}"
        let installed = try #require(
            try node(state: state, current: "x1", mounted: ["x1": "v1.31.9"]).look().installations.first?
                .installed)
        #expect(installed.origin == .claimed)
    }

    /// Files that do not add up, and the version that is not to be read from them.
    @Test("what is not mounted, is no snap, or contradicts itself is unreadable with its reason")
    func unreadable() throws {
        let state = "{\"current\":\"2\",\"sequence\":[{\"revision\":\"2\",\"snap-id\":\"id\"}]}"
        for (node, reason) in [
            (try node(state: state, current: "2", mounted: [:]), "meta/snap.yaml"),
            (try node(state: state, current: "2", mounted: ["2": "latest"]), "names no version"),
            (try node(state: state, current: "2", mounted: ["2": "[v1.31.9"]), "names no version"),
            (
                try node(state: state, current: "3", mounted: ["2": "v1.31.9", "3": "v1.32.0"]),
                "current says 3"
            ),
        ] {
            let installed = try #require(node.look().installations.first?.installed)
            #expect(installed.artifact.version == nil)
            #expect(installed.artifact.revision == "2")
            #expect(installed.evidence == .unreadable)
            #expect(installed.unreadable?.contains(reason) == true)
        }
    }

    @Test(
        "a link or a state that names no revision is no installation",
        arguments: ["../../etc", "current", "x", "7a"])
    func noRevision(name: String) throws {
        #expect(try node(state: nil, current: name, mounted: [:]).look().installations.isEmpty)
        #expect(
            try node(state: "{\"current\":\"\(name)\"}", current: nil, mounted: [:]).look().installations
                .isEmpty)
    }

    @Test("a link out of the root is followed inside it, and a broken state is as good as none")
    func hostile() throws {
        let node = try node(state: "[", current: "7", mounted: [:])
        try node.directory.link("snap/microk8s/7", to: "/elsewhere")
        try node.directory.write("version: v1.31.9\n", to: "elsewhere/meta/snap.yaml")
        #expect(node.look().installations.first?.installed?.artifact.version?.description == "v1.31.9")
    }

    /// Files of a node and the part that it has in its cluster.
    struct Part: Sendable, CustomTestStringConvertible {
        var name: String
        var files: [String: String]
        var role: Role
        var store: DataStore
        var testDescription: String { name }
    }

    @Test(
        "role and data store follow from lock files and arguments",
        arguments: [
            Part(name: "nothing there", files: [:], role: .node, store: .unknown),
            Part(name: "worker", files: ["var/lock/clustered.lock": ""], role: .worker, store: .none),
            Part(
                name: "worker that kept its old lock",
                files: ["var/lock/clustered.lock": "", "var/lock/ha-cluster": ""], role: .worker, store: .none
            ),
            Part(name: "high availability", files: ["var/lock/ha-cluster": ""], role: .node, store: .dqlite),
            Part(
                name: "kine",
                files: [
                    "args/kube-apiserver":
                        "--secure-port=16443\n--etcd-servers=\"unix:///var/snap/microk8s/x/kine.sock:12379\"\n"
                ], role: .node, store: .dqlite),
            Part(
                name: "own etcd",
                files: ["args/kube-apiserver": "--etcd-servers='https://127.0.0.1:12379'\n"],
                role: .node, store: .etcd),
            Part(
                name: "foreign etcd",
                files: [
                    "args/kube-apiserver": "--etcd-servers https://10.0.0.1:2379,https://10.0.0.2:2379\n"
                ],
                role: .node, store: .external),
            Part(
                name: "no store named", files: ["args/kube-apiserver": "--v=2\n"], role: .node,
                store: .unknown),
        ])
    func parts(_ part: Part) throws {
        let node = try MicroK8sNode(RecordedState.named("01").answers())
        for (name, content) in part.files {
            try node.directory.write(content, to: "var/snap/microk8s/1/\(name)")
        }
        try node.directory.link("var/snap/microk8s/current", to: "1")
        let installation = try #require(node.look().installations.first)
        #expect(installation.role == part.role)
        #expect(installation.dataStore == part.store)
        #expect(installation.dataDirectory == "/var/snap/microk8s/current")
    }

    @Test(
        "the revision that a process runs is in the path of its executable",
        arguments: [
            ("/snap/microk8s/7731/kubelite", "7731"), ("/var/lib/snapd/snap/microk8s/x2/kubelite", "x2"),
            ("/usr/bin/sleep", nil), ("/snap/microk8s/current/kubelite", nil),
            ("/snap/microk8s-b/7/kubelite", nil),
        ] as [(String, String?)])
    func executables(path: String, revision: String?) {
        #expect(SnapRunning.revision(ofExecutable: path) == revision)
    }
}
