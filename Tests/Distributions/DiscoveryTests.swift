import Distributions
import Host
import Model
import Ports
import ScriptedServer
import Testing

@Suite("Installations are found in a node's units")
struct DiscoveryTests {
    private let version = "v1.31.4+k3s1"

    @Test("a K3s server as its installer leaves it")
    func server() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s(version), at: "usr/local/bin/k3s")
        try node.unit(
            "k3s.service", "/usr/local/bin/k3s \\\n    server \\\n\t'--write-kubeconfig-mode=644' \\\n")
        let findings = node.look(K3sAdapter())
        let found = try #require(findings.installations.first)
        #expect(findings.installations.count == 1 && findings.problems.isEmpty)
        #expect(found.id == InstallationID(distribution: .k3s, name: "k3s"))
        #expect(
            found.role == .server && found.dataStore == .sqlite
                && found.dataDirectory == "/var/lib/rancher/k3s")
        #expect(
            found.units == [
                UnitObservation(name: "k3s.service", fragmentPath: "/etc/systemd/system/k3s.service")
            ])
        let installed = try #require(found.installed)
        #expect(installed.path == "/usr/local/bin/k3s" && installed.artifact.version == Version(version))
        #expect(installed.artifact.sha256 == (try hashFile("\(node.directory.path)/usr/local/bin/k3s")))
        #expect(
            installed.evidence == .goBuildInfo && installed.origin == .claimed
                && installed.architecture == .amd64)
        #expect(installed.cause == .fileReplaced)
        #expect(installed.unreadable == nil)
        #expect(found.running == nil)
    }

    @Test("a K3s agent under other names and places, by its configuration file and its additions")
    func agent() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s(version), at: "opt/edge/k3s")
        try node.unit(
            "k3s-agent-lab.service", "/opt/edge/k3s agent --config /etc/edge.yaml",
            in: "usr/lib/systemd/system")
        try node.directory.write("data-dir: /srv/first\nserver: https://10.0.0.1:6443\n", to: "etc/edge.yaml")
        try node.directory.write("data-dir: /srv/edge\n", to: "etc/edge.yaml.d/10-data.yaml")
        try node.directory.write("data-dir: /srv/never\n", to: "etc/edge.yaml.d/20-data.txt")
        let found = try #require(node.look(K3sAdapter()).installations.first)
        #expect(found.id.name == "k3s-agent-lab" && found.role == .agent && found.dataStore == .none)
        #expect(found.dataDirectory == "/srv/edge" && found.installed?.path == "/opt/edge/k3s")
    }

    @Test("a server whose etcd is on disk, in a data directory that its environment names")
    func etcd() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s(version), at: "usr/local/bin/k3s")
        try node.unit("k3s.service", "/usr/local/bin/k3s server", "EnvironmentFile=-/etc/default/%N\n")
        try node.directory.write("K3S_DATA_DIR=/srv/k3s\n", to: "etc/default/k3s")
        try node.directory.write("x", to: "srv/k3s/server/db/etcd/name")
        let found = try #require(node.look(K3sAdapter()).installations.first)
        #expect(found.dataStore == .etcd && found.dataDirectory == "/srv/k3s")
    }

    @Test("k0s nodes of each role, with the storage that their configuration names")
    func k0s() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k0s("v1.31.4+k0s.0"), at: "usr/local/bin/k0s")
        try node.unit(
            "k0scontroller.service",
            "/usr/local/bin/k0s controller --config=/etc/k0s/k0s.yaml --enable-worker=true")
        try node.unit("k0sworker.service", "/usr/local/bin/k0s worker --token-file=/etc/k0s/token")
        try node.directory.write("spec:\n  storage:\n    type: kine\n", to: "etc/k0s/k0s.yaml")
        let found = node.look(K0sAdapter()).installations
        #expect(found.map(\.id.name) == ["k0scontroller", "k0sworker"])
        #expect(found.map(\.role) == [.controllerAndWorker, .worker])
        #expect(found.map(\.dataStore) == [.sqlite, .none])
        #expect(found.allSatisfy { $0.installed?.artifact.version == Version("v1.31.4+k0s.0") })
        #expect(found[0].installed?.evidence == .embeddedString)
    }

    @Test("several installations on one node, one of them an instance of a template")
    func several() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s("v1.31.4+k3s1"), at: "usr/local/bin/k3s")
        try node.program(StandInProgram.k3s("v1.30.9+k3s1"), at: "opt/old/k3s")
        try node.program(StandInProgram.k0s("v1.31.4+k0s.0"), at: "usr/local/bin/k0s")
        try node.unit("k3s.service", "/usr/local/bin/k3s server")
        try node.unit("k3s-old@.service", "/opt/old/k3s server --data-dir=/srv/%i")
        try node.directory.link(
            "etc/systemd/system/multi-user.target.wants/k3s-old@blue.service",
            to: "/etc/systemd/system/k3s-old@.service")
        try node.unit("k0scontroller.service", "/usr/local/bin/k0s controller --single")
        var memory = ObserverMemory()
        let observation = NodeObserver(
            site: Site(root: node.root, units: UnitFiles(root: node.root)), name: "n"
        )
        .observe(reading: .test, memory: &memory)
        #expect(
            observation.installations.map(\.id.description) == [
                "k0s/k0scontroller", "k3s/k3s", "k3s/k3s-old@blue",
            ])
        #expect(observation.installations[2].dataDirectory == "/srv/blue")
        #expect(
            observation.installations.map { $0.installed?.artifact.version?.description } == [
                "v1.31.4+k0s.0", "v1.31.4+k3s1", "v1.30.9+k3s1",
            ])
        #expect(observation.problems.isEmpty)
    }

    @Test("leftovers of an uninstalled one are no installation")
    func leftovers() throws {
        let node = try NodeRoot()
        // A program without a unit; a drop-in directory without its unit.
        try node.program(StandInProgram.k3s(version), at: "usr/local/bin/k3s")
        try node.directory.write(
            "[Service]\nExecStart=\nExecStart=/usr/local/bin/k3s server\n",
            to: "etc/systemd/system/k3s.service.d/x.conf")
        // A unit of which neither program nor data are there.
        try node.unit("k3s-gone.service", "/opt/gone/k3s server --data-dir=/srv/gone")
        try node.unit("k0sworker.service", "/usr/local/bin/k0s worker")
        // A link that dangles, a masked unit, a template that nobody wants.
        try node.directory.link("etc/systemd/system/k3s-link.service", to: "/opt/k3s/k3s-link.service")
        try node.directory.link("etc/systemd/system/k3s-masked.service", to: "/dev/null")
        try node.unit("k3s-template@.service", "/usr/local/bin/k3s server")
        // Units that use the program for something else.
        try node.unit("k3s-backup.service", "/usr/local/bin/k3s etcd-snapshot save")
        try node.unit("k3s-clean.service", "/usr/local/bin/k3s-killall.sh server")
        #expect(node.look(K3sAdapter()).installations.isEmpty)
        #expect(node.look(K0sAdapter()).installations.isEmpty)
    }

    @Test(
        "a unit whose program has gone and whose data are there is shown as missing, and holds (invariant 2)")
    func missing() throws {
        let node = try NodeRoot()
        try node.unit("k3s.service", "/usr/local/bin/k3s server")
        try node.directory.write("x", to: "var/lib/rancher/k3s/server/db/state.db")
        let found = try #require(node.look(K3sAdapter()).installations.first)
        #expect(found.installed?.artifact.version == nil)
        #expect(found.installed?.unreadable == "missing: there is no file at /usr/local/bin/k3s")
        #expect(found.installed?.evidence == .unreadable && found.installed?.origin == .unknown)
        #expect(found.installed?.isMissing == true)
        // Told once, however many units run it.
        try node.unit("k3s-two.service", "/usr/local/bin/k3s server")
        let problems = node.look(K3sAdapter()).problems
        #expect(problems.map(\.code) == ["binary-missing"])
        #expect(problems.first?.text.contains("/usr/local/bin/k3s") == true)
    }

    @Test("k0s without its binary is still installed, and without its unit file it is not")
    func missingK0s() throws {
        let node = try NodeRoot()
        try node.unit("k0scontroller.service", "/usr/local/bin/k0s controller")
        try node.directory.write("x", to: "var/lib/k0s/pki/ca.crt")
        let found = try #require(node.look(K0sAdapter()).installations.first)
        #expect(found.installed?.isMissing == true && found.id.name == "k0scontroller")
        try removeFile("\(node.directory.path)/etc/systemd/system/k0scontroller.service")
        let gone = node.look(K0sAdapter())
        #expect(gone.installations.isEmpty && gone.problems.isEmpty)
    }

    @Test("a program under another name is told by what it is built from")
    func otherName() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s(version), at: "opt/bin/kube")
        try node.program(StandInProgram.stranger(), at: "opt/bin/consul")
        try node.program(
            StandInProgram.k3s("v1.33.1+rke2r1", module: "github.com/rancher/rke2"), at: "opt/bin/rke2")
        try node.program(StandInProgram.k0s("v1.31.4+k0s.0"), at: "opt/bin/worker-node")
        try node.unit("kube.service", "/opt/bin/kube server")
        try node.unit("consul.service", "/opt/bin/consul agent")
        try node.unit("rke2-server.service", "/opt/bin/rke2 server")
        try node.unit("node.service", "/opt/bin/worker-node worker")
        try node.unit("gone.service", "/opt/bin/gone server")
        #expect(node.look(K3sAdapter()).installations.map(\.id.name) == ["kube"])
        #expect(node.look(K0sAdapter()).installations.map(\.id.name) == ["node"])
    }

    @Test(
        "a unit that node.yaml names is taken in whatever its arguments, and said where it is neither K3s nor k0s"
    )
    func extraUnits() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s(version), at: "opt/bin/start")
        try node.program(StandInProgram.stranger(), at: "opt/bin/other")
        try node.unit("custom.service", "/opt/bin/start --everything")
        try node.unit("other.service", "/opt/bin/other --everything")
        #expect(node.look(K3sAdapter()).installations.isEmpty)
        var memory = ObserverMemory()
        let observation = NodeObserver(
            site: Site(
                root: node.root, units: UnitFiles(root: node.root),
                extraUnits: ["custom.service", "other.service", "none.service"]),
            name: "n"
        ).observe(reading: .test, memory: &memory)
        #expect(observation.installations.map(\.id.name) == ["custom"])
        #expect(observation.installations.first?.role == nil)
        #expect(observation.problems.map(\.code) == ["unit-unrecognised", "unit-unrecognised"])
    }

    @Test("a program that systemd is to search for is found where it searches")
    func search() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s(version), at: "usr/bin/k3s")
        try node.unit("k3s.service", "k3s server")
        #expect(node.look(K3sAdapter()).installations.first?.installed?.path == "/usr/bin/k3s")
    }

    @Test("invariant 13: no token, password or other argument of a unit is in what was observed")
    func secrets() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s(version), at: "usr/local/bin/k3s")
        try node.program(StandInProgram.k0s("v1.31.4+k0s.0"), at: "usr/local/bin/k0s")
        try node.unit(
            "k3s.service",
            "/usr/local/bin/k3s server --token SECRET1 --datastore-endpoint=mysql://u:SECRET2@tcp(h)/d",
            "Environment=K3S_AGENT_TOKEN=SECRET3\n")
        try node.unit("k0scontroller.service", "/usr/local/bin/k0s controller SECRET4")
        try node.directory.write("token: SECRET5\n\"SECRET6\n", to: "etc/rancher/k3s/config.yaml")
        try node.directory.write(
            "spec: {storage: {type: kine, kine: {dataSource: 'mysql://u:SECRET7@h/d'}}}",
            to: "etc/k0s/k0s.yaml")
        var memory = ObserverMemory()
        let observation = NodeObserver(
            site: Site(root: node.root, units: UnitFiles(root: node.root)), name: "n"
        )
        .observe(reading: .test, memory: &memory)
        #expect(observation.installations.count == 2)
        #expect(observation.problems.map(\.code) == ["configuration-unreadable"])
        #expect(!(try CanonicalJSON.text(of: observation)).contains("SECRET"))
        #expect(!(try CanonicalJSON.text(of: memory)).contains("SECRET"))
    }

    @Test("invariant 11: nothing that a unit names is executed")
    func notExecuted() throws {
        let node = try NodeRoot()
        let mark = "\(node.directory.path)/ran"
        for name in ["k3s", "k0s"] {
            let path = try node.directory.write(
                "#!/bin/sh\ntouch \(mark)\necho \(name) version v1.31.4+\(name)1\n",
                to: "usr/local/bin/\(name)")
            makeExecutable(path)
        }
        try node.unit("k3s.service", "/usr/local/bin/k3s server", "ExecStartPre=/usr/local/bin/k3s check\n")
        try node.unit("k0sworker.service", "/usr/local/bin/k0s worker")
        let found = node.look(K3sAdapter()).installations + node.look(K0sAdapter()).installations
        #expect(found.map { $0.installed?.artifact.version } == [nil, nil])
        #expect(found.allSatisfy { $0.installed?.evidence == .unreadable && $0.installed?.unreadable != nil })
        #expect((try? identity(ofFile: mark)) == nil)
    }

    @Test("hostile nodes give problems or unreadable versions, never a crash or a way out of the root")
    func hostile() throws {
        let node = try NodeRoot()
        let outside = try NodeRoot()
        try outside.program(StandInProgram.k3s(version), at: "k3s")
        try node.directory.link("usr/local/bin/k3s", to: "\(outside.directory.path)/k3s")
        try node.unit("k3s.service", "/usr/local/bin/k3s server --config=/etc/loop --data-dir=relative")
        try node.directory.link("etc/loop", to: "/etc/loop")
        try node.directory.write(
            [UInt8](repeating: 0xff, count: 1000), to: "etc/systemd/system/k3s-binary.service")
        try node.directory.write("x", to: "opt/directory/k3s/file")
        try node.unit("k3s-directory.service", "/opt/directory/k3s server")
        try node.unit(
            "k3s-long.service",
            "/opt/directory/k3s server " + String(repeating: "--x=\"\\x41\" ", count: 20_000))
        try node.unit("k0sworker.service", "/usr/local/bin/k0s worker --data-dir=/../../../../../etc")
        let findings = node.look(K3sAdapter())
        // The first has neither a program nor data inside the root.
        #expect(findings.installations.map(\.id.name) == ["k3s-directory", "k3s-long"])
        #expect(findings.installations.allSatisfy { $0.installed?.artifact.version == nil })
        #expect(findings.problems.map(\.code) == ["configuration-unreadable"])
        // ".." stops at the root, whose own /etc is there.
        #expect(node.look(K0sAdapter()).installations.map(\.id.name) == ["k0sworker"])
    }

    @Test("a root that is none is a problem, said once")
    func noRoot() {
        let root = Root("/nowhere/at/all")
        var memory = ObserverMemory()
        let observation = NodeObserver(site: Site(root: root, units: UnitFiles(root: root)), name: "n")
            .observe(reading: .test, memory: &memory)
        #expect(observation.problems.filter { $0.code == "units-unreadable" }.count == 1)
    }
}

@Suite("What is remembered between two looks")
struct MemoryTests {
    @Test("a file that stands is not read again; one that was replaced is")
    func replaced() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s("v1.31.4+k3s1"), at: "usr/local/bin/k3s")
        try node.unit("k3s.service", "/usr/local/bin/k3s server")
        var memory = ObserverMemory()
        let first = try #require(node.look(K3sAdapter(), memory: &memory).installations.first)
        let remembered = memory
        let second = try #require(node.look(K3sAdapter(), memory: &memory).installations.first)
        #expect(second == first)
        #expect(memory == remembered)
        try node.program(StandInProgram.k3s("v1.32.0+k3s1"), at: "usr/local/bin/k3s")
        for _ in 1...2 {
            let third = try #require(node.look(K3sAdapter(), memory: &memory).installations.first)
            #expect(third.installed?.artifact.version == Version("v1.32.0+k3s1"))
            #expect(third.installed?.cause == .fileReplaced)
        }
    }

    @Test("the look after the look sees a binary that moved meanwhile, or has gone")
    func moved() throws {
        let node = try NodeRoot()
        try node.program(StandInProgram.k3s("v1.31.4+k3s1"), at: "usr/local/bin/k3s")
        try node.unit("k3s.service", "/usr/local/bin/k3s server")
        let observer = NodeObserver(site: Site(root: node.root, units: UnitFiles(root: node.root)), name: "n")
        var memory = ObserverMemory()
        var observation = observer.observe(reading: .test, memory: &memory)
        #expect(!observer.hasMoved(since: observation))
        try node.program(StandInProgram.k3s("v1.32.0+k3s1"), at: "usr/local/bin/k3s")
        #expect(observer.hasMoved(since: observation))
        observation = observer.observe(reading: .test, memory: &memory)
        #expect(!observer.hasMoved(since: observation))
        try node.directory.link("usr/local/bin/k3s", to: "/nowhere")
        #expect(observer.hasMoved(since: observation))
    }
}

@Suite("The node's own facts")
struct NodeFactsTests {
    @Test("the name is node.yaml's, else the host name; the architecture below a root is its program's")
    func facts() throws {
        let node = try NodeRoot()
        try node.directory.write("edge-7\n", to: "etc/hostname")
        try node.program(StandInProgram.k3s("v1.31.4+k3s1"), at: "usr/local/bin/k3s")
        try node.unit("k3s.service", "/usr/local/bin/k3s server")
        let site = Site(root: node.root, units: UnitFiles(root: node.root))
        var memory = ObserverMemory()
        let named = NodeObserver(site: site, name: "n1", cluster: "c", labels: ["a": "b"]).observe(
            reading: .test, memory: &memory)
        #expect(named.node == NodeFacts(name: "n1", cluster: "c", labels: ["a": "b"], architecture: .amd64))
        let unnamed = NodeObserver(site: site, name: nil).observe(reading: .test, memory: &memory)
        #expect(
            unnamed.node == NodeFacts(name: "edge-7", cluster: "default", labels: [:], architecture: .amd64))
        #expect(named.clock == .test)
    }
}
