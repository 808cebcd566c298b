import Testing

extension PlainNodeTests {
    @Suite("what is there is found, and what runs is known")
    struct Discovery {
        @Test(
            "a K3s server under a custom name: role, unit, version by its build information, and the API agrees"
        )
        func server() async throws {
            let node = try LabNode.current
            let k3s = try await node.installK3s("edge-server", "v1.31.4+k3s1", port: 7101)
            let found = try await NodeUnderGuard(node).check().installation(k3s.name)
            #expect((found.distribution, found.role, found.units) == ("k3s", "server", [k3s.unit]))
            #expect((found.dataDirectory, found.dataStore) == (k3s.data, "sqlite"))
            let installed = try #require(found.installed)
            #expect((installed.version, installed.path) == ("v1.31.4+k3s1", k3s.binary))
            #expect((installed.evidence, installed.origin) == ("go-buildinfo", "claimed"))
            let digest = try await node.run("sha256sum <\"$1\" | cut -c 1-64 | tr -d '\\n'", k3s.binary)
            #expect(installed.sha256 == digest)
            #expect(found.running?.version == "v1.31.4+k3s1")
            #expect(found.running?.restartPending == false)
            #expect(found.sources == .all("v1.31.4+k3s1", "api", "process-executable", "installed-file"))
            #expect((found.approved?.version, found.approved?.confirmed) == ("v1.31.4+k3s1", false))
            #expect(found.changes.isEmpty)
        }

        @Test("a K3s agent under a custom name, which no API tells of, by the program that it unpacked")
        func agent() async throws {
            let node = try LabNode.current
            try await node.lab(
                "install-k3s", "v1.30.8+k3s1", "--role", "agent", "--unit", "edge-agent", "--bin-dir",
                "/opt/edge-agent/bin", "--data-dir", "/srv/edge-agent")
            let found = try await NodeUnderGuard(node).check().installation("edge-agent")
            #expect((found.distribution, found.role, found.units) == ("k3s", "agent", ["edge-agent.service"]))
            #expect((found.dataDirectory, found.dataStore) == ("/srv/edge-agent", "none"))
            #expect(found.installed?.version == "v1.30.8+k3s1")
            #expect(found.sources == .all("v1.30.8+k3s1", "process-executable", "installed-file"))
            #expect(found.running?.restartPending == false)
        }

        @Test("a k0s controller, whose version stands in its data alone, and its status socket agrees")
        func controller() async throws {
            let node = try LabNode.current
            try await node.installK0s("v1.31.4+k0s.0")
            let found = try await NodeUnderGuard(node).check().installation("k0scontroller")
            #expect((found.distribution, found.role) == ("k0s", "controller"))
            #expect((found.units, found.dataDirectory) == (["k0scontroller.service"], "/srv/k0s"))
            #expect(
                (found.installed?.version, found.installed?.evidence) == ("v1.31.4+k0s.0", "embedded-string"))
            #expect(
                found.sources == .all("v1.31.4+k0s.0", "k0s-status", "process-executable", "installed-file"))
            #expect(found.running?.restartPending == false)
        }

        @Test("several installations on one node are all seen, and what an uninstalled one left is not")
        func several() async throws {
            let node = try LabNode.current
            let first = try await node.installK3s("pair-one", "v1.31.4+k3s1", port: 7102)
            let second = try await node.installK3s("pair-two", "v1.32.1+k3s1", port: 7103)
            try await node.installK0s("v1.31.4+k0s.0")
            let guarded = try await NodeUnderGuard(node)
            let names = Set(try await guarded.check().installations.map(\.name))
            #expect(names.isSuperset(of: [first.name, second.name, "k0scontroller"]))
            #expect(try await guarded.status().installation(second.name).running?.version == "v1.32.1+k3s1")
            // As somebody does who forgets the drop-in, the environment and the data.
            try await node.run(
                """
                mkdir "/etc/systemd/system/$1.d"
                printf '[Service]\\nExecStart=\\nExecStart=%s server\\n' "$2" >"/etc/systemd/system/$1.d/extra.conf"
                systemctl disable --now "$1"
                rm "/etc/systemd/system/$1"
                systemctl daemon-reload
                """, second.unit, second.binary)
            let left = Set(try await guarded.check().installations.map(\.name))
            #expect(left.contains(first.name))
            #expect(!left.contains(second.name))
        }
    }
}

extension LabNode {
    /// Installs k0s, of which a node has one; its API server takes another port than K3s's.
    func installK0s(_ version: String) async throws {
        try await lab(
            "install-k0s", version, "--role", "controller", "--data-dir", "/srv/k0s", "--", "--api-port=7443")
    }
}

extension Set<NodeAnswer.Source> {
    /// All of them say the same.
    static func all(_ version: String, _ names: String...) -> Self {
        Set(names.map { NodeAnswer.Source(source: $0, version: version) })
    }
}
